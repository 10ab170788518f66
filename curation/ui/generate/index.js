// The Generate page. The form is in the URL; what it would take comes from one route, and the job it becomes from another.

import { mayLeave } from "../shared/host_consent.js";
import { api, at, fmt, keys, later, launchNow, onlyLatest, pages, state, toast } from "../shared/lib.js";
import { drawEstimate, drawForm, drawLaunch, drawPrompt, FIELDS, readForm, startForm } from "./form.js";
import { drawJob, live } from "./job.js";

const HANDED = "mistakebook.generate"; // what the Failures page hands over
const SELECTION = "mistakebook.generate.failures"; // failures of a selection that no cluster describes
const TRY = 5; // failures

let root;
let drawnMark = null;
let plannedFor = null; // the form that the estimate is for, as JSON
let askedFor = null;
let lastTick = null;

export const view = { choices: null, plan: null, problem: null, job: null, busy: false };

keys("generate", [
  { name: "generate", key: "g", what: "generate", run: () => launch() },
  { name: "try", key: "t", what: `try on ${TRY} failures first`, run: () => launch(TRY) },
  {
    name: "clusters",
    key: "c",
    what: "choose clusters",
    run: () => state.set({ choose: state.one("choose") ? null : 1 }, { replace: true }),
  },
  { name: "review", key: "r", what: "review what has passed", run: () => goTo("review", { status: "pending" }) },
]);

export function start(element) {
  root = element;
  startForm(view);
}

document.addEventListener("mb:endpoints", () => {
  view.choices = null;
}); // asked for again when the page is shown

export async function show() {
  takeOver();
  if (!view.choices) await loadChoices();
  drawAll();
  await Promise.all([replan(), loadJob()]);
}

// What the Failures page has handed over becomes the page's choice.
function takeOver() {
  const text = sessionStorage.getItem(HANDED);
  if (!text) return;
  sessionStorage.removeItem(HANDED);
  const { cluster_ids: clusters, failure_ids: failures } = JSON.parse(text);
  if (failures) sessionStorage.setItem(SELECTION, JSON.stringify(failures));
  plannedFor = null;
  view.choices = null;
  state.set({ clusters: clusters ?? null, selection: failures ? 1 : null }, { replace: true });
}

export const chosenClusters = () =>
  state
    .list("clusters")
    .flatMap((text) => text.split(","))
    .map(Number)
    .filter(Boolean);
export const selection = () => (state.one("selection") ? JSON.parse(sessionStorage.getItem(SELECTION) ?? "null") : null);

// The options of the stage, as the form stands.
export function options() {
  const form = readForm(view.choices);
  const clusters = chosenClusters();
  return { ...form.options, ...(clusters.length && { cluster_ids: clusters }), ...(selection() && { failure_ids: selection() }) };
}

const newestPlan = onlyLatest();

async function replan(again = false) {
  const form = readForm(view.choices);
  const body = { options: options(), draw: form.draw, filter: form.judging, then: form.then };
  const mark = JSON.stringify([body, view.choices]);
  if (mark === plannedFor && !again) return;
  plannedFor = mark;
  view.busy = true;
  drawPlan();
  try {
    const found = await newestPlan(api("generate/plan", body, { quiet: true }));
    if (!found) return;
    [view.plan, view.problem, view.busy] = [found, null, false];
  } catch (error) {
    if (mark !== plannedFor) return;
    [view.plan, view.problem, view.busy] = [null, error.message, false];
  }
  drawPlan();
}

// The estimate follows what is typed, but not every key.
let typed = {}; // of several fields, where one follows the other quickly
const settle = later(() => {
  const changes = typed;
  typed = {};
  state.set(changes, { replace: true });
}, 250);
export const change = (changes) => {
  typed = { ...typed, ...changes };
  settle();
};

async function loadChoices() {
  view.choices = await api("generate/choices", {});
  const known = new Set(view.choices.clusters.map((cluster) => cluster.cluster_id));
  const gone = chosenClusters().filter((id) => !known.has(id));
  if (gone.length) state.set({ clusters: chosenClusters().filter((id) => known.has(id)) }, { replace: true });
}

const newestJob = onlyLatest();

export async function loadJob() {
  const wanted = Number(state.one("job")) || null;
  try {
    const found = await newestJob(api("generate/job", { job_id: wanted }, { quiet: wanted !== null }));
    if (found === undefined) return;
    view.job = found;
  } catch (error) {
    if (error.status === 404) state.set({ job: null }, { replace: true });
    else return;
    toast(error.message, { kind: "bad" });
  }
  drawJob(root, view);
}

// After each poll: the job while it (or what follows it) runs, and everything when something else has begun or ended.
export async function tick(workspace) {
  const now = JSON.stringify([workspace.running.map((job) => [job.job_id, job.status]), workspace.counts, workspace.ended]);
  const changed = lastTick !== null && now !== lastTick;
  lastTick = now;
  if (changed && view.choices) {
    await loadChoices();
    if (state.page() !== "generate") return;
    drawAll();
    replan(true);
  }
  if (changed || live(view.job)) await loadJob();
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

// Launches the job, and with it what is to follow.
export async function launch(limit = null) {
  const { plan } = view;
  if (!plan?.failures || askedFor) return;
  askedFor = true;
  try {
    const form = readForm(view.choices);
    const failures = limit ? Math.min(limit, plan.failures) : plan.failures;
    if (!(await mayLeave(plan.frontier.host, `the pictures of ${fmt.plural(failures, "failure")}, with their questions and answers,`)))
      return;
    if (form.then && plan.filter_calls && !(await mayLeave(plan.judge.host, "the pictures of the new samples, with their questions,")))
      return;
    if (form.then && plan.images && !(await mayLeave(plan.drawer.host, "the image prompts"))) return;
    const then = form.then
      ? [
          { stage: "draw", options: form.draw, samples_of: 0 },
          { stage: "filter", options: form.judging, samples_of: 0 },
        ]
      : [];
    const job = await launchNow("generate", { ...options(), ...(limit && { limit: failures }) }, then, plan);
    state.set({ job: job.job_id, choose: null });
  } finally {
    askedFor = false;
  }
}

// Leads to another page, if this build has it.
export function goTo(page, values = {}) {
  if (pages.some((one) => one.name === page)) state.go(page, values);
  else toast(`There is no page “${page}” in this build.`, { kind: "bad" });
}

export { FIELDS };
