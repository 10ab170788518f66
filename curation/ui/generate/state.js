// What the Generate page shows, and what of it is in the URL.

import { listeners, state } from "../shared/lib.js";
import { jobLoader, typing } from "../shared/plan_form.js";

const HANDED = "mistakebook.generate"; // what the Failures page hands over

export const view = { choices: null, plan: null, problem: null, job: null, busy: false };
export const jobChanged = listeners();

// Writes form fields into the URL; the plan follows.
export const change = typing();
export const loadJob = jobLoader(view, "job", "generate/job", jobChanged.tell);

export const chosenClusters = () =>
  state
    .list("clusters")
    .flatMap((text) => text.split(","))
    .map(Number)
    .filter(Boolean);
// A selection of failures that no cluster describes, handed over by the Failures page: the filter, and how many it let through then,
// {matching, failures}; null where there is none. It is in the URL as JSON, which somebody may have shortened.
export function selection() {
  try {
    const chosen = JSON.parse(state.one("selection") ?? "null");
    return chosen?.matching ? chosen : null;
  } catch {
    return null;
  }
}

// What the Failures page has handed over becomes the page's choice.
export function takeOver() {
  const text = sessionStorage.getItem(HANDED);
  if (!text) return;
  sessionStorage.removeItem(HANDED);
  const { cluster_ids: clusters, matching, failures } = JSON.parse(text);
  view.choices = null;
  state.set({ clusters: clusters ?? null, selection: matching ? JSON.stringify({ matching, failures }) : null }, { replace: true });
}
