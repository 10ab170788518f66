// Right column of Finetune, above: one run as it goes. Loss, speed, the log; the reason in plain sight where it has failed.

import { Chart } from "../shared/chart.js";
import { api, at, chip, emptyState, fill, fillOnce, fmt, h, isActive, STATUS_KIND, state, stepProgress } from "../shared/lib.js";
import { withPoints } from "./loss_curve.js";
import { loadRun, results } from "./state.js";

const RESULT = { 0: "done", 1: "crashed", 3: "stopped on request", 4: "paused automatically" };

// What the run's process has reported so far; read on from `offset`. A step reported twice (after a stop) counts once.
export const events = nothingOf(null);

function nothingOf(job) {
  return {
    job,
    offset: 0,
    steps: new Map(),
    dev: new Map(),
    preflight: null,
    message: null,
    last: {},
    total: 0,
    log: "",
    times: [],
  };
}

// Reads what is new of the run's events and, where it is shown, of its log.
export async function follow(run) {
  const id = run?.job.job_id ?? null;
  if (events.job !== id) Object.assign(events, nothingOf(id));
  if (id === null) return;
  const answer = await api(`jobs/${id}/events?offset=${events.offset}`, undefined, { quiet: true });
  if (events.job !== id) return;
  events.offset = answer.offset;
  for (const event of answer.events) take(event);
  const wantsLog = state.one("log") || ["failed", "interrupted"].includes(run.job.status);
  if (wantsLog) events.log = (await api(`jobs/${id}/log`, undefined, { quiet: true })).text;
}

function take(event) {
  if (event.event === "launched") events.times = [];
  if (event.event === "preflight") events.preflight = event.checks;
  if (event.event === "message") events.message = event.text;
  // the first one counts rows, not steps
  if (event.event !== "progress" || (event.loss === undefined && event.dev_loss === undefined)) return;
  events.total = event.total ?? events.total;
  events.times.push([event.time, event.done]);
  if (event.loss !== undefined) {
    events.steps.set(event.done, event.loss);
    events.last = { ...events.last, ...event };
  }
  if (event.dev_loss !== undefined) {
    events.dev.set(event.done, event.dev_loss);
    events.last.dev_loss = event.dev_loss;
  }
}

// Seconds that the steps left will take, by the pace of the latest steps.
function secondsLeft(done) {
  const { times, total } = events;
  if (times.length < 2 || !total) return null;
  const [t1, d1] = times.at(-1);
  const [t0, d0] = times[Math.max(0, times.length - 40)];
  return d1 > d0 ? ((t1 - t0) / (d1 - d0)) * (total - done) : null;
}

export function drawRun(root, { run, plan, choices }) {
  const parts = Object.fromEntries(
    ["run-title", "run-state", "run-actions", "run", "live", "follow", "log"].map((name) => [name, at(root, name)]),
  );
  parts.live.hidden = !run || !events.steps.size;
  if (!run) return drawEmpty(parts, plan);
  const { job } = run;
  fillOnce(parts["run-title"], [run.run_id, job.job_id], () => (run.run_id ? `Run ${run.run_id}` : `Job ${job.job_id}`));
  parts["run-state"].textContent = stateLine(run);
  fillOnce(parts["run-actions"], [job.job_id, job.status, job.stopping, run.checkpoint, run.retry, state.one("log")], () => actions(run));
  fillOnce(parts.run, [job.status, job.message, events.message, run.exit_code, events.steps.size > 0], () => reason(run));
  drawLive(root, run, choices.loss_figure);
  fillOnce(parts.follow, run.chain, () => chain(run));
  const log = state.one("log") || ["failed", "interrupted"].includes(job.status) ? events.log.trim() : "";
  fillOnce(parts.log, log, () => log && [h("h4", `Log of job ${job.job_id}, last lines`), h("pre.mono.fine-log", log)]);
  if (log && isActive(job)) parts.log.querySelector("pre").scrollTop = 1e9;
}

function drawEmpty(parts, plan) {
  parts["run-title"].textContent = "No run yet";
  for (const name of ["run-state", "run-actions", "follow", "log"]) fill(parts[name]);
  fillOnce(parts.run, Boolean(plan?.samples), () =>
    h(
      "div.fine-none",
      emptyState(
        "Nothing trained yet",
        "A run trains a LoRA on the approved samples, mixed with replay of examples it already answers correctly. " +
          "Its loss appears here, all runs below.",
        !plan?.samples && { text: "Review samples", run: () => state.go("review") },
      ),
    ),
  );
}

function stateLine({ job, checkpoint, parent }) {
  const done = events.last.done ?? 0;
  const total = events.total;
  if (job.status === "running") {
    const left = secondsLeft(done);
    return [
      job.stopping ? "stopping after this step" : null,
      total ? `${fmt.number(done)}/${fmt.plural(total, "step")}` : (events.message ?? "loading the model"),
      left ? `${fmt.duration(left)} left` : null,
    ]
      .filter(Boolean)
      .join(" · ");
  }
  const what = checkpoint ? `${parent} → ${checkpoint}` : parent && `from ${parent}`;
  return [
    job.status,
    what,
    total && job.status !== "done" ? `${fmt.number(done)}/${fmt.plural(total, "step")}` : null,
    job.seconds ? `took ${fmt.duration(job.seconds)}` : null,
  ]
    .filter(Boolean)
    .join(" · ");
}

function actions({ job, checkpoint, parent, retry }) {
  const act = (action) => async () => {
    await api(`jobs/${job.job_id}/${action}`, {});
    document.dispatchEvent(new CustomEvent("mb:poll"));
    await loadRun();
  };
  const button = (text, action, kind = "", title = null) =>
    h("button.btn", { class: kind, disabled: job.stopping, onclick: act(action), title }, text);
  const log = h(
    "button.btn",
    { class: state.one("log") ? "on" : "", onclick: () => state.set({ log: state.one("log") ? null : 1 }, { replace: true }) },
    "Log",
    h("kbd", "l"),
  );
  if (isActive(job))
    return [log, button("Pause", "pause", "", "Saves a snapshot step; Resume continues from it"), button("Cancel", "cancel", "b")];
  if (retry) return [log, button("Retry", "retry", "p", "Launches the run again, from its last snapshot step if there is one")];
  if (job.status !== "done") return [log, button("Resume", "resume", "p", "Continues from the last snapshot step")];
  return [log, checkpoint && h("button.btn", { onclick: () => results(parent, checkpoint) }, "Results", h("kbd", "r"))];
}

// Why it isn't running, where that has to be said.
function reason({ job, exit_code: code }) {
  if (job.status === "running")
    return events.steps.size
      ? null
      : h("div.card.line", h("span.dot.live"), events.message ?? "Loading the model; preflight checks follow.");
  if (job.status === "queued") return h("div.card.line", "Queued: only one job at a time trains, evaluates or draws.");
  if (job.status === "done") return null;
  const text = job.message ?? (job.status === "failed" ? "its process ended without a message" : null);
  const bad = ["failed", "interrupted"].includes(job.status);
  return h(
    "div.card.line",
    { class: bad ? "bad" : "" },
    chip(job.status, { kind: bad ? "no" : "wa" }),
    h("span", { class: bad ? "err" : "dim" }, text ?? "Stopped; Resume continues from the last snapshot step."),
    code !== null && code !== undefined && code !== 0 && h("small.faint", `exit code ${code}${RESULT[code] ? `, ${RESULT[code]}` : ""}`),
  );
}

let lossChart = null;
let drawn = null; // what the chart shows

function drawLive(root, { job, run_id }, figure) {
  if (!events.steps.size) return;
  const raw = [...events.steps].sort((a, b) => a[0] - b[0]);
  const dev = [...events.dev].sort((a, b) => a[0] - b[0]);
  const mark = JSON.stringify([events.job, raw.length, dev.length, raw.at(-1), events.total]);
  if (drawn !== mark) {
    drawn = mark;
    const name = run_id ? `run ${run_id}` : `job ${job.job_id}`;
    lossChart ??= new Chart();
    fillOnce(at(root, "chart"), true, () => lossChart.element);
    lossChart.draw(withPoints(figure, raw, dev, events.total, name));
  }
  const last = events.last;
  const best = dev.length ? dev.reduce((a, b) => (b[1] < a[1] ? b : a)) : null;
  const facts = [
    ["Loss", fmt.fixed(last.loss, 4)],
    ["Held-out loss", last.dev_loss === undefined ? "–" : fmt.fixed(last.dev_loss, 4)],
    best && ["Lowest", `${fmt.fixed(best[1], 4)} at ${fmt.number(best[0])}`],
    ["Samples/s", fmt.fixed(last.samples_per_s, 1)],
    ["Gradient norm", fmt.fixed(last.grad_norm, 3)],
    ["Learning rate", last.learning_rate === undefined ? "–" : last.learning_rate.toPrecision(2)],
    ["Memory", last.memory_mb ? `${(last.memory_mb / 1000).toFixed(2)} GB` : "–"],
    ["Steps", `${fmt.number(last.done)} of ${fmt.number(events.total)}`],
  ].filter(Boolean);
  fillOnce(at(root, "figures"), [facts, job.job_id], () => facts.map(([name, text]) => [h("dt", name), h("dd", text)]));
}

function chain({ chain: steps, job, checkpoint, parent }) {
  if (!steps.length) return null;
  const names = [checkpoint ?? "the new checkpoint", parent ?? "its parent"];
  return h(
    "div.card.line",
    h("span.dim", "Then"),
    steps.map((step, i) =>
      h(
        "span.row.tight",
        chip(
          [
            step.stage === "evaluate" ? `evaluate ${names[i] ?? ""}` : "find the nearest samples",
            step.job_id && h("span.dim", `job ${step.job_id}`),
          ],
          {
            kind: STATUS_KIND[step.status] ?? "",
            title: step.note,
          },
        ),
        stepText(step, i ? steps[i - 1] : job),
      ),
    ),
  );
}

const stepText = (step, before) => stepProgress(step, before, ended);

function ended(step) {
  if (step.stage === "evaluate" && (step.status === "skipped" || /has answered all/.test(step.note ?? "")))
    return h("small.dim", "already evaluated");
  return (step.status || step.note) && h("small.dim", step.status ?? step.note);
}
