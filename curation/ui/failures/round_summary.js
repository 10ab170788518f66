// The accuracy of the rounds on the train split, and which rounds are shown.

import { at, fill, fillOnce, fmt, h, pick } from "../shared/lib.js";
import { choose, follow, rounds } from "./selection.js";

export function start(root) {
  follow(({ summary }) => {
    drawAccuracy(at(root, "accuracy"), summary);
    drawRounds(at(root, "rounds"), summary);
  });
}

// "0.675 strict, 0.701 lenient on 4,812 examples", and below it "0.678, 0.704 without 12 label errors".
// How many failed stands below the map.
function drawAccuracy(box, summary) {
  const asked =
    summary.answered < summary.examples
      ? `${fmt.number(summary.answered)} of ${fmt.number(summary.examples)} examples`
      : `${fmt.plural(summary.answered, "example")}`;
  const { accuracy_without_label_errors: strict, accuracy_lenient_without_label_errors: lenient, label_errors: errors } = summary;
  const without = errors
    ? `${fmt.fixed(strict)}, ${fmt.fixed(lenient)} without ${fmt.plural(errors, "label error")}`
    : "no label errors found yet";
  const lines = summary.answered
    ? [`${fmt.fixed(summary.accuracy)} strict, ${fmt.fixed(summary.accuracy_lenient)} lenient on ${asked}`, without]
    : [];
  fill(
    box,
    lines.map((line, i) => h("div", { title: `Accuracy on the train split: ${line}${i ? " (strict, lenient)" : ""}` }, line)),
  );
}

function drawRounds(box, { rounds: known = [], round: latest }) {
  fillOnce(
    box,
    [known, rounds().length > 1, latest],
    () =>
      known.length > 1 &&
      pick(
        [...known.map((round) => ({ value: round, text: `round ${round}` })), { value: "", text: "all rounds" }],
        rounds().length > 1 ? "" : latest,
        (round) => choose({ round: round || known, cluster: null, lasso: null }),
      ),
  );
}
