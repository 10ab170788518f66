// The Settings page: filters, error types, prices, shortcuts (left); budget, reviewers, backups, disk, workspaces, theme (right).

import { api, at, drawer, fill, keymap, keys, onlyLatest } from "../shared/lib.js";
import { drawAccess } from "./access.js";
import { drawBackups } from "./backups.js";
import { drawBudget } from "./budget.js";
import { drawDisk } from "./disk.js";
import { drawErrorTypes } from "./error_types.js";
import { drawFilters } from "./filters.js";
import { drawKeymap } from "./keymap.js";
import { drawPrices } from "./prices.js";
import { drawReviewers } from "./reviewers.js";
import { drawTheme } from "./theme.js";
import { drawWorkspaces } from "./workspaces.js";

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
  drawErrorTypes(at(root, "error-types"));
  drawPrices(at(root, "prices"), overview.prices, overview.models_used);
  keymap.load().then(() => drawKeymap(at(root, "keymap")));
  drawBudget(at(root, "budget"), overview);
  drawReviewers(at(root, "reviewers"), overview);
  drawAccess(at(root, "access"));
  drawBackups(at(root, "backups"), overview, show);
  drawWorkspaces(at(root, "workspaces"), overview, show);
  drawTheme(at(root, "theme-choice"));
  await showDisk();
}

async function showDisk() {
  drawDisk(at(root, "disk"), await api("settings/disk", {}), showDisk);
}
