// The points of the loss chart, from what a run has reported: smoothed, thinned, the axes as wide as the run will be.

const MOST = 2000; // points of a curve: more than a screen has pixels
const WINDOW = 0.05; // of all steps, over which the loss is smoothed

/** @typedef {[x: number, y: number]} Point */

/**
 * Centred running mean, `share` of all points wide.
 * @param {Point[]} points
 * @returns {Point[]}
 */
export function smoothed(points, share = WINDOW) {
  const reach = Math.max(1, Math.round((points.length * share) / 2));
  const sums = [0];
  for (const [i, [, y]] of points.entries()) sums.push(sums[i] + y);
  return points.map(([x], i) => {
    const from = Math.max(0, i - reach);
    const to = Math.min(points.length, i + reach + 1);
    return [x, (sums[to] - sums[from]) / (to - from)];
  });
}

/**
 * At most about `most` of the points: of each run of neighbours the lowest and the highest, so that no spike is lost; the last one always.
 * @param {Point[]} points
 */
export function thinned(points, most = MOST) {
  if (points.length <= most) return points;
  const size = Math.ceil((2 * points.length) / most);
  /** @type {Point[]} */
  const kept = [];
  for (let start = 0; start < points.length; start += size) {
    let low = start;
    let high = start;
    for (let i = start; i < Math.min(start + size, points.length); i++) {
      if (points[i][1] < points[low][1]) low = i;
      if (points[i][1] > points[high][1]) high = i;
    }
    kept.push(...(low === high ? [points[low]] : [points[Math.min(low, high)], points[Math.max(low, high)]]));
  }
  if (kept.at(-1) !== points.at(-1)) kept.push(points[points.length - 1]);
  return kept;
}

/**
 * Where the axis of losses ends: above all of them, unless a few stand out so far that the others would lie flat.
 * @param {number[]} losses
 */
export function ceiling(losses) {
  const sorted = losses.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return 1;
  const most = sorted[sorted.length - 1];
  const usual = sorted[Math.floor(sorted.length * 0.98)];
  return 1.04 * Math.max(most <= 3 * usual ? most : usual, 1e-9);
}

/**
 * The figure of the server (finetune/charts.py) with the points of a run.
 * @param {import("../shared/types.d.ts").Figure} figure
 * @param {Point[]} steps training loss, ascending by step
 * @param {Point[]} heldOut
 * @param {number} total of steps to come
 * @param {string} run what the run is called
 */
export function withPoints(figure, steps, heldOut, total, run) {
  const curves = [thinned(steps), thinned(smoothed(steps)), heldOut];
  const data = figure.data.map((trace, i) => ({ ...trace, x: curves[i].map(([x]) => x), y: curves[i].map(([, y]) => y) }));
  const last = Math.max(total, steps.at(-1)?.[0] ?? 0, heldOut.at(-1)?.[0] ?? 0, 1);
  const { layout } = figure;
  return {
    data: data.filter((trace) => trace.x.length),
    layout: {
      ...layout,
      meta: { ...layout.meta, file: `${layout.meta.file} ${run}` },
      uirevision: run,
      xaxis: { ...layout.xaxis, range: [0, last], nticks: Math.min(last, 8) },
      yaxis: { ...layout.yaxis, range: [0, ceiling([...steps, ...heldOut].map(([, y]) => y))] },
    },
  };
}
