// Left of Calibration: each filter against people in a table, and how approval goes with the score.

import { fill, fmt, h, state } from "../shared/lib.js";

export function drawFilters(table, charts, found, target) {
  const labels = found.labels.approved + found.labels.rejected;
  if (!labels) {
    fill(table);
    return fill(charts);
  }
  const head = ["Filter", "Passes at", "Labels", "Precision", "Misses", "Catches"];
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
          line({ ...found.together, filter: "All that are on", title: "together", enabled: true }, target, "all"),
          found.filters.map((filter) => line(filter, target)),
        ),
      ),
    ),
  );
  const drawn = found.filters.filter((filter) => filter.approved_at.some(Boolean) || filter.rejected_at.some(Boolean));
  fill(charts, drawn.length > 0 && [h("h4", "Score and approval by people"), h("div.charts", drawn.map(chart))]);
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
  if (value === null) return h("span.faint", { title: "No label to tell from" }, "–");
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

const W = 200,
  H = 92,
  TOP = 6,
  LOW = 76;

// Share of approved by score, in bins of about equally many labels, with intervals; grey: how many samples have such scores.
function chart(filter) {
  const bins = binned(filter),
    width = W / bins.length;
  const most = Math.max(...bins.map((bin) => bin.scored), 1);
  const y = (share) => TOP + (LOW - TOP) * (1 - share);
  const dots = bins.map((bin, i) => {
    const x = (i + 0.5) * width,
      n = bin.approved + bin.rejected;
    const tall = bin.scored ? Math.max(1.5, (LOW - TOP) * 0.6 * Math.sqrt(bin.scored / most)) : 0;
    const [low, high] = wilson(bin.approved, n);
    const paint = bin.passes ? "var(--good)" : "var(--bad)";
    return h(
      "g",
      h("title", `${bin.name}: ${fmt.plural(bin.scored, "sample")}, people approve ${fmt.number(bin.approved)} of ${fmt.number(n)}`),
      h("rect", { x: i * width + 1, y: LOW - tall, width: Math.max(width - 2, 1), height: tall, fill: "var(--line)" }),
      n > 0 && [
        h("line", { x1: x, x2: x, y1: y(low), y2: y(high), stroke: paint, "stroke-width": 1.4, "stroke-opacity": 0.55 }),
        h("circle", { cx: x, cy: y(bin.approved / n), r: 2.8, fill: paint }),
      ],
      h("rect", { x: i * width, y: 0, width, height: LOW, fill: "transparent" }),
    );
  });
  const axis = [0, 0.5, 1].map((share) =>
    h("line", {
      x1: 0,
      x2: W,
      y1: y(share),
      y2: y(share),
      stroke: "var(--line)",
      "stroke-width": share === 0 ? 1 : 0.6,
      "stroke-dasharray": share === 0 ? null : "2 3",
    }),
  );
  const names = bins.map(
    (bin, i) =>
      (bins.length <= 4 || i === 0 || i === bins.length - 1) &&
      h(
        "text",
        {
          x: i === 0 && bins.length > 4 ? 0 : i === bins.length - 1 && bins.length > 4 ? W : (i + 0.5) * width,
          y: H - 4,
          "text-anchor": bins.length <= 4 ? "middle" : i === 0 ? "start" : "end",
        },
        bin.name,
      ),
  );
  return h(
    "div.card.chart",
    { title: filter.title },
    h(
      "div.row",
      h("b", { style: "font-weight:550" }, filter.filter),
      h("span.grow"),
      h("small.dim", filter.enabled ? asked(filter.comparison, filter.threshold) : "off"),
    ),
    h(
      "svg",
      { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `share that people approve by score of ${filter.filter}` },
      axis,
      dots,
      names,
    ),
  );
}

// Neighbouring levels put together until each bin has an eighth of the labels, never across the threshold. Ascending by score.
function binned({ cuts, comparison, threshold, scored, approved_at, rejected_at }) {
  const up = comparison === "at_least";
  const levels = scored
    .map((count, code) => ({
      scored: count,
      approved: approved_at[code],
      rejected: rejected_at[code],
      score: code ? cuts[code - 1] : null,
      passes: code > 0 && (up ? cuts[code - 1] >= threshold : cuts[code - 1] <= threshold),
    }))
    .filter((level) => level.scored);
  const labels = levels.reduce((sum, level) => sum + level.approved + level.rejected, 0);
  const bins = [];
  for (const level of levels) {
    const last = bins.at(-1);
    if (levels.length > 8 && last && last.passes === level.passes && last.approved + last.rejected < labels / 8) {
      for (const name of ["scored", "approved", "rejected"]) last[name] += level[name];
      last.to = level.score;
    } else bins.push({ ...level, to: level.score });
  }
  const [before, rest] = bins.slice(-2);
  if (levels.length > 8 && rest && before.passes === rest.passes && rest.approved + rest.rejected < labels / 16) {
    for (const name of ["scored", "approved", "rejected"]) before[name] += rest[name];
    before.to = rest.to;
    bins.pop();
  }
  const text = (score) => (score === null ? (up ? "less" : "more") : round(score));
  for (const bin of bins)
    bin.name = bin.score === bin.to ? text(bin.score) : up ? `${text(bin.score)}–${text(bin.to)}` : `${text(bin.to)}–${text(bin.score)}`;
  return up ? bins : bins.reverse();
}

// Wilson's interval, two-sided 95 %, as curation/statistics/intervals.py has it.
export function wilson(k, n) {
  if (!n) return [0, 1];
  const z2 = 1.959963984540054 ** 2,
    p = k / n,
    middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const reach = Math.sqrt(z2 * ((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [Math.max(0, Math.min(p, middle - reach)), Math.min(1, Math.max(p, middle + reach))];
}
