// The Results page: checkpoints compared (left), the ledger of fixed and broken examples (right). What is chosen is in the URL.

import { Chart } from "../shared/chart.js";
import { aheadText } from "../shared/detectable.js";
import { api, ask, at, chip, drawer, emptyState, fill, fillOnce, fmt, h, keys, onlyLatest, pick, state, toast } from "../shared/lib.js";
import { budget } from "./budget.js";
import { gateChip } from "./gate.js";
import { drawLedger } from "./ledger.js";
import { by, chooseGroup, group, lines, pair, TABLES, tableTitle, view } from "./state.js";
import { lineTable, sideTable } from "./tables.js";
import { coverage, inWords } from "./words.js";

const CHART_ROWS = 40; // groups that a chart draws, the largest (charts.py)
let root,
  ledgerDrawer,
  lastTick = null;

keys("results", [
  { name: "fixed", key: "f", what: "fixed examples", run: () => state.set({ which: null, offset: null }) },
  { name: "broken", key: "b", what: "broken examples", run: () => state.set({ which: "broken", offset: null }) },
  { name: "score", key: "l", what: "strict or lenient scores", run: () => state.set({ score: state.one("score") ? null : "lenient" }) },
]);

const clicked = { onclick: (point) => chooseGroup(point.y) };
let accuracies, differences; // charts

export function start(element) {
  root = element;
  accuracies = new Chart(clicked);
  differences = new Chart(clicked);
  ledgerDrawer = drawer(root.querySelector(".cols"), "Examples");
}

const newest = onlyLatest();

export async function show() {
  const summary = await newest(api("results/summary", { ...pair(), also: state.list("also"), by: by() }));
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
    const body = { ...pair(), which: state.one("which") ?? "fixed", by: by(), group: group(), offset: Number(state.one("offset") ?? 0) };
    const ledger = await newestLedger(api("results/ledger", body));
    if (!ledger) return;
    view.ledger = ledger;
  }
  drawLedger(root);
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
      gateChip(show),
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

function drawMain() {
  const { found, side, after, before, reason, checkpoints } = view.summary;
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
      aheadText(view.summary.ahead),
    );
  }
  if (!found) {
    const missing = [before, after, ...state.list("also")].filter(
      (name) => !checkpoints.find((checkpoint) => checkpoint.name === name)?.eval,
    );
    return fill(
      box,
      emptyState("Not evaluated yet", reason, {
        text: `Evaluate ${missing[0] ?? after} on eval`,
        run: () => evaluate(missing[0] ?? after),
      }),
      state.list("also").length > 0 && beside(),
      aheadText(view.summary.ahead),
    );
  }
  fill(
    box,
    h("div.cards", cards()),
    coverage(side?.coverage ?? found.coverage),
    h("p.dim.verdict", inWords(found)),
    h("div.row.wrap.choose", tabs(), h("span.grow"), beside()),
    h(
      "div.pair",
      h("div", h("h4", side ? "Accuracy side by side" : "Accuracy before and after"), h("div.card", accuracies.element)),
      h("div", h("h4", `Difference, ${before} → ${after}, 95 % interval`), h("div.card", differences.element)),
    ),
    h("h4", `By ${tableTitle()}`),
    h("div.card.rows", side ? sideTable(tableTitle(), side, side.tables[by()]) : lineTable(tableTitle(), found.overall, lines())),
    leftOut(),
    budget(),
  );
  drawCharts();
}

function cards() {
  const { found, spend_usd: cost } = view.summary;
  const { overall } = found;
  const card = (title, figure, text, more = null) => h("div.card", h("div.dim", title), h("div.num", figure), h("div.dim", text), more);
  const change = (value, low, high) => `${fmt.signed(value)} [${fmt.signed(low)}, ${fmt.signed(high)}]`;
  return [
    card(
      "Accuracy",
      `${fmt.fixed(overall.before)} → ${fmt.fixed(overall.after)}`,
      change(overall.difference, overall.low, overall.high),
      h(
        "div.dim",
        { title: "Always giving the most frequent gold answer of dataset, error type and named kind" },
        `majority answer ${fmt.fixed(overall.majority)}`,
      ),
    ),
    card(
      "Balanced by answer",
      `${fmt.fixed(overall.balanced_before)} → ${fmt.fixed(overall.balanced_after)}`,
      change(overall.balanced_difference, overall.balanced_low, overall.balanced_high),
      h("div.dim", `majority answer ${fmt.fixed(overall.balanced_majority)}`),
    ),
    card(
      "Fixed and broken",
      [
        h("span.okay", fmt.number(found.fixed)),
        h("span.faint", " / "),
        h("span", { class: found.broken ? "err" : "" }, fmt.number(found.broken)),
      ],
      `of ${fmt.number(found.wrong_before)} wrong / of ${fmt.number(found.examples - found.wrong_before)} right`,
    ),
    card(
      "Cost",
      fmt.usd(cost),
      cost && found.fixed ? `${fmt.usd(cost / found.fixed)} per fixed example` : "frontier calls of this workspace",
    ),
  ];
}

const tabs = () =>
  h(
    "span.row.wrap",
    h("span.dim", "by"),
    TABLES.map(({ value, text }) =>
      chip(text, {
        kind: value === by() ? "on" : "",
        onclick: () => state.set({ by: value === "error_type" ? null : value, group: null, offset: null }),
      }),
    ),
  );

// Further checkpoints beside the two: chips that take them away, and a list to add one.
function beside() {
  const { checkpoints, before, after } = view.summary;
  const also = state.list("also");
  const free = checkpoints.map((one) => one.name).filter((name) => ![before, after, ...also].includes(name));
  return h(
    "span.row.wrap",
    also.map((name) =>
      chip(name, { kind: "on", title: "Take away", onremove: () => state.set({ also: also.filter((one) => one !== name) }) }),
    ),
    free.length > 0 &&
      pick(
        [{ value: "", text: also.length ? "+ another" : "+ a third checkpoint" }, ...free.map((name) => ({ value: name, text: name }))],
        "",
        (name) => name && state.set({ also: [...also, name] }),
        { title: "Show another checkpoint side by side" },
      ),
  );
}

function leftOut() {
  const { found, side } = view.summary;
  const count = (side ?? found).left_out[by()] ?? 0;
  const drawn = Math.min(CHART_ROWS, lines().length);
  return (
    (count > 0 || drawn < lines().length || (by() === "kind" && found.kinds_note)) &&
    h(
      "p.dim.note",
      by() === "kind" && found.kinds_note && `Kinds: ${found.kinds_note}. `,
      count > 0 && `${fmt.plural(count, "group")} left out: too few examples, or not answered by all. `,
      drawn < lines().length && `The charts draw the ${drawn} largest of ${lines().length}.`,
    )
  );
}

// The row of the group that the ledger shows is marked.
function drawCharts() {
  const { found, figures, side } = view.summary;
  const row = [found.overall, ...lines()].findIndex((line) => line.name === group());
  const band = { type: "rect", xref: "paper", x0: 0, x1: 1, y0: row - 0.5, y1: row + 0.5, layer: "below" };
  const shapes = row < 0 || row > CHART_ROWS ? [] : [{ ...band, fillcolor: "var(--accent-bg)", line: { width: 0 } }];
  const left = side ? figures.side : figures.accuracies;
  accuracies.draw({ data: left.data, layout: { ...left.layout, shapes: side ? [] : shapes } });
  differences.draw({ data: figures.differences.data, layout: { ...figures.differences.layout, shapes } });
}

async function evaluate(checkpoint) {
  const job = await api("jobs", { stage: "evaluate", options: { checkpoint, splits: ["eval"] } });
  toast(`Job ${job.job_id}: evaluating ${checkpoint} on the eval split`, { kind: "good" });
}

async function nextRound(checkpoint, number) {
  const { gate } = view.summary.found;
  const text = [
    h(
      "p",
      `Round ${number} starts from `,
      h("b", checkpoint),
      ". It is evaluated on all train and eval examples; its wrong answers on train become the failures of the new round.",
    ),
    !gate.passed && h("p.err", { style: "margin-top:8px" }, `The release gate is not shown for: ${gate.not_shown.join(", ")}.`),
    h(
      "p.dim",
      { style: "margin-top:8px" },
      "Earlier rounds are kept; their approved samples stay in the training mix. The gate's verdict is kept.",
    ),
  ];
  if (!(await ask(`Start round ${number}?`, text, `Start round ${number}`))) return;
  const begun = await api("results/next_round", { checkpoint });
  toast(`Round ${begun.round} started`, { kind: "good" });
  state.go("failures", {});
}
