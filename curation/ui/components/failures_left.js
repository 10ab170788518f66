// Left column: clusters and facets; and the chips above the map that say what is selected.

import { chip, colour, definition, dot, fill, fillOnce, fmt, h, state } from "./lib.js";
import { clear, FACETS, narrowed, toggle, choose } from "./failures.js";

const TITLES = { error_type: "Error type", dataset: "Dataset", kind: "Kind of question", use: "Can it teach?", triage: "Triage",
  score: "Score" };
const NONE = { error_type: "not diagnosed", kind: "no kind", triage: "not triaged" };
const HINTS = {
  use: "Teachable: the frontier model answers it right by itself, and neither the gold answer nor the scorer is to blame",
  kind: "The kind of question, as the dataset names it",
  triage: "What people said of it",
};
const FOLD = 8; // values shown before "more"
const unfolded = new Set();
const open = new Map([["dataset", true], ["use", true], ["kind", false], ["triage", true], ["score", false]]);

export const valueText = (facet, value) => (value === "" ? NONE[facet] ?? "none" : value);

export function drawClusters(box, { clusters, summary }) {
  const chosen = state.list("cluster").map(Number);
  if (!clusters.length) {
    const text = !summary.failures ? "" : summary.diagnosed ? "Diagnosed failures are grouped here once they are clustered."
      : "Diagnose failures, then cluster them: groups with a plain title appear here.";
    return fillOnce(box, text, () => text && h("div.fail-hint", text));
  }
  const most = Math.max(...clusters.map((cluster) => cluster.failures));
  fillOnce(box, [clusters, chosen], () => clusters.map((cluster) => row(cluster, chosen.includes(cluster.cluster_id), most)));
}

function row(cluster, on, most) {
  const { cluster_id: id, error_type: type, title, failures, shown, accuracy, accuracy_before: before, examples } = cluster;
  const change = before !== null && accuracy !== null ? accuracy - before : null;
  const delta = change !== null && h("span", { class: change >= 0 ? "right" : "wrong",
    title: "Change since the last round, on the same examples" }, fmt.signed(change, 2));
  const figure = accuracy === null ? "" : ` · accuracy ${fmt.fixed(accuracy, 2)}`;
  return h("button.cl", { class: `${on ? "on" : ""} ${shown ? "" : "none"}`, onclick: () => toggle("cluster", id),
    "aria-pressed": String(on), title: definition(type) },
    dot(type), h("b", title), h("span.n", { title: `${fmt.number(shown)} of ${fmt.plural(failures, "failure")} fit the other choices` },
      fmt.number(shown)),
    h("small", { title: examples ? `over ${fmt.number(examples)} train examples of this kind` : "" }, `${type}${figure}`, delta),
      share(shown / most, failures / most, colour(type)));
}

// A bar for all of a cluster, and over it one for what the other choices leave of it.
const share = (part, whole, paint) => h("div.mini", h("i.whole", { style: { width: `${100 * whole}%`, background: paint } }),
  h("i", { style: { width: `${100 * part}%`, background: paint } }));

export function drawFacets(box, { facets, clusters }) {
  if (!open.has("error_type")) open.set("error_type", !clusters.length);
  const shown = FACETS.filter((facet) => facets[facet]?.length > 1 || state.list(facet).length);
  fillOnce(box, [facets, shown.map((facet) => state.list(facet))], () => shown.map((facet) => section(facet, facets[facet] ?? [])));
}

function section(facet, values) {
  const chosen = state.list(facet).map((value) => (value === "none" ? "" : value));
  const sorted = [...values.filter((v) => chosen.includes(v.value)), ...values.filter((v) => !chosen.includes(v.value))];
  const cut = unfolded.has(facet) ? sorted : sorted.slice(0, Math.max(FOLD, chosen.length));
  const more = sorted.length - cut.length;
  const element = h("details.facet", { open: open.get(facet) || chosen.length > 0 }, h("summary", { title: HINTS[facet] }, TITLES[facet]),
    cut.map((v) => value(facet, v, chosen.includes(v.value))));
  element.addEventListener("toggle", () => open.set(facet, element.open));
  const unfold = (event) => {
    unfolded.add(facet);
    event.target.closest("button").replaceWith(...sorted.slice(cut.length).map((v) => value(facet, v, false)));
  };
  if (more > 0) element.append(h("button.fv", { onclick: unfold }, h("span.dim", `${more} more`), h("span")));
  return element;
}

const value = (facet, { value: text, count }, on) =>
  h("button.fv", { class: `${on ? "on" : ""} ${count ? "" : "none"}`, onclick: () => toggle(facet, text), "aria-pressed": String(on),
    title: facet === "error_type" ? definition(text) : text },
    facet === "error_type" && dot(text), h("span", valueText(facet, text)), h("span.n", fmt.number(count)));

export function drawChips(box, view) {
  if (!narrowed()) return fill(box);
  const titles = new Map(view.clusters.map((cluster) => [String(cluster.cluster_id), cluster]));
  const clusters = state.list("cluster").map((id) => chip([dot(titles.get(id)?.error_type),
    short(titles.get(id)?.title ?? `cluster ${id}`)], { onremove: () => toggle("cluster", id), title: titles.get(id)?.title }));
  const facets = FACETS.flatMap((facet) => state.list(facet).map((v) => {
    const real = v === "none" ? "" : v;
    return chip([facet === "error_type" && dot(real), valueText(facet, real)],
      { onremove: () => toggle(facet, real), title: TITLES[facet] });
  }));
  const words = state.one("words") && chip(`“${state.one("words")}”`, { onremove: () => choose({ words: null }), title: "Search" });
  const lasso = view.lassoIds && chip(`lasso ${fmt.number(view.lassoIds.length)}`,
    { kind: "on", onremove: () => choose({ lasso: null }), title: "What the lasso encloses" });
  const chips = [lasso, ...clusters, ...facets, words].filter(Boolean);
  fill(box, chips, chips.length > 1 && chip(["clear all ", h("kbd", "x")], { onclick: clear }));
}

const short = (text) => (text.length > 38 ? `${text.slice(0, 36)}…` : text);
