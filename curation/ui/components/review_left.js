// Left column: what the queue holds. Statuses and facets with their counts; a click narrows, another widens.

import { definition, dot, fillOnce, fmt, h, pick, state } from "./lib.js";
import { chosenStatuses, choose, toggle, toggleStatus } from "./review.js";

export const STATUSES = [
  ["pending", "Pending", "Passed every filter and waits for a person"],
  ["failed", "Failed a filter", "Approving one overrides the filter"],
  ["approved", "Approved by people", "Will be trained on"],
  ["auto_approved", "Auto-approved", "Approved by a calibrated rule, not by a person"],
  ["rejected", "Rejected by people", "Will not be trained on"],
  ["disputed", "Disputed", "Reviewers disagree; not trained on until they don't"],
  ["unfiltered", "Not filtered yet", "Some filter has not judged it, or it was edited since"],
  ["undrawn", "Not drawn yet", "It waits for its picture"],
];
export const statusText = Object.fromEntries(STATUSES.map(([name, text]) => [name, text]));
export const FACETS = { error_type: "error_types", route: "routes", dataset: "datasets", round: "rounds", failing: "failing" };
const TITLES = { error_type: "Error type", route: "Route", dataset: "Dataset", round: "Round", failing: "Failing filter" };
const FOLD = 9;
const ORDERS = [["informative", "most informative first"], ["random", "in random order"], ["newest", "newest first"], ["oldest", "oldest first"]];
const unfolded = new Set();

export const words = (name) => name.replaceAll("_", " ");

export function drawStatuses(box, { facets }) {
  const counts = Object.fromEntries((facets.status ?? []).map((row) => [row.value, row.count]));
  const chosen = chosenStatuses();
  const all = chosen.length === STATUSES.length;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  fillOnce(box, [counts, chosen], () => h("div.rev-facet", h("h4", "Status"),
    STATUSES.map(([name, text, hint]) => row({ text, hint, count: counts[name] ?? 0, on: !all && chosen.includes(name), lead: h("i.rev-mark", { class: name }), run: (event) => toggleStatus(name, event) })),
    row({ text: "All", hint: "Samples of every status", count: total, on: all, lead: h("i.rev-mark"), run: () => choose({ status: "all" }) })));
}

export function drawFacets(box, { facets }) {
  const shown = Object.keys(FACETS).filter((name) => (facets[name]?.length ?? 0) > (name === "failing" ? 0 : 1) || state.list(name).length);
  fillOnce(box, [facets, shown.map((name) => state.list(name))], () => shown.map((name) => section(name, facets[name] ?? [])));
}

function section(name, values) {
  const chosen = state.list(name);
  const missing = chosen.filter((value) => !values.some((one) => one.value === value)).map((value) => ({ value, count: 0 }));
  const all = [...values, ...missing];
  const cut = unfolded.has(name) || all.length <= FOLD + 1 ? all : all.slice(0, FOLD);
  const more = all.length - cut.length;
  return h("div.rev-facet", h("h4", TITLES[name]), cut.map(({ value, count }) => row({
    text: name === "error_type" || name === "dataset" ? value : words(value), hint: name === "error_type" ? definition(value) : "", count, on: chosen.includes(value),
    lead: name === "error_type" && dot(value), run: () => toggle(name, value) })),
    more > 0 && h("button.fv", { onclick: (event) => { unfolded.add(name); event.target.closest(".rev-facet").replaceWith(section(name, values)); } }, h("span.dim", `${more} more`)));
}

const row = ({ text, hint, count, on, lead, run }) =>
  h("button.fv", { class: `${on ? "on" : ""} ${count ? "" : "none"}`, onclick: run, "aria-pressed": String(on), title: hint || text }, lead, h("span", text), h("span.n", fmt.number(count)));

export function drawOrder(box) {
  const now = state.one("order") ?? "informative";
  const hint = "Most informative: those that fail the fewest filters first, and among them those nearest to a filter's threshold";
  fillOnce(box, now, () => [h("span.dim", "Order"), pick(ORDERS.map(([value, text]) => ({ value, text })), now, (order) => choose({ order: order === "informative" ? null : order }), { title: hint })]);
}
