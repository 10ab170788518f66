import assert from "node:assert/strict";
import { test } from "node:test";
import { listeners } from "../../curation/ui/shared/listeners.js";
import { endings, later, onlyLatest } from "../../curation/ui/shared/timing.js";

test("only the newest answer is shown, whichever comes first", async () => {
  const newest = onlyLatest();
  const slow = Promise.withResolvers();
  const first = newest(slow.promise);
  const second = newest(Promise.resolve("new"));
  assert.equal(await second, "new");
  slow.resolve("old");
  assert.equal(await first, undefined);
});

test("an older request that fails still fails", async () => {
  const newest = onlyLatest();
  const failing = newest(Promise.reject(new Error("no")));
  newest(Promise.resolve(1));
  await assert.rejects(failing, /no/);
});

test("what is called in quick succession is done once, with the last arguments", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const calls = [];
  const write = later((value) => calls.push(value), 100);
  write(1);
  t.mock.timers.tick(99);
  write(2);
  t.mock.timers.tick(99);
  assert.deepEqual(calls, []);
  t.mock.timers.tick(1);
  assert.deepEqual(calls, [2]);
});

test("a job that began and ended between two polls is noticed; the first poll says nothing", () => {
  const hasEnded = endings();
  assert.deepEqual(
    [null, null, 5, 5, 6].map((ended) => hasEnded({ ended })),
    [false, false, true, false, true],
  );
});

test("all listeners are told, with what is told", () => {
  const changed = listeners();
  const heard = [];
  changed.on((...given) => heard.push(["a", ...given]));
  changed.on((...given) => heard.push(["b", ...given]));
  changed.tell(1, 2);
  assert.deepEqual(heard, [
    ["a", 1, 2],
    ["b", 1, 2],
  ]);
});
