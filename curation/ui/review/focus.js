// Focus: one sample, its picture as large as fits, and beside it, if wanted, the picture of the failure that it practises.

import { at, emptyState, fillOnce, fmt, h, media, picture, state, zoom } from "../shared/lib.js";
import { nothing } from "./empty_queue.js";
import { canDraw, redraw } from "./origin.js";
import { specText } from "./picture_spec.js";
import { pictureSize } from "./queue.js";
import { card as cardNow, changed, mode, queue, queueOf, tally } from "./state.js";

export function start(root) {
  const box = at(root, "stage");
  changed.on(() => mode().shown === "focus" && draw(box));
}

function draw(box) {
  const card = cardNow();
  if (!card) return fillOnce(box, ["none", queue.ended, queue.total, queueOf(), tally().facets.status, state.list("status")], nothing);
  const beside = Boolean(mode().beside && card.origin);
  box.classList.toggle("beside", beside);
  fillOnce(box, [card.sample_id, card.image, beside], () => [
    beside && origin(card.origin),
    card.image
      ? h(
          "button.rev-shot",
          {
            onclick: () => zoom(card.image, card.question),
            title: "Enlarge (z)",
            style: { "--ratio": (card.width ?? 1) / (card.height ?? 1) },
          },
          h("img", { src: media(card.image, pictureSize(card)), alt: card.question, decoding: "sync", draggable: "false" }),
        )
      : emptyState(
          "Not drawn yet",
          card.picture_spec ? specText(card.picture_spec) : (card.image_prompt ?? ""),
          canDraw(card) && { text: card.picture_spec ? "Render" : "Draw", run: () => redraw(card) },
        ),
  ]);
}

// The failure that the sample practises, as large as the sample.
const origin = (from) =>
  h(
    "figure.rev-from",
    h(
      "button.rev-small",
      { onclick: () => zoom(from.image, from.question), title: "Enlarge" },
      picture(from.image, "large", from.question),
    ),
    h(
      "figcaption",
      h("b", from.question),
      h(
        "div",
        h("span.dim", "gold "),
        h("span.right", [...new Set(from.golds)].map((gold) => fmt.answer(gold, from.choices)).join(", ")),
        h("span.dim", " · baseline "),
        h("span.wrong", fmt.answer(from.answer, from.choices)),
      ),
    ),
  );
