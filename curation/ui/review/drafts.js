// What was typed and not sent yet, a sample and a reviewer each: it is kept in localStorage, so that it outlives a reload.
//
// A note goes with the next decision; an edit is the text with the revision that it began from, until it is saved or left.

import { reviewing } from "./state.js";

/** @import { Card, Text } from "./types.js" */
/** @typedef {Text & { revision: number }} Draft */

function keyOf(/** @type {"note" | "draft"} */ kind, /** @type {Card} */ card) {
  const { workspace, reviewer } = reviewing();
  return `mistakebook.${kind}.${workspace}.${reviewer}.${card.sample_id}`;
}

export const noteOf = (/** @type {Card} */ card) => localStorage.getItem(keyOf("note", card)) ?? "";

export function keepNote(/** @type {Card} */ card, /** @type {string} */ text) {
  if (text.trim()) localStorage.setItem(keyOf("note", card), text);
  else localStorage.removeItem(keyOf("note", card));
}

/** The note as it stands, or null; it is no longer a draft. */
export function takeNote(/** @type {Card} */ card) {
  const note = noteOf(card).trim();
  localStorage.removeItem(keyOf("note", card));
  return note || null;
}

/** What went with a decision that was taken back is a draft again, unless another was begun. */
export function returnNote(/** @type {Card} */ card, /** @type {string | null | undefined} */ note) {
  if (note && !noteOf(card)) keepNote(card, note);
}

/** @returns {Draft | null} */
export function draftOf(/** @type {Card} */ card) {
  const kept = localStorage.getItem(keyOf("draft", card));
  return kept ? JSON.parse(kept) : null;
}

export const keepDraft = (/** @type {Card} */ card, /** @type {Draft} */ draft) =>
  localStorage.setItem(keyOf("draft", card), JSON.stringify(draft));
export const dropDraft = (/** @type {Card} */ card) => localStorage.removeItem(keyOf("draft", card));
