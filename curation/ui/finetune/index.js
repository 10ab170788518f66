// The Finetune page: what would be trained on (left), the run that is shown and all runs (right). The form is in the URL.

import { drawDetectable } from "../shared/detectable.js";
import { api, at, keys, launchNow, state, toButton } from "../shared/lib.js";
import { planner, pollFollower } from "../shared/plan_form.js";
import { drawForm, drawLaunch, drawMix, drawPreflight, drawSnapshot, readForm, startForm } from "./form.js";
import { drawRun, follow } from "./run.js";
import { drawRuns } from "./run_table.js";
import { loadRun, results, runChanged, view } from "./state.js";

let root;
let launching = false;

keys("finetune", [
  toButton("#page-finetune [data-launch] .btn", "go to the button that launches the finetune"),
  { name: "log", key: "l", what: "log", run: () => state.set({ log: state.one("log") ? null : 1 }, { replace: true }) },
  { name: "results", key: "r", what: "results of the run", run: () => results(view.run?.parent, view.run?.checkpoint) },
]);

export function start(element) {
  root = element;
  startForm();
}

export async function show() {
  if (!view.choices) await loadChoices();
  drawForm(at(root, "form"), view);
  drawAll();
  drawDetectable(at(root, "ahead"));
  await Promise.all([replan(), loadRun(), view.runs ? drawRuns(at(root, "runs"), view) : loadRuns()]);
}

const loadChoices = async () => {
  view.choices = await api("finetune/choices", {});
};

const replan = planner(view, "finetune/plan", () => ({ options: readForm(view.choices).options }), drawAll);

runChanged.on(async () => {
  await follow(view.run);
  drawRun(root, view);
  drawPreflight(at(root, "preflight"), view);
});

async function loadRuns() {
  view.runs = await api("finetune/runs", {});
  drawRuns(at(root, "runs"), view);
}

export const tick = pollFollower(view, "finetune", {
  reload: () => Promise.all([loadChoices(), loadRuns(), replan(true)]),
  draw: drawAll,
  job: () => view.run,
  loadJob: loadRun,
});

function drawAll() {
  const { choices } = view;
  const form = readForm(choices);
  at(root, "from").textContent =
    (form.options.checkpoint ?? choices.checkpoint) ? `from ${form.options.checkpoint ?? choices.checkpoint}` : "";
  drawSnapshot(at(root, "snapshot"), view);
  drawMix(at(root, "mix"), view);
  drawPreflight(at(root, "preflight"), view);
  drawLaunch(at(root, "launch"), view, launch);
  at(root, "form").hidden = !choices.round || !view.plan?.samples;
}

// Launches the run and, if wished, the evaluation of what it makes (and of what it started from, where that was not asked yet), and the
// search for the samples nearest to what it fixed and broke, which the ledger of Results shows.
async function launch() {
  const { plan, choices } = view;
  if (!plan || plan.reason || !plan.samples || view.problem || launching) return;
  launching = true;
  try {
    const { options, then } = readForm(choices);
    const parent = options.checkpoint ?? choices.checkpoint;
    const steps = then
      ? [
          { stage: "evaluate", options: { splits: ["eval"] }, checkpoint_of: 0 },
          { stage: "evaluate", options: { splits: ["eval"], checkpoint: parent } },
          { stage: "nearest_samples", options: { before: parent }, checkpoint_of: 0 },
        ]
      : [];
    const job = await launchNow("finetune", options, steps);
    state.set({ job: job.job_id, name: null });
    await loadRuns();
  } finally {
    launching = false;
  }
}
