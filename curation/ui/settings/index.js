// The Settings page: filters, prices and keys of the keyboard (left); budget, people, backups, disk, workspaces, colours (right).

import { api, at, drawer, fill, keymap, keys, onlyLatest } from "../shared/lib.js";
import { drawFilters } from "./filters.js";
import { drawPrices } from "./prices.js";
import { disk, drawKeymap, drawLook, drawSide } from "./side_column.js";

let root, side;

keys("settings", []);

export function start(element) {
  root = element;
  side = drawer(root.querySelector(".cols"), "This workspace");
  fill(at(root, "actions"), side.button);
}

const newest = onlyLatest();

export async function show() {
  const overview = await newest(api("settings/overview", {}));
  if (!overview) return;
  fill(at(root, "sum"), `stored in ${overview.workspace.folder}`);
  drawFilters(at(root, "filters"), overview.filters, overview.history);
  drawPrices(at(root, "prices"), overview.prices, overview.models_used);
  keymap.load().then(() => drawKeymap(at(root, "keymap")));
  drawSide(root, overview, show);
  drawLook(at(root, "look"));
  drawDisk(await api("settings/disk", {}));
}

function drawDisk(usage) {
  fill(
    at(root, "disk"),
    disk(usage, async () => drawDisk(await api("settings/disk", {}))),
  );
}
