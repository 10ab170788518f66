// The Review page. The queue (status, facets, search, order) and the sample that is shown are in the URL; decisions go out through the outbox.

import { api, at, drawer, eventId, fill, fmt, h, keys, later, state, toast, zoom } from "./lib.js";
import { openByHand } from "./review_by_hand.js";
import { openBulk } from "./review_bulk.js";
import { closeEdit, editing, openEdit } from "./review_edit.js";
import { drawButtons, drawPanel, drawStage } from "./review_focus.js";
import { Grid } from "./review_grid.js";
import { openHistory } from "./review_history.js";
import { drawFacets, drawOrder, drawStatuses, FACETS, STATUSES, statusText } from "./review_left.js";
import { drawOrigin } from "./review_origin.js";
import { Outbox } from "./review_outbox.js";
import { pictureSize, Queue } from "./review_queue.js";

const DONE = { approve: "approved", reject: "rejected" };
const WORK = ["generate", "draw", "filter"];

let root;
let side;
let grid;
let shown = null; // the queue on the page, as JSON
let busy = false;

export const view = { facets: {}, reasons: [], reviewer: null, workspace: null, actions: [], rejecting: false, times: [], queue: new Queue(() => draw()), outbox: null };

export function start(element) {
  root = element;
  side = drawer(root.querySelector(".cols"), "Where it comes from");
  view.outbox = new Outbox({ stored, refused, changed: () => view.card && drawButtons(at(root, "buttons"), view) });
  grid = new Grid(at(root, "grid"), at(root, "bulk"), { drawn: drawHead, bulk });
  const search = at(root, "search");
  search.addEventListener("input", later(() => choose({ words: search.value.trim() || null }, true), 250));
  search.addEventListener("keydown", (event) => event.key === "Enter" && search.blur());
  const focus = (run) => () => gridOn() || run();
  const both = (inFocus, inGrid) => (event) => (gridOn() ? inGrid(event) : inFocus(event));
  // Enter and space press the button that has the focus, as everywhere; else they are the page's.
  const pressed = (run) => (event) => {
    const button = document.activeElement?.closest("button, a, summary");
    if (button && !at(root, "grid").contains(button)) button.click();
    else run(event);
  };
  keys("review", [
    { name: "approve", key: "a", what: "approve, and on to the next", run: both(() => decide("approve"), () => grid.act("approve")) },
    { name: "reject", key: "r", what: "reject; then 1-9 for the reason, or r or enter for none", run: both(reject, () => grid.act("reject")) },
    ...Array.from({ length: 9 }, (_, i) => ({ name: `reason${i + 1}`, key: String(i + 1), what: null, run: () => view.rejecting && decide("reject", view.reasons[i]) })),
    { name: "edit", key: "e", what: "edit question and answer; enter saves, Esc leaves", run: focus(() => view.card && openEdit(view)) },
    { name: "undo", key: "u", what: "undo the last action, then the one before", run: () => undo() },
    { name: "skip", key: "s", what: "skip", run: focus(() => move(1)) },
    { name: "reset", key: "c", what: "clear the decision", run: both(() => decide("reset"), () => grid.act("reset")) },
    { name: "next", key: "j", what: "next", run: both(() => move(1), () => grid.step(1)), repeat: true },
    { name: "previous", key: "k", what: "previous", run: both(() => move(-1), () => grid.step(-1)), repeat: true },
    { name: "right", key: "ArrowRight", what: null, run: both(() => move(1), () => grid.step(1)), repeat: true },
    { name: "left", key: "ArrowLeft", what: null, run: both(() => move(-1), () => grid.step(-1)), repeat: true },
    { name: "down", key: "ArrowDown", what: null, run: () => gridOn() && grid.step(grid.columns()), repeat: true },
    { name: "up", key: "ArrowUp", what: null, run: () => gridOn() && grid.step(-grid.columns()), repeat: true },
    { name: "grid", key: "g", what: "one by one, or a grid of many", run: () => setMode(!gridOn()) },
    { name: "pick", key: "x", what: "in the grid: select, or not", run: () => gridOn() && grid.toggle() },
    { name: "space", key: " ", what: "in the grid: select, or not", run: pressed(() => gridOn() && grid.toggle()) },
    { name: "all", key: "*", what: "in the grid: select the page", run: () => gridOn() && grid.selectPage() },
    { name: "enter", key: "Enter", what: "in the grid: look at it alone", run: pressed(both(() => view.rejecting && decide("reject"), () => grid.openCurrent())) },
    { name: "zoom", key: "z", what: "picture large", run: () => zoomPicture() },
    { name: "history", key: "h", what: "what you did; undo any of it", run: () => openHistory(view) },
    { name: "hand", key: "n", what: "add a sample by hand", run: () => openByHand(view) },
    { name: "leave", key: "Escape", what: null, run: leave },
  ].map((entry) => ({ ...entry, run: (event) => { if (!busy) entry.run(event); } })));
}

const gridOn = () => state.one("view") === "grid";

// What the URL chooses -----------------------------------------------------------------------------------------

export function chosenStatuses() {
  const chosen = state.list("status");
  return chosen.includes("all") ? STATUSES.map(([name]) => name) : chosen.length ? chosen : ["pending"];
}

// The part of the URL that says which samples are meant, as the API takes it.
export function matching() {
  const chosen = Object.fromEntries(Object.entries(FACETS).map(([name, field]) => [field, state.list(name)]).filter(([, values]) => values.length));
  if (chosen.rounds) chosen.rounds = chosen.rounds.map(Number);
  if (!state.list("status").includes("all")) chosen.statuses = chosenStatuses();
  if (state.one("words")) chosen.search = state.one("words");
  if (state.one("failure")) chosen.failure_id = Number(state.one("failure"));
  return chosen;
}

export const order = () => state.one("order") ?? "informative";

// Changes what the queue holds; starts again at its front.
export function choose(changes, replace = false) {
  state.set({ ...changes, sample: null, offset: null }, { replace });
}

export function toggle(name, value) {
  const now = state.list(name);
  choose({ [name]: now.includes(value) ? now.filter((one) => one !== value) : [...now, value] });
}

// One status at a time; with shift, ctrl or cmd one more.
export function toggleStatus(name, event) {
  const now = state.list("status").includes("all") ? [] : chosenStatuses();
  const several = event.shiftKey || event.ctrlKey || event.metaKey;
  const next = several ? (now.includes(name) ? now.filter((one) => one !== name) : [...now, name]) : [name];
  choose({ status: next.length === 1 && next[0] === "pending" ? null : next });
}

export const setMode = (toGrid) => {
  closeEdit();
  state.set({ view: toGrid ? "grid" : null, sample: toGrid ? view.card?.sample_id : grid.current ?? state.one("sample") });
};

export async function openSample(sampleId) {
  closeEdit();
  if (gridOn()) return state.set({ view: null, sample: sampleId });
  await view.queue.open(sampleId);
  side.close();
  draw();
}

// Showing ------------------------------------------------------------------------------------------------------

export async function show() {
  if (!view.workspace) {
    await loadFacets();
    view.outbox.open(view.workspace);
    await view.outbox.settled();
    view.actions = (await api("review/history?limit=200")).filter((one) => !one.undone).reverse();
  }
  const search = at(root, "search");
  if (document.activeElement !== search) search.value = state.one("words") ?? "";
  const asked = { matching: matching(), order: order() };
  const wanted = JSON.stringify([asked, gridOn(), gridOn() ? state.one("offset") : null]);
  const sample = Number(state.one("sample")) || null;
  if (wanted !== shown) {
    shown = wanted;
    drawHead();
    loadFacets().then(drawLeft);
    if (gridOn()) await grid.load(asked, sample);
    else await loadQueue(asked, sample);
  } else if (!gridOn() && sample && sample !== view.card?.sample_id && !urlLater.waits) await view.queue.open(sample);
  draw();
}

async function loadQueue(asked, sample) {
  closeEdit();
  view.rejecting = false;
  try {
    await view.queue.load(asked, sample ?? undefined);
  } catch (error) {
    if (error.status !== 404) throw error;
    await view.queue.load(asked);
  }
}

async function loadFacets() {
  const found = await api("review/facets", matching());
  Object.assign(view, { facets: found.facets, workspace: found.workspace, reviewer: found.reviewer, reasons: found.reasons });
}

const facetsLater = later(async () => {
  if (view.outbox.items.length) return;
  await loadFacets();
  drawLeft();
}, 1200);

function drawLeft() {
  drawStatuses(at(root, "statuses"), view);
  drawFacets(at(root, "facets"), view);
  drawOrder(at(root, "order"));
}

export function draw() {
  view.card = gridOn() ? null : view.queue.card ?? null;
  drawHead();
  drawLeft();
  for (const name of ["grid", "bulk"]) at(root, name).hidden = !gridOn();
  at(root, "focus").hidden = gridOn();
  if (gridOn()) return drawOrigin(at(root, "origin"), grid.card, view);
  drawStage(at(root, "stage"), view);
  root.querySelector(".rev-panel").hidden = !view.card;
  if (view.card) {
    drawPanel(at(root, "panel"), view);
    drawButtons(at(root, "buttons"), view);
  }
  drawOrigin(at(root, "origin"), view.card, view);
}

function drawHead() {
  const { queue, card } = view;
  const on = gridOn();
  const mode = (text, toGrid, key) => h("button.btn", { class: on === toGrid ? "on" : "", onclick: () => setMode(toGrid), "aria-pressed": String(on === toGrid) }, text, key && h("kbd", key));
  fill(at(root, "modes"), mode("Focus", false), mode("Grid", true, "g"));
  at(root, "title").textContent = on ? "Samples" : card ? `Sample ${fmt.number(card.sample_id)}` : "Review";
  const facts = card && [card.error_type, card.route.replaceAll("_", " "), card.failure_id && `from failure ${fmt.number(card.failure_id)}`, card.dataset].filter(Boolean).join(" · ");
  at(root, "subtitle").textContent = on ? grid.summary() : facts ?? "";
  at(root, "subtitle").title = facts ?? "";
  const place = card && queue.total ? `${fmt.number(Math.min(queue.place, queue.total))} of ${fmt.number(queue.total)}` : "";
  at(root, "place").textContent = on ? "" : [card?.guest ? "beside the queue" : place, pace()].filter(Boolean).join(" · ");
  const small = (text, key, title, run) => h("button.btn", { onclick: run, title }, text, h("kbd", key));
  fill(at(root, "tools"), on ? grid.pager() : null, small("History", "h", "What you did; undo any of it", () => openHistory(view)), small("By hand", "n", "Add a sample of your own", () => openByHand(view)), side.button);
}

// "41 a minute": decisions of the last two minutes, as long as there are some.
function pace() {
  const now = performance.now();
  view.times = view.times.filter((time) => now - time < 120_000);
  if (view.times.length < 3) return "";
  const minutes = Math.max(now - view.times[0], 3000) / 60_000;
  return `${fmt.number(view.times.length / minutes)} a minute`;
}

const urlLater = later(() => {
  urlLater.waits = false;
  if (state.page() === "review" && !gridOn()) state.set({ sample: view.card?.sample_id ?? null }, { replace: true });
}, 400);

// Acting -------------------------------------------------------------------------------------------------------

export async function move(by) {
  if (editing()) return;
  view.rejecting = false;
  busy = by < 0 && view.queue.index === 0;
  try {
    await view.queue.move(by);
  } finally {
    busy = false;
  }
  draw();
  urlLater.waits = true;
  urlLater();
}

export function reject() {
  if (!view.card) return;
  if (view.rejecting) return decide("reject");
  view.rejecting = true;
  drawButtons(at(root, "buttons"), view);
}

function leave() {
  if (!view.rejecting) return;
  view.rejecting = false;
  drawButtons(at(root, "buttons"), view);
}

// Stores a decision on the sample that is shown, shows it at once, and goes on.
export function decide(action, reason = null) {
  const { card } = view;
  if (!card || editing()) return;
  if (action === "approve" && !card.image) return toast("It has no picture yet: draw it first, then approve it.");
  if (action === "reset" && !["approved", "rejected", "disputed"].includes(card.status)) return;
  const event_id = eventId();
  view.actions.push({ event_id, action, reason, sample_id: card.sample_id, samples: 1, was: card.status });
  setStatus(card, DONE[action] ?? machineStatus(card));
  card.mine = action !== "reset";
  view.outbox.add("decide", { sample_id: card.sample_id, revision: card.revision, action, reason, event_id, image: card.image });
  card.events = [...card.events, { action, reason, reviewer: view.reviewer, revision: card.revision, created_at: new Date().toISOString(), undone: false }];
  view.times.push(performance.now());
  view.rejecting = false;
  if (action === "reset") return draw();
  move(1);
}

// What a sample's status would be without people.
function machineStatus(card) {
  if (!card.image) return "undrawn";
  if (card.verdicts.some((verdict) => verdict.passes === false)) return "failed";
  return card.verdicts.some((verdict) => verdict.passes === null) ? "unfiltered" : "pending";
}

// Shows a status before the store has it, in the counts too.
export function setStatus(card, status) {
  if (!status || card.status === status) return;
  for (const [name, by] of [[card.status, -1], [status, 1]]) {
    const found = view.facets.status?.find((one) => one.value === name);
    if (found) found.count += by;
    else if (by > 0) view.facets.status?.push({ value: name, count: 1 });
  }
  view.facets = { ...view.facets };
  card.status = status;
}

// Takes back the last own action (or the one given); shows the sample again.
export async function undo(which = view.actions.at(-1)) {
  if (editing()) return;
  if (!which) return toast("There is nothing left to undo.");
  view.actions = view.actions.filter((one) => one.event_id !== which.event_id);
  which.told?.();
  const single = which.samples === 1 && !which.batch_id;
  const item = view.outbox.add("undo", { event_id: eventId(), undone_event: which.event_id });
  Object.assign(item, { sampleId: single ? which.sample_id : null, undoing: which });
  if (!single) return;
  if (gridOn()) return toast(`Undone: ${which.action} of sample ${fmt.number(which.sample_id)}`, { kind: "good" });
  view.rejecting = false;
  busy = true;
  try {
    await view.queue.open(which.sample_id);
  } catch { /* the toast says that nothing answers; the undoing itself is kept */ } finally {
    busy = false;
  }
  const card = view.queue.find(which.sample_id);
  if (card) {
    if (which.was) setStatus(card, which.was);
    if (which.before) Object.assign(card, which.before, { revision: card.revision + 1, verdicts: card.verdicts.map((one) => ({ ...one, passes: null, score: null, reason: null })) });
  }
  draw();
}

function bulk(chosen, action) {
  return openBulk(chosen, action, view, async (done) => {
    view.actions.push(done);
    await reload();
  });
}

// Has everything anew from the store.
export async function reload() {
  shown = null;
  await show();
}

function zoomPicture() {
  const card = gridOn() ? grid.card : view.card;
  if (!card?.image) return;
  zoom(card.image, card.question);
  const element = [...document.querySelectorAll("dialog.zoom")].at(-1);
  element.addEventListener("keydown", () => element.close());
}

// What the store says ------------------------------------------------------------------------------------------

async function stored(item, answer) {
  facetsLater();
  const card = view.queue.find(item.body.sample_id ?? item.sampleId);
  if (card && !view.outbox.holds(card.sample_id)) {
    if (item.path === "decide") {
      if (answer.revision === card.revision) setStatus(card, answer.status);
    } else await view.queue.refresh(card.sample_id);
    if (card === view.card && !editing()) draw();
  }
  if (item.path !== "undo") return;
  if (item.undoing && item.undoing.samples > 1) toast(`Undone: ${fmt.plural(answer.count, "decision")} taken back`, { kind: "good" });
  if (gridOn() || item.undoing?.samples > 1) await reload();
}

// A stale decision is shown for another look; it changed nothing.
async function refused(item, error) {
  const id = item.body.sample_id ?? item.sampleId;
  view.actions = view.actions.filter((one) => one.event_id !== item.body.event_id);
  const stale = error.status === 409 && id;
  toast(`Not stored: ${error.message}`, { kind: "bad", action: id ? { text: "Look at it", run: () => openSample(id) } : null });
  facetsLater();
  if (!id) return;
  await view.queue.refresh(id).catch(() => {});
  const card = view.queue.find(id);
  if (card && stale && card !== view.card) {
    card.again = true;
    view.queue.again(card);
    view.queue.prefetch();
  }
  if (!editing()) draw();
}

// While samples are made, drawn or filtered the counts follow, and so does the sample on the page.
let working = false;
let rest = 0;
export async function tick(workspace) {
  if (!view.workspace) return;
  const now = workspace.running.some((job) => WORK.includes(job.stage));
  if ((!now && !working) || performance.now() < rest || view.outbox.items.length) return;
  const begun = performance.now();
  working = now;
  await loadFacets();
  if (gridOn()) { /* cells stay put under the pointer; the counts tell that there is more */ }
  else if (!view.card && view.queue.ended) return reload();
  else if (view.card && !editing() && !view.rejecting) {
    await view.queue.refresh(view.card.sample_id);
    if (view.queue.card === view.card && !editing()) draw();
  }
  drawLeft();
  rest = performance.now() + 3 * (performance.now() - begun);
}

export { pictureSize, statusText };
