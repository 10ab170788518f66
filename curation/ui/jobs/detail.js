// Right column of Jobs: one job; what it was told, what it made and cost, what went wrong, and what can be done about it.

import { api, ask, at, chip, fill, fillOnce, fmt, h, isActive, progress, rowsDone, STATUS_KIND, state, toast } from "../shared/lib.js";
import { moneyOf, usd } from "./spend.js";

const NOTES = { failed: "bad", interrupted: "bad", running: "on" };
const ONE = {
  predictions: "prediction",
  diagnoses: "diagnosis",
  clusters: "cluster",
  samples: "sample",
  pictures: "picture",
  verdicts: "verdict",
};
const SAID = {
  pause: "stops after the calls in flight",
  cancel: "stops after the calls in flight; results are kept",
  resume: "resumes",
  retry: "retries the failed rows",
};

// Does one of cancel, pause, resume, retry; what isn't possible is said in a toast.
export async function act(job, action) {
  if (
    action === "cancel" &&
    !(await ask(
      `Cancel job ${job.job_id}?`,
      `${fmt.number(rowsDone(job))} of ${fmt.number(job.total)} rows are done; their results are kept. ` +
        "Calls in flight are finished first.",
      "Cancel the job",
      "b",
    ))
  )
    return;
  try {
    await api(`jobs/${job.job_id}/${action}`, {});
  } catch {
    return; // the toast has said it
  }
  toast(`Job ${job.job_id} ${SAID[action]}`, { kind: "good" });
  document.dispatchEvent(new CustomEvent("mb:poll"));
}

export function drawDetail(root, detail, again) {
  const parts = Object.fromEntries(["title", "state", "detail", "deeds"].map((name) => [name, at(root, name)]));
  if (!detail) {
    for (const part of Object.values(parts)) fill(part);
    return fill(parts.title, "Job");
  }
  const { job } = detail;
  fill(parts.title, `Job ${job.job_id}`);
  fill(parts.state, job.title);
  const opened = new Set([...parts.detail.querySelectorAll("details[open]")].map((details) => details.dataset.fold));
  fillOnce(parts.detail, detail, () => content(detail));
  for (const details of parts.detail.querySelectorAll("details")) if (opened.has(details.dataset.fold)) details.open = true;
  fillOnce(parts.deeds, [job.job_id, job.status, job.failed, job.stopping], () => deeds(job, again));
}

function deeds(job, again) {
  const button = (text, action, kind, title, key) =>
    h(
      "button.btn",
      { class: kind, title, disabled: job.stopping, onclick: () => act(job, action).then(again) },
      text,
      key && h("kbd", key),
    );
  const live = isActive(job);
  return [
    job.failed > 0 &&
      !live &&
      button(
        `Retry ${fmt.plural(job.failed, "failed row")}`,
        "retry",
        "retry",
        "Retries only failed rows; replies already paid for are reused",
        "b",
      ),
    h("span.grow"),
    job.stopping && h("small.dim", "stopping…"),
    live && button("Pause", "pause", "", "Stops after the calls in flight; Resume continues from there", "p"),
    live && button("Cancel", "cancel", "b", "Stops after the calls in flight; results are kept"),
    !live && job.status !== "done" && button("Resume", "resume", "p", "Continues: rows with a result are skipped", "p"),
    ["paused", "interrupted"].includes(job.status) && button("Cancel", "cancel", "b", "Results are kept"),
  ];
}

function content(detail) {
  const { job, calls, made, chain, errors, skipped, events, log } = detail;
  const fact = (name, ...value) => [h("dt", name), h("dd", value)];
  const total = job.progress?.total ?? job.total;
  const limit = detail.money || job.lane === "api" ? cap(job) : null;
  const nouns = Object.entries(made).map(([noun, count]) => fmt.plural(count, ONE[noun], noun));
  return [
    job.message && h("div.note", { class: NOTES[job.status] ?? "" }, job.message),
    h(
      "dl.kv",
      fact("Status", chip([job.status === "running" && h("span.dot.live"), job.status], { kind: STATUS_KIND[job.status] })),
      fact(
        "Rows",
        progress(
          rowsDone(job),
          total,
          job.progress?.eta_s ? `${fmt.duration(job.progress.eta_s)} left` : null,
          job.failed ? `${fmt.number(job.failed)} failed` : null,
        ),
      ),
      nouns.length > 0 && fact("Results", nouns.join(", ")),
      fact("Round", job.round || "–"),
      fact("Author", job.author),
      fact("Launched", new Date(job.created_at).toLocaleString()),
      job.ended_at &&
        fact("Ended", new Date(job.ended_at).toLocaleString(), job.seconds ? h("span.dim", ` · took ${fmt.duration(job.seconds)}`) : null),
      !calls.length && fact("Spend", h("span.dim", "no paid calls")),
      fact("Folder", h("span.mono.small", detail.folder)),
    ),
    (detail.money || limit) && [h("h4", "Spend"), detail.money && moneyOf(detail.money, job.status === "running"), limit],
    calls.length > 0 && [h("h4", "Calls by model"), h("div.card.rows", callTable(calls))],
    chain.length > 0 && [h("h4", "Next jobs"), h("div.steps-after", chain.map(following))],
    errors.length > 0 && [
      h("h4", `Failed rows · ${fmt.number(job.failed)}`),
      h("div.card", errors.map(problem), job.failed > errors.length && h("div.dim", `The first ${errors.length} are shown.`)),
    ],
    skipped.length > 0 && [
      h(
        "h4",
        `Lines left out · ${fmt.number(detail.skipped_count)} `,
        h("a", { href: new URL(`api/jobs/${job.job_id}/skipped.jsonl`, document.baseURI).href, download: "" }, "Download all"),
      ),
      h(
        "div.card",
        skipped.map(({ source, error }) => problem({ key: source, error })),
        detail.skipped_count > skipped.length && h("div.dim", `The first ${skipped.length} are shown.`),
      ),
    ],
    h("h4", "Options"),
    options(job.options),
    events.length > 0 && [h("h4", "Events"), h("div.events", events.slice(-30).reverse().map(event))],
    h("h4", "Log (tail)"),
    log.trim() ? h("div.card", h("pre", log.trim())) : h("div.dim", "No output."),
  ];
}

const callTable = (calls) =>
  h(
    "table",
    h("thead", h("tr", h("th", "For"), h("th", "Model"), h("th.r", "Calls"), h("th.r", "In"), h("th.r", "Out"), h("th.r", "Spend"))),
    h(
      "tbody",
      calls.map((row) =>
        h(
          "tr",
          h("td", row.purpose),
          h("td.clip", { style: "max-width:104px", title: `${row.model} at ${row.endpoint}` }, row.model),
          h("td.r", fmt.number(row.calls)),
          h("td.r.dim", fmt.number(row.prompt_tokens)),
          h("td.r.dim", fmt.number(row.completion_tokens)),
          h("td.r", usd(row.usd)),
        ),
      ),
    ),
  );

// Another cap for a job that rests, one that was too small for a single call included; Resume then goes on with it.
function cap(job) {
  if (isActive(job) || job.status === "done" || !("budget_usd" in job.options)) return null;
  const now = job.options.budget_usd;
  const input = h("input.in.short", {
    type: "number",
    min: 0,
    step: "any",
    value: now ?? "",
    placeholder: "none",
    "aria-label": "Cap in dollars",
  });
  const set = async () => {
    await api("jobs/budget", { job_id: job.job_id, usd: input.value === "" ? null : Number(input.value) });
    toast(input.value === "" ? `Job ${job.job_id} has no cap now` : `Job ${job.job_id} may spend ${fmt.usd(Number(input.value))} in all`, {
      kind: "good",
    });
    document.dispatchEvent(new CustomEvent("mb:poll"));
  };
  const resume = async () => {
    await set();
    await act(job, "resume");
  };
  return h(
    "div.row",
    { style: "margin-top:6px" },
    h("span.dim", { style: "white-space:nowrap" }, "Cap, $"),
    input,
    h("button.btn", { onclick: set }, "Set"),
    h("button.btn.p", { onclick: resume, title: "What it has spent so far counts" }, "Set and resume"),
  );
}

const following = (step) =>
  h(
    "div.row",
    h("span.dim", "→"),
    step.stage.replaceAll("_", " "),
    step.job_id
      ? chip([`job ${step.job_id} · ${step.status}`], { kind: STATUS_KIND[step.status], onclick: () => state.set({ job: step.job_id }) })
      : h("span.dim", step.status ?? "waits"),
    step.note && h("small.err", step.note),
  );

const problem = (error) =>
  h(
    "div.problem",
    h("div", h("b", { style: "font-weight:550" }, error.key), " ", h("span.err", error.error)),
    error.reply && h("details", { dataset: { fold: error.key } }, h("summary", "Raw reply"), h("pre", pretty(error.reply))),
  );

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;
  }
}

function options(values) {
  const shown = Object.entries(values);
  const text = (value) =>
    value === null
      ? h("span.faint", "–")
      : Array.isArray(value)
        ? value.length > 12
          ? `${value.slice(0, 12).join(", ")} … (${fmt.number(value.length)})`
          : value.join(", ")
        : typeof value === "object"
          ? JSON.stringify(value)
          : String(value);
  return shown.length
    ? h(
        "div.card.options",
        shown.flatMap(([name, value]) => [h("span", name.replaceAll("_", " ")), h("span", text(value))]),
      )
    : h("div.dim", "defaults only");
}

const CODES = { 0: "done", 1: "crashed", 3: "stopped", 4: "paused automatically" };

function event({ event: kind, time, text, code, reason, ...rest }) {
  const describe = {
    launched: () => "process launched",
    message: () => text,
    end: () => [`ended: ${CODES[code] ?? code}`, reason && `: ${reason}`],
  }[kind];
  return [
    h("span.faint", fmt.clock(time * 1000)),
    h(
      "span",
      { class: kind === "end" && code === 1 ? "err" : "" },
      describe ? describe() : `${kind}${text ? `: ${text}` : ""} ${Object.keys(rest).length ? JSON.stringify(rest).slice(0, 300) : ""}`,
    ),
  ];
}
