// The Calibration page: filters against people (left), a rule that approves by itself (right).

import { api, at, emptyState, fill, fmt, h, keys, onlyLatest, pick, state } from "../shared/lib.js";
import { drawAudit, drawHistory, drawStanding } from "./audit.js";
import { curves, drawFilters } from "./filters.js";
import { Rule } from "./rule.js";

const TARGET = 0.95;
let root, rule, shown, gate;
const newest = onlyLatest();

keys("calibration", [
  { name: "propose", key: "p", what: "Propose a rule", run: () => rule.propose() },
  { name: "check", key: "c", what: "Check the rule on the held-back labels", run: () => rule.check() },
]);

export function start(element) {
  root = element;
  rule = new Rule(root, { target, reload: show });
}

export const target = () => Number(state.one("target") ?? TARGET) || TARGET;

export async function show() {
  root.classList.add("loading");
  if (!shown) fill(at(root, "sum"), "reading scores and decisions…");
  const found = await newest(api("calibration/overview", { error_type: state.one("type"), curves: curves() }));
  if (!found) return;
  root.classList.remove("loading");
  shown = found;
  const labels = found.labels.approved + found.labels.rejected;
  fill(at(root, "sum"), labels ? `${fmt.plural(labels, "label")} by ${fmt.plural(found.labels.reviewers, "person", "people")}` : "");
  drawTypes(found);
  drawGoal();
  drawEmpty(found, labels);
  drawLabels(found.labels, labels);
  drawFilters(at(root, "filters"), at(root, "charts"), found, target());
  drawNotes(labels);
  drawStanding(root, found, show);
  drawAudit(at(root, "audit"), found);
  drawHistory(at(root, "history"), found.history);
  await rule.show(found, labels);
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
      title: "Only labels of this error type, in the tables here",
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
    h("label.dim", { for: "cal-target", title: "The lower limit of the rule's precision has to reach this" }, "target"),
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
          "Nobody has decided samples one by one yet",
          "Calibration compares the filters with people. Begin with a random set: approve or reject 40 of them, then look here again. " +
            "Bulk decisions do not count, because nobody looked at the single sample.",
          { text: undecided ? "Sample 40 for labelling" : "Review", run: () => (undecided ? rule.sample(null, 40) : state.go("review")) },
        )
      : emptyState(
          "No sample has been judged yet",
          "Generate samples, draw them and let the filters judge them; then review some one by one.",
          { text: "Generate", run: () => state.go("generate") },
        ),
  );
}

function drawLabels(tally, labels) {
  const part = (value, text, hint) => h("span", { title: hint }, h("b", fmt.number(value)), " ", h("span.dim", text));
  fill(
    at(root, "labels"),
    labels > 0 &&
      h(
        "div.card.tally",
        part(tally.approved, "approved", "By people, one by one, on the current revision"),
        part(tally.rejected, "rejected", "By people, one by one, on the current revision"),
        part(tally.inside, "of these pass all filters", "Only these say something about a rule: it approves nothing that a filter rejects"),
        tally.bulk > 0 && part(tally.bulk, "left out: in bulk", "Nobody looked at the single sample"),
        tally.disputed > 0 && part(tally.disputed, "left out: disputed", "People disagree"),
      ),
  );
}

function drawNotes(labels) {
  fill(
    at(root, "notes"),
    labels > 0 && [
      h(
        "p.hint",
        "A label is the standing decision of people who decided one by one (audits included), on the current revision, where they agree. " +
          "Bulk decisions are left out: nobody looked at the single sample. " +
          "Whoever decides with the automatic verdicts in sight leans towards them, " +
          "so precision may look better than it is; decisions in the audit lane are blind.",
      ),
      h(
        "p.hint",
        "Precision: of the samples that pass, the share people approve. " +
          "Misses: of the samples people approve, the share it rejects. " +
          "Catches: of the samples people reject, the share it rejects too. " +
          "Bars: 95 % intervals (Wilson 1927, two-sided); the mark is the target. " +
          "Charts: the share that people approve at such scores, green where the filter passes, and grey how many samples have them; " +
          "or precision (blue) and misses (red) at every threshold, with the one that is set as a dotted line.",
      ),
    ],
  );
}
