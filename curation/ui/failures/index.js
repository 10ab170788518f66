// The Failures page. What is selected (facets, clusters, lasso) is one thing, kept in the URL; grid, map and card follow from it.

import { api, at, drawer, endings, fill, fillOnce, fmt, h, icon, keys, later, onlyLatest, pick, state } from "../shared/lib.js";
import { watchIndex } from "../shared/search_progress.js";
import { drawActions, drawSteps } from "./actions.js";
import { confirmType, drawCard, drawThumbs, drawTriage, triage } from "./card.js";
import { drawClusters } from "./cluster_tree.js";
import { drawChips, drawFacets } from "./facets.js";
import { MapColumn } from "./map_column.js";
import { drawViews, followSaved, loadViews } from "./saved_views.js";
import { drawSlices } from "./slices_table.js";
import { undoLatest } from "./undo.js";

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
const LAYOUTS = [
  ["map", "Map"],
  ["slices", "Slices"],
]; // and "grid", which takes the map's place
const PAGE = 60;

let root;
let map;
let side;
let working = false; // an evaluation, diagnosis or clustering runs
const hasEnded = endings();
let rest = 0; // no refresh by itself before this moment: a large round is not asked for all the time
let shownFilter = null; // what the lists on the page show, as JSON
let shownRounds = null; // what the summary is of, as JSON
let shownOffset = null; // where the grid's page begins
let shownCard = null;

export const view = {
  summary: null,
  page: null,
  clusters: [],
  facets: {},
  card: null,
  index: 0,
  lassoIds: null,
  running: [],
  marked: new Set(),
};

keys("failures", [
  { name: "next", key: "j", what: "next failure", run: () => step(1), repeat: true },
  { name: "previous", key: "k", what: "previous failure", run: () => step(-1), repeat: true },
  { name: "model", key: "m", what: "model error, and on to the next", run: () => label("model error") },
  { name: "label", key: "l", what: "label error: the gold answer is wrong, and on to the next", run: () => label("label error") },
  {
    name: "scorer",
    key: "o",
    what: "scorer artefact: right, but in another form, and on to the next",
    run: () => label("scorer artefact"),
  },
  { name: "confirm", key: "c", what: "the error type is right", run: () => confirmType() },
  { name: "undo", key: "u", what: "undo what was done last: a label, an error type, a change to the clusters", run: () => undoLatest() },
  { name: "zoom", key: "z", what: "picture large", run: () => root.querySelector(".shot")?.click() },
  { name: "grid", key: "g", what: "map or grid", run: () => state.set({ layout: layout() === "grid" ? null : "grid" }) },
  { name: "slices", key: "t", what: "map or table of slices", run: () => state.set({ layout: layout() === "slices" ? null : "slices" }) },
  { name: "fit", key: "f", what: "whole map", run: () => map.fit() },
  { name: "pan", key: "p", what: "drag pans or lassos", run: () => map.setMode(map.mode === "pan" ? "lasso" : "pan") },
  { name: "clear", key: "x", what: "clear the selection", run: () => clear() },
]);

export function start(element) {
  root = element;
  side = drawer(root.querySelector(".cols"), "Selection");
  map = new MapColumn(root, view, { lasso: (polygon) => choose({ lasso: polygon }), pick: (id) => id !== null && open(id) });
  fill(at(root, "back"), icon("left")).addEventListener("click", () => turn(-1));
  fill(at(root, "next"), icon("right")).addEventListener("click", () => turn(1));
  const search = at(root, "search");
  search.addEventListener(
    "input",
    later(() => choose({ words: search.value.trim() || null }, true), 250),
  );
  search.addEventListener("keydown", (event) => event.key === "Enter" && search.blur());
  if (!state.one("lasso") && !state.one("saved")) early = askPage(filter()); // the first page needs to know nothing else
  setTimeout(() => {
    loadViews();
    watchIndex(search, "failures", refresh);
  });
}

// What the middle shows: map, grid or slices.
export const layout = () => state.one("layout") ?? "map";

// The rounds that the URL names; none: the latest.
export const rounds = () => state.list("round").map(Number);

// The part of the URL that says which failures are meant, as the API takes it.
export function filter() {
  const facets = FACETS.filter((facet) => facet !== "round");
  const chosen = Object.fromEntries(facets.map((facet) => [facet, state.list(facet)]).filter(([, values]) => values.length));
  for (const facet of Object.keys(chosen)) chosen[facet] = chosen[facet].map((value) => (value === "none" ? "" : value));
  if (state.list("cluster").length) chosen.cluster_id = state.list("cluster").map(Number);
  if (state.one("words")) chosen.words = state.one("words");
  if (rounds().length) chosen.round = rounds();
  if (view.lassoIds) chosen.failure_ids = view.lassoPacked;
  return chosen;
}

// Whether anything narrows the selection.
export const narrowed = () => Object.keys(filter()).some((name) => name !== "round");

// Changes the selection; starts again at its first failure.
export function choose(changes, replace = false) {
  state.set({ ...changes, offset: null, card: null, saved: null }, { replace });
}

// A facet's value, on or off; several may be on.
export function toggle(name, value) {
  const now = name === "round" && !rounds().length ? [String(view.summary.round)] : state.list(name);
  const text = String(value === "" ? "none" : value);
  choose({ [name]: now.includes(text) ? now.filter((one) => one !== text) : [...now, text] });
}

export function clear() {
  view.marked.clear();
  choose({ ...Object.fromEntries(FACETS.map((facet) => [facet, null])), cluster: null, words: null, lasso: null });
  drawAll();
}

export function open(failureId) {
  state.set({ card: failureId }, { replace: true });
  side.open();
}

export function unmark() {
  view.marked.clear();
  drawAll();
}

// A click on a picture: shows the failure; with ctrl it is marked, with shift all up to it are, for triage of several.
export function press(event, failureId) {
  const ids = view.page.rows.map((row) => row.failure_id);
  if (event.shiftKey) {
    const [from, to] = [ids.indexOf(view.card?.failure_id), ids.indexOf(failureId)].sort((a, b) => a - b);
    for (const id of ids.slice(Math.max(0, from), to + 1)) view.marked.add(id);
  } else if (event.ctrlKey || event.metaKey) {
    if (!view.marked.delete(failureId)) view.marked.add(failureId);
  } else {
    view.marked.clear();
    if (failureId !== view.card?.failure_id) return open(failureId);
  }
  drawAll();
}

const newestCard = onlyLatest();

// Called when the page comes up and whenever the URL changes.
export async function show() {
  if (await followSaved()) return; // it changes the URL, and this is called again
  if (!view.summary || shownRounds !== JSON.stringify(rounds())) await loadSummary();
  const search = at(root, "search");
  if (document.activeElement !== search) search.value = state.one("words") ?? "";
  map.showLasso(state.one("lasso"));
  map.show();
  const wanted = JSON.stringify([filter(), offset(), view.summary.version]);
  if (wanted !== shownFilter) {
    shownFilter = wanted;
    drawChips(at(root, "chips"), view); // what was just chosen is seen at once, the answers follow
    map.preview();
    await loadSelection(filter());
  }
  await showCard();
  drawAll();
}

const offset = () => Number(state.one("offset") ?? 0);

async function loadSummary() {
  const wanted = rounds();
  view.summary = await api("failures/summary", { round: wanted.length ? wanted : null });
  shownRounds = JSON.stringify(wanted);
  if (state.one("lasso")) await map.load(view.summary); // it says which failures are meant
}

let early = null; // the answer that the first page waits for, asked for before anything else: {of, answer}

function askPage(chosen) {
  const asked = { ...chosen, offset: offset(), limit: PAGE };
  const answer = api("failures/page", asked);
  answer.catch(() => {}); // whoever shows it says so
  return { of: JSON.stringify(asked), answer };
}

let turns = 0;

// The pictures come first: nothing else is asked for until they are known, the map's points included.
async function loadSelection(chosen) {
  const mine = ++turns;
  const turned = offset();
  const current = () => mine === turns;
  const asked = JSON.stringify({ ...chosen, offset: offset(), limit: PAGE });
  const page = (early?.of === asked ? early : askPage(chosen)).answer.then((answer) => {
    if (!current()) return;
    view.page = answer;
    shownOffset = turned;
    drawPage();
  });
  early = null;
  const shown = page
    .then(() => map.load(view.summary))
    .then(() => {
      map.show();
      return current() && map.loadShown(chosen, current);
    });
  shown.catch(() => {}); // waited for below, unless the page itself is lost
  await page;
  if (!current()) return;
  const answer = await Promise.all([api("failures/clusters", chosen), api("failures/facets", chosen), shown]);
  if (!current()) return;
  [view.clusters, view.facets] = answer;
  map.showLabels();
}

async function showCard() {
  const rows = view.page?.rows ?? [];
  const id = Number(state.one("card")) || rows[0]?.failure_id || null;
  const found = rows.findIndex((row) => row.failure_id === id);
  view.index = found < 0 ? null : found;
  if (id === null) view.card = null;
  else if (id !== shownCard || !view.card) {
    const asked = newestCard(api("failures/card", { failure_id: id }));
    const card = await asked.catch((error) =>
      error.status === 404 ? state.set({ card: null }, { replace: true }) : Promise.reject(error),
    );
    if (card) view.card = card;
  }
  shownCard = view.card?.failure_id ?? null;
}

function drawAll() {
  map.show();
  drawGlance();
  drawClusters(at(root, "clusters"), view);
  drawFacets(at(root, "facets"), view);
  drawViews(at(root, "views"));
  drawChips(at(root, "chips"), view);
  drawPage();
  drawCard(at(root, "card"), view);
  drawTriage(at(root, "triage"), view);
  drawActions(at(root, "actions"), at(root, "recluster"), view);
}

// The middle, the grid, and how many failures are selected.
function drawPage() {
  const { summary, page } = view;
  const slices = layout() === "slices" && summary.failures > 0;
  const grid = !slices && (layout() === "grid" || !summary.placed);
  const tab = ([name, text]) =>
    h(
      "button.tab",
      {
        class: (name === "slices") === slices ? "on" : "",
        "aria-pressed": String((name === "slices") === slices),
        onclick: () => state.set({ layout: name === "map" ? null : name }),
      },
      name === "map" && grid ? "Failures" : text,
    );
  fillOnce(at(root, "middle-title"), [slices, grid], () => (summary.failures ? LAYOUTS.map(tab) : "Failures"));
  map.visible(!grid && !slices);
  const table = at(root, "slices");
  table.hidden = !slices;
  if (slices) drawSlices(table, view);
  const wide = at(root, "wide-grid");
  wide.hidden = !grid;
  const blocked = grid && drawSteps(at(root, "steps"), view);
  at(root, "steps").hidden = !grid || summary.placed > 0;
  if (grid && !blocked) drawThumbs(at(root, "wide-thumbs"), view);
  at(root, "wide-thumbs").hidden = blocked;
  at(root, "thumbs").hidden = grid;
  if (!grid) drawThumbs(at(root, "thumbs"), view);
  const total = page?.failures ?? 0;
  const pages = Math.max(1, Math.ceil(total / PAGE));
  const here = offset() / PAGE + 1;
  fillOnce(at(root, "place"), [total, here, pages], () => (total ? placeOf(total, here, pages) : "nothing selected"));
  at(root, "back").disabled = here <= 1;
  at(root, "next").disabled = here >= pages;
  at(root, "count").textContent = `${fmt.number(total)} ${narrowed() ? "selected" : fmt.plural(total, "failure").replace(/^\S+ /, "")}`;
  const tally = (page?.by_error_type ?? []).map((row) => `${row.error_type || "not diagnosed"} ${fmt.number(row.failures)}`).join(" · ");
  at(root, "tally").textContent = tally;
  at(root, "tally").title = tally;
}

// "0.675 strict, 0.701 lenient on 4,812 items", and below it "0.678, 0.704 without 12 label errors"; how many failed stands below the map.
function drawGlance() {
  const { summary } = view;
  const asked =
    summary.answered < summary.examples
      ? `${fmt.number(summary.answered)} of ${fmt.number(summary.examples)} items asked`
      : `${fmt.number(summary.answered)} items`;
  const { accuracy_without_label_errors: strict, accuracy_lenient_without_label_errors: lenient, label_errors: errors } = summary;
  const without = errors
    ? `${fmt.fixed(strict)}, ${fmt.fixed(lenient)} without ${fmt.plural(errors, "label error")}`
    : "no label error found so far";
  const lines = summary.answered
    ? [`${fmt.fixed(summary.accuracy)} strict, ${fmt.fixed(summary.accuracy_lenient)} lenient on ${asked}`, without]
    : [];
  fill(
    at(root, "glance"),
    lines.map((line, i) => h("div", { title: `Accuracy on the train split: ${line}${i ? " (strict, lenient)" : ""}` }, line)),
  );
  const known = summary.rounds ?? [];
  fillOnce(
    at(root, "rounds"),
    [known, rounds().length > 1, summary.round],
    () =>
      known.length > 1 &&
      pick(
        [...known.map((round) => ({ value: round, text: `round ${round}` })), { value: "", text: "all rounds" }],
        rounds().length > 1 ? "" : summary.round,
        (round) => choose({ round: round || known, cluster: null, lasso: null }),
      ),
  );
  fill(at(root, "tools"), map.tools(), side.button);
}

// "100,000 · page 1 of 1,667", where the page can be typed.
function placeOf(total, here, pages) {
  const input = h("input.in", {
    type: "number",
    min: 1,
    max: pages,
    value: here,
    "aria-label": "Page",
    title: "Go to a page",
    style: { width: `${Math.max(2, String(pages).length) + 2.4}ch` },
    onchange: () => {
      const to = Math.min(pages, Math.max(1, Math.round(Number(input.value)) || here));
      input.value = to;
      state.set({ offset: (to - 1) * PAGE || null, card: null });
    },
  });
  return [`${fmt.number(total)} · page `, pages > 1 ? input : "1", ` of ${fmt.number(pages)}`];
}

// The page of the grid before or after.
function turn(by) {
  state.set({ offset: Math.max(0, offset() + by * PAGE) || null, card: null });
}

// The failure that keys are about: that of the URL, for its card may be on its way yet. Null while another page of the grid is.
export const currentId = () => (shownOffset === offset() ? Number(state.one("card")) || view.page?.rows[0]?.failure_id || null : null);

// The failure before or after, over the edges of pages.
function step(by) {
  const rows = view.page?.rows ?? [];
  const id = currentId();
  if (!rows.length || id === null) return;
  const index = rows.findIndex((row) => row.failure_id === id);
  const to = index < 0 ? 0 : index + by;
  if (to >= 0 && to < rows.length) state.set({ card: rows[to].failure_id }, { replace: true });
  else if (to < 0 ? offset() > 0 : offset() + PAGE < view.page.failures) turn(by);
}

async function label(text) {
  if (view.marked.size) return triage([...view.marked], { label: text });
  const id = currentId();
  if (id === null) return;
  step(1);
  await triage([id], { label: text }, `Failure ${fmt.number(id)}: ${text}`);
}

// A corrected error type is seen on the map at once.
export const recolour = (failureIds, type) => map.recolour(failureIds, type);

// After something was changed on the server; when nothing more follows for a moment, for keys come quickly.
export const refreshSoon = later(() => refresh(), 250);

// After something was changed on the server.
export async function refresh() {
  shownFilter = shownCard = null;
  await loadSummary();
  await show();
}

// While a job brings new failures, diagnoses or places, the page follows; once more when it ends.
export async function tick(workspace) {
  view.running = workspace.running.filter((job) => ["import", "evaluate", "diagnose", "cluster"].includes(job.stage));
  const count = workspace.counts.failures;
  if (hasEnded(workspace)) working = true;
  const changed = view.summary && rounds().length < 2 && workspace.round === view.summary.round && count !== view.summary.failures;
  if ((!view.running.length && !working && !changed) || performance.now() < rest) return;
  working = view.running.length > 0;
  const begun = performance.now();
  await refresh();
  rest = performance.now() + 4 * (performance.now() - begun);
}
