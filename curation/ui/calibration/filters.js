// Left of Calibration: each filter against people in a table, and how approval goes with the score.

import { Chart } from "../shared/chart.js";
import { fill, fmt, h, pick, state } from "../shared/lib.js";

export function drawFilters(table, charts, overview, target) {
  const labels = overview.labels.approved + overview.labels.rejected;
  if (!labels) {
    fill(table);
    return fill(charts);
  }
  const head = ["Filter", "Passes at", "Labels", "Precision", "False negatives", "Specificity"];
  fill(
    table,
    h(
      "div.card.rows",
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            head.map((text, i) => h("th", { class: i === 2 ? "r" : "" }, text)),
          ),
        ),
        h(
          "tbody",
          line({ ...overview.together, filter: "All enabled filters", title: "combined", enabled: true }, target, "all"),
          overview.filters.map((filter) => line(filter, target)),
        ),
      ),
    ),
  );
  drawCharts(charts, overview.filters);
}

const CURVES = { score: "approval by score", threshold: "precision and false negatives by threshold" };
export const curves = () => (state.one("curves") === "threshold" ? "threshold" : "score");
const plots = new Map(); // filter -> Chart

function drawCharts(box, filters) {
  const drawn = filters.filter((filter) => filter.figure);
  const choose = pick(
    Object.entries(CURVES).map(([value, text]) => ({ value, text })),
    curves(),
    (value) => state.set({ curves: value === "score" ? null : value }, { replace: true }),
    { title: "What the charts show" },
  );
  fill(
    box,
    drawn.length > 0 && [
      h("div.row.curves", h("h4", "Agreement with people"), h("span.grow"), choose),
      h(
        "div.charts",
        drawn.map((filter) => card(filter)),
      ),
    ],
  );
  for (const filter of drawn) plots.get(filter.filter).draw(filter.figure);
}

function card(filter) {
  if (!plots.has(filter.filter)) plots.set(filter.filter, new Chart({ small: true }));
  return h(
    "div.card.plot",
    { title: filter.title },
    h(
      "div.row",
      h("b", { style: "font-weight:550" }, filter.filter),
      h("span.grow"),
      h("small.dim", filter.enabled ? asked(filter.comparison, filter.threshold) : "off"),
    ),
    plots.get(filter.filter).element,
  );
}

function line(filter, target, cls = "") {
  const setting = cls ? "" : filter.enabled ? asked(filter.comparison, filter.threshold) : "off";
  return h(
    "tr",
    { class: filter.enabled ? cls : "off" },
    h("td.about", { title: filter.title }, h("span", { style: "font-weight:550" }, filter.filter), " ", h("small.dim", filter.title)),
    h(
      "td",
      cls ? null : h("a", { href: state.href("settings"), dataset: {}, title: "Thresholds are set in Settings", onclick: go }, setting),
    ),
    h("td.r", fmt.number(filter.labels)),
    h("td", measure(filter.precision, filter.passing, target)),
    h("td", measure(filter.false_negative_rate, filter.approved)),
    h("td", measure(filter.specificity, filter.labels - filter.approved)),
  );
}

const go = (event) => {
  event.preventDefault();
  state.go("settings");
};

export const asked = (comparison, threshold) => `${comparison === "at_least" ? "≥" : "≤"} ${round(threshold)}`;
export const round = (value) => String(Math.round(1000 * value) / 1000);

function measure({ value, low, high }, of, target = null) {
  if (value === null) return h("span.faint", { title: "No labels" }, "–");
  return h(
    "span.measure",
    { title: `${fmt.percent(value, 1)} of ${fmt.number(of)}, 95 % interval ${fmt.percent(low, 1)} to ${fmt.percent(high, 1)}` },
    h("span", fmt.percent(value, value > 0.995 || value < 0.1 ? 1 : 0)),
    interval(value, low, high, target),
  );
}

export const interval = (value, low, high, target = null) =>
  h(
    "span.iv",
    h("i", { style: `left:${100 * low}%;width:${100 * (high - low)}%` }),
    h("b", { style: `left:${100 * value}%` }),
    target !== null && h("s", { style: `left:${100 * target}%` }),
  );
