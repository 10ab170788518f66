// Right column of Experiments: one experiment as it goes, and what its runs show so far.

import { Chart } from "../shared/chart.js";
import {
  api,
  at,
  chip,
  emptyState,
  fill,
  fillOnce,
  fmt,
  h,
  isActive,
  pick,
  progress,
  STATUS_KIND,
  state,
  stepProgress,
} from "../shared/lib.js";
import { loadShown, what } from "./state.js";

const RUN_KIND = { done: "ok", diverged: "wa", failed: "no", running: "on", waiting: "" };
const CHARTS = {
  differences: "Difference to the reference",
  accuracies: "Accuracy by seed",
  kinds: "By kind of question",
  slopes: "From the checkpoint to the arms, by kind",
};
const charts = {};

export function drawShown(root, { shown, list }) {
  const parts = Object.fromEntries(["title", "state", "actions", "main"].map((name) => [name, at(root, name)]));
  if (!shown) {
    fill(parts.title, "Experiment");
    for (const name of ["state", "actions"]) fill(parts[name]);
    return fillOnce(parts.main, null, () =>
      emptyState(
        "No experiment yet",
        "An experiment trains the same checkpoint on equally many samples of each kind: real ones, targeted ones, untargeted ones. " +
          "It shows whether samples made from failures teach more than as many others.",
      ),
    );
  }
  const { job, experiment, report } = shown;
  fill(parts.title, experiment ? `Experiment ${job.job_id}` : `Job ${job.job_id}`);
  parts.state.textContent = stateLine(shown);
  const mark = [job.job_id, job.status, job.stopping, job.failed, list.map((one) => one.job_id), report && what(), shown.arm];
  fillOnce(parts.actions, mark, () => actions(shown, list));
  fillOnce(parts.main, [job, shown.chain, shown.runs, report, shown.arm, what()], () => main(shown));
  for (const [name, figure] of Object.entries(shown.figures)) charts[name]?.draw(figure);
}

function stateLine({ job, experiment }) {
  const parts = [job.status];
  if (experiment) parts.push(`N = ${fmt.number(experiment.samples)}`, fmt.plural(experiment.seeds.length, "seed"));
  if (job.progress?.eta_s) parts.push(`${fmt.duration(job.progress.eta_s)} left`);
  else if (job.seconds) parts.push(`took ${fmt.duration(job.seconds)}`);
  return parts.join(" · ");
}

function actions({ job, experiment, report, arm }, list) {
  const act = (action) => async () => {
    await api(`jobs/${job.job_id}/${action}`, {});
    document.dispatchEvent(new CustomEvent("mb:poll"));
    await loadShown();
  };
  const button = (text, action, kind, title) => h("button.btn", { class: kind, disabled: job.stopping, onclick: act(action), title }, text);
  const others = list.map((one) => ({
    value: String(one.job_id),
    text: `${one.job_id} · ${one.checkpoint} · N ${fmt.number(one.samples)}`,
  }));
  const { score, reference } = what();
  const query = new URLSearchParams({ score, ...(reference && { reference }) });
  const file = (form, text, title) =>
    h(
      "a.btn",
      { href: new URL(`api/experiments/${job.job_id}/report.${form}?${query}`, document.baseURI).href, download: "", title },
      text,
    );
  return [
    others.length > 1 &&
      experiment &&
      pick(others, String(job.job_id), (value) => state.set({ job: value, arm: null }), { title: "Experiment" }),
    report && pick(["strict", "lenient"], score, (value) => state.set({ score: value === "strict" ? null : value }), { title: "Scores" }),
    report && arm && references(report),
    report && file("html", "HTML", "One page that needs no network"),
    report && file("md", "Markdown", "For a repository or an issue"),
    isActive(job) && [
      button("Pause", "pause", "", "What is done stands; Resume goes on from the last snapshot steps"),
      button("Cancel", "cancel", "b"),
    ],
    !isActive(job) && job.status !== "done" && button("Resume", "resume", "p", "Runs what is left"),
    job.status === "done" && job.failed > 0 && button("Run the failed ones again", "retry", "p"),
  ];
}

function references({ arms, reference }) {
  const measured = arms.filter((one) => one.counted).map((one) => ({ value: one.arm, text: `against ${one.title}` }));
  return pick(measured, reference ?? measured[0]?.value, (value) => state.set({ reference: value === "real" ? null : value }), {
    title: "The arm that others are compared with",
  });
}

function main(shown) {
  const { job, report, experiment } = shown;
  return [
    status(shown),
    chain(shown),
    experiment && runs(shown),
    report && [
      table(report),
      notes(report),
      drawings(shown),
      pairs(report),
      groups("kind", report.by_kind, report),
      groups("dataset", report.by_dataset, report),
    ],
    experiment && !report && isActive(job) && h("p.dim", "Figures appear with the first run that is done."),
  ];
}

function status({ job }) {
  if (job.status === "running")
    return h(
      "div.card.line",
      h("span.dot.live"),
      progress(
        job.progress?.done ?? job.done,
        job.progress?.total ?? job.total,
        job.progress?.eta_s && `${fmt.duration(job.progress.eta_s)} left`,
      ),
      h("small.dim", job.message ?? ""),
    );
  if (job.status === "queued") return h("div.card.line", "Queued: only one job at a time trains, evaluates or draws.");
  if (!job.message && ["done", "cancelled"].includes(job.status)) return null;
  return h("div.card.line", chip(job.status, { kind: STATUS_KIND[job.status] }), h("span.dim", job.message ?? "Resume runs what is left."));
}

// The generation before an experiment, step by step; the last one leads to the experiment.
function chain({ chain: steps, job, experiment }) {
  if (experiment || !steps.length) return null;
  return h(
    "div.card.line",
    h("b", job.stage.replaceAll("_", " ")),
    steps.map((step, i) => [
      h("span.faint", "→"),
      step.job_id && step.stage === "experiment"
        ? h("button.link", { onclick: () => state.set({ job: step.job_id }) }, `experiment ${step.job_id}`)
        : h("span", { title: step.note }, step.stage.replaceAll("_", " ")),
      stepProgress(step, steps[i - 1] ?? job, ({ status: ended, note }) =>
        ended || note ? chip(ended ?? "not started", { kind: STATUS_KIND[ended] ?? "wa", title: note }) : null,
      ),
    ]),
    steps.find((step) => step.note) && h("p.err", steps.find((step) => step.note).note),
  );
}

// Every run as it stands, a row an arm.
function runs({ runs: all, experiment, job }) {
  if (job.status === "done" && all.every((run) => run.status === "done")) return null;
  return h(
    "div.card.rows",
    h(
      "table",
      h("thead", h("tr", h("th", "arm"), h("th", "runs, a seed each"))),
      h(
        "tbody",
        experiment.arms.map((arm) =>
          h(
            "tr",
            h("td", arm.replaceAll("_", " ")),
            h(
              "td",
              h(
                "div.seeds",
                all
                  .filter((run) => run.arm === arm)
                  .map((run) => chip(run.status === "running" ? run.told : run.status, { kind: RUN_KIND[run.status], title: run.told })),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

const change = (difference) =>
  difference
    ? [
        h("b", { class: difference.low > 0 ? "okay" : difference.high < 0 ? "err" : "dim" }, fmt.signed(difference.value)),
        h("small.dim", ` [${fmt.signed(difference.low)}, ${fmt.signed(difference.high)}]`),
      ]
    : "–";

function table(report) {
  const { base, reference } = report;
  const figures = Object.fromEntries(report.overall.arms.map((one) => [one.arm, one]));
  const head = [
    ["arm"],
    ["by seed"],
    ["mean", "r"],
    ["balanced", "r", "Balanced by answer: each gold answer counts the same"],
    base && [`gain to ${base}`, "r"],
    reference && [`difference to ${reference}`, "r"],
    ["per 100 samples", "r", "Accuracy above replay only, a hundred samples"],
  ].filter(Boolean);
  return [
    h("h4", `Arms, majority answers reach ${fmt.fixed(report.overall.majority)}`),
    h(
      "div.card.rows",
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            head.map(([name, kind, title]) => h("th", { class: kind ?? "", title: title ?? null }, name)),
          ),
        ),
        h(
          "tbody",
          report.arms.map((arm) => {
            const own = figures[arm.arm];
            return h(
              "tr",
              { class: own ? "pickable" : "", title: arm.about, onclick: own && (() => state.set({ arm: arm.arm })) },
              h("td", arm.title),
              h(
                "td",
                h(
                  "span.seeds",
                  arm.runs.map((run) =>
                    run.diverged
                      ? chip(run.accuracy === null ? "diverged" : fmt.fixed(run.accuracy), { kind: "wa", title: run.diverged })
                      : h("small.dim", { title: `seed ${run.seed}` }, fmt.fixed(run.accuracy)),
                  ),
                  arm.failed.map((text) => chip("failed", { kind: "no", title: text })),
                ),
              ),
              h("td.r", own ? fmt.fixed(own.accuracy) : "–"),
              h("td.r.dim", own ? fmt.fixed(own.balanced) : "–"),
              base && h("td.r", change(own?.to_base)),
              reference && h("td.r", change(own?.to_reference)),
              h("td.r", change(arm.gain_per_100)),
            );
          }),
        ),
      ),
    ),
  ];
}

function notes(report) {
  const asked =
    report.asked !== report.samples && `${fmt.number(report.asked)} samples were asked for; an arm had ${fmt.number(report.samples)}. `;
  const left = report.left_out > 0 && `${fmt.plural(report.left_out, "eval example")} left out: not every run could be asked. `;
  return h(
    "p.dim.small",
    `${report.done_runs} of ${report.planned_runs} runs, ${fmt.number(report.items)} eval examples with ` +
      `${fmt.number(report.overall.images)} images, ${fmt.number(report.replay)} replay rows, ${fmt.number(report.steps)} steps. `,
    asked,
    left,
    "Intervals are 95 %, paired, clustered by image, seeds pooled as random effects.",
  );
}

function drawings({ figures }) {
  return h(
    "div.charts",
    Object.entries(CHARTS)
      .filter(([name]) => figures[name])
      .map(([name, title]) => {
        charts[name] ??= new Chart(name === "differences" ? { onclick: (point) => chooseByTitle(point.y) } : {});
        return h("div", h("h4", title), h("div.card", charts[name].element));
      }),
  );
}

let titles = {};
const chooseByTitle = (title) => titles[title] && state.set({ arm: titles[title] });

function pairs(report) {
  titles = Object.fromEntries(report.arms.map((arm) => [arm.title, arm.arm]));
  if (!report.pairs.length) return null;
  return [
    h("h4", "Pairs"),
    h(
      "div.card.rows",
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            ["after", "before", "difference", "balanced by answer"].map((name, i) => h("th", { class: i > 1 ? "r" : "" }, name)),
          ),
        ),
        h(
          "tbody",
          report.pairs.map((pair) =>
            h("tr", h("td", pair.after), h("td", pair.before), h("td.r", change(pair.difference)), h("td.r", change(pair.balanced))),
          ),
        ),
      ),
    ),
  ];
}

function groups(of, rows, report) {
  const arms = report.overall.arms.map((one) => one.arm);
  return [
    h("h4", `By ${of}; small: balanced by answer; coloured: differs from ${report.reference ?? report.base ?? "–"}, Holm's p < .05`),
    h(
      "div.card.rows",
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            h("th", of),
            h("th.r", "items"),
            h("th.r", "majority"),
            arms.map((arm) => h("th.r", arm.replaceAll("_", " "))),
          ),
        ),
        h(
          "tbody",
          rows.map((group) =>
            h(
              "tr",
              h("td", group.name),
              h("td.r.dim", fmt.number(group.items)),
              h("td.r.dim", fmt.fixed(group.majority, 2)),
              group.arms.map((one) => {
                const sure = one.p_holm !== null && one.p_holm < 0.05;
                const kind = !sure ? "" : one.to_reference.value > 0 ? "okay" : "err";
                const title = one.to_reference && `${fmt.signed(one.to_reference.value)}, Holm's p = ${one.p_holm?.toPrecision(2)}`;
                return h(
                  "td.r",
                  { title },
                  h("span", { class: kind }, fmt.fixed(one.accuracy)),
                  h("small.faint", ` ${fmt.fixed(one.balanced, 2)}`),
                );
              }),
            ),
          ),
        ),
      ),
    ),
  ];
}
