// The pictures of the selected failures: a page of the grid.

import { cell, dot, emptyState, fill, fillList, fmt, h } from "../shared/lib.js";
import { marked, press, shown } from "./selection.js";

export function drawThumbs(box) {
  const { page, card } = shown();
  const { rows } = page;
  if (!rows.length) return fill(box, emptyState("No matching failures", "Remove a facet or change the search."));
  let grid = box.querySelector(".grid");
  if (!grid) {
    grid = h("div.grid");
    fill(box, grid);
  }
  fillList(grid, rows, thumb);
  for (const element of grid.children) {
    element.classList.toggle("sel", Number(element.dataset.id) === card?.failure_id);
    element.classList.toggle("marked", marked().has(Number(element.dataset.id)));
  }
  if (grid.parentNode.dataset.shown !== String(card?.failure_id)) grid.querySelector(".sel")?.scrollIntoView({ block: "nearest" });
  grid.parentNode.dataset.shown = card?.failure_id;
}

function thumb(row) {
  const caption = [
    h("span.q", dot(row.error_type), " ", row.question),
    h("span.a", h("s.wrong", fmt.answer(row.answer, row.choices)), " · ", h("span.right", fmt.answer(row.golds[0], row.choices))),
  ];
  const element = cell(row.image, caption, {
    onclick: (event) => press(event, row.failure_id),
    id: row.failure_id,
    title: `${row.question}\n(ctrl- or shift-click marks several)`,
  });
  element.classList.toggle("excused", row.triage === "label error");
  return element;
}
