// What a reviewer does: keys and buttons call these. A decision is shown at once and goes out through the outbox.

import { api, eventId, fmt, later, state, toast, zoom } from "../shared/lib.js";
import { dropDraft, returnNote, takeNote } from "./drafts.js";
import { followInUrl } from "./loading.js";
import { countDecision } from "./pace.js";
import {
  card as cardNow,
  choose,
  countMine,
  DECIDED,
  editing,
  gridOn,
  matching,
  mode,
  opened,
  order,
  outbox,
  page,
  peopleOn,
  queue,
  queueOf,
  reviewing,
  sample,
  setMode,
  setStatus,
} from "./state.js";
import { add, forget, latest } from "./undo_list.js";

const DECISION = { approve: "approved", reject: "rejected" }; // what a decision is shown as until the server has answered
const RETURN = 150; // milliseconds before a sample gone back to is asked for again

// Deciding -----------------------------------------------------------------------------------------------------

// Stores a decision on the sample that is shown, shows it at once, and goes on.
export function decide(action, reason = null) {
  const card = cardNow();
  if (!card || editing()) return;
  if (action === "approve" && !card.image) return toast("This sample has no image yet: draw it first, then approve it.");
  if (action === "reset" && !DECIDED.includes(card.status)) return;
  const event_id = eventId();
  const note = takeNote(card);
  const settles = card.status === "disputed" && action !== "reset";
  const { sample_id, revision, image } = card;
  add({ event_id, action, reason, note, sample_id, samples: 1, was: card.status });
  setStatus(card, DECISION[action] ?? card.status_without_people);
  if (action !== "reset" && !card.mine && queueOf() === "mine") countMine();
  outbox.add("decide", { sample_id, revision, action, reason, note, event_id, image, settles });
  const event = { action, reason, note, settles, revision, reviewer: reviewing().reviewer, created_at: new Date().toISOString() };
  queue.update(card, { mine: action !== "reset", events: [...card.events, { ...event, undone: false }] });
  countDecision();
  setMode({ rejecting: false, noting: null });
  if (action !== "reset") move(1);
}

// The first press asks for a reason, the second does without.
export function reject() {
  if (!cardNow()) return;
  if (mode().rejecting) return decide("reject");
  setMode({ rejecting: true });
}

export const leave = () => setMode({ rejecting: false });

// Takes back the last own action (or the one given); shows the sample again.
export async function undo(which = latest()) {
  if (editing()) return;
  if (!which) return toast("Nothing to undo.");
  forget(which.event_id);
  which.told?.();
  const single = which.samples === 1 && !which.batch_id;
  const item = outbox.add("undo", { event_id: eventId(), undone_event: which.event_id });
  Object.assign(item, { sampleId: single ? which.sample_id : null, undoing: which });
  if (!single) return;
  if (gridOn()) return toast(`Undone: ${which.action}, sample ${fmt.number(which.sample_id)}`, { kind: "good" });
  setMode({ rejecting: false });
  await quietly(() => queue.open(which.sample_id)).catch(() => {}); // the toast says that nothing answers; the undoing itself is kept
  const card = queue.find(which.sample_id);
  if (card) {
    if (which.was) setStatus(card, which.was);
    returnNote(card, which.note);
    queue.update(card, { mine: false, ...(which.before && newText(card, which.before)) });
  }
  followInUrl();
}

// Keys wait while a sample is on its way.
async function quietly(run) {
  setMode({ busy: true });
  try {
    await run();
  } finally {
    setMode({ busy: false });
  }
}

// Asks to see what others decided; what is decided then settles the dispute, and is no independent word.
export async function reveal() {
  const card = cardNow();
  if (!card?.blind || !card.disputed) return;
  await api("review/reveal", { sample_id: card.sample_id });
  await queue.refresh(card.sample_id);
}

// Writing ------------------------------------------------------------------------------------------------------

export function openNote() {
  const card = cardNow();
  if (card) setMode({ noting: card.sample_id, rejecting: false });
}

export const closeNote = () => setMode({ noting: null });

export function openEdit() {
  const card = cardNow();
  if (card && !editing()) setMode({ editing: card, rejecting: false });
}

export const closeEdit = () => setMode({ editing: null });

// Stores another text of a sample; it is a new revision, which no filter has judged yet: so it is shown until the server has answered.
export function edit(card, text) {
  const event_id = eventId();
  const { sample_id, revision, question, choices, answer } = card;
  add({ event_id, action: "edit", sample_id, samples: 1, was: null, before: { question, choices, answer } });
  outbox.add("edit", { sample_id, revision, ...text, event_id });
  dropDraft(card);
  queue.update(card, newText(card, text));
  setStatus(card, card.image ? "unfiltered" : "undrawn");
  closeEdit();
}

const newText = (card, text) => ({
  ...text,
  revision: card.revision + 1,
  verdicts: card.verdicts.map((verdict) => ({ ...verdict, passes: null, score: null, reason: null, error: null })),
});

// Going elsewhere ----------------------------------------------------------------------------------------------

// So many samples on (or back).
export async function move(by) {
  if (editing()) return;
  setMode({ rejecting: false, noting: null });
  await (by < 0 && queue.index === 0 ? quietly(() => queue.move(by)) : queue.move(by));
  followInUrl();
  if (by < 0) lookAgain();
}

// A sample gone back to: others may have decided it meanwhile.
const lookAgain = later(async () => {
  const card = cardNow();
  if (card && !outbox.holds(card.sample_id)) await queue.refresh(card.sample_id).catch(() => {});
}, RETURN);

// Goes to the nth sample of the queue.
export async function jump(place) {
  const to = Math.round(place);
  if (!(to >= 1)) return;
  setMode({ editing: null, noting: null });
  await queue.load({ matching: matching(), order: order() }, undefined, Math.min(to, queue.total) - 1);
  followInUrl();
}

// Shows a sample in Focus, wherever it is.
export async function openSample(sampleId) {
  setMode({ editing: null });
  if (gridOn() || peopleOn()) return state.set({ view: null, sample: sampleId });
  await queue.open(sampleId);
  opened.tell();
  followInUrl();
}

// Focus (null), "grid" or "people".
export function showAs(view) {
  const current = gridOn() ? page.current : cardNow()?.sample_id;
  setMode({ editing: null, noting: null });
  state.set({ view, sample: current ?? state.one("sample") });
}

export function zoomPicture() {
  const card = sample();
  if (!card?.image) return;
  zoom(card.image, card.question);
  const element = [...document.querySelectorAll("dialog.zoom")].at(-1);
  element.addEventListener("keydown", () => element.close());
}

// Every sample of the same failure, side by side in the grid; and back.
export function showSiblings() {
  const card = sample();
  if (!card?.failure_id) return toast("This sample was not generated from a failure.");
  if (state.one("failure")) return choose({ failure: null, status: null, view: null });
  choose({ failure: card.failure_id, status: "all", queue: null, audit: null, view: "grid" });
}

export const toggleBeside = () => setMode({ beside: !mode().beside });
