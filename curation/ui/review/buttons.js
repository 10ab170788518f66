// The buttons of Focus, what an approval would override, and whether every decision is on disk.

import { afterPaint, at, chip, fill, fmt, h, keyCap } from "../shared/lib.js";
import { decide, move, reject, undo } from "./actions.js";
import { card as cardNow, changed, DECIDED, editing, mode, outbox, reviewing, statusText, words } from "./state.js";
import { latest } from "./undo_list.js";

export function start(root) {
  const box = at(root, "buttons");
  const drawNow = () => {
    const card = cardNow();
    if (card) draw(box, card);
  };
  let waits = false; // the number of unsaved decisions comes after the next sample
  changed.on(drawNow);
  outbox.changed.on(() => {
    if (waits) return;
    waits = true;
    afterPaint(() => {
      waits = false;
      drawNow();
    });
  });
}

function draw(box, card) {
  const failing = card.verdicts.filter((verdict) => verdict.passes === false).map((verdict) => words(verdict.filter));
  const button = (text, key, kind, run, on = false, title = null) =>
    h("button.btn", { class: `${kind} ${on ? "chosen" : ""}`, onclick: run, title, disabled: editing() }, text, keyCap("review", key));
  const decided = DECIDED.includes(card.status);
  fill(
    box,
    mode().rejecting && reasons(),
    button("Approve", "approve", "g", () => decide("approve"), card.status === "approved"),
    button("Reject", "reject", "b", reject, mode().rejecting || card.status === "rejected"),
    button("Skip", "skip", "", () => move(1)),
    button("Undo", "undo", "", () => undo(), false, lastAction()),
    decided && button("Clear", "reset", "", () => decide("reset"), false, "Remove the decision; the status from the filters applies again"),
    h("span.grow"),
    card.again && chip("changed in the meantime: check again", { kind: "wa" }),
    decided &&
      card.status !== "disputed" &&
      !card.mine &&
      card.decided_by &&
      card.decided_by !== reviewing().reviewer &&
      h(
        "span.chip",
        { class: { approved: "ok", rejected: "no" }[card.status], title: `${statusText[card.status]} by ${card.decided_by}` },
        h("span.clip", `by ${card.decided_by}`),
      ),
    card.status === "unfiltered" &&
      chip("not filtered yet", { kind: "wa", title: "Not all filters have run on this revision; an approval counts anyway" }),
    failing.length > 0 &&
      card.status !== "rejected" &&
      h(
        "span.chip.wa.rev-gives",
        { title: `An approval overrides the verdict of ${failing.join(", ")}; the verdict stays in the log` },
        h(
          "span.clip",
          decided ? "overrides " : "approving overrides ",
          h("b", failing.length > 1 ? fmt.plural(failing.length, "filter") : failing[0]),
        ),
      ),
    saved(),
  );
}

const lastAction = () => {
  const last = latest();
  return last
    ? `${last.action} · ${last.samples > 1 ? fmt.plural(last.samples, "sample") : `sample ${fmt.number(last.sample_id)}`}`
    : "Nothing to undo";
};

// Whether every decision is on disk.
export function saved() {
  const { length } = outbox.items;
  if (!length) return h("span.chip.ok.rev-saved", { dataset: { unsaved: 0 }, title: "Every decision is saved to disk" }, "all saved");
  const text = `${fmt.number(length)} unsaved`;
  return h(
    "span.chip.rev-saved",
    {
      class: outbox.trouble ? "wa" : "",
      dataset: { unsaved: length },
      title: outbox.trouble ? `${outbox.trouble} Unsaved decisions are kept in this browser and sent again.` : "Saving …",
    },
    text,
    outbox.trouble && " · retrying",
  );
}

// The reasons that a rejection may name, over the lower edge of the picture so that nothing moves.
const reasons = () =>
  h(
    "div.rev-reasons",
    { role: "group", "aria-label": "Reason for rejection" },
    reviewing().reasons.map((text, i) =>
      h("button.btn", { onclick: () => decide("reject", text), title: text }, keyCap("review", `reason${i + 1}`), text),
    ),
    h(
      "button.btn.b",
      { onclick: () => decide("reject"), title: "Reject without a reason (Esc to cancel)" },
      keyCap("review", "reject"),
      "no reason",
    ),
  );
