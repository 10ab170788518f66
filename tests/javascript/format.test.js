import assert from "node:assert/strict";
import { test } from "node:test";
import * as fmt from "../../curation/ui/shared/format.js";

test("numbers are grouped, and what is missing is a dash", () => {
  assert.deepEqual([1234567, 0, null, undefined].map(fmt.number), ["1,234,567", "0", "–", "–"]);
  assert.deepEqual(
    [0.12345, null].map((n) => fmt.fixed(n)),
    ["0.123", "–"],
  );
  assert.deepEqual(
    [0.5, -0.25, 0].map((n) => fmt.signed(n, 2)),
    ["+0.50", "−0.25", "+0.00"],
  );
  assert.deepEqual([fmt.percent(0.1234), fmt.percent(0.1234, 1), fmt.percent(null)], ["12 %", "12.3 %", "–"]);
  assert.deepEqual(
    [1, 2, 0].map((n) => fmt.plural(n, "failure")),
    ["1 failure", "2 failures", "0 failures"],
  );
  assert.equal(fmt.plural(3, "diagnosis", "diagnoses"), "3 diagnoses");
});

test("money: no price is unpriced, never zero", () => {
  assert.equal(fmt.usd(null), "unpriced");
  assert.deepEqual([0, 0.0004, 0.004999, 1.5, 99.994, 1234567].map(fmt.usd), ["$0", "$0.0004", "$0.005", "$1.50", "$99.99", "$1,234,567"]);
  assert.equal(fmt.usdRange([0.4, 1.2]), "$0.40 – 1.20");
  assert.equal(fmt.usdRange([0.401, 0.402]), "$0.40");
  assert.equal(fmt.usdRange(null), "unpriced");
});

test("time and sizes", () => {
  assert.deepEqual([0, 59, 61, 5400, 200000, null].map(fmt.duration), ["1 s", "59 s", "1 min", "1.5 h", "2 days", ""]);
  assert.equal(fmt.ago(Date.now() - 120_000), "2 min ago");
  assert.equal(fmt.ago(new Date()), "just now");
  assert.deepEqual([0, 999, 1500, 25_000_000].map(fmt.bytes), ["0 B", "999 B", "1.5 kB", "25 MB"]);
});

test("the letter of a choice is shown with what it stands for, and no answer as such", () => {
  assert.equal(fmt.answer("B", ["red", "blue"]), "B. blue");
  assert.equal(fmt.answer("C", ["red", "blue"]), "C");
  assert.equal(fmt.answer("B"), "B");
  assert.equal(fmt.answer("BB", ["red", "blue"]), "BB");
  assert.deepEqual(
    ["", null].map((text) => fmt.answer(text)),
    ["(no answer)", "(no answer)"],
  );
});
