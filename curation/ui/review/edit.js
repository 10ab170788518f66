// Editing a sample in place. What is typed is a draft in localStorage, with the revision that it began from, until it is saved or left.

import { eventId, fill, h, toast } from "../shared/lib.js";
import { draw, setStatus, view } from "./index.js";
import { diffElements } from "./word_diff.js";

let open = null; // {card, draft}
let times = 0; // how often an edit was closed

export const editing = () => open !== null;
export const edits = () => times;
const keyOf = (card) => `mistakebook.draft.${view.workspace}.${view.reviewer}.${card.sample_id}`;

export function draftOf(card) {
  const kept = localStorage.getItem(keyOf(card));
  return kept ? JSON.parse(kept) : null;
}

export function openEdit() {
  const { card } = view;
  if (!card || open) return;
  open = { card, draft: draftOf(card) ?? { revision: card.revision, question: card.question, choices: card.choices, answer: card.answer } };
  view.rejecting = false;
  draw();
}

export function closeEdit() {
  if (open) times += 1;
  open = null;
}

export function drawEdit(box, { card }) {
  if (box.querySelector("form") && open.card === card) return;
  if (open.card !== card) return closeEdit();
  const { draft } = open;
  const input = (value, name, label) =>
    h("input.in", { value, dataset: { [name]: "" }, "aria-label": label, spellcheck: "true", autocomplete: "off" });
  const question = input(draft.question, "question", "Question");
  const answer = input(draft.answer, "answer", "Answer");
  const choices = draft.choices.map((text, i) => input(text, `choice${i}`, `Choice ${String.fromCharCode(65 + i)}`));
  const change = h("div.rev-diff");
  const read = () => ({
    revision: draft.revision,
    question: question.value,
    choices: choices.map((one) => one.value),
    answer: answer.value,
  });
  const typed = () => {
    const now = read();
    if (same(now, card)) localStorage.removeItem(keyOf(card));
    else localStorage.setItem(keyOf(card), JSON.stringify(now));
    const text = (one) => [one.question, ...one.choices, one.answer].join("  ·  ");
    fill(change, same(now, card) ? "" : diffElements(text(card), text(now)));
  };
  const leave = () => {
    localStorage.removeItem(keyOf(card));
    finish(box);
  };
  const form = h(
    "form.rev-edit",
    {
      onsubmit: (event) => {
        event.preventDefault();
        save(card, read(), box);
      },
      oninput: typed,
      onkeydown: (event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          leave();
        }
      },
    },
    h("label", h("span", "Question"), question),
    choices.map((one, i) => h("label", h("span", String.fromCharCode(65 + i)), one)),
    h("label", h("span", "Answer"), answer),
    draft.revision !== card.revision && h("div.err.small", "The sample was changed since this draft was begun: compare before you save."),
    change,
    h(
      "div.row",
      h("button.btn.p", { type: "submit" }, "Save", h("kbd", "↵")),
      h("button.btn", { type: "button", onclick: leave }, "Leave", h("kbd", "Esc")),
      h("small.dim", "Saving makes a new revision: it is filtered anew, and decisions on the text before no longer count."),
    ),
  );
  fill(box, form);
  typed();
  question.focus();
  question.setSelectionRange(question.value.length, question.value.length);
}

const same = (one, other) =>
  one.question.trim() === other.question &&
  one.answer.trim() === other.answer &&
  one.choices.every((text, i) => text.trim() === other.choices[i]);

function finish(box) {
  closeEdit();
  fill(box);
  draw();
}

function save(card, text, box) {
  const wanted = { question: text.question.trim(), choices: text.choices.map((one) => one.trim()), answer: text.answer.trim() };
  localStorage.removeItem(keyOf(card));
  if (same(wanted, card)) return finish(box);
  const wrong = problem(wanted);
  if (wrong) {
    localStorage.setItem(keyOf(card), JSON.stringify(text));
    return toast(wrong, { kind: "bad", seconds: 5 });
  }
  if (wanted.choices.length) wanted.answer = wanted.answer.toUpperCase();
  const event_id = eventId();
  const before = { question: card.question, choices: card.choices, answer: card.answer };
  view.actions.push({ event_id, action: "edit", sample_id: card.sample_id, samples: 1, was: null, before });
  view.outbox.add("edit", { sample_id: card.sample_id, revision: card.revision, ...wanted, event_id });
  Object.assign(card, wanted, {
    revision: card.revision + 1,
    verdicts: card.verdicts.map((one) => ({ ...one, passes: null, score: null, reason: null, error: null })),
  });
  setStatus(card, card.image ? "unfiltered" : "undrawn");
  finish(box);
}

function problem({ question, choices, answer }) {
  if (!question || !answer) return "Question and answer must not be empty.";
  if (!choices.length) return null;
  if (choices.some((text) => !text)) return "No choice may be empty.";
  const letters = choices.map((_, i) => String.fromCharCode(65 + i));
  return letters.includes(answer.toUpperCase()) ? null : `The answer must be the letter of a choice: ${letters.join(", ")}.`;
}
