// Inter-annotator agreement: Krippendorff's alpha over all reviewers, Cohen's kappa by pair.

import { fmt, h } from "../shared/lib.js";
import { choose } from "./state.js";

const GOOD = 0.8; // from which on alpha is called reliable, Krippendorff 2004

export function interAnnotatorAgreement({ alpha, low, high, units, decisions, pairs }, { disputed, blind }) {
  const settle =
    disputed > 0 &&
    h(
      "button.btn",
      { onclick: () => choose({ status: "disputed", queue: null, audit: null, view: null }) },
      `Resolve disputes (${fmt.number(disputed)})`,
    );
  if (!units)
    return [
      h("p.dim", "No sample was decided by two reviewers yet. Assign the same samples to two or more, blind, to measure agreement."),
      settle && h("div.row", { style: "margin-top:8px" }, settle),
    ];
  const pair = (row) =>
    h(
      "tr",
      h("td", row.one, h("span.faint", " and "), row.other),
      h("td.r", fmt.number(row.samples)),
      h("td.r", fmt.percent(row.agree)),
      h("td.r", fmt.fixed(row.kappa, 2)),
    );
  return [
    h(
      "div.row.wrap",
      h(
        "span.num",
        { title: "Krippendorff's alpha, nominal: 1 full agreement, 0 as by chance" },
        alpha === null ? "–" : fmt.fixed(alpha, 3),
      ),
      h(
        "div",
        h(
          "div",
          alpha === null
            ? "alpha is undefined: all decisions are the same"
            : ["Krippendorff's alpha", low !== null && h("span.dim", `, 95 % interval ${fmt.fixed(low, 3)} to ${fmt.fixed(high, 3)}`)],
        ),
        h(
          "small.dim",
          `${fmt.plural(units, "sample")} decided by two or more, ${fmt.number(decisions)} decisions` +
            `${blind ? "" : "; without blinding, later reviewers could see earlier decisions"}`,
        ),
      ),
    ),
    alpha !== null &&
      h(
        "p.small",
        { class: low >= GOOD ? "okay" : "dim" },
        low >= GOOD
          ? "Reliable: the whole interval is above 0.80."
          : high < 0.667
            ? "Too low to rely on: agree on guidelines, then review some samples again."
            : "Not shown to be reliable (0.80) yet.",
      ),
    h(
      "table",
      h("thead", h("tr", h("th", "Pair"), h("th.r", "both decided"), h("th.r", "agree"), h("th.r", { title: "Cohen's kappa" }, "kappa"))),
      h("tbody", pairs.slice(0, 20).map(pair)),
    ),
    settle && h("div.row", { style: "margin-top:8px" }, settle),
  ];
}
