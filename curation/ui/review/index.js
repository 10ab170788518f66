// The Review page. The queue (status, facets, search, order) and the sample that is shown are in the URL;
// decisions go out through the outbox.

import { at, drawer, later, state } from "../shared/lib.js";
import { watchIndex } from "../shared/search_progress.js";
import * as buttons from "./buttons.js";
import * as facets from "./facets.js";
import * as focus from "./focus.js";
import * as grid from "./grid.js";
import * as header from "./header.js";
import { load, loaded, reload } from "./loading.js";
import * as origin from "./origin.js";
import * as panel from "./panel.js";
import { drawReviewers } from "./reviewers.js";
import "./shortcuts.js";
import { changed, choose, mode, opened, peopleOn } from "./state.js";

export { tick } from "./server_answers.js";

let root;

export function start(element) {
  root = element;
  const side = drawer(root.querySelector(".cols"), "Provenance");
  opened.on(side.close);
  changed.on(drawLayout);
  loaded.on(() => peopleOn() && drawReviewers(at(root, "people")));
  for (const part of [facets, header, focus, panel, buttons, grid, origin]) part.start(root, side);
  const search = at(root, "search");
  search.addEventListener(
    "input",
    later(() => choose({ words: search.value.trim() || null }, true), 250),
  );
  search.addEventListener("keydown", (event) => event.key === "Enter" && search.blur());
  watchIndex(search, "samples", reload);
}

// Called when the page comes up and whenever the URL changes.
export async function show() {
  const search = at(root, "search");
  if (document.activeElement !== search) search.value = state.one("words") ?? "";
  await load();
}

// One of the three has the middle: the sample, the grid, the people.
function drawLayout() {
  const { shown } = mode();
  for (const [name, of] of [
    ["focus", "focus"],
    ["grid", "grid"],
    ["bulk", "grid"],
    ["people", "people"],
  ])
    at(root, name).hidden = shown !== of;
  root.querySelector(".cols").classList.toggle("with-people", shown === "people");
}
