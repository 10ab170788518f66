// The bar below the card: the triage label of a failure, or of all that are marked.

import { at, fill, h, icon } from "../shared/lib.js";
import { follow, marked } from "./selection.js";
import { triage } from "./triage.js";
import { history } from "./undo.js";

const LABELS = [
  ["model error", "Model error", "m"],
  ["label error", "Label error", "l"],
  ["scorer artefact", "Scorer", "o"],
];
const HINTS = {
  "model error": "The model's answer is wrong",
  "label error": "The gold answer is wrong",
  "scorer artefact": "The answer is right, in a form that the metric does not accept",
};

export function start(root) {
  const box = at(root, "triage");
  follow((shown) => draw(box, shown));
}

function draw(box, { card }) {
  const many = marked().size;
  const ids = () => (many ? [...marked()] : [card.failure_id]);
  const on = (label) => !many && card.triage === label;
  fill(
    box,
    card &&
      LABELS.map(([label, text, key]) =>
        h(
          "button.btn",
          {
            class: on(label) ? "on" : "",
            "aria-pressed": String(on(label)),
            title: many ? `${HINTS[label]}: all ${many} marked` : HINTS[label],
            onclick: () => triage(ids(), { label }),
          },
          text,
          h("kbd", key),
        ),
      ),
    card && h("span.grow"),
    card &&
      h(
        "button.btn.icon",
        {
          onclick: history,
          title: "History of triage labels and cluster edits (u undoes the latest)",
          "aria-label": "History",
        },
        icon("back"),
      ),
  );
}
