// A picture that is rendered from a spec: its data as a small table, the spec to open, and the answer that the data gives.

import { chip, dialog, fmt, h } from "../shared/lib.js";

/** @import { Card, PictureSpec } from "./types.js" */

const SHOWN = 10; // rows beside the card; the rest stands with the spec
const KINDS = { "vega-lite": "chart", table: "table", document: "document", diagram: "diagram", bars: "bar chart" };

/** @param {PictureSpec} spec */
export const specText = (spec) => [KINDS[spec.kind] ?? spec.kind, spec.title].filter(Boolean).join(": ");

/**
 * In the right column: what the picture was rendered from.
 * @param {Card} card
 */
export function rendered(card) {
  const spec = card.picture_spec;
  if (!spec) return null;
  const more = spec.rows.length - SHOWN;
  return [
    h("h4", "Rendered from a spec ", h("button.btn.icon.bare", { onclick: () => open(card), title: "The spec with all its data" }, "open")),
    h("p.dim", specText(spec)),
    h("div.rev-data", dataTable(spec, SHOWN)),
    more > 0 && h("p.small.faint", `${fmt.plural(more, "more row")}: open the spec`),
    card.answer_from && h("p.small.dim", "Answer: ", h("span.mono", howText(card.answer_from))),
  ];
}

/**
 * Beside the answer: what the data gives.
 * @param {Card} card
 */
export function computed(card) {
  const found = card.computed;
  if (!found) return null;
  if (found.answer === null) return chip("can't be computed", { kind: "no", title: found.problem });
  const how = `Computed from the image's data: ${howText(card.answer_from ?? {})}`;
  return found.agrees
    ? chip("as computed", { kind: "ok", title: `${how} = ${found.answer}` })
    : chip(`the data gives ${found.answer}`, { kind: "no", title: [how, found.problem].filter(Boolean).join(". ") });
}

/**
 * The expression in short: "argmin height, label color, of red, blue, where year = 2024".
 * @param {Record<string, any>} from
 */
function howText({ op, column, label, of = [], rank = 1, where = [], equals = null }) {
  return [
    [op, column].filter(Boolean).join(" "),
    rank > 1 && `number ${rank}`,
    label && `label ${label}`,
    of.length > 0 && `of ${of.join(", ")}`,
    ...where.map((/** @type {any} */ one) => `where ${one.column} ${one.relation} ${one.value}`),
    equals !== null && `is ${equals}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/**
 * @param {PictureSpec} spec
 * @param {number} [most]
 */
const dataTable = (spec, most = spec.rows.length) =>
  h(
    "table",
    h(
      "thead",
      h(
        "tr",
        spec.columns.map((name, i) => h("th", { class: spec.rows.every((row) => typeof row[i] === "number") ? "r" : "" }, name)),
      ),
    ),
    h(
      "tbody",
      spec.rows.slice(0, most).map((row) =>
        h(
          "tr",
          row.map((cell) => h("td", { class: typeof cell === "number" ? "r" : "" }, String(cell))),
        ),
      ),
    ),
  );

/** @param {Card} card */
function open(card) {
  const { picture_spec: spec, answer_from: from } = card;
  if (!spec) return;
  const marks = spec.vega_lite ? h("div", h("h4", "Vega-Lite"), h("pre.mono.reply", pretty(spec.vega_lite))) : null;
  dialog(
    specText(spec),
    [
      h("div.rev-data", dataTable(spec)),
      marks,
      from && h("div", h("h4", "How the answer is computed"), h("pre.mono.reply", JSON.stringify(from, null, 1))),
    ],
    [{ text: "Close" }],
    { wide: true },
  );
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;
  }
}
