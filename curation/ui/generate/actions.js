// What the Generate page launches.

import { mayLeave } from "../shared/host_consent.js";
import { fmt, launchNow, state } from "../shared/lib.js";
import { readForm } from "./form.js";
import { chosenClusters, selection, view } from "./state.js";

export const TRY = 5; // failures

let asking = false; // a second press while something is asked or launched does nothing

// The options of the stage, as the form stands.
export function options() {
  const form = readForm(view.choices);
  const clusters = chosenClusters();
  const { matching } = selection() ?? {};
  return { ...form.options, ...(clusters.length && { cluster_ids: clusters }), ...(matching && { matching }) };
}

// Launches the job, and with it what is to follow.
export async function launch(limit = null) {
  const { plan } = view;
  if (!plan?.failures || view.problem || asking) return;
  asking = true;
  try {
    const form = readForm(view.choices);
    const failures = limit ? Math.min(limit, plan.failures) : plan.failures;
    if (!(await mayLeave(plan.frontier.host, `the images of ${fmt.plural(failures, "failure")}, with their questions and answers,`)))
      return;
    if (form.then && plan.filter_calls && !(await mayLeave(plan.judge.host, "the images of the new samples, with their questions,")))
      return;
    if (form.then && plan.images && !(await mayLeave(plan.drawer.host, "the image prompts"))) return;
    const then = form.then
      ? [
          { stage: "draw", options: form.draw, samples_of: 0 },
          { stage: "filter", options: form.judging, samples_of: 0 },
        ]
      : [];
    const all = { ...options(), ...(limit && { limit: failures }), ...(selection() && { expected: failures }) }; // as many as were shown
    const job = await launchNow("generate", all, then, plan);
    state.set({ job: job.job_id, choose: null });
  } finally {
    asking = false;
  }
}
