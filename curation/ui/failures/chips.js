// The chips above the middle: what is selected, each with a cross, and what is marked.

import { at, chip, dot, fill, fmt, h, state } from "../shared/lib.js";
import { facetTitle, valueText } from "./facets.js";
import { canSave, saveView } from "./saved_views.js";
import { choose, clear, FACETS, follow, marked, rounds, toggle, unmark } from "./selection.js";

export function start(root) {
  const box = at(root, "chips");
  follow((shown) => draw(box, shown));
}

function draw(box, { clusters: known, enclosed }) {
  const many = marked().size;
  const marks =
    many > 0 &&
    chip(`${fmt.number(many)} marked`, {
      kind: "on",
      onremove: unmark,
      title: "Triage keys label all of these; ctrl- or shift-click marks more",
    });
  if (!canSave()) return fill(box, marks);
  const titles = new Map((known ?? []).map((cluster) => [String(cluster.cluster_id), cluster]));
  const clusters = state.list("cluster").map((id) =>
    chip([dot(titles.get(id)?.error_type), short(titles.get(id)?.title ?? `cluster ${id}`)], {
      onremove: () => toggle("cluster", id),
      title: titles.get(id)?.title,
    }),
  );
  const facets = FACETS.filter((facet) => facet !== "round" || rounds().length > 1).flatMap((facet) =>
    state.list(facet).map((v) => {
      const real = v === "none" ? "" : v;
      return chip([facet === "error_type" && dot(real), facet === "round" ? `round ${real}` : valueText(facet, real)], {
        onremove: () => toggle(facet, real),
        title: facetTitle(facet),
      });
    }),
  );
  const words = state.one("words") && chip(`“${state.one("words")}”`, { onremove: () => choose({ words: null }), title: "Search" });
  const lasso =
    enclosed !== null &&
    chip(`lasso ${fmt.number(enclosed)}`, {
      kind: "on",
      onremove: () => choose({ lasso: null }),
      title: "Failures inside the lasso",
    });
  const chips = [lasso, ...clusters, ...facets, words].filter(Boolean);
  fill(
    box,
    marks,
    chips,
    chips.length > 1 && chip(["clear all ", h("kbd", "x")], { onclick: clear }),
    !state.one("saved") && chip("save view", { onclick: saveView, title: "Save this selection under a name" }),
  );
}

const short = (text) => (text.length > 38 ? `${text.slice(0, 36)}…` : text);
