// Focus: one sample, its picture as large as fits, its text, what the filters say, and the buttons.

import { chip, emptyState, fill, fillOnce, fmt, h, keyCap, media, picture, state, zoom } from "../shared/lib.js";
import { draftOf, drawEdit, editing, edits, openEdit } from "./edit.js";
import { words } from "./facets.js";
import { openByHand } from "./handwritten.js";
import { choose, chosenStatuses, decide, move, pictureSize, queueOf, reject, reload, reveal, statusText, undo } from "./index.js";
import { noteLine, noteOf, openNote, writing } from "./note.js";
import { redraw, shownAnswer } from "./origin.js";
import { dispute, why } from "./why_now.js";
import { diffElements } from "./word_diff.js";

let drawnFor = null;
let shownReason = null; // the filter whose reason a click has opened

export function drawStage(box, view) {
  const { card, queue } = view;
  if (!card) return fillOnce(box, ["none", queue.ended, queue.total, view.facets.status, state.list("status")], () => nothing(view));
  const beside = view.beside && card.origin;
  box.classList.toggle("beside", Boolean(beside));
  fillOnce(box, [card.sample_id, card.image, Boolean(beside)], () => [
    beside && origin(card.origin),
    card.image
      ? h(
          "button.rev-shot",
          {
            onclick: () => zoom(card.image, card.question),
            title: "Large (z)",
            style: { "--ratio": (card.width ?? 1) / (card.height ?? 1) },
          },
          h("img", { src: media(card.image, pictureSize(card)), alt: card.question, decoding: "sync", draggable: "false" }),
        )
      : emptyState("Not drawn yet", card.image_prompt ?? "", card.image_prompt && { text: "Draw it", run: () => redraw(card) }),
  ]);
}

// The failure that the sample practises, as large as the sample.
const origin = (from) =>
  h(
    "figure.rev-from",
    h("button.rev-small", { onclick: () => zoom(from.image, from.question), title: "Large" }, picture(from.image, "large", from.question)),
    h(
      "figcaption",
      h("b", from.question),
      h(
        "div",
        h("span.dim", "gold "),
        h("span.right", [...new Set(from.golds)].map((gold) => shownAnswer(gold, from.choices)).join(", ")),
        h("span.dim", " · baseline "),
        h("span.wrong", shownAnswer(from.answer, from.choices)),
      ),
    ),
  );

// Nothing to show: still loading, all done, nothing fits, or nothing there at all; each with the way on.
function nothing(view) {
  const { queue, facets } = view;
  if (!queue.ended) return h("div.rev-waiting");
  const counts = Object.fromEntries((facets.status ?? []).map((row) => [row.value, row.count]));
  const any = Object.values(counts).some(Boolean);
  const go = (status, text) =>
    counts[status] > 0 &&
    !state.list("status").includes(status) && {
      text: `${text} (${fmt.number(counts[status])})`,
      kind: "",
      run: () => choose({ status: status === "pending" ? null : status }),
    };
  const narrowed = ["words", "error_type", "route", "dataset", "round", "failing", "failure", "queue", "audit", "samples"].some((name) =>
    state.one(name),
  );
  const further = [
    go("pending", "Pending"),
    go("disputed", "Disputed"),
    go("failed", "Failed a filter"),
    go("unfiltered", "Not filtered yet"),
    go("undrawn", "Not drawn yet"),
  ];
  const widen = narrowed && {
    text: "Clear the facets",
    kind: "",
    run: () =>
      choose({
        words: null,
        error_type: null,
        route: null,
        dataset: null,
        round: null,
        failing: null,
        failure: null,
        queue: null,
        audit: null,
        samples: null,
      }),
  };
  const lot = state.one("samples") || state.one("audit");
  if (lot && queue.ended) further.unshift({ text: "Back to Calibration", run: () => state.go("calibration") });
  if (queueOf() && !queue.total)
    return emptyState(
      { mine: "Nothing left to do", done: "Nothing decided yet", audit: "Nothing waits for the audit" }[queueOf()],
      "Samples that you were given stand here.",
      widen,
      ...further,
    );
  if (queue.total)
    return emptyState(
      "That was the last one",
      `${fmt.plural(queue.total, "sample")} in this queue, and you are through.`,
      { text: "From the front", run: reload },
      ...further,
      widen,
    );
  const approved = (counts.approved ?? 0) + (counts.auto_approved ?? 0);
  if (!narrowed && approved && !counts.pending && chosenStatuses().join() === "pending") {
    const open = ["disputed", "unfiltered", "undrawn"].some((status) => counts[status]);
    const rejected = counts.rejected > 0 && `, ${fmt.number(counts.rejected)} rejected`;
    return emptyState(
      open ? "Nothing is pending" : "Everything is decided",
      [`${fmt.plural(approved, "sample")} approved`, rejected || "", "."].join(""),
      { text: "Finetune", run: () => state.go("finetune") },
      ...further,
    );
  }
  if (any || narrowed) return emptyState("Nothing here", "No sample fits this choice.", ...further, widen);
  return emptyState(
    "No samples to review yet",
    "Samples are proposed for diagnosed failures, drawn, and filtered; then people decide here which ones to train on.",
    { text: "Generate samples", run: () => state.go("generate") },
    { text: "Look at failures", kind: "", run: () => state.go("failures") },
    { text: "Add one by hand", kind: "", run: () => openByHand(view) },
  );
}

export function drawPanel(box, view) {
  const { card } = view;
  if (editing()) return drawEdit(box, view);
  if (writing(card) && box.querySelector("[data-note]") && drawnFor === card.sample_id) return;
  drawnFor = card.sample_id;
  fillOnce(box, [card, edits(), shownReason, draftOf(card), noteOf(card), writing(card)], () =>
    h(
      "dl.rev-text",
      question(card),
      choices(card),
      answer(card),
      card.blind ? hidden(card) : filters(card),
      dispute(card),
      (noteOf(card) || writing(card)) && row("Note", noteLine(card)),
      row("", h("div.rev-why", why(card, view))),
    ),
  );
}

const row = (name, ...content) => [h("dt", name), h("dd", content)];

function question(card) {
  const edited = card.question !== card.first_question;
  return row("Question", h("div.rev-q", { title: card.question }, card.question), edited && was(card.first_question, card.question));
}

const was = (before, now) => h("div.rev-diff", { title: `Proposed as: ${before}` }, diffElements(before, now));

function choices(card) {
  if (!card.choices.length) return null;
  const before = card.first_choices.join(" · ");
  const now = card.choices.join(" · ");
  return row(
    "Choices",
    h(
      "ol.rev-choices",
      card.choices.map((text, i) => h("li", { class: letter(i) === card.answer ? "right" : "" }, h("span.faint", letter(i)), text)),
    ),
    before !== now && was(before, now),
  );
}

export const letter = (i) => String.fromCharCode(65 + i);

function answer(card) {
  const draft = draftOf(card);
  const stands = card.choices.length ? card.choices[card.answer.charCodeAt(0) - 65] : null;
  return row(
    "Answer",
    h(
      "div.row.wrap",
      h("span.rev-a", stands ? `${card.answer}. ${stands}` : card.answer),
      h("button.btn.icon.bare", { onclick: () => openEdit(), title: "Edit question and answer" }, keyCap("review", "edit")),
      !noteOf(card) && h("button.btn.icon.bare", { onclick: () => openNote(), title: "Write a note" }, keyCap("review", "note")),
      card.answer !== card.first_answer && h("span.rev-diff", diffElements(card.first_answer, card.answer)),
      draft && chip("unsaved draft", { kind: "wa", title: "You began to edit this; go on with e", onclick: () => openEdit() }),
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
            "Others disagree on it. Decide without looking and your word counts as one more; or ",
            h("button.btn", { onclick: reveal }, "See, and settle it", keyCap("review", "reveal")),
          ]
        : "What the filters and other people say is shown once you have decided.",
    ),
  );

const figure = (score) => (score === null ? "" : Number.isInteger(score) ? String(score) : score.toFixed(2));

function filters(card) {
  const chips = card.verdicts.map((verdict) => verdictChip(verdict));
  const opened = card.verdicts.filter((verdict) => verdict.passes === false || verdict.error || verdict.filter === shownReason);
  const lines = opened.map((verdict) => h("div.rev-reason", h("b", words(verdict.filter)), ` ${reason(verdict)}`));
  return row("Filters", h("div.row.wrap.rev-chips", chips.length ? chips : h("span.dim", "no filter is on")), lines);
}

function verdictChip(verdict) {
  const { filter, score, passes, error } = verdict;
  const kind = error ? "error" : passes === null ? "none" : passes ? "ok" : "no";
  const text = [words(filter), error ? "error" : passes === null ? "not yet" : figure(score)].join(" ");
  return h(
    "button.chip",
    {
      class: kind,
      title: reason(verdict),
      "aria-pressed": String(shownReason === filter),
      dataset: { filter },
      onclick: () => {
        shownReason = shownReason === filter ? null : filter;
        redrawPanel();
      },
    },
    text,
  );
}

function reason({ score, threshold, comparison, passes, reason: text, error }) {
  if (error) return `could not judge: ${error}`;
  if (passes === null) return "has not judged this revision yet";
  return (
    `${text || (passes ? "passes" : "fails")} ` +
    `(${figure(score)}, needs ${comparison === "at_least" ? "at least" : "at most"} ${figure(threshold)})`
  );
}

let redrawPanel = () => {};

export function drawButtons(box, view) {
  const { card, outbox } = view;
  redrawPanel = () => drawPanel(box.parentNode.querySelector("[data-panel]"), view);
  if (!card) return fill(box);
  const failing = card.verdicts.filter((verdict) => verdict.passes === false).map((verdict) => words(verdict.filter));
  const button = (text, key, kind, run, on = false, title = null) =>
    h("button.btn", { class: `${kind} ${on ? "chosen" : ""}`, onclick: run, title, disabled: editing() }, text, keyCap("review", key));
  const decided = ["approved", "rejected", "disputed"].includes(card.status);
  fill(
    box,
    view.rejecting && reasons(view),
    button("Approve", "approve", "g", () => decide("approve"), card.status === "approved"),
    button("Reject", "reject", "b", reject, view.rejecting || card.status === "rejected"),
    button("Skip", "skip", "", () => move(1)),
    button("Undo", "undo", "", () => undo(), false, lastAction(view)),
    decided && button("Clear", "reset", "", () => decide("reset"), false, "Takes the decision off: the filters decide again"),
    h("span.grow"),
    card.again && chip("changed meanwhile: look again", { kind: "wa" }),
    decided &&
      card.status !== "disputed" &&
      !card.mine &&
      card.decided_by &&
      card.decided_by !== view.reviewer &&
      h(
        "span.chip",
        { class: { approved: "ok", rejected: "no" }[card.status], title: `${statusText[card.status]} by ${card.decided_by}` },
        h("span.clip", `by ${card.decided_by}`),
      ),
    card.status === "unfiltered" &&
      chip("not filtered yet", { kind: "wa", title: "No filter has judged this revision; a person's approval stands all the same" }),
    failing.length > 0 &&
      card.status !== "rejected" &&
      h(
        "span.chip.wa.rev-gives",
        { title: `An approval stands over the verdict of ${failing.join(", ")}; the verdict stays in the log` },
        h(
          "span.clip",
          decided ? "overrides " : "approving overrides ",
          h("b", failing.length > 1 ? fmt.plural(failing.length, "filter") : failing[0]),
        ),
      ),
    saved(outbox),
  );
}

const lastAction = (view) => {
  const last = view.actions.at(-1);
  return last
    ? `${last.action} · ${last.samples > 1 ? fmt.plural(last.samples, "sample") : `sample ${fmt.number(last.sample_id)}`}`
    : "Nothing to undo";
};

export function saved(outbox) {
  const { length } = outbox.items;
  if (!length) return h("span.chip.ok.rev-saved", { dataset: { unsaved: 0 }, title: "Every decision is on disk" }, "all saved");
  const text = `${fmt.number(length)} unsaved`;
  return h(
    "span.chip.rev-saved",
    {
      class: outbox.trouble ? "wa" : "",
      dataset: { unsaved: length },
      title: outbox.trouble ? `${outbox.trouble} They are kept in this browser and sent again.` : "On their way",
    },
    text,
    outbox.trouble && " · trying again",
  );
}

// The reasons that a rejection may name, over the lower edge of the picture so that nothing moves.
const reasons = (view) =>
  h(
    "div.rev-reasons",
    { role: "group", "aria-label": "Why reject it?" },
    view.reasons.map((text, i) =>
      h("button.btn", { onclick: () => decide("reject", text), title: text }, keyCap("review", `reason${i + 1}`), text),
    ),
    h(
      "button.btn.b",
      { onclick: () => decide("reject"), title: "Reject without a reason; Esc: not after all" },
      keyCap("review", "reject"),
      "no reason",
    ),
  );
