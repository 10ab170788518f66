// Right column of Generate: one job as it runs. The funnel, what follows, the latest samples, and what went wrong.

import { usd } from "../jobs/spend.js";
import {
  api,
  at,
  cell,
  chip,
  dialog,
  emptyState,
  fill,
  fillList,
  fillOnce,
  fmt,
  h,
  isActive,
  launch,
  mini,
  pick,
  picture,
  STATUS_KIND,
  state,
  stepProgress,
  toast,
  types,
} from "../shared/lib.js";
import { launch as launchForm, TRY } from "./actions.js";
import { loadJob, view } from "./state.js";

const BLANK = "\u00a0"; // keeps a line's height

export function drawJob(root) {
  const shown = view.job;
  at(root, "job").hidden = !shown;
  at(root, "empty").hidden = Boolean(shown);
  if (!shown) return drawEmpty(root);
  const { job } = shown;
  fillOnce(at(root, "job-title"), [shown.jobs, job.job_id], () => jobPick(shown));
  fillOnce(at(root, "job-state"), stateLine(shown), () => stateLine(shown));
  fillOnce(at(root, "job-actions"), [job.job_id, job.status, job.stopping], () => actions(job));
  fillOnce(at(root, "funnel"), [shown.asked, shown.funnel, job.status, shown.made_for], () => funnel(shown));
  fillOnce(at(root, "follow"), [job.message, job.status, shown.chain, shown.funnel], () => follow(shown));
  drawLatest(at(root, "latest"), shown);
  fillOnce(at(root, "errors"), [shown.errors, shown.dropped, job.failed, job.status], () => [errors(shown), dropped(shown)]);
}

function drawEmpty(root) {
  const { plan } = view;
  fill(at(root, "job-title"), "No job yet");
  for (const name of ["job-state", "job-actions"]) fill(at(root, name));
  fillOnce(at(root, "empty"), Boolean(plan?.failures), () =>
    emptyState(
      "No samples generated yet",
      "The frontier model sees each teachable failure and proposes new questions on the same skill. " +
        "Samples are drawn and filtered; people then review them.",
      plan?.failures && { text: `Try on ${TRY} first`, run: () => launchForm(TRY) },
    ),
  );
}

function jobPick({ jobs, job }) {
  if (jobs.length < 2) return `Job ${job.job_id}`;
  return pick(
    jobs.map((entry) => ({
      value: String(entry.job_id),
      text: `Job ${entry.job_id} · ${fmt.clock(entry.created_at)} · ${fmt.plural(entry.total, "call")}`,
    })),
    String(job.job_id),
    (id) => state.set({ job: id }),
    { title: "Generate jobs" },
  );
}

function stateLine({ job, money }) {
  const running = job.status === "running";
  const spend = money && usd(money.usd);
  const rate = running && money?.per_minute_usd ? `${fmt.usd(money.per_minute_usd)} a minute` : null;
  const ahead = money?.projected_usd ? `about ${fmt.usd(money.projected_usd)} projected` : null;
  const lost = money?.lost ? fmt.plural(money.lost, "lost call") : null;
  const left = running && job.progress?.eta_s ? `${fmt.duration(job.progress.eta_s)} left` : null;
  const started = job.started_at ? `started ${fmt.clock(job.started_at)}` : null;
  const took = !running && job.seconds ? `took ${fmt.duration(job.seconds)}` : null;
  const done = running ? `${fmt.number(job.progress?.done ?? job.done)} of ${fmt.number(job.total)} done` : null;
  return [job.stopping ? "stopping" : job.status, done, left, spend, ahead, rate, lost, started, took].filter(Boolean).join(" · ");
}

async function act(job, action) {
  await api(`jobs/${job.job_id}/${action}`, {});
  document.dispatchEvent(new CustomEvent("mb:poll"));
  await loadJob();
}

function actions(job) {
  const button = (text, action, kind = "") =>
    h("button.btn", { class: kind, disabled: job.stopping, onclick: () => act(job, action) }, text);
  if (isActive(job)) return [button("Pause", "pause"), button("Cancel", "cancel", "b")];
  if (job.status !== "done") return [button("Resume", "resume", "p"), job.status !== "cancelled" && button("Cancel", "cancel")];
  return [];
}

function funnel({ asked, funnel: now, job, made_for: cost }) {
  const steps = [
    ["Requested", asked, "Samples requested from the frontier model", null],
    ["Parsed", now.parsed, "Samples parsed from replies", { status: "all" }],
    ["Drawn", now.drawn, "Samples with an image", { status: "all" }],
    [
      "Passed filters",
      now.passed,
      `${fmt.number(now.judged)} were checked by all filters, ${fmt.number(now.judged - now.passed)} failed one`,
      { status: "pending" },
    ],
    [
      "Approved",
      now.approved,
      `by reviewers or by auto-approval; ${fmt.plural(now.pending, "sample")} wait for review`,
      { status: "approved" },
    ],
  ];
  const undone = { Parsed: asked - now.parsed, Drawn: now.parsed - now.drawn, "Passed filters": now.drawn - now.judged };
  return steps.map(([name, count, title, to]) =>
    h(
      to ? "button.card" : "div.card",
      { title: to ? `${title}. Click to open them in Review.` : title, onclick: to && (() => state.go("review", to)) },
      h("div.dim", name),
      h("div.num", fmt.number(count)),
      mini(asked ? count / asked : 0),
      name === "Approved" ? approvedNote(now, cost) : h("small.faint", note(name, undone[name], job, now)),
    ),
  );
}

const approvedNote = ({ pending }, { per_approved: usd }) =>
  h(
    "small.faint",
    { title: "Cost so far per approved sample: generating, drawing, filtering" },
    [pending && `${fmt.number(pending)} to review`, usd !== null && `${fmt.usd(usd)} each`].filter(Boolean).join(" · ") || BLANK,
  );

function note(name, undone, job, { rendered }) {
  if (name === "Drawn" && rendered && !(undone > 0)) return `${fmt.number(rendered)} rendered from specs`;
  if (!undone || undone < 0) return BLANK;
  if (name === "Parsed") return isActive(job) ? BLANK : `${fmt.number(undone)} not proposed`;
  return `${fmt.number(undone)} to go`;
}

// What comes next: the chain with its progress, or the buttons that do it by hand.
function follow({ job, chain, funnel: now }) {
  const message =
    job.message &&
    h(
      "div.card.line",
      { class: job.status === "failed" ? "bad" : "" },
      job.status === "failed" && chip("failed", { kind: "no" }),
      h("span", job.message),
    );
  const steps =
    chain.length > 0 &&
    h(
      "div.card.line",
      h("span.dim", "Then"),
      chain.map((step, i) =>
        h(
          "span.row.tight",
          chip([step.stage, step.job_id && h("span.dim", `job ${step.job_id}`)], {
            kind: STATUS_KIND[step.status] ?? "",
            title: step.note ?? `${step.stage}: ${step.status ?? "waits"}`,
            onclick: step.job_id ? () => state.go("jobs", { job: step.job_id }) : null,
          }),
          stepText(step, i ? chain[i - 1] : job),
        ),
      ),
    );
  const undrawn = now.parsed - now.drawn;
  const unjudged = now.drawn - now.judged;
  const moving = chain.some((step) => isActive(step)) || isActive(job);
  const redo = async (stage, text, noun) =>
    (await launch(stage, await pickOptions(stage, job), { title: text, noun, button: text, hidden: ["sample_ids"] })) && loadJob();
  const byHand =
    !moving &&
    [
      undrawn > 0 &&
        h(
          "button.btn",
          { onclick: () => redo("draw", `Draw ${fmt.plural(undrawn, "image")}`, "image") },
          `Draw ${fmt.plural(undrawn, "image")}`,
        ),
      unjudged > 0 &&
        h(
          "button.btn",
          { onclick: () => redo("filter", `Filter ${fmt.plural(unjudged, "sample")}`, "verdict") },
          `Filter ${fmt.plural(unjudged, "sample")}`,
        ),
      now.pending > 0 && h("button.btn.p", { onclick: () => state.go("review", {}) }, `Review ${fmt.number(now.pending)} →`, h("kbd", "r")),
    ].filter(Boolean);
  return [message, steps, byHand?.length > 0 && h("div.row.wrap.next", byHand)];
}

// Draws or filters what this job has made, as it was launched; filters that have an endpoint of their own ask that one.
const pickOptions = async (stage, job) =>
  stage === "draw"
    ? api("generate/undrawn", { job_id: job.job_id })
    : !view.choices?.judges.frontier
      ? { frontier: job.options.frontier, endpoint: job.options.endpoint, model: job.options.model }
      : {};

const stepText = (step, before) => stepProgress(step, before, ended);

function ended(step) {
  if (step.status === "done")
    return h("small.dim", `${fmt.number(step.done)} done${step.failed ? `, ${fmt.number(step.failed)} failed` : ""}`);
  if (step.status) return h("small.dim", step.status === "skipped" ? "nothing to do" : step.status);
  return step.note && h("small.err", step.note);
}

function drawLatest(element, { latest, job }) {
  let grid = element.querySelector(".grid");
  if (!latest.length)
    return fillOnce(
      element,
      ["none", job.status],
      () =>
        isActive(job) && [
          h("h4", "Latest"),
          h("p.dim", job.status === "queued" ? "Queued." : "The first samples appear here as replies arrive."),
        ],
    );
  if (!grid) {
    grid = h("div.grid");
    fillOnce(element, "grid", () => [h("h4", "Latest"), grid]);
  }
  fillList(grid, latest, sample);
}

const MARK = { approved: ["✓", "okay"], auto_approved: ["✓", "okay"], rejected: ["✕", "err"], failed: ["✕", "err"] };

function sample(row) {
  const [mark, kind] = MARK[row.status] ?? ["", ""];
  const answer =
    row.choices.length && /^[A-Z]$/.test(row.answer) ? `${row.answer}. ${row.choices[row.answer.charCodeAt(0) - 65] ?? ""}` : row.answer;
  const caption = [
    h("span.q", row.question),
    h("span.a", h("span.right", answer), mark && h("span", { class: `${kind} mark`, title: row.status.replaceAll("_", " ") }, mark)),
  ];
  const title =
    `${row.question}\n${row.error_type} · ${row.route.replaceAll("_", " ")} · ${row.status.replaceAll("_", " ")}` +
    `${row.image_prompt ? `\n${row.image_prompt}` : ""}${row.spec_kind ? `\nrendered from a spec: ${row.spec_kind}` : ""}`;
  const element = cell(row.image, caption, {
    id: row.sample_id,
    title,
    onclick: () => state.go("review", { status: "all", sample: row.sample_id }),
  });
  if (!row.image)
    element.querySelector(".pic").append(h("span", row.spec_kind ? `${row.spec_kind}, to be rendered` : (row.image_prompt ?? "")));
  element.style.borderTop = `2px solid ${types.find((type) => type.name === row.error_type)?.colour ?? "transparent"}`;
  return element;
}

function errors({ errors: rows, job }) {
  if (!rows.length) return null;
  const total = Math.max(job.failed, rows.length);
  const retry =
    !isActive(job) &&
    h(
      "button.btn",
      {
        onclick: () => act(job, "retry").then(() => toast(`Retrying ${fmt.plural(total, "failure")}`)),
        title: "Retries failed rows only; existing results are kept",
      },
      `Retry ${fmt.number(total)}`,
    );
  return [
    h("div.row", h("h4", `Errors · ${fmt.number(total)} of ${fmt.number(job.total)}`), h("span.grow"), retry),
    h(
      "div.card.rows",
      rows.map((row) =>
        h(
          "div.row",
          h("div.tiny", picture(row.image, "thumb")),
          h(
            "div.what",
            h("div.clip", { title: row.error }, row.error),
            h("small.dim.clip", row.failure_id ? `failure ${row.failure_id} · ${row.question}` : row.key),
          ),
          row.reply ? h("button.btn", { onclick: () => showReply(row) }, "See reply") : h("small.faint", "no reply"),
        ),
      ),
    ),
    rows.length < total && h("p.small.faint", `First ${rows.length} shown; see Jobs for all.`),
  ];
}

// Proposals that break a rule of the prompt: they never became samples.
function dropped({ dropped: rows }) {
  if (!rows.length) return null;
  return [
    h("h4", "Proposals dropped"),
    h(
      "div.card.rows",
      rows.map((row) =>
        h(
          "div.row",
          chip(row.rule, { kind: "wa" }),
          h(
            "div.what",
            h("div.clip", { title: row.question }, row.question, " ", h("span.right", row.answer)),
            h("small.dim.clip", `failure ${row.failure_id} · ${row.reason}`),
          ),
        ),
      ),
    ),
  ];
}

// The reply as the endpoint gave it; what the model said stands first.
function showReply(row) {
  let said = null;
  try {
    said = JSON.parse(row.reply).choices?.[0]?.message?.content ?? null;
  } catch {
    /* not a response in JSON: the text is all there is */
  }
  const raw = h("pre.mono.reply", row.reply);
  dialog(
    `Reply for ${row.failure_id ? `failure ${row.failure_id}` : row.key}`,
    [
      h("p.err", row.error),
      said !== null && [h("h4", "Model output"), h("pre.mono.reply", said)],
      said !== null ? h("details", h("summary.dim", "Full response"), raw) : raw,
    ],
    [{ text: "Close" }],
    { wide: true },
  );
}
