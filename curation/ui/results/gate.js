// The release gate: its verdict on the page, and the rule behind it, which can be changed.

import { api, chip, dialog, fmt, h, toast } from "../shared/lib.js";
import { pair, view } from "./state.js";

const GROUPS = {
  overall: "overall",
  dataset: "every dataset",
  error_type: "every error type",
  kind: "every kind",
  cluster: "every cluster",
};

const lost = (margin) => `${Number((100 * margin).toFixed(2))} point${margin === 0.01 ? "" : "s"}`;

/** The verdict as a chip; a click shows the rule. `changed` is called when the rule is another. */
export function gateChip(changed) {
  const { gate } = view.summary.found;
  const title = gate.passed
    ? `In all ${gate.looked_at} groups the interval excludes a loss of more than ${lost(gate.margin)}`
    : `A loss of more than ${lost(gate.margin)} can't be ruled out for: ${gate.not_shown.join(", ")}`;
  return chip(gate.passed ? "release gate: pass" : "release gate: not shown", {
    kind: gate.passed ? "ok" : "wa",
    title: `${title}. Click to change the rule`,
    onclick: () => edit(changed),
  });
}

function edit(changed) {
  const { rule, verdicts, found } = view.summary;
  const margin = h("input.in.short", { type: "number", id: "gate-margin", min: 0.05, max: 50, step: 0.05, value: 100 * rule.margin });
  const least = h("input.in.short", { type: "number", id: "gate-least", min: 1, step: 1, value: rule.least });
  const balanced = h("input", { type: "checkbox", id: "gate-balanced", checked: rule.balanced });
  const boxes = Object.entries(GROUPS).map(([name, text]) => {
    const box = h("input", { type: "checkbox", value: name, checked: rule.groups.includes(name) });
    return { box, element: h("label.row", box, text) };
  });
  const { gate } = found;
  const content = h(
    "div.gate",
    h(
      "p.dim",
      "A checkpoint passes if it is shown to lose at most the margin: the lower bound of each 95 % interval must be above it. ",
      "Else the gate says “not shown”.",
    ),
    gate.passed
      ? h("p.okay", `Passes in ${fmt.plural(gate.looked_at, "group")}.`)
      : h("p.err", `Not shown for: ${gate.not_shown.join(", ")}.`),
    gate.too_small > 0 && h("p.dim", `${fmt.plural(gate.too_small, "group")} with fewer than ${gate.least} examples not looked at.`),
    h("div.field", h("label", { for: "gate-margin" }, "Margin, points of accuracy"), margin),
    h(
      "div.field",
      h("span", "Nothing may be lost"),
      h(
        "div.checks",
        boxes.map((one) => one.element),
      ),
    ),
    h("div.field", h("label", { for: "gate-least" }, "Only groups of at least so many examples"), least),
    h("label.row", balanced, "also by accuracy balanced by answer"),
    verdicts.length > 0 && h("h4", "Verdicts that were kept"),
    h("ul.verdicts", verdicts.slice(0, 6).map(past)),
  );
  const save = async () => {
    const groups = boxes.filter((one) => one.box.checked).map((one) => one.box.value);
    if (!groups.length) {
      toast("Choose at least one group", { kind: "bad" });
      return false;
    }
    await api("results/gate", { margin: Number(margin.value) / 100, groups, balanced: balanced.checked, least: Number(least.value) });
    changed();
  };
  const keep = async () => {
    const kept = await api("results/verdict", pair());
    toast(`Verdict kept: ${kept.passed ? "pass" : "not shown"}`, { kind: "good" });
    changed();
  };
  dialog("Release gate", content, [
    { text: "Keep this verdict", run: keep },
    { text: "Save rule", kind: "p", run: save },
  ]);
}

const past = (one) =>
  h(
    "li",
    chip(one.passed ? "pass" : "not shown", { kind: one.passed ? "ok" : "wa", title: one.not_shown.join(", ") || null }),
    ` ${one.before} → ${one.after}`,
    h(
      "small.dim",
      ` ${lost(one.rule.margin)}, ${one.rule.groups.join(", ").replaceAll("_", " ")} · ${one.author}, ${fmt.ago(one.created_at)}`,
    ),
  );
