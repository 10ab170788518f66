// What is selected on the Failures page: a filter (facets, clusters, words, a lasso) that is kept in the URL and resolved by the server;
// which failure is open, which are marked, and what the server last said of all this.
//
// Parts of the page read from here and register with `follow`; what they do to the selection they do by the functions below.

import { batched, listeners, state } from "../shared/lib.js";

/** @import { Row, Shown, Summary } from "./types.js" */

export const FACETS = [
  "error_type",
  "dataset",
  "kind",
  "assigned",
  "opening",
  "length",
  "score",
  "confidence",
  "use",
  "triage",
  "checkpoint",
  "round",
];
export const PAGE = 60; // failures of a page of the grid

// Events -------------------------------------------------------------------------------------------------------

export const changed = batched(); // what is selected, or known of it, is another
export const opened = listeners(); // a failure was asked for
export const pageArrived = listeners(); // (filter, isCurrent): the pictures are there; what comes after them may be asked for now
export const retyped = listeners(); // (ids, error type): an error type was corrected; the answer of the server follows
export const clustersEdited = listeners(); // somebody changed the clusters

/** Draws a part of the page, `draw(shown)`, now and whenever what is selected, or known of it, is another. */
export function follow(/** @type {(shown: Shown & { summary: Summary }) => void} */ draw) {
  changed.on(() => {
    if (known.summary) draw(/** @type {any} */ (known));
  });
}

// What is known of the selection -------------------------------------------------------------------------------

/** @type {Shown} */
let known = { summary: null, page: null, clusters: null, facets: null, card: null, place: null, enclosed: null, running: [] };

export const shown = () => known;

export function learn(/** @type {Partial<Shown>} */ changes) {
  known = { ...known, ...changes };
  changed.tell();
}

/** Shows what a person said of failures before the server has it. */
export function amend(/** @type {number[]} */ failureIds, /** @type {Partial<Row>} */ change) {
  const { page, card } = known;
  /** @type {<T extends Row>(row: T) => T} */
  const amended = (row) => (failureIds.includes(row.failure_id) ? { ...row, ...change } : row);
  learn({ page: page && { ...page, rows: page.rows.map(amended) }, card: card && amended(card) });
  if (change.error_type) retyped.tell(failureIds, change.error_type);
}

// The filter, in the URL ---------------------------------------------------------------------------------------

/** The rounds that the URL names; none: the latest. */
export const rounds = () => state.list("round").map(Number);

/** The part of the URL that says which failures are meant, as the API takes it.
 * @returns {Record<string, any>} */
export function filter() {
  const facets = FACETS.filter((facet) => facet !== "round");
  /** @type {Record<string, any>} */
  const chosen = Object.fromEntries(facets.map((facet) => [facet, state.list(facet)]).filter(([, values]) => values.length));
  for (const facet of Object.keys(chosen))
    chosen[facet] = chosen[facet].map((/** @type {string} */ value) => (value === "none" ? "" : value));
  if (state.list("cluster").length) chosen.cluster_id = state.list("cluster").map(Number);
  if (state.one("words")) chosen.words = state.one("words");
  if (lasso()) chosen.lasso = lasso();
  if (rounds().length) chosen.round = rounds();
  return chosen;
}

/** What narrows the selection, by the names of the API. */
export const narrowings = () => Object.keys(filter()).filter((name) => name !== "round");
export const narrowed = () => narrowings().length > 0;

const CORNERS = 60; // of a lasso at most
const DIGITS = 2; // behind the point, of a corner

/** The outline of the lasso, in the map's units, or null.
 * @returns {[number, number][] | null} */
export function lasso() {
  const corners = (state.one("lasso") ?? "").split(" ").map((corner) => /** @type {[number, number]} */ (corner.split(",").map(Number)));
  return corners.length > 2 && corners.every((corner) => corner.length === 2 && corner.every(Number.isFinite)) ? corners : null;
}

export function chooseLasso(/** @type {[number, number][]} */ polygon) {
  const every = Math.ceil(polygon.length / CORNERS);
  const corners = polygon.filter((_, i) => i % every === 0);
  choose({ lasso: corners.map((corner) => corner.map((value) => value.toFixed(DIGITS)).join(",")).join(" ") });
}

/** Changes the selection; starts again at its first failure. */
export function choose(/** @type {Record<string, any>} */ changes, replace = false) {
  state.set({ ...changes, offset: null, card: null, saved: null }, { replace });
}

/** A facet's value, on or off; several may be on. */
export function toggle(/** @type {string} */ name, /** @type {string | number} */ value) {
  const now = name === "round" && !rounds().length ? [String(known.summary?.round)] : state.list(name);
  const text = String(value === "" ? "none" : value);
  choose({ [name]: now.includes(text) ? now.filter((value) => value !== text) : [...now, text] });
}

export function clear() {
  unmark();
  choose({ ...Object.fromEntries(FACETS.map((facet) => [facet, null])), cluster: null, words: null, lasso: null });
}

/** Whether the numbers shown are of what is selected now: the answer may be on its way yet. */
export const isCounted = () => known.page?.of === JSON.stringify(filter());

// The middle of the page, and the page of the grid -------------------------------------------------------------

/** What the URL names for the middle: "map", "grid" or "slices". */
export const layout = () => state.one("layout") ?? "map";

/** What the middle shows: the grid where there is no map yet. */
export function middle() {
  const { summary } = known;
  if (layout() === "slices" && summary?.failures) return "slices";
  return layout() === "grid" || !summary?.placed ? "grid" : "map";
}

export const showAs = (/** @type {string} */ name) => state.set({ layout: name === "map" ? null : name });

export const offset = () => Number(state.one("offset") ?? 0);

/** The page of the grid so many pages on (or back). */
export const turn = (/** @type {number} */ by) => turnTo(offset() / PAGE + 1 + by);

/** The nth page of the grid. */
export const turnTo = (/** @type {number} */ number) => state.set({ offset: Math.max(0, (number - 1) * PAGE) || null, card: null });

// One failure, and several -------------------------------------------------------------------------------------

/** The failure that keys are about: that of the URL, for its card may be on its way yet. Null while another page of the grid is. */
export function currentId() {
  const { page } = known;
  return page?.offset === offset() ? Number(state.one("card")) || page.rows[0]?.failure_id || null : null;
}

export function open(/** @type {number} */ failureId) {
  state.set({ card: failureId }, { replace: true });
  opened.tell();
}

/** The failure before or after, over the edges of pages. */
export function step(/** @type {number} */ by) {
  const { page } = known;
  const id = currentId();
  if (!page?.rows.length || id === null) return;
  const index = page.rows.findIndex((row) => row.failure_id === id);
  const to = index < 0 ? 0 : index + by;
  if (to >= 0 && to < page.rows.length) state.set({ card: page.rows[to].failure_id }, { replace: true });
  else if (to < 0 ? offset() > 0 : offset() + PAGE < page.failures) turn(by);
}

/** @type {Set<number>} */
const several = new Set(); // marked, for triage of several at once

export const marked = () => several;

export function unmark() {
  several.clear();
  changed.tell();
}

/** A click on a picture: shows the failure; with ctrl it is marked, with shift all up to it are. */
export function press(/** @type {MouseEvent} */ event, /** @type {number} */ failureId) {
  const { page, card } = known;
  const ids = page?.rows.map((row) => row.failure_id) ?? [];
  if (event.shiftKey) {
    const [from, to] = [ids.indexOf(card?.failure_id ?? -1), ids.indexOf(failureId)].sort((a, b) => a - b);
    for (const id of ids.slice(Math.max(0, from), to + 1)) several.add(id);
  } else if (event.ctrlKey || event.metaKey) {
    if (!several.delete(failureId)) several.add(failureId);
  } else {
    several.clear();
    if (failureId !== card?.failure_id) open(failureId);
  }
  changed.tell();
}
