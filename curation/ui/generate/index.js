// The Generate page. The form is in the URL; what it would take comes from one route, and the job it becomes from another.

import { drawDetectable } from "../shared/detectable.js";
import { api, at, fmt, goesOn, keys, state, toButton } from "../shared/lib.js";
import { planner, workspaceChanges } from "../shared/plan_form.js";
import { launch, options, TRY } from "./actions.js";
import { drawEstimate, drawLaunch } from "./estimate.js";
import { drawForm, readForm, startForm } from "./form.js";
import { drawJob } from "./job.js";
import { drawPrompt } from "./prompt_preview.js";
import { chosenClusters, jobChanged, loadJob, selection, takeOver, view } from "./state.js";

let root;
let drawnMark = null;

keys("generate", [
  toButton("#page-generate [data-launch] .btn", "go to the button that generates"),
  {
    name: "clusters",
    key: "c",
    what: "choose clusters",
    run: () => state.set({ choose: state.one("choose") ? null : 1 }, { replace: true }),
  },
  { name: "review", key: "r", what: "review passed samples", run: () => state.go("review", { status: "pending" }) },
]);

export function start(element) {
  root = element;
  startForm();
}

jobChanged.on(() => drawJob(root));
for (const change of ["mb:endpoints", "mb:split"])
  document.addEventListener(change, () => {
    view.choices = null;
  }); // asked for again when the page is shown

export async function show() {
  takeOver();
  if (!view.choices) await loadChoices();
  drawAll();
  drawDetectable(at(root, "ahead"));
  await Promise.all([replan(), loadJob()]);
}

const body = () => {
  const form = readForm(view.choices);
  return { options: options(), draw: form.draw, filter: form.judging, then: form.then };
};
const replan = planner(view, "generate/plan", body, drawPlan, () => view.choices);

async function loadChoices() {
  view.choices = await api("generate/choices", {});
  const known = new Set(view.choices.clusters.map((cluster) => cluster.cluster_id));
  const gone = chosenClusters().filter((id) => !known.has(id));
  if (gone.length) state.set({ clusters: chosenClusters().filter((id) => known.has(id)) }, { replace: true });
}

const hasChanged = workspaceChanges();

// After each poll: the job while it (or what follows it) runs, and everything when something else has begun or ended.
export async function tick(workspace) {
  const changed = hasChanged(workspace);
  if (changed && view.choices) {
    await loadChoices();
    if (state.page() !== "generate") return;
    drawAll();
    replan(true);
  }
  if (changed || goesOn(view.job)) await loadJob();
}

function drawAll() {
  const mark = JSON.stringify([view.choices, location.search]);
  if (mark !== drawnMark) drawForm(at(root, "form"), view);
  drawnMark = mark;
  drawPlan();
}

function drawPlan() {
  const { choices, plan } = view;
  const clusters = chosenClusters().length;
  const where = selection() ? "for a selection" : clusters ? `for ${fmt.plural(clusters, "cluster")}` : "for the whole round";
  at(root, "for").textContent = choices?.round ? `${where}${plan ? `, ${fmt.plural(plan.failures, "failure")}` : ""}` : "";
  drawEstimate(at(root, "estimate"), view);
  drawLaunch(at(root, "launch"), view, { launch, tryOn: TRY });
  drawPrompt(at(root, "prompt"), view);
}
