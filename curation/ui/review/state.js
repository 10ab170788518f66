// What the Review page shows, and nothing of how: the queue that the URL chooses, the sample, what is open on it, how many there are.
//
// Whoever draws registers with `changed` (or `afterwards`) and reads from here; actions.js and loading.js change it.

import { afterPaint, batched, listeners, state } from "../shared/lib.js";
import { GridPage } from "./grid_page.js";
import { Outbox } from "./outbox.js";
import { Queue } from "./queue.js";

/** @import { Card, Count, Mode, Status } from "./types.js" */

export const changed = batched(); // the sample, what is open on it, or a number is another
export const afterwards = listeners(); // told of that too, once the sample is painted and the decision before it is on disk
export const opened = listeners(); // a sample was gone to from elsewhere on the page

// Words --------------------------------------------------------------------------------------------------------

/** @type {[Status, string, string][]} name, title and meaning, in the order of the left column */
export const STATUSES = [
  ["pending", "Pending", "Passed all filters, waiting for review"],
  ["failed", "Failed a filter", "Failed at least one filter; an approval overrides it"],
  ["approved", "Approved", "Approved by a reviewer (one by one, in bulk or by script); used in training"],
  ["auto_approved", "Auto-approved", "Approved by a calibrated rule, not by a reviewer; used in training"],
  ["rejected", "Rejected", "Rejected by a reviewer; not used in training"],
  ["disputed", "Disputed", "Reviewers disagree; not used in training until resolved"],
  ["unfiltered", "Not filtered yet", "Not checked by all filters yet, or edited since"],
  ["undrawn", "Not drawn yet", "No image yet"],
];
export const statusText = Object.fromEntries(STATUSES.map(([name, text]) => [name, text]));
export const DECIDED = ["approved", "rejected", "disputed"]; // what people's decisions make of a sample

export const words = (/** @type {string} */ name) => (name === "by_hand" ? "handwritten" : name.replaceAll("_", " "));

// The queue that the URL chooses -------------------------------------------------------------------------------

/** Facets: their name in the URL, and in what the API takes. */
export const FACETS = { error_type: "error_types", route: "routes", dataset: "datasets", round: "rounds", failing: "failing" };
const NARROWING = ["words", ...Object.keys(FACETS), "failure", "queue", "audit", "samples"];

export const gridOn = () => state.one("view") === "grid";
export const peopleOn = () => state.one("view") === "people";
export const focusOn = () => !gridOn() && !peopleOn();

/** Which of the reviewer's own queues is on: "mine" (to do), "done", "audit", or null for everybody's. */
export const queueOf = () => (state.one("audit") ? "audit" : state.one("queue"));

export const order = () => state.one("order") ?? "informative";

export function chosenStatuses() {
  const chosen = state.list("status");
  if (!chosen.length && queueOf()) return STATUSES.map(([name]) => name);
  return chosen.includes("all") ? STATUSES.map(([name]) => name) : chosen.length ? chosen : ["pending"];
}

/** The part of the URL that says which samples are meant, as the API takes it. */
export function matching() {
  /** @type {Record<string, any>} */
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
  const samples = state.one("samples");
  if (samples) chosen.sample_ids = samples.split(",").map(Number).filter(Number.isInteger);
  return chosen;
}

/** Whether anything but a status narrows the queue. */
export const narrowed = () => NARROWING.some((name) => state.one(name));

/** Changes what the queue holds; starts again at its front. */
export function choose(/** @type {Record<string, any>} */ changes, replace = false) {
  state.set({ ...changes, sample: null, offset: null }, { replace });
}

/** Takes every narrowing away, and with it what `also` names. */
export const clearFacets = (also = {}) => choose({ ...Object.fromEntries(NARROWING.map((name) => [name, null])), ...also });

export function toggle(/** @type {string} */ name, /** @type {string} */ value) {
  const now = state.list(name);
  choose({ [name]: now.includes(value) ? now.filter((chosen) => chosen !== value) : [...now, value] });
}

/** One status at a time; with shift, ctrl or cmd one more. */
export function toggleStatus(/** @type {string} */ name, /** @type {MouseEvent} */ event) {
  const now = state.list("status").includes("all") ? [] : chosenStatuses();
  const several = event.shiftKey || event.ctrlKey || event.metaKey;
  const next = several ? (now.includes(name) ? now.filter((status) => status !== name) : [...now, name]) : [name];
  choose({ status: next.length === 1 && next[0] === "pending" ? null : next });
}

// Who reviews, and how many samples there are ------------------------------------------------------------------

/** @type {{ workspace: string | null, reviewer: string | null, reasons: string[] }} */
let session = { workspace: null, reviewer: null, reasons: [] };
/** @type {{ facets: Record<string, Count[]>, mine: { assigned: number, done: number }, audit: number | null }} */
let counts = { facets: {}, mine: { assigned: 0, done: 0 }, audit: null };

export const reviewing = () => session;
export const tally = () => counts;
/** @returns {Partial<Record<Status, number>>} how many samples of the queue have each status */
export const byStatus = () => Object.fromEntries((counts.facets.status ?? []).map((row) => [row.value, row.count]));

/** Takes in what api/review/facets answers. */
export function learn(/** @type {any} */ { workspace, reviewer, reasons, facets, queue: mine, audit }) {
  session = { workspace, reviewer, reasons };
  counts = { facets, mine, audit };
  changed.tell();
}

/** Shows a status before the store has it, in the counts too. */
export function setStatus(/** @type {Card} */ card, /** @type {Status | undefined} */ status) {
  if (!status || card.status === status) return;
  const { facets } = counts;
  if (facets.status?.length) {
    const moved = { ...byStatus(), [card.status]: (byStatus()[card.status] ?? 1) - 1, [status]: (byStatus()[status] ?? 0) + 1 };
    counts = { ...counts, facets: { ...facets, status: Object.entries(moved).map(([value, count]) => ({ value, count })) } };
  }
  card.status = status;
  changed.tell();
}

/** One more of the samples that the reviewer was given is decided. */
export function countMine() {
  counts = { ...counts, mine: { ...counts.mine, done: counts.mine.done + 1 } };
  changed.tell();
}

// The sample that is shown, and what is open on it -------------------------------------------------------------

const NOTICED = 150; // milliseconds

export const outbox = new Outbox();
export const queue = new Queue({ changed: changed.tell, unhurried: behindDecision });
export const page = new GridPage({ changed: changed.tell });

/** @type {Readonly<Mode>} */
let now = { shown: null, busy: false, rejecting: false, beside: false, editing: null, noting: null };

export const mode = () => now;

export function setMode(/** @type {Partial<Mode>} */ changes) {
  now = { ...now, ...changes };
  changed.tell();
}

/** @returns {Card | null} the sample in Focus */
export const card = () => (now.shown === "focus" ? (queue.card ?? null) : null);
export const editing = () => now.editing !== null && now.editing === card();
/** @returns {Card | null} the sample in Focus, or the one under the cursor of the grid */
export const sample = () => (gridOn() ? page.card : card());

/** Runs what can wait: as soon as every decision is on disk, or after a moment. */
function behindDecision(/** @type {() => void} */ run) {
  return Promise.race([outbox.settled(), new Promise((resolve) => setTimeout(resolve, NOTICED))]).then(run);
}

// What stands around the sample comes after it, and after the decision is on disk: keys feel as quick as the sample is.
let waits = false;
changed.on(() => {
  if (waits) return;
  waits = true;
  afterPaint(() =>
    behindDecision(() => {
      waits = false;
      afterwards.tell();
    }),
  );
});
