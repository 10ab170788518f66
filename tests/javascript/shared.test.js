import "./document.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const { h, fill, fillList, fillOnce } = await import("../../curation/ui/shared/dom.js");
const { form } = await import("../../curation/ui/shared/schema_form.js");
const { goesOn, isActive, learnStatuses } = await import("../../curation/ui/shared/job_status.js");
const { keymap, keys } = await import("../../curation/ui/shared/shortcuts.js");
const { pages, state } = await import("../../curation/ui/shared/url_state.js");
const { typing, workspaceChanges } = await import("../../curation/ui/shared/plan_form.js");

pages.push(...["failures", "review", "generate"].map((name) => ({ name, title: name, group: "loop", folder: name })));
learnStatuses({ job: { active: ["queued", "running"], ended: ["done", "failed"] } });
beforeEach(() => {
  history.replaceState(null, "", "?page=failures");
  localStorage.clear();
});

test("text stays text, whatever a dataset wrote", () => {
  const text = '<img src=x onerror="alert(1)">';
  const element = h("div.card.wide", { title: text, "aria-hidden": false }, text, [null, [0, "b"]], undefined, false);
  assert.equal(element.children.length, 0);
  assert.equal(element.textContent, `${text}0b`);
  assert.deepEqual([element.className, element.getAttribute("title"), element.hasAttribute("aria-hidden")], ["card wide", text, false]);
});

test("what turns the direction of text is shown as a mark", () => {
  const text = "a\u202Eb\u2066c \u05D0";
  const element = h("p", { title: text }, text, h("b", "plain"));
  assert.equal(element.textContent, "a[U+202E]b[U+2066]c \u05D0plain");
  assert.equal(h("textarea", text).value, text); // as it will be sent back
});

test("a node is drawn anew only where its value has changed, and unchanged items keep their elements", () => {
  const box = h("div");
  let drawn = 0;
  for (const value of [1, 1, 2])
    fillOnce(box, value, () => {
      drawn++;
      return String(value);
    });
  assert.deepEqual([drawn, box.textContent], [2, "2"]);
  const make = (item) => h("p", item.text);
  fillList(box, [{ text: "a" }, { text: "b" }], make);
  const [, kept] = [...box.children].slice(-2);
  fillList(box, [{ text: "b" }, { text: "c" }], make);
  assert.equal(box.children[0], kept);
  assert.deepEqual(
    [...box.children].map((child) => child.textContent),
    ["b", "c"],
  );
  assert.equal(fill(box, "x").textContent, "x");
});

test("what a page shows is in the URL, and another page is found as it was left", () => {
  state.set({ type: ["negation", "counting"], offset: 60, words: "", only: true });
  assert.equal(location.search, "?page=failures&type=negation&type=counting&offset=60&only=1");
  assert.deepEqual([state.page(), state.one("offset"), state.list("type")], ["failures", "60", ["negation", "counting"]]);
  state.go("review", { status: "pending" });
  assert.equal(location.search, "?page=review&status=pending");
  state.go("failures");
  assert.equal(location.search, "?page=failures&type=negation&type=counting&offset=60&only=1");
  state.set({ type: null, offset: null, only: null });
  assert.equal(location.search, "?page=failures");
});

test("fields that follow each other quickly reach the URL together", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const change = typing(100);
  change({ per: "2" });
  change({ limit: "5" });
  t.mock.timers.tick(100);
  assert.equal(location.search, "?page=failures&per=2&limit=5");
});

test("a form from a schema gives back what its fields hold, typed", () => {
  const schema = {
    $defs: { Route: { enum: ["same_image", "new_image"], type: "string" } },
    properties: {
      limit: { anyOf: [{ type: "integer" }, { type: "null" }], default: null, description: "Failures at most." },
      route: { $ref: "#/$defs/Route", default: "same_image" },
      names: { type: "array", items: { type: "integer" }, default: [] },
      again: { type: "boolean", default: false },
      rate: { type: "number", default: 0.1 },
    },
  };
  const shown = form(schema, { route: "new_image" });
  assert.deepEqual(shown.values(), { limit: null, route: "new_image", names: [], again: false, rate: 0.1 });
  const [limit, , names, again] = shown.element.querySelectorAll("input, select");
  limit.value = "7";
  names.value = "3, 4,";
  again.checked = true;
  assert.deepEqual(shown.values(), { limit: 7, route: "new_image", names: [3, 4], again: true, rate: 0.1 });
  shown.errors({ limit: "too many" });
  assert.equal(limit.getAttribute("aria-invalid"), "true");
  assert.match(shown.element.textContent, /too many/);
});

test("a job goes on while it or what follows it does", () => {
  const job = (status) => ({ job_id: 1, status });
  const step = (status, note = null) => ({ job_id: status ? 2 : null, status, note });
  assert.deepEqual(
    ["queued", "running", "done", "paused"].map((status) => isActive(job(status))),
    [true, true, false, false],
  );
  assert.equal(goesOn(null), false);
  assert.equal(goesOn({ job: job("done"), chain: [] }), false);
  assert.equal(goesOn({ job: job("done"), chain: [step(null)] }), true, "about to start");
  assert.equal(goesOn({ job: job("done"), chain: [step(null, "nothing to do")] }), false);
  assert.equal(goesOn({ job: job("failed"), chain: [step(null)] }), false, "it never starts");
  assert.equal(goesOn({ job: job("done"), chain: [step("running")] }), true);
});

test("changes of the workspace are told from the second poll on", () => {
  const changed = workspaceChanges();
  const poll = (status, ended) => changed({ running: [{ job_id: 1, status }], counts: { failures: 3 }, ended });
  assert.deepEqual([poll("queued", 0), poll("queued", 0), poll("running", 0), poll("running", 9)], [false, false, true, true]);
});

test("a shortcut that is remapped is known by its new key, and two can exchange theirs", () => {
  keys("review", [
    { name: "approve", key: "a", what: "approve", run() {} },
    { name: "skip", key: "s", what: "skip", run() {} },
  ]);
  keymap.set("review", "approve", "x");
  assert.deepEqual([keymap.key("review", "approve"), keymap.changed()], ["x", true]);
  assert.deepEqual(keymap.taken("review", "skip", "x"), { name: "approve", what: "approve" });
  assert.deepEqual(keymap.taken("review", "skip", "/"), { name: null, what: "search" });
  keymap.swap("review", "approve", "skip");
  assert.deepEqual([keymap.key("review", "approve"), keymap.key("review", "skip")], ["s", "x"]);
  keymap.reset();
  assert.equal(keymap.key("review", "approve"), "a");
});
