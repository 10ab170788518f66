// Where one stands in the queue, going to another place of it, and how fast it goes.

import { at, fillOnce, fmt, h } from "../shared/lib.js";
import { closeEdit } from "./edit.js";
import { draw, drawHead, followInUrl, matching, order, root, view } from "./index.js";
import { closeNote } from "./note.js";

// "12 of 5,431": a click lets one type another number.
export function place(card, queue) {
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
        fillOnce(at(root, "place"), null, () => "");
        drawHead();
      },
    });
    event.target.replaceWith(input);
    input.select();
  };
  return [
    card.guest
      ? "beside the queue"
      : h("button.btn.bare.rev-there", { onclick: ask, title: "Go to another place in the queue" }, fmt.number(there)),
    !card.guest && `of ${fmt.number(queue.total)}`,
    pace() && ` · ${pace()}`,
  ];
}

// Goes to the nth sample of the queue.
export async function jump(place) {
  const to = Math.round(place);
  if (!(to >= 1)) return;
  closeEdit();
  closeNote();
  await view.queue.load({ matching: matching(), order: order() }, undefined, Math.min(to, view.queue.total) - 1);
  draw();
  followInUrl();
}

// "41 a minute": decisions of the last two minutes, as long as there are some.
export function pace() {
  const now = performance.now();
  view.times = view.times.filter((time) => now - time < 120_000);
  if (view.times.length < 3) return "";
  const minutes = Math.max(now - view.times[0], 3000) / 60_000;
  return `${fmt.number(view.times.length / minutes)} a minute`;
}
