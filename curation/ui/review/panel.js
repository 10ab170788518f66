// Below the picture: the sample's text, what the filters say, and why it comes now; or the form that edits it.

import { at, chip, fillOnce, fmt, h, keyCap } from "../shared/lib.js";
import { openEdit, openNote, reveal } from "./actions.js";
import { draftOf, noteOf } from "./drafts.js";
import { drawEdit } from "./edit.js";
import { noteLine, writing } from "./note.js";
import { computed } from "./picture_spec.js";
import { card as cardNow, changed, editing, mode, words } from "./state.js";
import { dispute, why } from "./why_now.js";
import { diffElements } from "./word_diff.js";

let shownReason = null; // the filter whose reason a click has opened

export function start(root) {
  const box = at(root, "panel");
  changed.on(() => {
    if (mode().shown !== "focus") return;
    const card = cardNow();
    root.querySelector(".rev-panel").hidden = !card;
    if (card) draw(box, card);
  });
}

let drawnFor = null; // the sample

function draw(box, card) {
  if (editing()) return drawEdit(box, card);
  if (writing(card) && box.querySelector("[data-note]") && drawnFor === card.sample_id) return;
  drawnFor = card.sample_id;
  fillOnce(box, [card, shownReason, draftOf(card), noteOf(card), writing(card)], () =>
    h(
      "dl.rev-text",
      question(card),
      choices(card),
      answer(card),
      card.blind ? hidden(card) : filters(card),
      dispute(card),
      (noteOf(card) || writing(card)) && row("Note", noteLine(card)),
      row("", h("div.rev-why", why(card))),
    ),
  );
}

const row = (name, ...content) => [h("dt", name), h("dd", content)];

function question(card) {
  const edited = card.question !== card.first_question;
  return row("Question", h("div.rev-q", { title: card.question }, card.question), edited && was(card.first_question, card.question));
}

const was = (before, now) => h("div.rev-diff", { title: `Before editing: ${before}` }, diffElements(before, now));

function choices(card) {
  if (!card.choices.length) return null;
  const before = card.first_choices.join(" · ");
  const now = card.choices.join(" · ");
  return row(
    "Choices",
    h(
      "ol.rev-choices",
      card.choices.map((text, i) => h("li", { class: fmt.letter(i) === card.answer ? "right" : "" }, h("span.faint", fmt.letter(i)), text)),
    ),
    before !== now && was(before, now),
  );
}

function answer(card) {
  const draft = draftOf(card);
  const stands = card.choices.length ? card.choices[card.answer.charCodeAt(0) - 65] : null;
  return row(
    "Answer",
    h(
      "div.row.wrap",
      h("span.rev-a", stands ? `${card.answer}. ${stands}` : card.answer),
      computed(card),
      h("button.btn.icon.bare", { onclick: openEdit, title: "Edit question and answer" }, "edit", keyCap("review", "edit")),
      !noteOf(card) && h("button.btn.icon.bare", { onclick: openNote, title: "Write a note" }, "note", keyCap("review", "note")),
      card.answer !== card.first_answer && h("span.rev-diff", diffElements(card.first_answer, card.answer)),
      draft && chip("unsaved draft", { kind: "wa", title: "You started editing this sample; continue with e", onclick: openEdit }),
    ),
  );
}

const hidden = (card) =>
  row(
    "Blind",
    h(
      "span.dim",
      card.disputed
        ? [
            "Reviewers disagree. Decide blind and your decision counts like theirs, or ",
            h("button.btn", { onclick: reveal }, "Reveal and resolve", keyCap("review", "reveal")),
          ]
        : "Filter verdicts and other reviewers' decisions are shown after you decide.",
    ),
  );

const figure = (score) => (score === null ? "" : Number.isInteger(score) ? String(score) : score.toFixed(2));

function filters(card) {
  const chips = card.verdicts.map((verdict) => verdictChip(verdict));
  const opened = card.verdicts.filter((verdict) => verdict.passes === false || verdict.error || verdict.filter === shownReason);
  const lines = opened.map((verdict) => h("div.rev-reason", h("b", words(verdict.filter)), ` ${reason(verdict)}`));
  return row("Filters", h("div.row.wrap.rev-chips", chips.length ? chips : h("span.dim", "no filters enabled")), lines);
}

function verdictChip(verdict) {
  const { filter, score, passes, error } = verdict;
  const kind = error ? "error" : passes === null ? "none" : passes ? "ok" : "no";
  const text = [words(filter), error ? "error" : passes === null ? "not run" : figure(score)].join(" ");
  return h(
    "button.chip",
    {
      class: kind,
      title: reason(verdict),
      "aria-pressed": String(shownReason === filter),
      dataset: { filter },
      onclick: () => {
        shownReason = shownReason === filter ? null : filter;
        changed.tell();
      },
    },
    text,
  );
}

function reason({ score, threshold, comparison, passes, reason: text, error }) {
  if (error) return `error: ${error}`;
  if (passes === null) return "not run on this revision yet";
  return (
    `${text || (passes ? "passes" : "fails")} ` +
    `(${figure(score)}, needs ${comparison === "at_least" ? "at least" : "at most"} ${figure(threshold)})`
  );
}
