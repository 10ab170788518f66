// The tables of Results: two checkpoints with differences, or several side by side. Plain accuracy, balanced by answer, majority answer.

import { chip, fmt, h } from "../shared/lib.js";
import { chooseGroup, group } from "./state.js";

const HEADS = {
  before: "Accuracy before and after. Below, in small: balanced by answer, each gold answer counting the same",
  difference: "After minus before, 95 % interval: paired, clustered by image. Below: the same balanced by answer",
  majority: "Accuracy of always giving the most frequent gold answer of dataset, error type and named kind. Below: balanced by answer",
  "gain in":
    "skill: the gain is shown, balanced by answer, to be above the majority answer. form: it is not; knowing the frequent answer would do",
  "min. detectable": "Minimum detectable difference with this number of items (80 % power)",
};

const small = (text) => h("small.dim.below", text);
const interval = (low, high) => `[${fmt.signed(low)}, ${fmt.signed(high)}]`;
const sure = (low, high) => (low > 0 ? "okay" : high < 0 ? "err" : "dim");

const ONE_ANSWER = "All its gold answers are alike: what was learnt of the image can't be told from what was learnt of the answer";

const learnt = (what) =>
  what &&
  chip(what, { kind: what === "skill" ? "ok" : "wa", title: what === "skill" ? HEADS["gain in"] : "Not above the majority answer" });

const head = (names) =>
  h(
    "thead",
    h(
      "tr",
      names.map((name, i) => h("th", { class: i ? "r" : "", title: HEADS[name] ?? null }, name)),
    ),
  );

const named = (name) => h("td", h("button.link", { onclick: () => chooseGroup(name), title: name }, name));

const items = (line) => {
  const alone = line.answered_before + line.answered_after - 2 * line.items;
  return h(
    "td.r",
    fmt.number(line.items),
    alone > 0 && small(`+${fmt.number(alone)} by one only`),
    line.images === 1 && h("small.dim.below", { title: "All its examples share one image: nothing can be told from it" }, "one image"),
  );
};

/** Two checkpoints: a line a group, the whole first. */
export const lineTable = (of, overall, lines) =>
  h(
    "table",
    head([of, "items", "before", "after", "difference", "majority", "gain in", "min. detectable"]),
    h(
      "tbody",
      [overall, ...lines].map((line, i) =>
        h(
          "tr",
          { class: `${line.name === group() ? "on" : ""} ${i ? "" : "whole"}` },
          i ? named(line.name) : h("td", h("b", line.name)),
          items(line),
          h("td.r", fmt.fixed(line.before), small(fmt.fixed(line.balanced_before))),
          h("td.r", fmt.fixed(line.after), small(fmt.fixed(line.balanced_after))),
          h(
            "td.r",
            h("b", { class: sure(line.low, line.high) }, fmt.signed(line.difference)),
            h("small.dim", ` ${interval(line.low, line.high)}`),
            small(`${fmt.signed(line.balanced_difference)} ${interval(line.balanced_low, line.balanced_high)}`),
          ),
          h("td.r", fmt.fixed(line.majority), small(fmt.fixed(line.balanced_majority))),
          h("td.r", line.answers === 1 ? h("small.dim", { title: ONE_ANSWER }, "one answer") : learnt(line.learnt)),
          h("td.r.dim", fmt.fixed(line.detectable)),
        ),
      ),
    ),
  );

/** Several checkpoints: a column each, differences to the first. */
export const sideTable = (of, side, rows) =>
  h(
    "table.many",
    head([of, "items", "majority", ...side.checkpoints]),
    h(
      "tbody",
      [side.overall, ...rows].map((row, i) =>
        h(
          "tr",
          { class: `${row.name === group() ? "on" : ""} ${i ? "" : "whole"}` },
          i ? named(row.name) : h("td", h("b", row.name)),
          h("td.r", fmt.number(row.items)),
          h("td.r", fmt.fixed(row.majority), small(fmt.fixed(row.balanced_majority))),
          row.cells.map((cell) =>
            h(
              "td.r",
              fmt.fixed(cell.accuracy),
              h("small.dim", { title: "balanced by answer" }, ` ${fmt.fixed(cell.balanced)}`),
              cell.difference !== null &&
                h(
                  "small.below",
                  { title: cell.p_holm === null ? null : `p = ${cell.p_holm.toPrecision(2)} after Holm's correction` },
                  h("span", { class: sure(cell.low, cell.high) }, fmt.signed(cell.difference)),
                  h("span.dim", ` ${interval(cell.low, cell.high)}`),
                ),
            ),
          ),
        ),
      ),
    ),
  );
