// What the colours of the map mean, and below the map the values behind them; a click on one selects it.

import { colour, fillOnce, h, pick, state } from "../shared/lib.js";
import { valueText } from "./facets.js";
import { toggle } from "./selection.js";

const COLOURS = [
  "#4269d0",
  "#efb118",
  "#ff725c",
  "#6cc5b0",
  "#3ca951",
  "#ff8ab7",
  "#a463f2",
  "#97bbf5",
  "#9c6b4e",
  "#38b2c4",
  "#8c9a3c",
  "#d6679a",
];
const BAD_TO_GOOD = ["#d0443a", "#e07b39", "#e8b23a", "#a9b84a", "#3ca951"]; // score 0 to 1 in fifths
const WAYS = [
  { value: "error_type", text: "error type" },
  { value: "cluster", text: "cluster" },
  { value: "dataset", text: "dataset" },
  { value: "score", text: "score" },
  { value: "round", text: "round" },
];

// What the URL names for the colours.
export const wayOf = () => WAYS.find((way) => way.value === state.one("colour"))?.value ?? "error_type";

// [an index into the palette for each point, the palette].
export function coloursOf(points, way) {
  if (way === "score") return [points.score.map((score) => Math.min(4, Math.floor(score / 20))), BAD_TO_GOOD];
  if (way === "error_type") return [points.error_type, points.names.error_type.map(colour)];
  return [points[way], points.names[way].map((_, i) => COLOURS[i % COLOURS.length])];
}

export function drawLegend(box, points, clusters) {
  if (!points) return fillOnce(box, null, () => null);
  const way = wayOf();
  const known = WAYS.filter((way) => way.value !== "round" || points.names.round.length > 1);
  const ways = () =>
    pick(known, way, (chosen) => state.set({ colour: chosen === "error_type" ? null : chosen }, { replace: true }), {
      title: "Colour by",
    });
  if (way === "score")
    return fillOnce(box, [way, known], () => [
      ways(),
      h("button", { disabled: true }, h("span", "0")),
      h("span.ramp", { style: { background: `linear-gradient(90deg, ${BAD_TO_GOOD.join(",")})` } }),
      h("button", { disabled: true }, h("span", "1")),
    ]);
  const items = values(points, way, clusters);
  const button = ({ value, text, paint, on }) =>
    h(
      "button",
      { class: on ? "on" : "", onclick: () => toggle(way, value), title: text },
      h("span.dot", { style: { background: paint } }),
      h("span", text),
    );
  fillOnce(box, [way, known, items], () => [ways(), items.map(button)]);
}

// The values of what the colours mean, the most frequent error types first.
function values(points, way, clusters) {
  const [index, palette] = coloursOf(points, way);
  const titles = new Map(clusters.map((cluster) => [cluster.cluster_id, cluster.title]));
  const text = (value) =>
    way === "round" ? `round ${value}` : way === "cluster" ? (titles.get(value) ?? `cluster ${value}`) : valueText(way, value);
  const order = way === "error_type" ? byCount(index, palette.length) : palette.map((_, i) => i);
  return order.map((i) => {
    const value = points.names[way][i];
    return { value, text: text(value), paint: palette[i], on: state.list(way).includes(String(value === "" ? "none" : value)) };
  });
}

function byCount(index, size) {
  const counts = new Array(size).fill(0);
  for (const i of index) counts[i]++;
  return counts.map((_, i) => i).sort((a, b) => counts[b] - counts[a]);
}
