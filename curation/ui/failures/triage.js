// Triage: a person labels failures (model error, label error, scorer artefact), or confirms or corrects their error type.

import { api, eventId, fmt, toast } from "../shared/lib.js";
import { refreshSoon } from "./loading.js";
import { amend, currentId, marked, shown, step, unmark } from "./selection.js";
import { labelUndo } from "./undo.js";

// Stores a label or an error type of failures; what is shown changes at once and is put right by the answer.
export async function triage(failureIds, change, message = null) {
  amend(failureIds, change.label ? { triage: change.label } : { error_type: change.error_type });
  unmark();
  const event = eventId();
  const sent = api("failures/triage", { failure_ids: failureIds, event_id: event, ...change });
  const back = labelUndo(event, sent);
  try {
    const { moved } = await sent;
    const what = message ?? `${fmt.plural(failureIds.length, "failure")}: ${change.label ?? change.error_type}`;
    toast(moved ? `${what}; moved to the clusters of that type` : what, {
      kind: "good",
      seconds: 4,
      action: back,
    });
  } finally {
    refreshSoon();
  }
}

// A key labels what is marked, else the failure that is open; then the next one is.
export async function label(text) {
  if (marked().size) return triage([...marked()], { label: text });
  const id = currentId();
  if (id === null) return;
  step(1);
  await triage([id], { label: text }, `Failure ${fmt.number(id)}: ${text}`);
}

// Says that the frontier model's error type is right: agreement is counted over these and over corrections.
// A key that comes before the next card does is about the next one.
export function confirmType() {
  const { page, card } = shown();
  const id = currentId();
  const type = (page?.rows.find((row) => row.failure_id === id) ?? (card?.failure_id === id ? card : null))?.error_type;
  return type && triage([id], { error_type: type });
}
