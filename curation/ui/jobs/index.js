// The Jobs page: all jobs and what they cost (left), one of them in detail (right). What is chosen is in the URL.

import { Chart } from "../shared/chart.js";
import {
  api,
  at,
  bar,
  chip,
  drawer,
  emptyState,
  endings,
  fill,
  fillOnce,
  fmt,
  h,
  isActive,
  keys,
  onlyLatest,
  pick,
  rowsDone,
  STATUS_KIND,
  state,
  toButton,
} from "../shared/lib.js";
import { act, drawDetail } from "./detail.js";
import { spendView } from "./spend.js";

const SIZE = 50;

let root,
  details,
  page = null,
  spent = null,
  detail = null,
  moving = false;
const hasEnded = endings();

const press = (action) => () => detail && act(detail.job, action).then(show);
keys("jobs", [
  { name: "next", key: "j", what: "next job", run: () => step(1), repeat: true },
  { name: "previous", key: "k", what: "previous job", run: () => step(-1), repeat: true },
  {
    name: "pause",
    key: "p",
    what: "pause or resume the job",
    run: () => press(isActive(detail?.job) ? "pause" : "resume")(),
  },
  toButton("#page-jobs .retry", "go to the button that retries failed rows"),
  { name: "spend", key: "s", what: "show spend", run: () => state.set({ tab: state.one("tab") ? null : "spend" }) },
]);

export function start(element) {
  root = element;
  details = drawer(root.querySelector(".cols"), "This job");
}

const newest = onlyLatest();
const spendChart = new Chart();
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export async function show() {
  const body = { status: state.one("status"), stage: state.one("stage"), offset: Number(state.one("offset") ?? 0) };
  const spending = state.one("tab") === "spend";
  const answer = await newest(
    Promise.all([api("jobs/page", body), spending ? api("jobs/spend", {}) : null, spending ? api("jobs/spend_over_time", { zone }) : null]),
  );
  if (!answer) return;
  const [, , figure] = answer;
  [page, spent] = answer;
  moving = page.jobs.some(isActive);
  drawList(figure);
  await showDetail();
}

const newestDetail = onlyLatest();
const chosen = () => Number(state.one("job")) || page.jobs[0]?.job_id || null;

async function showDetail() {
  const job_id = chosen();
  if (!job_id) detail = null;
  else {
    const answer = await newestDetail(api("jobs/detail", { job_id }, { quiet: true }).catch((error) => ({ error: error.message })));
    if (!answer) return;
    if (answer.error) {
      detail = null;
      for (const name of ["title", "state", "deeds"]) fill(at(root, name));
      return fill(
        at(root, "detail"),
        emptyState("No such job", answer.error, { text: "Show the latest job", run: () => state.set({ job: null }) }),
      );
    }
    detail = answer;
  }
  drawDetail(root, detail, show);
}

// While something runs, and once more when it has ended; also what began and ended between two looks.
export async function tick(workspace) {
  if (!page) return;
  const more = hasEnded(workspace);
  if (workspace.running.length || moving || more) await show();
}

function step(by) {
  const index = page.jobs.findIndex((job) => job.job_id === chosen());
  const job = page.jobs[Math.max(0, Math.min(page.jobs.length - 1, index + by))];
  if (job) state.set({ job: job.job_id }, { replace: true });
}

function drawList(figure) {
  const { jobs, statuses, stages, spend, total } = page;
  const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const status = state.one("status"),
    stage = state.one("stage");
  fillOnce(
    at(root, "filters"),
    [statuses, stages, status, stage, Boolean(spent)],
    () =>
      all > 0 &&
      !spent && [
        pick(
          [
            { value: "", text: `any status (${fmt.number(all)})` },
            ...Object.entries(statuses).map(([name, count]) => ({ value: name, text: `${name} (${fmt.number(count)})` })),
          ],
          status,
          (value) => state.set({ status: value, offset: null, job: null }),
          { title: "Status" },
        ),
        pick(
          [
            { value: "", text: "any stage" },
            ...Object.entries(stages).map(([name, count]) => ({
              value: name,
              text: `${name.replaceAll("_", " ")} (${fmt.number(count)})`,
            })),
          ],
          stage,
          (value) => state.set({ stage: value, offset: null, job: null }),
          { title: "Stage" },
        ),
      ],
  );
  const usd = spend.some((row) => row.usd !== null) ? spend.reduce((sum, row) => sum + (row.usd ?? 0), 0) : null;
  const unpriced = spend.reduce((sum, row) => sum + row.unpriced, 0);
  fill(
    at(root, "sum"),
    spend.length > 0 && [
      `${fmt.plural(
        spend.reduce((sum, row) => sum + row.calls, 0),
        "paid call",
      )} · ${fmt.usd(usd)}`,
      unpriced > 0 && usd !== null && ` + ${fmt.number(unpriced)} unpriced`,
    ],
  );
  fillOnce(at(root, "actions"), Boolean(spent), () => [
    h(
      "button.btn",
      {
        class: spent ? "on" : "",
        "aria-pressed": String(Boolean(spent)),
        onclick: () => state.set({ tab: spent ? null : "spend" }),
        title: "By round, cluster and model, and per approved sample",
      },
      "Spend",
      h("kbd", "s"),
    ),
    details.button,
  ]);
  at(root, "list").hidden = Boolean(spent);
  fillOnce(at(root, "spend"), [spent, Boolean(figure)], () => spent && spendView(spent, figure && spendChart.element));
  if (figure) spendChart.draw(figure);
  if (spent) {
    at(root, "pages").hidden = true;
    return;
  }
  const offset = Number(state.one("offset") ?? 0);
  fillOnce(at(root, "list"), [jobs, chosen(), Math.floor(Date.now() / 60000)], () => {
    if (!all)
      return emptyState(
        "No jobs yet",
        "Long work runs as a job: importing, evaluating, generating, finetuning. " + "Jobs continue when you close the page.",
        { text: "Go to Failures", run: () => state.go("failures") },
      );
    if (!jobs.length)
      return emptyState("No matching jobs", "", {
        text: "Show all jobs",
        run: () => state.set({ status: null, stage: null, offset: null }),
      });
    return h(
      "div.card.rows.list",
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            h("th.r", "Job"),
            h("th.what", "What"),
            h("th", "Status"),
            h("th", "Rows"),
            h("th.r", "Failed"),
            h("th.r", "Spend"),
            h("th.r", "Took"),
            h("th", "Author"),
            h("th", "Launched"),
          ),
        ),
        h("tbody", jobs.map(line)),
      ),
    );
  });
  const go = (to) => state.set({ offset: to || null, job: null });
  const foot = at(root, "pages");
  foot.hidden = total <= SIZE;
  fill(
    foot,
    h("small.dim", `${fmt.number(offset + 1)}–${fmt.number(offset + jobs.length)} of ${fmt.number(total)}`),
    h("span.grow"),
    h("button.btn", { disabled: offset === 0, onclick: () => go(Math.max(0, offset - SIZE)), title: "Newer jobs" }, "‹"),
    h("button.btn", { disabled: offset + jobs.length >= total, onclick: () => go(offset + SIZE), title: "Older jobs" }, "›"),
  );
}

const money = (job) =>
  job.calls
    ? [
        fmt.usd(job.spend_usd),
        job.unpriced > 0 && job.spend_usd !== null && h("span.dim", { title: `${fmt.number(job.unpriced)} calls have no price` }, " +?"),
      ]
    : job.spend_usd
      ? fmt.usd(job.spend_usd)
      : h("span.faint", "–");

function line(job) {
  const open = () => {
    state.set({ job: job.job_id });
    details.open();
  };
  const total = job.progress?.total ?? job.total;
  const seconds = job.status === "running" && job.started_at ? (Date.now() - new Date(job.started_at)) / 1000 : job.seconds;
  return h(
    "tr",
    {
      class: job.job_id === chosen() ? "on" : "",
      onclick: open,
      tabindex: 0,
      onkeydown: (event) => event.key === "Enter" && open(),
      title: job.message,
    },
    h("td.r.dim", job.job_id),
    h(
      "td.what",
      { title: `${job.stage}: ${job.title}` },
      h("b", { style: "font-weight:550" }, job.stage.replaceAll("_", " ")),
      h("small.dim", ` ${job.title}`),
    ),
    h(
      "td",
      chip([job.status === "running" && h("span.dot.live"), job.stopping ? "stopping" : job.status], { kind: STATUS_KIND[job.status] }),
    ),
    h(
      "td",
      h(
        "span.row",
        bar(total ? rowsDone(job) / total : job.status === "done" ? 1 : 0, job.status === "failed" ? "var(--bad)" : null),
        h("small.dim", `${fmt.number(rowsDone(job))}/${fmt.number(total)}`),
      ),
    ),
    h("td.r", job.failed ? h("span.err", fmt.number(job.failed)) : h("span.faint", "0")),
    h("td.r", money(job)),
    h("td.r.dim", fmt.duration(seconds) || "–"),
    h("td.dim.clip", job.author),
    h("td.dim", { title: new Date(job.created_at).toLocaleString() }, fmt.ago(job.created_at)),
  );
}
