// What the Finetune page shows, and what its form writes into the URL.

import { launchNow, listeners, state } from "../shared/lib.js";
import { jobLoader, typing } from "../shared/plan_form.js";

export const view = { choices: null, plan: null, problem: null, run: null, runs: null, busy: false };
export const runChanged = listeners();

// Writes form fields into the URL; the plan follows.
export const change = typing(200);
export const loadRun = jobLoader(view, "run", "finetune/run", runChanged.tell);

/** @param {string} checkpoint */
export const evaluate = (checkpoint) => launchNow("evaluate", { checkpoint, splits: ["eval"] });

/**
 * @param {string | null | undefined} before
 * @param {string | null | undefined} after
 */
export function results(before, after) {
  if (before && after) state.go("results", { before, after });
}
