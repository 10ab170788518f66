// In the card: the failures most alike to this one, as small pictures; a click goes there.

import { api, fill, fmt, h, picture, state } from "../shared/lib.js";
import { open } from "./selection.js";

const answers = new Map(); // what was asked for last: `${failure} ${by}` -> rows
const WAYS = { place: "Nearest on the map", vector: "Most similar question and image" };

export async function drawNeighbours(box, card) {
  if (card.x === null) return;
  const by = state.one("near") === "vector" ? "vector" : "place";
  const key = `${card.failure_id} ${by} ${card.cluster_id}`;
  if (!answers.has(key)) {
    fill(box, h("h4", WAYS[by]));
    const answer = await api("failures/neighbours", { failure_id: card.failure_id, by }, { quiet: true }).catch(() => null);
    if (!answer) return;
    if (answers.size > 200) answers.clear();
    answers.set(key, answer);
  }
  const { rows, by: real } = answers.get(key);
  const alternative = real === "place" ? "vector" : "place";
  const swap = h(
    "button.link",
    { onclick: () => state.set({ near: alternative === "vector" ? "vector" : null }, { replace: true }) },
    alternative === "vector" ? "by similarity" : "by map position",
  );
  fill(
    box,
    h(
      "h4",
      WAYS[real],
      h("span.grow"),
      real === by ? swap : h("span.faint", { title: "This map was computed before embeddings were kept: recompute it" }, "no embeddings"),
    ),
    h("div.near-row", rows.map(small)),
  );
}

const small = (row) =>
  h(
    "button",
    {
      onclick: () => open(row.failure_id),
      "aria-label": row.question,
      class: row.triage === "label error" ? "excused" : "",
      title: `${row.question}\n${fmt.answer(row.answer)}, gold ${row.golds[0]}`,
    },
    picture(row.image, "thumb", row.question),
  );
