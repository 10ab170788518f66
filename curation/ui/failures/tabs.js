// The tabs above the middle (map, grid, slices), the pictures or what to do next, how many failures are selected, the page of the grid.

import { at, fill, fillOnce, fmt, h, icon } from "../shared/lib.js";
import { follow, middle, narrowed, offset, PAGE, showAs, turn, turnTo } from "./selection.js";
import { drawSteps } from "./steps.js";
import { drawThumbs } from "./thumbs.js";

const TABS = [
  ["map", "Map"],
  ["slices", "Slices"],
]; // and "grid", which takes the map's place

export function start(root) {
  fill(at(root, "back"), icon("left")).addEventListener("click", () => turn(-1));
  fill(at(root, "next"), icon("right")).addEventListener("click", () => turn(1));
  follow(({ summary, page }) => {
    if (!page) return;
    drawTabs(at(root, "middle-title"), summary);
    drawPictures(root, summary);
    drawPlace(root, page);
    drawTally(root, page);
  });
}

function drawTabs(box, summary) {
  const now = middle();
  const tab = ([name, text]) => {
    const on = (name === "slices") === (now === "slices");
    const title = name === "map" && now === "grid" ? "Failures" : text;
    return h("button.tab", { class: on ? "on" : "", "aria-pressed": String(on), onclick: () => showAs(name) }, title);
  };
  fillOnce(box, [now, summary.failures > 0], () => (summary.failures ? TABS.map(tab) : "Failures"));
}

// The page of the grid: in the middle, or in the column beside the map; instead of it what to do next, where there is nothing yet.
function drawPictures(root, summary) {
  const wide = middle() === "grid";
  const steps = at(root, "steps");
  at(root, "wide-grid").hidden = !wide;
  const blocked = wide && drawSteps(steps);
  steps.hidden = !wide || summary.placed > 0;
  at(root, "wide-thumbs").hidden = blocked;
  at(root, "thumbs").hidden = wide;
  if (!blocked) drawThumbs(at(root, wide ? "wide-thumbs" : "thumbs"));
}

function drawPlace(root, { failures: total }) {
  const pages = Math.max(1, Math.ceil(total / PAGE));
  const current = offset() / PAGE + 1;
  fillOnce(at(root, "place"), [total, current, pages], () => (total ? place(total, current, pages) : "nothing selected"));
  at(root, "back").disabled = current <= 1;
  at(root, "next").disabled = current >= pages;
}

// "100,000 · page 1 of 1,667", where the page can be typed.
function place(total, current, pages) {
  const input = h("input.in", {
    type: "number",
    min: 1,
    max: pages,
    value: current,
    "aria-label": "Page",
    title: "Go to a page",
    style: { width: `${Math.max(2, String(pages).length) + 2.4}ch` },
    onchange: () => {
      const to = Math.min(pages, Math.max(1, Math.round(Number(input.value)) || current));
      input.value = to;
      turnTo(to);
    },
  });
  return [`${fmt.number(total)} · page `, pages > 1 ? input : "1", ` of ${fmt.number(pages)}`];
}

function drawTally(root, { failures, by_error_type: types }) {
  at(root, "count").textContent =
    `${fmt.number(failures)} ${narrowed() ? "selected" : fmt.plural(failures, "failure").replace(/^\S+ /, "")}`;
  const tally = types.map((row) => `${row.error_type || "not diagnosed"} ${fmt.number(row.failures)}`).join(" · ");
  at(root, "tally").textContent = tally;
  at(root, "tally").title = tally;
}
