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
      what: "approve and go to the next",
      run: both(
        () => decide("approve"),
        () => act("approve"),
      ),
    },
    {
      name: "reject",
      key: "r",
      what: "reject; then 1-9 for a reason, or r (or enter) for none",
      run: both(reject, () => act("reject")),
    },
    ...Array.from({ length: 9 }, (_, i) => ({
      name: `reason${i + 1}`,
      key: String(i + 1),
      what: null,
      run: () => mode().rejecting && decide("reject", reviewing().reasons[i]),
    })),
    { name: "note", key: "w", what: "write a note, saved with the next decision", run: focus(openNote) },
    { name: "edit", key: "e", what: "edit question and answer (enter saves, Esc cancels)", run: focus(openEdit) },
    { name: "undo", key: "u", what: "undo the last action", run: () => undo() },
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
    { name: "reveal", key: "v", what: "blind disputed sample: reveal the decisions and resolve it", run: focus(reveal) },
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
    { name: "grid", key: "g", what: "focus or grid", run: () => showAs(gridOn() ? null : "grid") },
    {
      name: "people",
      key: "p",
      what: "reviewers: assignments, pace and agreement",
      run: () => showAs(peopleOn() ? null : "people"),
    },
    { name: "pick", key: "x", what: "grid: select or deselect", run: inGrid(() => page.toggle()) },
    { name: "space", key: " ", what: "grid: select or deselect", run: pressed(inGrid(() => page.toggle())) },
    { name: "all", key: "*", what: "grid: select the page", run: inGrid(() => page.selectPage()) },
    {
      name: "enter",
      key: "Enter",
      what: "grid: open in focus",
      run: pressed(
        both(
          () => mode().rejecting && decide("reject"),
          () => openCurrent(),
        ),
      ),
    },
    { name: "zoom", key: "z", what: "enlarge the image", run: zoomPicture },
    { name: "beside", key: "o", what: "show the failure's image alongside", run: focus(toggleBeside) },
    { name: "siblings", key: "f", what: "all samples from the same failure, and back", run: showSiblings },
    { name: "history", key: "h", what: "history of your actions", run: openHistory },
    { name: "hand", key: "n", what: "write a sample", run: openByHand },
    { name: "leave", key: "Escape", what: null, run: leave },
  ].map((entry) => ({ ...entry, run: (event) => mode().busy || entry.run(event) })),
);
