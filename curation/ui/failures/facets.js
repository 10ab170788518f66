// Left column: facets, with how many of the selected failures have each value.

import { at, definition, dot, fillOnce, fmt, h, state } from "../shared/lib.js";
import { FACETS, follow, toggle } from "./selection.js";

const TITLES = {
  error_type: "Error type",
  dataset: "Dataset",
  kind: "Kind of question",
  assigned: "Assigned error type",
  opening: "Question starts with",
  length: "Answer length",
  score: "Score",
  confidence: "Diagnosis confidence",
  use: "Teachable",
  triage: "Triage label",
  checkpoint: "Checkpoint",
  round: "Round",
};
const NONE = { error_type: "not diagnosed", kind: "no kind", assigned: "not assigned", confidence: "not diagnosed", triage: "not triaged" };
const HINTS = {
  use: "Teachable: the frontier model answers it correctly, and neither the gold answer nor the scorer is at fault",
  kind: "Kind of question, as named by the dataset",
  assigned: "Error type that the example is assigned to by its kind and nearest cluster, failed or not",
  opening: "First two words of the question",
  length: "Words in the baseline's answer",
  confidence: "The frontier model's confidence in its diagnosis",
  triage: "What people labelled it",
};
const ORDER = {
  // where the values have an order of their own
  length: ["no answer", "1 word", "2 words", "3 to 5 words", "6 to 10 words", "more than 10 words"],
  confidence: ["0.95 to 1", "0.9 to 0.95", "0.8 to 0.9", "0.6 to 0.8", "below 0.6", ""],
  score: ["wrong", "partly right", "right in another form"],
};
const FOLD = 8; // values shown before "more"
const unfolded = new Set();
const open = new Map([
  ["dataset", true],
  ["use", true],
  ["triage", true],
]);

export const facetTitle = (facet) => TITLES[facet] ?? facet;
export const valueText = (facet, value) => (value === "" ? (NONE[facet] ?? "none") : (texts.get(`${facet} ${value}`) ?? value));
const texts = new Map(); // what to call values that are numbers

export function start(root) {
  const box = at(root, "facets");
  follow((shown) => shown.facets && draw(box, shown));
}

function draw(box, { facets, clusters }) {
  for (const [facet, values] of Object.entries(facets))
    for (const row of values) if (row.text) texts.set(`${facet} ${row.value}`, row.text);
  if (!open.has("error_type")) open.set("error_type", !clusters.length);
  const shown = FACETS.filter((facet) => facets[facet]?.length > 1 || state.list(facet).length);
  fillOnce(box, [facets, shown.map((facet) => state.list(facet))], () => shown.map((facet) => section(facet, facets[facet] ?? [])));
}

function section(facet, values) {
  const chosen = state.list(facet).map((value) => (value === "none" ? "" : value));
  const sorted = ORDER[facet]
    ? [...values].sort((a, b) => ORDER[facet].indexOf(a.value) - ORDER[facet].indexOf(b.value))
    : [...values.filter((v) => chosen.includes(v.value)), ...values.filter((v) => !chosen.includes(v.value))];
  const cut = unfolded.has(facet) ? sorted : sorted.slice(0, Math.max(FOLD, chosen.length));
  const more = sorted.length - cut.length;
  const element = h(
    "details.facet",
    { open: open.get(facet) || chosen.length > 0 },
    h("summary", { title: HINTS[facet] }, TITLES[facet]),
    cut.map((v) => value(facet, v, chosen.includes(v.value))),
  );
  element.addEventListener("toggle", () => open.set(facet, element.open));
  const unfold = (event) => {
    unfolded.add(facet);
    event.target.closest("button").replaceWith(...sorted.slice(cut.length).map((v) => value(facet, v, false)));
  };
  if (more > 0) element.append(h("button.facet-value", { onclick: unfold }, h("span.dim", `${more} more`), h("span")));
  return element;
}

const value = (facet, { value: text, count }, on) =>
  h(
    "button.facet-value",
    {
      class: `${on ? "on" : ""} ${count ? "" : "none"}`,
      onclick: () => toggle(facet, text),
      "aria-pressed": String(on),
      title: facet === "error_type" ? definition(text) : text,
    },
    facet === "error_type" && dot(text),
    h("span", valueText(facet, text)),
    h("span.n", fmt.number(count)),
  );
