// The Calibration page: filters against people (left), a rule that approves by itself (right).

import { api, at, emptyState, fill, fmt, h, keys, onlyLatest, pick, state } from "../shared/lib.js";
import { Rule } from "./approval_rule.js";
import { drawAudit, drawHistory, drawStanding } from "./audit.js";
import { curves, drawFilters } from "./filters.js";

const TARGET = 0.95;
let root, rule, shown, gate;
const newest = onlyLatest();

keys("calibration", [
  { name: "propose", key: "p", what: "Propose a rule", run: () => rule.propose() },
  { name: "check", key: "c", what: "Check the rule on the held-out labels", run: () => rule.check() },
]);

export function start(element) {
  root = element;
  rule = new Rule(root, { target, reload: show });
}

export const target = () => Number(state.one("target") ?? TARGET) || TARGET;

export async function show() {
  root.classList.add("loading");
  if (!shown) fill(at(root, "sum"), "loading scores and decisions…");
  const overview = await newest(api("calibration/overview", { error_type: state.one("type"), curves: curves() }));
  if (!overview) return;
  root.classList.remove("loading");
  shown = overview;
  const labels = overview.labels.approved + overview.labels.rejected;
  fill(at(root, "sum"), labels ? `${fmt.plural(labels, "label")} by ${fmt.plural(overview.labels.reviewers, "person", "people")}` : "");
  drawTypes(overview);
  drawGoal();
  drawEmpty(overview, labels);
  drawLabels(overview.labels, labels);
  drawFilters(at(root, "filters"), at(root, "charts"), overview, target());
  drawNotes(labels);
  drawStanding(root, overview, show);
  drawAudit(at(root, "audit"), overview);
  drawHistory(at(root, "history"), overview.history);
  await rule.show(overview, labels);
}

// The gate may have been closed by an audit meanwhile.
export function tick(workspace) {
  const now = JSON.stringify(workspace.gate ?? null);
  if (gate !== undefined && gate !== now) show();
  gate = now;
}

function drawTypes({ error_types }) {
  const options = [
    { value: "", text: "all error types" },
    ...error_types.map((row) => ({ value: row.error_type, text: `${row.error_type} (${fmt.number(row.labels)})` })),
  ];
  fill(
    at(root, "actions"),
    pick(options, state.one("type") ?? "", (type) => state.set({ type: type || null }), {
      title: "Count only labels of this error type in the tables",
    }),
  );
}

function drawGoal() {
  const input = h("input.in.goal", {
    type: "number",
    min: 51,
    max: 99.9,
    step: "any",
    value: Math.round(1000 * target()) / 10,
    id: "cal-target",
    onchange: () => {
      const wanted = Number(input.value) / 100;
      state.set({ target: wanted > 0.5 && wanted < 1 && wanted !== TARGET ? wanted : null }, { replace: true });
    },
  });
  fill(
    at(root, "goal"),
    h("label.dim", { for: "cal-target", title: "Target for the lower limit of the rule's precision" }, "target"),
    input,
    h("span.dim", "%"),
  );
}

function drawEmpty({ filters, undecided }, labels) {
  const box = at(root, "empty");
  box.hidden = labels > 0;
  if (labels) return;
  const samples = filters.some((filter) => filter.scored.some(Boolean));
  fill(
    box,
    samples
      ? emptyState(
          "No one-by-one decisions yet",
          "Calibration compares the filters with reviewers. Start with a random set: approve or reject 40 samples, then return here. " +
            "Bulk decisions are not counted: the samples were not reviewed individually.",
          { text: undecided ? "Sample 40 for labelling" : "Review", run: () => (undecided ? rule.sample(null, 40) : state.go("review")) },
        )
      : emptyState("No filtered samples yet", "Generate samples, draw and filter them, then review some one by one.", {
          text: "Generate",
          run: () => state.go("generate"),
        }),
  );
}

function drawLabels(tally, labels) {
  const part = (value, text, hint) => h("span", { title: hint }, h("b", fmt.number(value)), " ", h("span.dim", text));
  fill(
    at(root, "labels"),
    labels > 0 &&
      h(
        "div.card.tally",
        part(tally.approved, "approved", "By reviewers, one by one, on the current revision"),
        part(tally.rejected, "rejected", "By reviewers, one by one, on the current revision"),
        part(tally.inside, "of these pass all filters", "Only these can test a rule: a rule never approves what a filter rejects"),
        tally.bulk > 0 && part(tally.bulk, "excluded: in bulk", "The samples were not reviewed individually"),
        tally.disputed > 0 && part(tally.disputed, "excluded: disputed", "Reviewers disagree"),
      ),
  );
}

function drawNotes(labels) {
  fill(
    at(root, "notes"),
    labels > 0 && [
      h(
        "p.hint",
        "A label is the one-by-one decision of reviewers (audits included) on the current revision, where they agree. " +
          "Bulk decisions are excluded: the samples were not reviewed individually. " +
          "Reviewers who see the filter verdicts are biased towards them, " +
          "so precision may be overestimated; decisions in the audit queue are blind.",
      ),
      h(
        "p.hint",
        "Precision: share of passing samples that reviewers approve. " +
          "False negatives: share of approved samples that the filter rejects. " +
          "Specificity: share of rejected samples that the filter rejects too. " +
          "Bars: 95 % intervals (Wilson 1927, two-sided); the mark is the target. " +
          "Charts: share approved by score (green where the filter passes) and number of samples (grey); " +
          "or precision (blue) and false-negative rate (red) by threshold, with the current threshold as a dotted line.",
      ),
    ],
  );
}
