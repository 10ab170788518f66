// The line above the sample, the grid or the people: which of the three it is, what is shown, and where one stands in the queue.

import { at, fillOnce, fmt, h, keyCap, keymap } from "../shared/lib.js";
import { jump, showAs } from "./actions.js";
import { pager, summary } from "./grid.js";
import { openByHand } from "./handwritten.js";
import { openHistory } from "./history.js";
import { pace } from "./pace.js";
import { card as cardNow, changed, gridOn, page, peopleOn, queue, words } from "./state.js";

// `side` is the drawer of the right column: its button stands here where the window is narrow.
export function start(root, side) {
  const [modes, title, subtitle, place, tools] = ["modes", "title", "subtitle", "place", "tools"].map((name) => at(root, name));
  changed.on(() => {
    const card = cardNow();
    drawModes(modes);
    title.textContent = gridOn() ? "Samples" : peopleOn() ? "People" : card ? `Sample ${fmt.number(card.sample_id)}` : "Review";
    subtitle.textContent = gridOn() ? summary() : facts(card);
    subtitle.title = facts(card);
    drawPlace(place, gridOn() ? null : card);
    drawTools(tools, side);
  });
}

function drawModes(box) {
  const now = gridOn() ? "grid" : peopleOn() ? "people" : null;
  const button = (text, name, key) =>
    h(
      "button.btn",
      { class: now === name ? "on" : "", onclick: () => showAs(name), "aria-pressed": String(now === name) },
      text,
      now !== name && key && keyCap("review", key),
    );
  fillOnce(box, [now, keymap.mark()], () => [
    button("Focus", null, now === "grid" && "grid"),
    button("Grid", "grid", "grid"),
    button("People", "people", "people"),
  ]);
}

const facts = (card) =>
  card
    ? [card.error_type, words(card.route), card.failure_id && `from failure ${fmt.number(card.failure_id)}`, card.dataset]
        .filter(Boolean)
        .join(" · ")
    : "";

function drawTools(box, side) {
  const small = (text, key, title, run) => h("button.btn", { onclick: run, title }, text, keyCap("review", key));
  fillOnce(box, [gridOn() && [page.total, page.offset], keymap.mark()], () => [
    gridOn() ? pager() : null,
    small("History", "history", "Your actions; any of them can be undone", openHistory),
    small("Add", "hand", "Write a sample yourself", openByHand),
    side.button,
  ]);
}

function drawPlace(box, card) {
  const speed = pace();
  fillOnce(box, card ? [card.guest, queue.place, queue.total, speed] : "", () => card && place(box, card, speed));
}

// "12 of 5,431 · 41 a minute": a click lets one type another number.
function place(box, card, speed) {
  const there = Math.min(queue.place, queue.total);
  const ask = (event) => {
    const input = h("input.in.rev-jump", {
      type: "number",
      min: 1,
      max: queue.total,
      value: there,
      "aria-label": "Go to",
      onchange: () => jump(Number(input.value)),
      onblur: () => {
        fillOnce(box, null, () => "");
        changed.tell();
      },
    });
    event.target.replaceWith(input);
    input.select();
  };
  return [
    card.guest
      ? "not in this queue"
      : h("button.btn.bare.rev-there", { onclick: ask, title: "Go to another position in the queue" }, fmt.number(there)),
    !card.guest && `of ${fmt.number(queue.total)}`,
    speed && ` · ${speed}`,
  ];
}
