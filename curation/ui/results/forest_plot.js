// A forest plot: one line a group, its difference with the 95 % interval. Green gained, red lost, grey: not shown.

import { fmt, h, tooltip } from "../shared/lib.js";

const WIDTH = 820,
  ROW = 31,
  NAME = 176,
  TEXT = 196,
  TOP = 12;

// lines: [{name, difference, low, high, before, after, items, p_holm}], the first is the whole. choose(name) is called on a click.
export function forest(lines, chosen, choose) {
  const low = Math.min(-0.05, ...lines.map((line) => line.low)),
    high = Math.max(0.05, ...lines.map((line) => line.high));
  const x = (value) => NAME + ((value - low) / (high - low)) * (WIDTH - NAME - TEXT);
  const height = TOP + ROW * lines.length + 22;
  const marks = ticks(low, high).map((value) => [
    h("line.axis", { x1: x(value), x2: x(value), y1: TOP, y2: height - 20 }),
    h("text.soft", { x: x(value), y: height - 5, "text-anchor": "middle" }, fmt.signed(value, 1)),
  ]);
  const zero = h("line.zero", { x1: x(0), x2: x(0), y1: TOP, y2: height - 20 });
  return h(
    "svg.forest",
    { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": "Difference by error type" },
    marks,
    zero,
    lines.map((line, i) => row(line, i, x, chosen, choose)),
  );
}

function row(line, i, x, chosen, choose) {
  const y = TOP + ROW * i + ROW / 2;
  const sure = i === 0 ? line.p < 0.05 : line.p_holm < 0.05;
  const paint = !sure ? "var(--faint)" : line.difference > 0 ? "var(--good)" : "var(--bad)";
  const tip = (event) =>
    tooltip(
      event.clientX,
      event.clientY,
      h(
        "div",
        h("b", line.name),
        h("div", `${fmt.fixed(line.before)} → ${fmt.fixed(line.after)} on ${fmt.plural(line.items, "item")}`),
        h("div.dim", i === 0 ? `p = ${line.p.toPrecision(2)}` : `p = ${line.p_holm.toPrecision(2)} after Holm's correction`),
      ),
    );
  return h(
    "g.line",
    { class: chosen === line.name ? "on" : "", onclick: () => choose(line.name), onpointermove: tip, onpointerleave: () => tooltip(null) },
    h("rect.hit", { x: 0, y: y - ROW / 2, width: WIDTH, height: ROW, rx: 5 }),
    h("text", { class: i === 0 ? "first" : "", x: 8, y: y + 4 }, line.name),
    h("line", { x1: x(line.low), x2: x(line.high), y1: y, y2: y, stroke: paint, "stroke-width": 2 }),
    h("circle", { cx: x(line.difference), cy: y, r: 4.5, fill: paint }),
    h(
      "text.soft",
      { x: WIDTH - 8, y: y + 4, "text-anchor": "end" },
      `${fmt.signed(line.difference)} [${fmt.signed(line.low, 2)}, ${fmt.signed(line.high, 2)}]`,
    ),
  );
}

function ticks(low, high) {
  const step = [0.05, 0.1, 0.2, 0.5].find((one) => (high - low) / one <= 8) ?? 0.5;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) found.push(Math.abs(value) < 1e-9 ? 0 : value);
  return found;
}
