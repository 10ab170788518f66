// The states of jobs, as the server names them, and what of a job follows from its state.

import { h } from "./dom.js";
import * as fmt from "./format.js";
import { progress } from "./widgets.js";

/** @import { Child, Job, JobWithChain, Step } from "./types.js" */

/** @type {{job: {active: string[], ended: string[]}}} */
export const statuses = { job: { active: [], ended: [] } };
/** @param {typeof statuses} about */
export const learnStatuses = (about) => Object.assign(statuses, about);

/**
 * How the chip of a state is coloured.
 * @type {Record<string, string>}
 */
export const STATUS_KIND = { failed: "no", interrupted: "no", cancelled: "wa", paused: "wa", running: "on", done: "ok", queued: "" };

/**
 * Whether a job (or a step after it that has become one) waits or runs.
 * @param {{status: string | null} | null | undefined} job
 */
export const isActive = (job) => statuses.job.active.includes(job?.status ?? "");

/**
 * Rows that have a result.
 * @param {{progress: Job["progress"], done: number}} job
 */
export const rowsDone = (job) => job.progress?.done ?? job.done;

/**
 * Whether a job, or what follows it by itself, still goes on. `running`: {job, chain}, the chain being [{stage, job_id, status, note}].
 * @param {JobWithChain | null} running
 */
export const goesOn = (running) =>
  running !== null && (isActive(running.job) || running.chain.some((step) => isActive(step) || starts(step, running.job)));

/**
 * @param {Step} step
 * @param {Job} job
 */
const starts = (step, job) => step.job_id === null && !step.status && !step.note && job.status === "done";

/**
 * How far a step of a chain is: its progress, what `ended` says of it, or that it waits for the one before.
 * @param {Step} step
 * @param {Job | Step} before
 * @param {(step: Step) => Child} ended
 */
export function stepProgress(step, before, ended) {
  if (step.status === "running")
    return progress(
      rowsDone(step),
      step.progress?.total ?? step.total,
      step.progress?.eta_s && `${fmt.duration(step.progress.eta_s)} left`,
    );
  return ended(step) ?? h("small.dim", ["done", "skipped"].includes(before.status ?? "") ? "starts" : "waits");
}
