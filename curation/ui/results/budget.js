// Below the tables: what the round's money bought by cluster, and how the next samples should be split over the error types.

import { api, bar, chip, dot, fill, fmt, h, later, onlyLatest, state, toast } from "../shared/lib.js";
import { pair, view } from "./state.js";

const TOTAL = 300; // samples, where nobody has said another number
let total = TOTAL;
let edited = null; // quotas that differ from the recommended ones, by error type; null: none do
const box = h("div.budget");
const splitBox = h("div.card.rows");

/** Asks for both and draws them; gives back the element at once. */
export function budget() {
  load();
  return box;
}

async function load() {
  const asked = pair();
  const [returns, split] = await Promise.all([
    api("results/returns", asked, { quiet: true }).catch(() => null),
    newest(api("results/split", { ...asked, total }, { quiet: true }).catch(() => null)),
  ]);
  Object.assign(view, split === undefined ? { returns } : { returns, split });
  draw();
}

const newest = onlyLatest(); // a split that was asked for before another was accepted doesn't hide that

async function loadSplit() {
  const split = await newest(api("results/split", { ...pair(), total }));
  if (split === undefined) return;
  view.split = split;
  drawSplit();
}

const splitLater = later(() => {
  edited = null;
  return loadSplit();
}, 300);

function draw() {
  const { returns, split } = view;
  fill(
    box,
    returns && [
      h("h4", "Gain per dollar, by cluster"),
      h("div.card.rows", returnTable(returns)),
      h(
        "p.dim.note",
        "Gain: points of accuracy over all compared examples. 95 % intervals by a bootstrap over images; ",
        "measured where it shows, whatever samples caused it.",
        returns.unassigned > 0 && ` ${fmt.plural(returns.unassigned, "example")} in no cluster.`,
        returns.unpriced > 0 && ` ${fmt.plural(returns.unpriced, "cluster")} unpriced.`,
      ),
    ],
    split && [h("h4", "Next samples"), splitBox],
  );
  drawSplit();
}

const range = (value, low, high, digits) =>
  value === null
    ? h("span.dim", "–")
    : [fmt.signed(value, digits), h("small.dim", ` [${fmt.signed(low, digits)}, ${fmt.signed(high, digits)}]`)];

const returnTable = (returns) =>
  h(
    "table",
    h(
      "thead",
      h(
        "tr",
        ["cluster", "items", "accuracy", "gain, points", "samples", "cost", "points per dollar"].map((name, i) =>
          h("th", { class: i ? "r" : "" }, name),
        ),
      ),
    ),
    h(
      "tbody",
      [returns.total, ...returns.clusters].map((row, i) =>
        h(
          "tr",
          { class: i ? "" : "whole" },
          h("td", i > 0 && row.error_type && [dot(row.error_type), " "], i ? row.name : h("b", "all")),
          h("td.r", fmt.number(row.items)),
          h("td.r", row.before === null ? h("span.dim", "–") : `${fmt.fixed(row.before)} → ${fmt.fixed(row.after)}`),
          h("td.r", range(row.gain, row.gain_low, row.gain_high, 2)),
          h("td.r", { title: `${fmt.number(row.samples)} made, ${fmt.number(row.approved)} approved` }, fmt.number(row.approved)),
          h("td.r", fmt.usd(row.usd)),
          h("td.r", range(row.per_dollar, row.per_dollar_low, row.per_dollar_high, 1)),
        ),
      ),
    ),
  );

function drawSplit() {
  if (!view.split) return;
  const { recommended, reason, accepted } = view.split;
  const number = h("input.in.short", {
    type: "number",
    id: "split-total",
    min: 1,
    step: 10,
    value: total,
    oninput: () => {
      total = Math.max(1, Number(number.value) || TOTAL);
      splitLater();
    },
  });
  const sum = h("b");
  const told = () => {
    const quotas = current();
    sum.textContent = fmt.plural(
      Object.values(quotas).reduce((all, one) => all + one, 0),
      "sample",
    );
  };
  fill(
    splitBox,
    h("div.row.wrap.bar-row", h("label", { for: "split-total" }, "Samples to split"), number, h("span.grow"), sum),
    recommended ? quotaTable(recommended, told) : h("p.dim.note", reason),
    recommended &&
      Object.keys(recommended.left_out).length > 0 &&
      h(
        "p.dim.note",
        "None for: ",
        Object.entries(recommended.left_out)
          .map(([name, why]) => `${name} (${why})`)
          .join(", "),
      ),
    h(
      "div.row.wrap.bar-row",
      accepted
        ? chip(
            `accepted by ${accepted.author}, ${fmt.ago(accepted.created_at)}: ${fmt.plural(Object.keys(accepted.quotas).length, "quota")}`,
            {
              kind: "ok",
              title: Object.entries(accepted.quotas)
                .map(([name, samples]) => `${name} ${samples}`)
                .join(", "),
            },
          )
        : h("span.dim", "Generate goes without quotas."),
      h("span.grow"),
      accepted && h("button.btn", { onclick: clear }, "Clear"),
      recommended && h("button.btn.p", { onclick: accept }, edited ? "Accept as edited" : "Accept split"),
    ),
  );
  if (recommended) told();
}

const current = () => {
  const quotas = Object.fromEntries((view.split?.recommended?.quotas ?? []).map((one) => [one.name, one.samples]));
  return { ...quotas, ...edited };
};

const quotaTable = (recommended, told) => {
  const most = Math.max(...recommended.quotas.map((one) => one.samples));
  return h(
    "table",
    h(
      "thead",
      h(
        "tr",
        [
          ["error type"],
          ["accuracy", "Of the second checkpoint, on eval"],
          ["missing", "Points of all accuracy that are missing in this error type"],
          ["taught", "How well its samples taught: points for each sample, relative to all, shrunk by its uncertainty"],
          ["solved on train", "Rate at which its train examples are solved. Most is learnt from .3 to .8; outside, the weight is halved"],
          ["teachable", "Failures that samples can be made from"],
          ["", ""],
          ["samples", "Recommended, with its 95 % interval; edit it"],
        ].map(([name, title], i) => h("th", { class: i ? "r" : "", title }, name)),
      ),
    ),
    h(
      "tbody",
      recommended.quotas.map((one) => {
        const input = h("input.in.short", {
          type: "number",
          min: 0,
          step: 1,
          value: edited?.[one.name] ?? one.samples,
          "aria-label": `samples for ${one.name}`,
          oninput: () => {
            edited = { ...edited, [one.name]: Math.max(0, Math.round(Number(input.value) || 0)) };
            told();
            splitBox.querySelector(".btn.p").textContent = "Accept as edited";
          },
        });
        return h(
          "tr",
          h("td", dot(one.name), " ", one.name),
          h("td.r", fmt.fixed(one.accuracy)),
          h("td.r", fmt.fixed(one.missing, 1)),
          h("td.r", `× ${fmt.fixed(one.taught, 2)}`),
          h("td.r", { class: one.in_band ? "" : "dim" }, fmt.percent(one.solved)),
          h("td.r", fmt.number(one.teachable)),
          h("td.r", bar(one.samples / most)),
          h("td.r", input, h("small.dim.below", `${fmt.number(one.low)} to ${fmt.number(one.high)}`)),
        );
      }),
    ),
  );
};

async function accept() {
  await api("results/split/accept", { ...pair(), total, quotas: current() });
  document.dispatchEvent(new Event("mb:split"));
  toast("Split accepted: launches of generate follow it", {
    kind: "good",
    action: { text: "Go to Generate", run: () => state.go("generate") },
  });
  await loadSplit();
}

async function clear() {
  await api("results/split/clear", {});
  document.dispatchEvent(new Event("mb:split"));
  await loadSplit();
}
