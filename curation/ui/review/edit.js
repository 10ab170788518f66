// The form that edits a sample in place. What is typed is a draft until it is saved or left.

import { fill, fillOnce, fmt, h, toast } from "../shared/lib.js";
import { closeEdit, edit } from "./actions.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";
import { diffElements } from "./word_diff.js";

export function drawEdit(box, card) {
  fillOnce(box, ["edit", card.sample_id], () => form(card));
}

function form(card) {
  const draft = draftOf(card) ?? { revision: card.revision, question: card.question, choices: card.choices, answer: card.answer };
  const input = (value, name, label) =>
    h("input.in", { value, dataset: { [name]: "" }, "aria-label": label, spellcheck: "true", autocomplete: "off" });
  const question = input(draft.question, "question", "Question");
  const answer = input(draft.answer, "answer", "Answer");
  const choices = draft.choices.map((text, i) => input(text, `choice${i}`, `Choice ${fmt.letter(i)}`));
  const change = h("div.rev-diff");
  const read = () => ({
    revision: draft.revision,
    question: question.value,
    choices: choices.map((input) => input.value),
    answer: answer.value,
  });
  const typed = () => {
    const now = read();
    if (same(now, card)) dropDraft(card);
    else keepDraft(card, now);
    const text = (version) => [version.question, ...version.choices, version.answer].join("  ·  ");
    fill(change, same(now, card) ? "" : diffElements(text(card), text(now)));
  };
  const leave = () => {
    dropDraft(card);
    closeEdit();
  };
  typed();
  queueMicrotask(() => {
    question.focus();
    question.setSelectionRange(question.value.length, question.value.length);
  });
  return h(
    "form.rev-edit",
    {
      onsubmit: (event) => {
        event.preventDefault();
        save(card, read());
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
    choices.map((input, i) => h("label", h("span", fmt.letter(i)), input)),
    h("label", h("span", "Answer"), answer),
    draft.revision !== card.revision && h("div.err.small", "The sample changed after this draft was started: compare before saving."),
    change,
    h(
      "div.row",
      h("button.btn.p", { type: "submit" }, "Save", h("kbd", "↵")),
      h("button.btn", { type: "button", onclick: leave }, "Cancel", h("kbd", "Esc")),
      h("small.dim", "Saving creates a new revision: it is filtered again, and decisions on earlier revisions no longer count."),
    ),
  );
}

const same = (text, stored) =>
  text.question.trim() === stored.question &&
  text.answer.trim() === stored.answer &&
  text.choices.every((choice, i) => choice.trim() === stored.choices[i]);

function save(card, text) {
  const wanted = { question: text.question.trim(), choices: text.choices.map((choice) => choice.trim()), answer: text.answer.trim() };
  if (same(wanted, card)) {
    dropDraft(card);
    return closeEdit();
  }
  const wrong = problem(wanted);
  if (wrong) {
    keepDraft(card, text);
    return toast(wrong, { kind: "bad", seconds: 5 });
  }
  if (wanted.choices.length) wanted.answer = wanted.answer.toUpperCase();
  edit(card, wanted);
}

function problem({ question, choices, answer }) {
  if (!question || !answer) return "Question and answer must not be empty.";
  if (!choices.length) return null;
  if (choices.some((text) => !text)) return "Choices must not be empty.";
  const letters = choices.map((_, i) => fmt.letter(i));
  return letters.includes(answer.toUpperCase()) ? null : `The answer must be the letter of a choice: ${letters.join(", ")}.`;
}
