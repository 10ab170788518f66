// The Finetune page: what would be trained on (left), the run that is shown and all runs (right). The form is in the URL.

import { api, at, fmt, keys, later, launchNow, onlyLatest, pages, state, toast } from "../shared/lib.js";
import { drawForm, drawLaunch, drawMix, drawPreflight, drawSnapshot, readForm, startForm } from "./form.js";
import { drawRun, follow as followRun, live } from "./run.js";
import { drawRuns } from "./run_table.js";

let root;
let plannedFor = null;
let lastTick = null;
let launching = false;

export const view = { choices: null, plan: null, problem: null, run: null, runs: null, busy: false };

keys("finetune", [
  { name: "launch", key: "f", what: "launch the finetune", run: () => launch() },
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
  await Promise.all([replan(), loadRun(), view.runs ? drawRuns(at(root, "runs"), view) : loadRuns()]);
}

const loadChoices = async () => {
  view.choices = await api("finetune/choices", {});
};

const newestPlan = onlyLatest();

async function replan(again = false) {
  const body = { options: readForm(view.choices).options };
  const mark = JSON.stringify(body);
  if (mark === plannedFor && !again) return;
  plannedFor = mark;
  view.busy = true;
  try {
    const found = await newestPlan(api("finetune/plan", body, { quiet: true }));
    if (!found) return;
    [view.plan, view.problem, view.busy] = [found, null, false];
  } catch (error) {
    if (mark !== plannedFor) return;
    [view.problem, view.busy] = [error.message, false];
  }
  drawAll();
}

let typed = {}; // of several fields, where one follows the other quickly
const settle = later(() => {
  const changes = typed;
  typed = {};
  state.set(changes, { replace: true });
}, 200);
export const change = (changes) => {
  typed = { ...typed, ...changes };
  settle();
};

const newestRun = onlyLatest();

export async function loadRun() {
  const wanted = Number(state.one("job")) || null;
  try {
    const found = await newestRun(api("finetune/run", { job_id: wanted }, { quiet: true }));
    if (found === undefined) return;
    view.run = found;
  } catch (error) {
    toast(error.message, { kind: "bad" });
    if (error.status === 404) state.set({ job: null }, { replace: true });
    return;
  }
  await followRun(view.run);
  drawRun(root, view);
  drawPreflight(at(root, "preflight"), view);
}

async function loadRuns() {
  view.runs = await api("finetune/runs", {});
  drawRuns(at(root, "runs"), view);
}

export async function tick(workspace) {
  const now = JSON.stringify([workspace.running.map((job) => [job.job_id, job.status]), workspace.counts, workspace.ended]);
  const changed = lastTick !== null && now !== lastTick;
  lastTick = now;
  if (!view.choices) return;
  if (changed) {
    await Promise.all([loadChoices(), loadRuns(), replan(true)]);
    if (state.page() === "finetune") drawAll();
  }
  if (changed || live(view.run)) await loadRun();
}

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

// Launches the run and, if wished, the evaluation of what it makes (and of what it started from, where that was not asked yet).
export async function launch() {
  const { plan, choices } = view;
  if (!plan || plan.reason || !plan.samples || launching) return;
  launching = true;
  try {
    const { options, then } = readForm(choices);
    const parent = options.checkpoint ?? choices.checkpoint;
    const steps = then
      ? [
          { stage: "evaluate", options: { splits: ["eval"] }, checkpoint_of: 0 },
          { stage: "evaluate", options: { splits: ["eval"], checkpoint: parent } },
        ]
      : [];
    const job = await launchNow("finetune", options, steps);
    state.set({ job: job.job_id, name: null });
    await loadRuns();
  } finally {
    launching = false;
  }
}

export const evaluate = async (checkpoint) => launchNow("evaluate", { checkpoint, splits: ["eval"] });

export function results(before, after) {
  if (!after) return;
  goTo("results", { before, after });
}

export function goTo(page, values = {}) {
  if (pages.some((one) => one.name === page)) state.go(page, values);
  else toast(`There is no page “${page}” in this build.`, { kind: "bad" });
}

export { fmt };
