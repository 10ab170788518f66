import "./document.js";
import assert from "node:assert/strict";
import { test } from "node:test";

const { Queue } = await import("../../curation/ui/review/queue.js");

const answered = (card) => ({ ok: true, json: async () => card });

test("an answer that was asked for before an edit does not take the edit back", async (t) => {
  const queue = new Queue({ changed: () => {}, unhurried: (run) => run() });
  queue.cards = [{ sample_id: 7, revision: 0, question: "How many?", status: "approved" }];
  const [card] = queue.cards;
  let answer;
  t.mock.method(globalThis, "fetch", () => new Promise((resolve) => (answer = resolve)));
  const asked = queue.refresh(7);
  queue.update(card, { revision: 1, question: "How many exactly?", status: "unfiltered" });
  answer(answered({ sample_id: 7, revision: 0, question: "How many?", status: "pending" }));
  await asked;
  assert.deepEqual([card.revision, card.question, card.status], [1, "How many exactly?", "unfiltered"]);
  const again = queue.refresh(7);
  answer(answered({ sample_id: 7, revision: 1, question: "How many exactly?", status: "pending" }));
  await again;
  assert.equal(card.status, "pending");
});
