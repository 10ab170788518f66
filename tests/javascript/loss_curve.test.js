import assert from "node:assert/strict";
import { test } from "node:test";
import { ceiling, smoothed, thinned, withPoints } from "../../curation/ui/finetune/loss_curve.js";

/** @returns {[number, number][]} */
const curve = (n) => Array.from({ length: n }, (_, i) => [i + 1, 2 * Math.exp(-i / (n / 4)) + 0.3 * Math.sin(i * 1.7)]);

test("smoothing is the mean of the neighbours, fewer of them at the ends", () => {
  const points = curve(200); // five on each side
  const found = smoothed(points);
  const mean = (from, to) => points.slice(from, to).reduce((sum, [, y]) => sum + y, 0) / (to - from);
  assert.deepEqual(
    found.map(([x]) => x),
    points.map(([x]) => x),
  );
  for (const [i, from, to] of [
    [0, 0, 6],
    [100, 95, 106],
    [199, 194, 200],
  ])
    assert.ok(Math.abs(found[i][1] - mean(from, to)) < 1e-12);
});

test("thinning keeps every spike, the order and the last step", () => {
  const points = curve(20_000);
  points[12_345] = [12_346, 40];
  points[4_321] = [4_322, -3];
  const kept = thinned(points);
  assert.ok(kept.length <= 2001 && kept.length > 1500);
  assert.ok(kept.every(([x], i) => !i || x > kept[i - 1][0]));
  for (const i of [12_345, 4_321, 19_999]) assert.ok(kept.includes(points[i]));
  assert.equal(thinned(points.slice(0, 2000)).length, 2000);
});

test("a few losses far above all others do not flatten the curve", () => {
  assert.ok(Math.abs(ceiling([1, 2, 2.5]) - 2.6) < 1e-9);
  const losses = Array.from({ length: 1000 }, (_, i) => 1 + (i % 10) / 10);
  assert.ok(Math.abs(ceiling([...losses, 90, Number.NaN]) - 1.9 * 1.04) < 1e-9);
  assert.equal(ceiling([]), 1);
});

test("the axis of steps goes on to the last step to come, a trace without points is left out", () => {
  const figure = {
    data: [{ name: "loss" }, { name: "smoothed" }, { name: "held out" }],
    layout: { height: 280, meta: { label: "Loss", file: "loss" }, xaxis: { title: "step" }, yaxis: {} },
  };
  const { data, layout } = withPoints(figure, curve(40), [], 300, "run 3");
  assert.deepEqual(
    data.map((trace) => [trace.name, trace.x.length]),
    [
      ["loss", 40],
      ["smoothed", 40],
    ],
  );
  assert.deepEqual([layout.xaxis.range, layout.xaxis.title, layout.meta.file], [[0, 300], "step", "loss run 3"]);
  assert.equal(withPoints(figure, curve(3), [[3, 0.5]], 3, "run 3").layout.xaxis.nticks, 3); // no half steps
});

test("twenty thousand steps take a few milliseconds a poll", () => {
  const figure = { data: [{}, {}, {}], layout: { height: 280, meta: { label: "", file: "" } } };
  const steps = curve(20_000);
  const began = performance.now();
  for (let i = 0; i < 10; i++) withPoints(figure, steps, [], 20_000, "run");
  assert.ok((performance.now() - began) / 10 < 150);
});
