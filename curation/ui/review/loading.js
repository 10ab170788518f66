// Brings what the URL asks for: the queue or the page of the grid, and how many samples there are.

import { api, later, listeners, state } from "../shared/lib.js";
import {
  card,
  changed,
  focusOn,
  gridOn,
  learn,
  matching,
  mode,
  order,
  outbox,
  page,
  peopleOn,
  queue,
  reviewing,
  setMode,
} from "./state.js";
import { addEarlier } from "./undo_list.js";

const REST = 1200; // milliseconds without a decision before the counts are asked for again
const SETTLED = 400; // milliseconds without a key before the sample that is shown goes into the URL

export const loaded = listeners(); // what the URL asks for is there

let asked = null; // what was asked for last, as JSON
let following = false; // the sample on the page is on its way into the URL

// Loads what the URL names and is not there yet.
export async function load() {
  const begins = !reviewing().workspace;
  if (begins) await begin();
  if (peopleOn()) asked = null;
  else await loadSamples(begins);
  setMode({ shown: peopleOn() ? "people" : gridOn() ? "grid" : "focus" });
  loaded.tell();
}

async function loadSamples(counted) {
  const request = { matching: matching(), order: order() };
  const wanted = JSON.stringify([request, gridOn(), gridOn() ? state.one("offset") : null]);
  const sample = Number(state.one("sample")) || null;
  if (wanted !== asked) {
    asked = wanted;
    changed.tell(); // what was chosen is seen at once
    if (!counted) loadCounts();
    if (gridOn()) await page.load(request, sample);
    else await loadQueue(request, sample);
  } else if (focusOn() && sample && sample !== card()?.sample_id && !following) {
    setMode({ editing: null });
    await queue.open(sample);
  }
}

// Who reviews; and what an earlier page has left: decisions to send, and to take back.
async function begin() {
  await loadCounts();
  const { workspace, reviewer } = reviewing();
  outbox.open(workspace, reviewer);
  await outbox.settled();
  api("review/history?limit=200").then(addEarlier);
}

async function loadQueue(request, sample) {
  setMode({ editing: null, rejecting: false });
  try {
    await queue.load(request, sample ?? undefined);
  } catch (error) {
    if (error.status !== 404) throw error;
    await queue.load(request);
  }
}

// Has everything anew from the store.
export async function reload() {
  asked = null;
  await load();
}

export async function loadCounts() {
  learn(await api("review/facets", matching()));
}

// After decisions, once none has come for a while.
export const countsSoon = later(async () => {
  if (!outbox.items.length) await loadCounts();
}, REST);

// The sample that is shown is in the URL as soon as keys come no more.
export function followInUrl() {
  following = true;
  follow();
}

const follow = later(() => {
  following = false;
  if (state.page() === "review" && focusOn() && mode().shown === "focus")
    state.set({ sample: card()?.sample_id ?? null }, { replace: true });
}, SETTLED);
