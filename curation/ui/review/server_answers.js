// What the store says to what was sent, and what jobs bring meanwhile.

import { endings, fmt, toast } from "../shared/lib.js";
import { editing } from "./edit.js";
import { draw, drawLeft, facetsLater, gridOn, loadFacets, openSample, peopleOn, reload, setStatus, view } from "./index.js";

const WORK = ["generate", "draw", "filter"];

export async function stored(item, answer) {
  facetsLater();
  const card = view.queue.find(item.body.sample_id ?? item.sampleId);
  if (card && !view.outbox.holds(card.sample_id)) {
    if (item.path === "decide" && card.blind) await view.queue.refresh(card.sample_id);
    else if (item.path === "decide") {
      if (answer.revision === card.revision) setStatus(card, answer.status);
    } else await view.queue.refresh(card.sample_id);
    if (card === view.card && !editing()) draw();
  }
  if (item.path !== "undo") return;
  if (item.undoing?.batch_id) toast(`Undone: ${fmt.plural(answer.count, "decision")} taken back`, { kind: "good" });
  if (gridOn() || item.undoing?.samples > 1) await reload();
}

// A stale decision is shown for another look; it changed nothing.
export async function refused(item, error) {
  const id = item.body.sample_id ?? item.sampleId;
  view.actions = view.actions.filter((one) => one.event_id !== item.body.event_id);
  const stale = error.status === 409 && id;
  toast(`Not stored: ${error.message}`, { kind: "bad", action: id ? { text: "Look at it", run: () => openSample(id) } : null });
  facetsLater();
  if (!id) return;
  await view.queue.refresh(id).catch(() => {});
  const card = view.queue.find(id);
  if (card && stale && card !== view.card) {
    card.again = true;
    view.queue.again(card);
    view.queue.prefetch();
  }
  if (!editing()) draw();
}

// While samples are made, drawn or filtered the counts follow, and so does the sample on the page.
let working = false;
const hasEnded = endings();
let rest = 0;
export async function tick(workspace) {
  if (!view.workspace) return;
  const now = workspace.running.some((job) => WORK.includes(job.stage));
  if (hasEnded(workspace)) working = true;
  if ((!now && !working) || performance.now() < rest || view.outbox.items.length) return;
  const begun = performance.now();
  working = now;
  await loadFacets();
  if (peopleOn()) return drawLeft();
  if (gridOn()) {
    /* cells stay put under the pointer; the counts tell that there is more */
  } else if (!view.card && view.queue.ended) return reload();
  else if (view.card && !editing() && !view.rejecting) {
    await view.queue.refresh(view.card.sample_id);
    if (view.queue.card === view.card && !editing()) draw();
  }
  drawLeft();
  rest = performance.now() + 3 * (performance.now() - begun);
}
