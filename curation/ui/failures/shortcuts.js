// The keys of the Failures page. Each can be given another key in Settings.

import { keys } from "../shared/lib.js";
import { fit, toggleMode } from "./map_column.js";
import { clear, layout, showAs, step } from "./selection.js";
import { confirmType, label } from "./triage.js";
import { undoLatest } from "./undo.js";

const swap = (name) => () => showAs(layout() === name ? "map" : name);

keys("failures", [
  { name: "next", key: "j", what: "next failure", run: () => step(1), repeat: true },
  { name: "previous", key: "k", what: "previous failure", run: () => step(-1), repeat: true },
  { name: "model", key: "m", what: "label as model error, go to the next", run: () => label("model error") },
  { name: "label", key: "l", what: "label as label error (the gold answer is wrong), go to the next", run: () => label("label error") },
  {
    name: "scorer",
    key: "o",
    what: "label as scorer artefact (right, in another form), go to the next",
    run: () => label("scorer artefact"),
  },
  { name: "confirm", key: "c", what: "confirm the error type", run: confirmType },
  { name: "undo", key: "u", what: "undo the last label, error type or cluster edit", run: undoLatest },
  { name: "zoom", key: "z", what: "enlarge the image", run: () => document.querySelector("#page-failures .shot")?.click() },
  { name: "grid", key: "g", what: "map or grid", run: swap("grid") },
  { name: "slices", key: "t", what: "map or table of slices", run: swap("slices") },
  { name: "fit", key: "f", what: "fit the map", run: fit },
  { name: "pan", key: "p", what: "pan or lasso by dragging", run: toggleMode },
  { name: "clear", key: "x", what: "clear the selection", run: clear },
]);
