// A note that goes with the next decision. What is typed is kept in localStorage until then, so that it outlives a reload.

import { at, h, keyCap } from "../shared/lib.js";
import { draw, root, view } from "./index.js";

let open = null; // the sample whose note is being written

const keyOf = (card) => `mistakebook.note.${view.workspace}.${view.reviewer}.${card.sample_id}`;

export const noteOf = (card) => localStorage.getItem(keyOf(card)) ?? "";
export const writing = (card) => open === card.sample_id;

export function openNote() {
  if (!view.card) return;
  open = view.card.sample_id;
  view.rejecting = false;
  draw();
  at(root, "note")?.focus(); // at once: the next key is the first letter
}

export function closeNote() {
  open = null;
}

// The note as it stands, which is then no longer a draft.
export function takeNote(card) {
  const note = noteOf(card).trim();
  localStorage.removeItem(keyOf(card));
  open = null;
  return note || null;
}

// What went with a decision that was taken back is a draft again, unless another was begun.
export function returnNote(card, note) {
  if (note && !noteOf(card)) keep(card, note);
}

function keep(card, text) {
  if (text.trim()) localStorage.setItem(keyOf(card), text);
  else localStorage.removeItem(keyOf(card));
}

export function noteLine(card) {
  if (!writing(card))
    return h(
      "button.rev-note",
      { onclick: openNote, title: "It goes with your next decision on this sample" },
      noteOf(card),
      " ",
      keyCap("review", "note"),
    );
  const input = h("input.in", {
    value: noteOf(card),
    dataset: { note: "" },
    maxlength: 2000,
    placeholder: "Enter keeps it; it goes with your next decision",
    "aria-label": "Note",
    autocomplete: "off",
    spellcheck: "true",
    oninput: () => keep(card, input.value),
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    open = null;
    draw();
  });
  return input;
}
