// What the Generate page shows, and what of it is in the URL.

import { listeners, state } from "../shared/lib.js";
import { jobLoader, typing } from "../shared/plan_form.js";

const HANDED = "mistakebook.generate"; // what the Failures page hands over
const SELECTION = "mistakebook.generate.failures"; // failures of a selection that no cluster describes

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
export const selection = () => (state.one("selection") ? JSON.parse(sessionStorage.getItem(SELECTION) ?? "null") : null);

// What the Failures page has handed over becomes the page's choice.
export function takeOver() {
  const text = sessionStorage.getItem(HANDED);
  if (!text) return;
  sessionStorage.removeItem(HANDED);
  const { cluster_ids: clusters, failure_ids: failures } = JSON.parse(text);
  if (failures) sessionStorage.setItem(SELECTION, JSON.stringify(failures));
  view.choices = null;
  state.set({ clusters: clusters ?? null, selection: failures ? 1 : null }, { replace: true });
}
