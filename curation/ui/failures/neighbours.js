// In the card: the failures most alike to this one, as small pictures; a click goes there.

import { api, fill, h, picture, state } from "../shared/lib.js";
import { open } from "./selection.js";

const answers = new Map(); // what was asked for last: `${failure} ${by}` -> rows
const WAYS = { place: "Nearest on the map", vector: "Most alike in question and picture" };

export async function drawNeighbours(box, card) {
  if (card.x === null) return;
  const by = state.one("near") === "vector" ? "vector" : "place";
  const key = `${card.failure_id} ${by} ${card.cluster_id}`;
  if (!answers.has(key)) {
    fill(box, h("h4", WAYS[by]));
    const found = await api("failures/neighbours", { failure_id: card.failure_id, by }, { quiet: true }).catch(() => null);
    if (!found) return;
    if (answers.size > 200) answers.clear();
    answers.set(key, found);
  }
  const { rows, by: real } = answers.get(key);
  const other = real === "place" ? "vector" : "place";
  const swap = h(
    "button.link",
    { onclick: () => state.set({ near: other === "vector" ? "vector" : null }, { replace: true }) },
    other === "vector" ? "by likeness" : "by place",
  );
  fill(
    box,
    h(
      "h4",
      WAYS[real],
      h("span.grow"),
      real === by ? swap : h("span.faint", { title: "Its map was laid before vectors were kept: lay it again" }, "no vectors kept"),
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
      title: `${row.question}\n${row.answer || "(nothing)"}, not ${row.golds[0]}`,
    },
    picture(row.image, "thumb", row.question),
  );
