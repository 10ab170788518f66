// The Failures page. What is selected (facets, clusters, lasso) is one thing, kept in the URL; grid, map and card follow from it.

import { at, drawer, fill, later, state } from "../shared/lib.js";
import { watchIndex } from "../shared/search_progress.js";
import * as actions from "./actions.js";
import * as card from "./card.js";
import * as chips from "./chips.js";
import * as clusters from "./cluster_tree.js";
import * as facets from "./facets.js";
import { load, loadEarly, refresh } from "./loading.js";
import * as map from "./map_column.js";
import * as roundSummary from "./round_summary.js";
import * as views from "./saved_views.js";
import { choose, follow, opened } from "./selection.js";
import * as tabs from "./tabs.js";
import "./shortcuts.js";
import * as slices from "./slices_table.js";
import * as triageBar from "./triage_bar.js";

export { tick } from "./loading.js";

let root;

export function start(element) {
  root = element;
  const side = drawer(root.querySelector(".cols"), "Selection");
  opened.on(side.open);
  follow(() => fill(at(root, "tools"), map.tools(), side.button));
  for (const part of [roundSummary, clusters, facets, views, chips, tabs, slices, map, card, triageBar, actions]) part.start(root);
  const search = at(root, "search");
  search.addEventListener(
    "input",
    later(() => choose({ words: search.value.trim() || null }, true), 250),
  );
  search.addEventListener("keydown", (event) => event.key === "Enter" && search.blur());
  loadEarly();
  setTimeout(() => {
    views.loadViews();
    watchIndex(search, "failures", refresh);
  });
}

// Called when the page comes up and whenever the URL changes.
export async function show() {
  const search = at(root, "search");
  if (document.activeElement !== search) search.value = state.one("words") ?? "";
  await load();
}
