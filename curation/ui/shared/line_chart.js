// A line chart in SVG: a few series over a common x, a value under the pointer, a part of the x axis still to come.

import { fill, h, tooltip } from "./lib.js";

const WIDTH = 720,
  HEIGHT = 230,
  LEFT = 44,
  RIGHT = 10,
  TOP = 8,
  BOTTOM = 22;

// Running mean of [x, y] points, `share` of all of them wide.
export function smoothed(points, share = 0.05) {
  const reach = Math.max(1, Math.round((points.length * share) / 2));
  return points.map(([x], i) => {
    const near = points.slice(Math.max(0, i - reach), i + reach + 1);
    return [x, near.reduce((sum, [, y]) => sum + y, 0) / near.length];
  });
}

// Round numbers from below low to above high, about `count` of them.
export function ticks(low, high, count = 4) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough) * power;
  const first = Math.ceil(low / step - 1e-9) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) => first + i * step);
}

// Draws into `box`: series [{name, colour, points: [[x, y]], faint, dots}], x from 0 to `total`.
// describe(x, values) gives the tooltip's lines.
export function lineChart(box, series, total, describe) {
  const all = series.flatMap((one) => one.points.map(([, y]) => y)).filter(Number.isFinite);
  if (!all.length) return fill(box);
  const sorted = [...all].sort((a, b) => a - b);
  const high =
    Math.max(
      sorted.at(-1) <= 3 * sorted[Math.floor(sorted.length * 0.98)] ? sorted.at(-1) : sorted[Math.floor(sorted.length * 0.98)],
      1e-9,
    ) * 1.04;
  const most = Math.max(total || 0, ...series.flatMap((one) => one.points.map(([x]) => x)), 1);
  const px = (x) => LEFT + ((WIDTH - LEFT - RIGHT) * x) / most;
  const py = (y) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(y, high) / high);
  const line = (x1, y1, x2, y2, cls) => h(`line.${cls}`, { x1, y1, x2, y2 });
  const label = (x, y, text, anchor) => h("text", { x, y, "text-anchor": anchor }, text);
  const rows = ticks(0, high).map((y) => [
    line(LEFT, py(y), WIDTH - RIGHT, py(y), "gridline"),
    label(LEFT - 6, py(y) + 3.5, short(y), "end"),
  ]);
  const columns = ticks(0, most, 5).map((x) =>
    label(px(x), HEIGHT - 6, String(Math.round(x)), x === 0 ? "start" : px(x) > WIDTH - 30 ? "end" : "middle"),
  );
  const drawn = series
    .filter((one) => one.points.length)
    .map(({ points, colour, faint, dots }) => [
      h("polyline", {
        points: points.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" "),
        fill: "none",
        stroke: colour,
        "stroke-width": faint ? 1 : 1.8,
        "stroke-opacity": faint ? 0.3 : 1,
        "stroke-linejoin": "round",
        "vector-effect": "non-scaling-stroke",
      }),
      dots && points.map(([x, y]) => h("circle", { cx: px(x).toFixed(1), cy: py(y).toFixed(1), r: 2.6, fill: colour })),
    ]);
  const cursor = h("line.cursor", { x1: 0, x2: 0, y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const svg = h(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": series.map((one) => one.name).join(", ") },
    rows,
    columns,
    drawn,
    cursor,
  );
  const leave = () => {
    cursor.setAttribute("visibility", "hidden");
    tooltip(null);
  };
  svg.addEventListener("pointermove", (event) => {
    const place = svg.getBoundingClientRect();
    const x = ((((event.clientX - place.left) / place.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT)) * most;
    const named = series.filter((one) => !one.faint);
    const values = named.map((one) => ({ ...one, point: nearest(one.points, x) })).filter((one) => one.point);
    if (!values.length) return leave();
    const at = values[0].point[0];
    cursor.setAttribute("x1", px(at));
    cursor.setAttribute("x2", px(at));
    cursor.setAttribute("visibility", "visible");
    tooltip(event.clientX, event.clientY, describe(at, values));
  });
  svg.addEventListener("pointerleave", leave);
  fill(box, svg);
}

const nearest = (points, x) =>
  points.reduce((best, point) => (!best || Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best), null);
const short = (y) => (y === 0 ? "0" : y < 0.1 ? y.toPrecision(1) : y.toFixed(y < 10 ? (Number.isInteger(y * 10) ? 1 : 2) : 0));
