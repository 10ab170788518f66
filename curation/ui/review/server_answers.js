// What the store says to what was sent, and what jobs bring meanwhile.

import { endings, fmt, toast } from "../shared/lib.js";
import { openSample } from "./actions.js";
import { countsSoon, loadCounts, reload } from "./loading.js";
import { card as cardNow, changed, editing, gridOn, mode, outbox, peopleOn, queue, reviewing, setStatus } from "./state.js";
import { forget } from "./undo_list.js";

const WORK = ["generate", "draw", "filter"];
const SHARE = 3; // between two looks at least so many times as long passes as one takes

outbox.stored.on(async (item, answer) => {
  countsSoon();
  const card = queue.find(item.body.sample_id ?? item.sampleId);
  if (card && !outbox.holds(card.sample_id)) {
    if (item.path !== "decide" || card.blind) await queue.refresh(card.sample_id);
    else if (answer.revision === card.revision) setStatus(card, answer.status);
  }
  if (item.path !== "undo") return;
  if (item.undoing?.batch_id) toast(`Undone: ${fmt.plural(answer.count, "decision")}`, { kind: "good" });
  if (gridOn() || item.undoing?.samples > 1) await reload();
});

// A stale decision is shown for another look; it changed nothing.
outbox.refused.on(async (item, error) => {
  const id = item.body.sample_id ?? item.sampleId;
  forget(item.body.event_id);
  const stale = error.status === 409 && id;
  toast(`Not saved: ${error.message}`, { kind: "bad", action: id ? { text: "Open sample", run: () => openSample(id) } : null });
  countsSoon();
  if (!id) return changed.tell();
  await queue.refresh(id).catch(() => {});
  const card = queue.find(id);
  if (card && stale && card !== cardNow()) {
    queue.update(card, { again: true });
    queue.again(card);
    queue.prefetch();
  }
});

// While samples are made, drawn or filtered the counts follow, and so does the sample on the page.
let working = false;
const hasEnded = endings();
let rest = 0; // no look by itself before this moment

export async function tick(workspace) {
  if (!reviewing().workspace) return;
  const now = workspace.running.some((job) => WORK.includes(job.stage));
  if (hasEnded(workspace)) working = true;
  if ((!now && !working) || performance.now() < rest || outbox.items.length) return;
  const begun = performance.now();
  working = now;
  await loadCounts();
  if (peopleOn()) return;
  if (!gridOn()) {
    // cells of the grid stay put under the pointer; the counts tell that there is more
    const card = cardNow();
    if (!card && queue.ended) return reload();
    if (card && !editing() && !mode().rejecting) await queue.refresh(card.sample_id);
  }
  rest = performance.now() + SHARE * (performance.now() - begun);
}
