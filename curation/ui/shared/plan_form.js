// What Generate and Finetune share: a form in the URL, a plan (what a launch would take) that follows it, the job that a launch becomes.

import { ApiError, api } from "./api.js";
import { h } from "./dom.js";
import { goesOn } from "./job_status.js";
import { toast } from "./overlays.js";
import { later, onlyLatest } from "./timing.js";
import { state } from "./url_state.js";

/** @import { Child, JobWithChain, PlanView, UrlChanges, Workspace } from "./types.js" */

/**
 * A row of the form: the label of `control`, what stands beside it, a hint.
 * @param {Child} label
 * @param {Child} content
 * @param {Child} [hint]
 * @param {HTMLElement | null} [control]
 */
export const planRow = (label, content, hint = null, control = null) =>
  h("div.plan-row", h("label", { for: control?.id ?? null }, label), h("div.plan-fields", content, hint && h("small.faint", hint)));

/**
 * Writes what is typed into the URL, but not every key: change({name: value}). Fields that follow each other quickly go together.
 * @param {number} [ms]
 * @returns {(changes: UrlChanges) => void}
 */
export function typing(ms = 250) {
  /** @type {UrlChanges} */
  let typed = {};
  const settle = later(() => {
    const changes = typed;
    typed = {};
    state.set(changes, { replace: true });
  }, ms);
  return (changes) => {
    typed = { ...typed, ...changes };
    settle();
  };
}

/**
 * Keeps view.plan at what the server says to `body()`; view.problem is its refusal (the plan before it stays), view.busy
 * whether an answer is on its way.
 * `mark()`: beside the body, what a plan depends on. `draw` is called whenever one of the three has changed.
 * @param {PlanView} view
 * @param {string} route
 * @param {() => unknown} body
 * @param {() => unknown} draw
 * @param {() => unknown} [mark]
 */
export function planner(view, route, body, draw, mark = () => null) {
  const newest = onlyLatest();
  /** @type {string | null} */
  let plannedFor = null;
  return async function replan(again = false) {
    const asked = body();
    const now = JSON.stringify([asked, mark()]);
    if (now === plannedFor && !again) return;
    plannedFor = now;
    view.busy = true;
    draw();
    try {
      const plan = await newest(api(route, asked, { quiet: true }));
      if (!plan) return;
      [view.plan, view.problem, view.busy] = [plan, null, false];
    } catch (error) {
      if (now !== plannedFor) return;
      [view.problem, view.busy] = [/** @type {Error} */ (error).message, false];
    }
    draw();
  };
}

/**
 * Reads the job that the URL names (none: the latest) into view[name] and calls `loaded`; `more()` is sent along.
 * @template {string} N
 * @param {Record<N, any>} view
 * @param {N} name
 * @param {string} route
 * @param {() => unknown} loaded
 * @param {() => object} [more]
 */
export function jobLoader(view, name, route, loaded, more = () => ({})) {
  const newest = onlyLatest();
  return async function loadJob() {
    const wanted = Number(state.one("job")) || null;
    try {
      const job = await newest(api(route, { job_id: wanted, ...more() }, { quiet: wanted !== null }));
      if (job === undefined) return;
      view[name] = job;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) return;
      state.set({ job: null }, { replace: true });
      toast(error.message, { kind: "bad" });
    }
    await loaded();
  };
}

/**
 * Tells poll by poll whether jobs have begun, moved or ended, or counts have changed, since the poll before.
 * @returns {(workspace: Workspace) => boolean}
 */
export function workspaceChanges() {
  /** @type {string | null} */
  let last = null;
  return (workspace) => {
    const now = JSON.stringify([workspace.running.map((job) => [job.job_id, job.status]), workspace.counts, workspace.ended]);
    const changed = last !== null && now !== last;
    last = now;
    return changed;
  };
}

/**
 * What a page with a form does after each poll: where something has begun or ended it reads all anew (`reload`) and draws it if the page is
 * shown; and it reads its job again (`loadJob`) while `job()`, or what follows it, runs.
 * @param {{ choices: unknown }} view
 * @param {string} page
 * @param {{ reload: () => Promise<unknown>, draw: () => void, job: () => JobWithChain | null, loadJob: () => Promise<unknown> }} parts
 * @returns {(workspace: Workspace) => Promise<void>}
 */
export function pollFollower(view, page, { reload, draw, job, loadJob }) {
  const hasChanged = workspaceChanges();
  return async (workspace) => {
    const changed = hasChanged(workspace);
    if (!view.choices) return;
    if (changed) {
      await reload();
      if (state.page() === page) draw();
    }
    if (changed || goesOn(job())) await loadJob();
  };
}
