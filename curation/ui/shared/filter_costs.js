// What each filter would take by itself: samples, calls, dollars, time. In the launch dialog and on Settings.

import { h } from "./dom.js";
import * as fmt from "./format.js";

/** @import { Estimate, FilterCost } from "./types.js" */

const ASKS = { frontier: "frontier", baseline: "checkpoint" };

/**
 * "free" where the built-in teacher is asked; "nothing" where nobody is paid.
 * @param {FilterCost} part
 * @param {boolean} billed
 */
export const cost = (part, billed) => (!part.calls ? "–" : !billed ? "free" : fmt.usdRange(part.usd));
/** @param {FilterCost} part */
export const time = (part) =>
  part.seconds === null ? "not known yet" : part.seconds < 1 ? "under 1 s" : `about ${fmt.duration(part.seconds)}`;

/**
 * "1,254 to judge · $0.40 – 0.60 · about 2 min"
 * @param {FilterCost} part
 * @param {boolean} billed
 */
export const costLine = (part, billed) =>
  [`${fmt.number(part.samples)} to judge`, part.calls && cost(part, billed), part.seconds !== null && time(part)]
    .filter(Boolean)
    .join(" · ");

/**
 * "1,254 samples to judge: about 3,762 calls, $0.40 – 0.60, about 2 min"
 * @param {FilterCost} part
 * @param {boolean} billed
 */
export function costText(part, billed) {
  const what = [
    part.calls && `about ${fmt.plural(part.calls, "call")}`,
    part.calls && cost(part, billed),
    part.asks === "baseline" && "runs the checkpoint",
    part.seconds !== null && time(part),
  ]
    .filter(Boolean)
    .join(", ");
  const again = part.outdated ? ` (${fmt.number(part.outdated)} again, with its new version)` : "";
  return `${fmt.plural(part.samples, "sample")} to judge${again}${what && `: ${what}`}`;
}

/**
 * A table of an estimate's parts, or nothing where the stage has none.
 * @param {Pick<Estimate, "detail" | "billed">} estimate
 */
export function costTable({ detail, billed }) {
  const parts = detail?.filters ?? [];
  if (!parts.length) return null;
  const again = parts.some((part) => part.outdated);
  return h(
    "table",
    { style: "margin-top:10px" },
    h(
      "thead",
      h(
        "tr",
        h("th", "Filter"),
        h("th", "Model"),
        h("th.r", "Samples"),
        again && h("th.r", { title: "Judged by an earlier version of the filter or its prompt" }, "of these again"),
        h("th.r", "Calls"),
        h("th.r", "Cost"),
        h("th.r", "Time"),
      ),
    ),
    h(
      "tbody",
      parts.map((part) =>
        h(
          "tr",
          { title: part.title },
          h("td", part.filter),
          h("td.dim", part.asks ? ASKS[part.asks] : "nobody"),
          h("td.r", fmt.number(part.samples)),
          again && h("td.r", part.outdated ? fmt.number(part.outdated) : "–"),
          h("td.r", part.calls ? fmt.number(part.calls) : "–"),
          h("td.r", cost(part, billed)),
          h("td.r.dim", { style: "white-space:nowrap" }, time(part)),
        ),
      ),
    ),
  );
}
