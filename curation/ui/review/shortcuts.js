// The keys of the Review page. Each can be given another key in Settings.

import { keys } from "../shared/lib.js";
import {
  decide,
  leave,
  move,
  openEdit,
  openNote,
  reject,
  reveal,
  showAs,
  showSiblings,
  toggleBeside,
  undo,
  zoomPicture,
} from "./actions.js";
import { act, columns, openCurrent } from "./grid.js";
import { openByHand } from "./handwritten.js";
import { openHistory } from "./history.js";
import { gridOn, mode, page, peopleOn, reviewing } from "./state.js";

const focus = (run) => () => gridOn() || peopleOn() || run();
const both = (inFocus, inGrid) => (event) => (gridOn() ? inGrid(event) : peopleOn() || inFocus(event));
const inGrid = (run) => () => gridOn() && run();
// Enter and space press the button that has the focus, as everywhere; else they are the page's.
const pressed = (run) => (event) => {
  const button = document.activeElement?.closest("button, a, summary");
  if (button && !button.closest("[data-grid]")) button.click();
  else run(event);
};

keys(
  "review",
  [
    {
      name: "approve",
      key: "a",
      what: "approve, and on to the next",
      run: both(
        () => decide("approve"),
        () => act("approve"),
      ),
    },
    {
      name: "reject",
      key: "r",
      what: "reject; then 1-9 for the reason, or again (or enter) for none",
      run: both(reject, () => act("reject")),
    },
    ...Array.from({ length: 9 }, (_, i) => ({
      name: `reason${i + 1}`,
      key: String(i + 1),
      what: null,
      run: () => mode().rejecting && decide("reject", reviewing().reasons[i]),
    })),
    { name: "note", key: "w", what: "write a note; it goes with the next decision", run: focus(openNote) },
    { name: "edit", key: "e", what: "edit question and answer; enter saves, Esc leaves", run: focus(openEdit) },
    { name: "undo", key: "u", what: "undo the last action, then the one before", run: () => undo() },
    { name: "skip", key: "s", what: "skip", run: focus(() => move(1)) },
    {
      name: "reset",
      key: "c",
      what: "clear the decision",
      run: both(
        () => decide("reset"),
        () => act("reset"),
      ),
    },
    { name: "reveal", key: "v", what: "of a blind sample in dispute: see what others decided, and settle it", run: focus(reveal) },
    {
      name: "next",
      key: "j",
      what: "next",
      run: both(
        () => move(1),
        () => page.step(1),
      ),
      repeat: true,
    },
    {
      name: "previous",
      key: "k",
      what: "previous",
      run: both(
        () => move(-1),
        () => page.step(-1),
      ),
      repeat: true,
    },
    {
      name: "right",
      key: "ArrowRight",
      what: null,
      run: both(
        () => move(1),
        () => page.step(1),
      ),
      repeat: true,
    },
    {
      name: "left",
      key: "ArrowLeft",
      what: null,
      run: both(
        () => move(-1),
        () => page.step(-1),
      ),
      repeat: true,
    },
    { name: "down", key: "ArrowDown", what: null, run: inGrid(() => page.step(columns())), repeat: true },
    { name: "up", key: "ArrowUp", what: null, run: inGrid(() => page.step(-columns())), repeat: true },
    { name: "grid", key: "g", what: "one by one, or a grid of many", run: () => showAs(gridOn() ? null : "grid") },
    {
      name: "people",
      key: "p",
      what: "who reviews what, how fast, and how far they agree",
      run: () => showAs(peopleOn() ? null : "people"),
    },
    { name: "pick", key: "x", what: "in the grid: select, or not", run: inGrid(() => page.toggle()) },
    { name: "space", key: " ", what: "in the grid: select, or not", run: pressed(inGrid(() => page.toggle())) },
    { name: "all", key: "*", what: "in the grid: select the page", run: inGrid(() => page.selectPage()) },
    {
      name: "enter",
      key: "Enter",
      what: "in the grid: look at it alone",
      run: pressed(
        both(
          () => mode().rejecting && decide("reject"),
          () => openCurrent(),
        ),
      ),
    },
    { name: "zoom", key: "z", what: "picture large", run: zoomPicture },
    { name: "beside", key: "o", what: "the failure's picture beside the sample's", run: focus(toggleBeside) },
    { name: "siblings", key: "f", what: "all samples of the same failure, and back", run: showSiblings },
    { name: "history", key: "h", what: "what you did; undo any of it", run: openHistory },
    { name: "hand", key: "n", what: "add a sample by hand", run: openByHand },
    { name: "leave", key: "Escape", what: null, run: leave },
  ].map((entry) => ({ ...entry, run: (event) => mode().busy || entry.run(event) })),
);
