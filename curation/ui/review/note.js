// The line of a note that goes with the next decision; a click, or a key, lets one write it.

import { h, keyCap } from "../shared/lib.js";
import { closeNote, openNote } from "./actions.js";
import { keepNote, noteOf } from "./drafts.js";
import { mode } from "./state.js";

export const writing = (card) => mode().noting === card.sample_id;

export function noteLine(card) {
  if (!writing(card))
    return h(
      "button.rev-note",
      { onclick: openNote, title: "Saved with your next decision on this sample" },
      noteOf(card),
      " ",
      keyCap("review", "note"),
    );
  const input = h("input.in", {
    value: noteOf(card),
    dataset: { note: "" },
    maxlength: 2000,
    placeholder: "Enter to keep; saved with your next decision",
    "aria-label": "Note",
    autocomplete: "off",
    spellcheck: "true",
    oninput: () => keepNote(card, input.value),
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closeNote();
  });
  queueMicrotask(() => input.focus()); // once it is on the page: the next key is the first letter
  return input;
}
