// The Review page. The queue (status, facets, search, order) and the sample that is shown are in the URL;
// decisions go out through the outbox.

import { afterPaint, api, at, drawer, eventId, fillOnce, fmt, h, keyCap, keymap, later, state, toast, zoom } from "../shared/lib.js";
import { openBulk } from "./bulk.js";
import { closeEdit, editing } from "./edit.js";
import { drawButtons, drawPanel, drawStage } from "./focus.js";
import { Grid } from "./grid.js";
import { openByHand } from "./handwritten.js";
import { openHistory } from "./history.js";
import "./shortcuts.js";
import { watchIndex } from "../shared/search_progress.js";
import { drawFacets, drawOrder, drawStatuses, FACETS, STATUSES, statusText } from "./facets.js";
import { closeNote, returnNote, takeNote } from "./note.js";
import { drawOrigin } from "./origin.js";
import { Outbox } from "./outbox.js";
import { drawPeople } from "./people.js";
import { pace, place } from "./position.js";
import { pictureSize, Queue } from "./queue.js";
import { refused, stored, tick } from "./server_answers.js";

const DONE = { approve: "approved", reject: "rejected" };

export let root;
export let grid;
let side;
let shown = null; // the queue on the page, as JSON
let busy = false;

export const view = {
  facets: {},
  reasons: [],
  reviewer: null,
  workspace: null,
  actions: [],
  rejecting: false,
  beside: false,
  mine: { assigned: 0, done: 0 },
  blind: false,
  times: [],
  queue: new Queue(
    () => draw(),
    (run) => behindDecision(run),
  ),
  outbox: null,
};

export function start(element) {
  root = element;
  side = drawer(root.querySelector(".cols"), "Where it comes from");
  view.outbox = new Outbox({
    stored,
    refused,
    changed: () => {
      if (!countWaits) afterPaint(drawCount);
      countWaits = true;
    },
  });
  grid = new Grid(at(root, "grid"), at(root, "bulk"), { drawn: drawHead, bulk });
  const search = at(root, "search");
  search.addEventListener(
    "input",
    later(() => choose({ words: search.value.trim() || null }, true), 250),
  );
  search.addEventListener("keydown", (event) => event.key === "Enter" && search.blur());
  watchIndex(search, "samples", () => {
    shown = null;
    show();
  });
}

export const gridOn = () => state.one("view") === "grid";
export const peopleOn = () => state.one("view") === "people";
export function whenIdle(run) {
  return (event) => {
    if (!busy) run(event);
  };
}

// What the URL chooses -----------------------------------------------------------------------------------------

export function chosenStatuses() {
  const chosen = state.list("status");
  if (!chosen.length && queueOf()) return STATUSES.map(([name]) => name);
  return chosen.includes("all") ? STATUSES.map(([name]) => name) : chosen.length ? chosen : ["pending"];
}

// Which of the reviewer's own queues is on: "mine" (to do), "done", "audit", or null for everybody's.
export const queueOf = () => (state.one("audit") ? "audit" : state.one("queue"));

// The part of the URL that says which samples are meant, as the API takes it.
export function matching() {
  const chosen = Object.fromEntries(
    Object.entries(FACETS)
      .map(([name, field]) => [field, state.list(name)])
      .filter(([, values]) => values.length),
  );
  if (chosen.rounds) chosen.rounds = chosen.rounds.map(Number);
  if (queueOf()) chosen.queue = queueOf();
  if (state.list("status").length ? !state.list("status").includes("all") : !queueOf()) chosen.statuses = chosenStatuses();
  if (state.one("words")) chosen.search = state.one("words");
  if (state.one("failure")) chosen.failure_id = Number(state.one("failure"));
  if (state.one("samples")) chosen.sample_ids = state.one("samples").split(",").map(Number).filter(Number.isInteger);
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

export const setMode = (mode) => {
  const sample = gridOn() ? grid.current : view.card?.sample_id;
  closeEdit();
  closeNote();
  state.set({ view: mode, sample: sample ?? state.one("sample") });
};

export async function openSample(sampleId) {
  closeEdit();
  if (gridOn() || peopleOn()) return state.set({ view: null, sample: sampleId });
  await view.queue.open(sampleId);
  side.close();
  draw();
  followInUrl();
}

// Showing ------------------------------------------------------------------------------------------------------

export async function show() {
  let counted = false;
  if (!view.workspace) {
    await loadFacets();
    counted = true;
    view.outbox.open(view.workspace, view.reviewer);
    await view.outbox.settled();
    api("review/history?limit=200").then(earlier);
  }
  const search = at(root, "search");
  if (document.activeElement !== search) search.value = state.one("words") ?? "";
  const asked = { matching: matching(), order: order() };
  if (peopleOn()) {
    shown = null;
    draw();
    return drawPeople(at(root, "people"), view);
  }
  const wanted = JSON.stringify([asked, gridOn(), gridOn() ? state.one("offset") : null]);
  const sample = Number(state.one("sample")) || null;
  if (wanted !== shown) {
    shown = wanted;
    drawHead();
    if (!counted) loadFacets().then(drawLeft);
    if (gridOn()) await grid.load(asked, sample);
    else await loadQueue(asked, sample);
  } else if (!gridOn() && sample && sample !== view.card?.sample_id && !urlLater.waits) await view.queue.open(sample);
  draw();
}

// What was done before the page was opened can be undone too.
function earlier(rows) {
  const known = new Set(view.actions.map((one) => one.event_id));
  view.actions = [...rows.filter((one) => !one.undone && !known.has(one.event_id)).reverse(), ...view.actions];
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

export async function loadFacets() {
  const found = await api("review/facets", matching());
  Object.assign(view, {
    facets: found.facets,
    workspace: found.workspace,
    reviewer: found.reviewer,
    reasons: found.reasons,
    mine: found.queue,
    blind: found.blind,
    audit: found.audit,
  });
}

export const facetsLater = later(async () => {
  if (view.outbox.items.length) return;
  await loadFacets();
  drawLeft();
}, 1200);

export function drawLeft() {
  drawStatuses(at(root, "statuses"), view);
  drawFacets(at(root, "facets"), view);
  drawOrder(at(root, "order"), view);
}

export function draw() {
  view.card = gridOn() || peopleOn() ? null : (view.queue.card ?? null);
  for (const name of ["grid", "bulk"]) at(root, name).hidden = !gridOn();
  at(root, "people").hidden = !peopleOn();
  root.querySelector(".cols").classList.toggle("with-people", peopleOn());
  at(root, "focus").hidden = gridOn() || peopleOn();
  if (!gridOn() && !peopleOn()) {
    drawStage(at(root, "stage"), view);
    root.querySelector(".rev-panel").hidden = !view.card;
    if (view.card) {
      drawPanel(at(root, "panel"), view);
      drawButtons(at(root, "buttons"), view);
    }
  }
  drawHead();
  if (!aroundWaits) afterPaint(() => behindDecision(drawAround));
  aroundWaits = true;
}

// What stands around the sample comes after it, and after the decision is on disk: keys feel as quick as the sample is.
let aroundWaits = false;

const NOTICED = 150; // milliseconds
const behindDecision = (run) => Promise.race([view.outbox.settled(), new Promise((resolve) => setTimeout(resolve, NOTICED))]).then(run);

let countWaits = false;
function drawCount() {
  countWaits = false;
  if (view.card) drawButtons(at(root, "buttons"), view);
}

function drawAround() {
  aroundWaits = false;
  drawLeft();
  drawOrigin(at(root, "origin"), gridOn() ? grid.card : view.card, view);
}

export function drawHead() {
  const { queue, card } = view;
  const on = gridOn();
  const now = on ? "grid" : peopleOn() ? "people" : null;
  const mode = (text, name, key) =>
    h(
      "button.btn",
      { class: now === name ? "on" : "", onclick: () => setMode(name), "aria-pressed": String(now === name) },
      text,
      now !== name && key && keyCap("review", key),
    );
  fillOnce(at(root, "modes"), [now, keymap.mark()], () => [
    mode("Focus", null, on && "grid"),
    mode("Grid", "grid", "grid"),
    mode("People", "people", "people"),
  ]);
  at(root, "title").textContent = on ? "Samples" : peopleOn() ? "People" : card ? `Sample ${fmt.number(card.sample_id)}` : "Review";
  const facts =
    card &&
    [card.error_type, card.route.replaceAll("_", " "), card.failure_id && `from failure ${fmt.number(card.failure_id)}`, card.dataset]
      .filter(Boolean)
      .join(" · ");
  at(root, "subtitle").textContent = on ? grid.summary() : (facts ?? "");
  at(root, "subtitle").title = facts ?? "";
  fillOnce(at(root, "place"), on || !card ? "" : [card.guest, queue.place, queue.total, pace()], () =>
    on || !card ? "" : place(card, queue),
  );
  const small = (text, key, title, run) => h("button.btn", { onclick: run, title }, text, keyCap("review", key));
  fillOnce(at(root, "tools"), [on && [grid.total, grid.offset], keymap.mark()], () => [
    on ? grid.pager() : null,
    small("History", "history", "What you did; undo any of it", () => openHistory(view)),
    small("By hand", "hand", "Add a sample of your own", () => openByHand(view)),
    side.button,
  ]);
}

export const urlLater = later(() => {
  urlLater.waits = false;
  if (state.page() === "review" && !gridOn() && !peopleOn()) state.set({ sample: view.card?.sample_id ?? null }, { replace: true });
}, 400);

// The sample that is shown is in the URL as soon as keys come no more.
export function followInUrl() {
  urlLater.waits = true;
  urlLater();
}

// Acting -------------------------------------------------------------------------------------------------------

export async function move(by) {
  if (editing()) return;
  view.rejecting = false;
  closeNote();
  busy = by < 0 && view.queue.index === 0;
  try {
    await view.queue.move(by);
  } finally {
    busy = false;
  }
  draw();
  followInUrl();
  if (by < 0) lookAgain();
}

// A sample gone back to: others may have decided it meanwhile.
const lookAgain = later(async () => {
  const { card } = view;
  if (!card || view.outbox.holds(card.sample_id)) return;
  await view.queue.refresh(card.sample_id).catch(() => {});
  if (view.card === card && !editing()) draw();
}, 150);

export function reject() {
  if (!view.card) return;
  if (view.rejecting) return decide("reject");
  view.rejecting = true;
  drawButtons(at(root, "buttons"), view);
}

export function leave() {
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
  const note = takeNote(card);
  const settles = card.status === "disputed" && action !== "reset";
  view.actions.push({ event_id, action, reason, note, sample_id: card.sample_id, samples: 1, was: card.status });
  setStatus(card, DONE[action] ?? machineStatus(card));
  if (action !== "reset" && !card.mine && queueOf() === "mine") view.mine = { ...view.mine, done: view.mine.done + 1 };
  card.mine = action !== "reset";
  view.outbox.add("decide", {
    sample_id: card.sample_id,
    revision: card.revision,
    action,
    reason,
    note,
    event_id,
    image: card.image,
    settles,
  });
  card.events = [
    ...card.events,
    {
      action,
      reason,
      note,
      settles,
      reviewer: view.reviewer,
      revision: card.revision,
      created_at: new Date().toISOString(),
      undone: false,
    },
  ];
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
  if (view.facets.status?.length)
    for (const [name, by] of [
      [card.status, -1],
      [status, 1],
    ]) {
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
  } catch {
    /* the toast says that nothing answers; the undoing itself is kept */
  } finally {
    busy = false;
  }
  const card = view.queue.find(which.sample_id);
  if (card) {
    if (which.was) setStatus(card, which.was);
    card.mine = false;
    returnNote(card, which.note);
    if (which.before)
      Object.assign(card, which.before, {
        revision: card.revision + 1,
        verdicts: card.verdicts.map((one) => ({ ...one, passes: null, score: null, reason: null })),
      });
  }
  draw();
  followInUrl();
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

export function zoomPicture() {
  const card = gridOn() ? grid.card : view.card;
  if (!card?.image) return;
  zoom(card.image, card.question);
  const element = [...document.querySelectorAll("dialog.zoom")].at(-1);
  element.addEventListener("keydown", () => element.close());
}

// Asks to see what others decided; what is decided then settles the dispute, and is no independent word.
export async function reveal() {
  const { card } = view;
  if (!card?.blind || !card.disputed) return;
  await api("review/reveal", { sample_id: card.sample_id });
  await view.queue.refresh(card.sample_id);
  draw();
}

// Every sample of the same failure, side by side in the grid.
export function showSiblings() {
  const card = gridOn() ? grid.card : view.card;
  if (!card?.failure_id) return toast("It practises no failure in particular.");
  if (state.one("failure")) return choose({ failure: null, status: null, view: null });
  choose({ failure: card.failure_id, status: "all", queue: null, audit: null, view: "grid" });
}

export function toggleBeside() {
  view.beside = !view.beside;
  draw();
}

export { pictureSize, statusText, tick };
