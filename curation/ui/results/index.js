// The Results page: before and after (left), the ledger of fixed and broken examples (right). What is chosen is in the URL.

import { Chart } from "../shared/chart.js";
import { api, ask, at, chip, drawer, emptyState, fill, fillOnce, fmt, h, keys, onlyLatest, pick, state, toast } from "../shared/lib.js";
import { drawLedger } from "./ledger.js";

let root,
  ledgerDrawer,
  lastTick = null;
export const view = { summary: null, ledger: null, open: null };

keys("results", [
  { name: "fixed", key: "f", what: "fixed examples", run: () => state.set({ which: null, offset: null }) },
  { name: "broken", key: "b", what: "broken examples", run: () => state.set({ which: "broken", offset: null }) },
  { name: "score", key: "l", what: "strict or lenient scores", run: () => state.set({ score: state.one("score") ? null : "lenient" }) },
]);

const chooseType = (name) => state.set({ type: name === "overall" || name === state.one("type") ? null : name, offset: null });
const clicked = { onclick: (point) => chooseType(point.y) };
let accuracies, differences; // charts

export function start(element) {
  root = element;
  accuracies = new Chart(clicked);
  differences = new Chart(clicked);
  ledgerDrawer = drawer(root.querySelector(".cols"), "Examples");
}

const newest = onlyLatest();
const pair = () => ({ before: state.one("before"), after: state.one("after"), score: state.one("score") ?? "strict" });

export async function show() {
  const summary = await newest(api("results/summary", pair()));
  if (!summary) return;
  view.summary = summary;
  drawHead();
  drawMain();
  await loadLedger();
}

const newestLedger = onlyLatest();

async function loadLedger() {
  if (!view.summary.found) view.ledger = null;
  else {
    const body = {
      ...pair(),
      which: state.one("which") ?? "fixed",
      error_type: state.one("type"),
      offset: Number(state.one("offset") ?? 0),
    };
    const ledger = await newestLedger(api("results/ledger", body));
    if (!ledger) return;
    view.ledger = ledger;
  }
  drawLedger(root, view);
}

export async function tick(workspace) {
  const now = JSON.stringify([workspace.running.map((job) => job.job_id), workspace.ended]);
  if (lastTick !== null && now !== lastTick) await show();
  lastTick = now;
}

function drawHead() {
  const { checkpoints, before, after, found, round } = view.summary;
  const choices = checkpoints.map((checkpoint) => ({
    value: checkpoint.name,
    text: `${checkpoint.name}${checkpoint.eval ? "" : " (not evaluated)"}`,
  }));
  const choose = (name, value) =>
    pick(choices, value, (chosen) => state.set({ [name]: chosen, offset: null }), {
      title: name === "before" ? "Checkpoint before" : "Checkpoint after",
    });
  fillOnce(
    at(root, "pair"),
    [choices, before, after, state.one("score")],
    () =>
      after && [
        choose("before", before),
        h("span.faint", "→"),
        choose("after", after),
        pick(["strict", "lenient"], state.one("score") ?? "strict", (score) => state.set({ score: score === "strict" ? null : score }), {
          title: "Strict: as the benchmark's own evaluator. Lenient: also takes the right answer in another form.",
        }),
      ],
  );
  const bundle = new URL(
    `api/results/evidence.zip?${new URLSearchParams({ before: before ?? "", after: after ?? "", score: state.one("score") ?? "strict" })}`,
    document.baseURI,
  ).href;
  fill(
    at(root, "actions"),
    found && [
      gate(found.gate),
      h(
        "a.btn",
        {
          href: bundle,
          download: "evidence.zip",
          title: "Zip file with report, figures, all pairs of answers, samples, settings and prompts",
        },
        "Evidence",
      ),
      h(
        "button.btn.p",
        { onclick: () => nextRound(after, round + 1), title: `Evaluates ${after} on the train splits and collects its failures` },
        `Start round ${round + 1} →`,
      ),
    ],
    ledgerDrawer.button,
  );
}

function gate({ passed, not_shown: names, margin }) {
  const text = passed ? "release gate: pass" : "release gate: not shown";
  const lost = `${fmt.fixed(100 * margin, 0)} point`;
  const title = passed
    ? `Overall and for each dataset the interval excludes a loss of more than ${lost}`
    : `A loss of more than ${lost} can't be ruled out for: ${names.join(", ")}`;
  return chip(text, { kind: passed ? "ok" : "wa", title });
}

function drawMain() {
  const { found, after, before, reason, checkpoints } = view.summary;
  const box = at(root, "main");
  if (!after) {
    return fill(
      box,
      emptyState(
        "Nothing to compare yet",
        checkpoints.length
          ? "Train a checkpoint on approved samples and evaluate it; its results appear here."
          : "Evaluate a checkpoint first.",
        { text: "Go to Finetune", run: () => state.go("finetune") },
      ),
    );
  }
  if (!found) {
    const missing = [before, after].filter((name) => !checkpoints.find((checkpoint) => checkpoint.name === name)?.eval);
    return fill(
      box,
      emptyState("Not evaluated yet", reason, {
        text: `Evaluate ${missing[0] ?? after} on eval`,
        run: () => evaluate(missing[0] ?? after),
      }),
    );
  }
  const { overall } = found;
  const cost = view.summary.spend_usd;
  const card = (title, figure, text) => h("div.card", h("div.dim", title), h("div.num", figure), h("div.dim", text));
  fill(
    box,
    h(
      "div.cards",
      card(
        "Accuracy",
        `${fmt.fixed(overall.before)} → ${fmt.fixed(overall.after)}`,
        `${fmt.signed(overall.difference)} [${fmt.signed(overall.low)}, ${fmt.signed(overall.high)}]`,
      ),
      card("Fixed", h("span.okay", fmt.number(found.fixed)), `of ${fmt.number(found.wrong_before)} wrong`),
      card(
        "Broken",
        h("span", { class: found.broken ? "err" : "" }, fmt.number(found.broken)),
        `of ${fmt.number(found.examples - found.wrong_before)} right`,
      ),
      card(
        "Cost",
        fmt.usd(cost),
        cost && found.fixed ? `${fmt.usd(cost / found.fixed)} per fixed example` : "frontier calls of this workspace",
      ),
    ),
    h("p.dim.verdict", inWords(found)),
    h(
      "div.pair",
      h("div", h("h4", "Accuracy before and after"), h("div.card", accuracies.element)),
      h("div", h("h4", "Difference, 95 % paired interval, clustered by image"), h("div.card", differences.element)),
    ),
    h("h4", "By error type"),
    h("div.card.rows", table("error type", found.by_error_type, chooseType)),
    h("h4", "By dataset"),
    h("div.card.rows", table("dataset", found.by_dataset)),
  );
  drawCharts();
}

// The row of the error type that the ledger shows is marked.
function drawCharts() {
  const { found, figures } = view.summary;
  const row = [found.overall, ...found.by_error_type].findIndex((line) => line.name === state.one("type"));
  const band = { type: "rect", xref: "paper", x0: 0, x1: 1, y0: row - 0.5, y1: row + 0.5, layer: "below" };
  const shapes = row < 0 ? [] : [{ ...band, fillcolor: "var(--accent-bg)", line: { width: 0 } }];
  for (const [chart, { data, layout }] of [
    [accuracies, figures.accuracies],
    [differences, figures.differences],
  ])
    chart.draw({ data, layout: { ...layout, shapes } });
}

// What the figures say, a null result included.
function inWords({ overall, by_error_type: types, examples }) {
  const sure = types.filter((line) => line.p_holm < 0.05);
  const gains = sure.filter((line) => line.difference > 0).map((line) => line.name),
    losses = sure.filter((line) => line.difference < 0).map((line) => line.name);
  const whole =
    overall.low > 0
      ? `Better overall on ${fmt.number(examples)} eval examples.`
      : overall.high < 0
        ? "Worse overall."
        : `No significant overall difference (minimum detectable: ${fmt.fixed(overall.detectable)}).`;
  return [
    whole,
    gains.length ? ` Gained: ${gains.join(", ")}.` : " No single error type gained significantly.",
    losses.length ? ` Lost: ${losses.join(", ")}.` : " No error type lost significantly after Holm's correction.",
  ];
}

function table(of, lines, choose = null) {
  const head = [of, "items", "before", "after", "difference", "min. detectable"];
  return h(
    "table",
    h(
      "thead",
      h(
        "tr",
        head.map((name, i) =>
          h(
            "th",
            {
              class: i ? "r" : "",
              title: name === "min. detectable" ? "Minimum detectable difference with this number of items (80 % power)" : null,
            },
            name,
          ),
        ),
      ),
    ),
    h(
      "tbody",
      lines.map((line) =>
        h(
          "tr",
          { class: choose && line.name === state.one("type") ? "on" : "" },
          h("td", choose ? h("button.link", { onclick: () => choose(line.name) }, line.name) : line.name),
          h("td.r", fmt.number(line.items)),
          h("td.r", fmt.fixed(line.before)),
          h("td.r", fmt.fixed(line.after)),
          h(
            "td.r",
            h("b", { class: line.low > 0 ? "okay" : line.high < 0 ? "err" : "dim" }, fmt.signed(line.difference)),
            h("small.dim", ` [${fmt.signed(line.low)}, ${fmt.signed(line.high)}]`),
          ),
          h("td.r.dim", fmt.fixed(line.detectable)),
        ),
      ),
    ),
  );
}

async function evaluate(checkpoint) {
  const job = await api("jobs", { stage: "evaluate", options: { checkpoint, splits: ["eval"] } });
  toast(`Job ${job.job_id}: evaluating ${checkpoint} on the eval split`, { kind: "good" });
}

async function nextRound(checkpoint, number) {
  const text = [
    h(
      "p",
      `Round ${number} starts from `,
      h("b", checkpoint),
      ". It is evaluated on all train and eval examples; its wrong answers on train become the failures of the new round.",
    ),
    h("p.dim", { style: "margin-top:8px" }, "Earlier rounds are kept; their approved samples stay in the training mix."),
  ];
  if (!(await ask(`Start round ${number}?`, text, `Start round ${number}`))) return;
  const begun = await api("results/next_round", { checkpoint });
  toast(`Round ${begun.round} started`, { kind: "good" });
  state.go("failures", {});
}
