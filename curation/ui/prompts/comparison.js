// Two versions of a prompt on the same failures: launching a comparison, and what it has brought side by side.

import {
  api,
  chip,
  dot,
  emptyState,
  endpointList,
  fillOnce,
  fmt,
  h,
  isActive,
  launch,
  onlyLatest,
  pick,
  picture,
  progress,
  state,
  zoom,
} from "../shared/lib.js";
import { resultOf } from "./preview.js";
import { load } from "./state.js";

const FAILURES = 20;

let parts;
let prompt;
let result = null;
let only = false; // those that differ
let wanted = { name: null, a: null, b: null };

const newest = onlyLatest();

export async function drawCompare(elements, shown) {
  [parts, prompt] = [elements, shown];
  parts.foot.hidden = true;
  const job = Number(state.one("job")) || null;
  if (job === null) return drawChoice();
  if (result?.job.job_id !== job) await read(job);
  if (result) drawResult();
}

export async function tickCompare() {
  if (!parts) return;
  if (result && state.one("job") && isActive(result.job)) {
    await read(result.job.job_id);
    if (state.one("job")) drawResult();
    if (!isActive(result.job)) load();
  } else if (!state.one("job") && prompt.comparisons.some(isActive)) await load();
}

async function read(job) {
  try {
    const answer = await newest(api("prompts/comparison", { job_id: job }));
    if (answer) result = answer;
  } catch (error) {
    if (error.status !== 404) throw error;
    state.set({ job: null }, { replace: true });
  }
}

const text = (version) =>
  [version.version, version.shipped && "shipped", version.in_use && "in use", version.note?.slice(0, 40)].filter(Boolean).join(" · ");

function drawChoice() {
  const { versions } = prompt;
  if (wanted.name !== prompt.name) {
    const edited = versions.find((version) => version.in_use && !version.shipped) ?? versions.find((version) => !version.shipped);
    wanted = { name: prompt.name, a: prompt.shipped, b: edited?.version ?? null };
  }
  fillOnce(parts.note, "choice", () => "");
  fillOnce(parts.actions, "choice", () => null);
  fillOnce(parts.body, ["choice", versions, prompt.comparisons, prompt.name, wanted], () => {
    if (!prompt.comparable)
      return emptyState("Titles are not compared", "Titles belong to clusters. Use Preview on a failure to generate its cluster's title.");
    if (versions.length < 2)
      return emptyState("Only one version", "Edit and save the prompt to compare both versions on the same failures.");
    const choose = (side) =>
      pick(
        versions.map((version) => ({ value: version.version, text: text(version) })),
        wanted[side],
        (value) => {
          wanted = { ...wanted, [side]: value };
          drawChoice();
        },
        { title: `Version ${side.toUpperCase()}`, cls: "in" },
      );
    return [
      h(
        "div.card",
        h("div.sides", h("span.dim", "Version A"), choose("a"), h("span.dim", "Version B"), choose("b")),
        h(
          "div.row",
          { style: "margin-top:12px" },
          h("button.btn.p", { disabled: wanted.a === wanted.b || !wanted.b, onclick: compare }, `Compare on ${FAILURES} failures`),
          h("small.faint", "the estimate is shown first"),
        ),
      ),
      prompt.comparisons.length > 0 && [
        h("h4", "Comparisons"),
        prompt.comparisons.map((comparison) =>
          h(
            "button.prompt-row",
            { dataset: { comparison: comparison.job_id }, onclick: () => state.set({ job: comparison.job_id }) },
            h("span", h("span.mono", comparison.options.a), " against ", h("span.mono", comparison.options.b)),
            chip(comparison.status, { kind: { done: "ok", failed: "no" }[comparison.status] ?? "" }),
            h("small", `job ${comparison.job_id} · ${fmt.plural(comparison.total / 2, "failure")} · ${fmt.ago(comparison.created_at)}`),
          ),
        ),
      ],
    ];
  });
}

async function compare() {
  // whom the prompt's own stage asks
  const { frontier, endpoint, model } = (await endpointList()).stages.find((row) => row.stage === prompt.stage);
  const proposals = prompt.name === "proposal" ? ["route", "per_failure", "difficulty"] : [];
  const job = await launch(
    "compare_prompts",
    { prompt: prompt.name, a: wanted.a, b: wanted.b, limit: FAILURES, ...(frontier ? { frontier } : { endpoint, model }) },
    {
      title: `Compare two versions of ${prompt.name}.md`,
      text: "Both versions run on the same failures. Replies are kept for this comparison only; no diagnosis or sample is created.",
      noun: "failure",
      button: "Compare",
      first: ["limit", ...proposals],
      hidden: ["prompt", "a", "b", "prompts", "failure_ids", ...(proposals.length ? [] : ["per_failure", "route", "difficulty"])],
    },
  );
  if (!job) return;
  result = null;
  state.set({ tab: "compare", job: job.job_id });
  load();
}

const name = (side) => result.versions[side];
const label = (side) => [
  `${side.toUpperCase()} `,
  h("span.mono", name(side)),
  name(side) === prompt.shipped && h("span.faint", " shipped"),
  name(side) === prompt.in_use && h("span.faint", " in use"),
];

function drawResult() {
  const { job, failures } = result;
  const running = isActive(job);
  fillOnce(parts.note, [job.job_id, job.status], () => `Job ${job.job_id} · ${job.status}`);
  fillOnce(parts.actions, ["found", job.status, running && job.progress, only, failures.some((row) => row.differs)], () => [
    running && progress(job.progress?.done ?? job.done, job.total),
    failures.some((row) => row.differs) &&
      h(
        "label.row",
        h("input", {
          type: "checkbox",
          checked: only,
          onchange: (event) => {
            only = event.target.checked;
            drawResult();
          },
        }),
        "only differences",
      ),
    ["paused", "failed", "interrupted"].includes(job.status) && h("button.btn", { onclick: () => act(job, "resume") }, "Resume"),
    h("button.btn", { onclick: () => state.set({ job: null }) }, "Close"),
  ]);
  fillOnce(parts.body, ["found", { ...result, job: [job.job_id, job.status, job.message] }, only, prompt.shipped, prompt.in_use], () => {
    const rows = failures.filter((row) => !only || row.differs);
    return [
      job.message && h("div.card", { class: job.status === "failed" ? "bad" : "" }, job.message),
      failures.length
        ? [
            sums(),
            changes(),
            h("div.pair.head", h("small.dim", fmt.plural(rows.length, "failure")), h("div", label("a")), h("div", label("b"))),
            rows.map(pair),
          ]
        : h("p.dim", running ? "Replies appear as they arrive." : "No replies came."),
    ];
  });
}

async function act(job, action) {
  await api(`jobs/${job.job_id}/${action}`, {});
  await read(job.job_id);
  drawResult();
}

const LINES = {
  diagnosis: [
    ["teachable", "Teachable"],
    ["own_right", "Own answer right"],
    ["gold_looks_wrong", "Gold looks wrong"],
    ["right_but_misformatted", "Answer means the same"],
  ],
  proposal: [
    ["kept", "Valid samples"],
    ["dropped", "Samples dropped"],
  ],
  blind: [["right", "Right"]],
  agreement: [["agrees", "Agrees with the proposed answer"]],
  guess: [
    ["agrees", "Guessed without the image"],
    ["certain", "Certain"],
  ],
};

// The counts of both sides in a table, with what they cost.
function sums() {
  const { counts, costs } = result;
  const line = (title, a, b, both = "") => h("tr", h("td", title), h("td.r.b", a), h("td.r.b", b), h("td.dim", both));
  const of = (side, key) => fmt.number(counts[side][key]);
  const lines = (LINES[result.prompt] ?? [])
    .filter(([key]) => counts.a[key] !== undefined)
    .map(([key, title]) => line(title, of("a", key), of("b", key)));
  if (result.prompt === "diagnosis") {
    lines.push(
      line("Confidence, mean", fmt.fixed(counts.a.confidence, 2), fmt.fixed(counts.b.confidence, 2)),
      line("Same error type", "", "", `${fmt.number(counts.same_type)} of ${fmt.number(counts.compared)}`),
    );
    if (counts.people)
      lines.push(
        line("Error type as labelled", of("a", "as_people"), of("b", "as_people"), `of ${fmt.number(counts.people)} labelled by people`),
      );
  } else if (result.prompt === "judge")
    for (const score of ["3", "2", "1"])
      lines.push(line(`Score ${score}`, fmt.number(counts.a.scores[score]), fmt.number(counts.b.scores[score])));
  else if (result.prompt === "proposal")
    for (const rule of new Set([...Object.keys(counts.a.rules), ...Object.keys(counts.b.rules)]))
      lines.push(line(`… ${rule}`, fmt.number(counts.a.rules[rule] ?? 0), fmt.number(counts.b.rules[rule] ?? 0)));
  if (counts.same !== undefined && result.prompt !== "diagnosis")
    lines.push(line("Same reply", "", "", `${fmt.number(counts.same)} of ${fmt.number(counts.compared)}`));
  const free = result.job.options.endpoint === "pocket-teacher";
  const money = (usd) => (usd === null ? "unpriced" : usd && usd < 0.1 ? `$${usd.toPrecision(3)}` : fmt.usd(usd));
  const tokens = (side) => fmt.number(costs[side].prompt_tokens + costs[side].completion_tokens);
  return h(
    "div.card.sums",
    h(
      "table",
      h("tr", h("th", `${fmt.number(counts.compared)} failures with both replies`), h("th.r", "A"), h("th.r", "B"), h("th", "")),
      lines,
      line("Tokens", tokens("a"), tokens("b"), "of all calls of this version"),
      line(
        "Cost",
        money(costs.a.usd),
        money(costs.b.usd),
        free ? "nominal: the built-in teacher is free" : `paid now: ${money(result.job.spend_usd)}`,
      ),
      line("Cost per failure", money(costs.a.usd_a_failure), money(costs.b.usd_a_failure)),
    ),
  );
}

function changes() {
  const list = result.counts.changes ?? [];
  return (
    list.length > 0 &&
    h(
      "div.changes",
      h("small.dim", "Error types that differ, A → B:"),
      list.map((change) =>
        h("span.chip", dot(change.a), change.a, " → ", dot(change.b), change.b, h("span.dim", fmt.number(change.failures))),
      ),
    )
  );
}

function pair(row) {
  const asked = row.a?.asked ?? row.b?.asked ?? row;
  return h(
    "div.pair",
    { class: row.differs ? "differs" : "", dataset: { failure: row.failure_id } },
    h(
      "div.what",
      h("button.th", { style: "width:78px", onclick: () => zoom(asked.image), title: "Enlarge" }, picture(asked.image, "thumb")),
      h("div", asked.question),
      h(
        "div",
        asked === row
          ? [h("span.right", row.golds), h("span.faint", " gold · "), h("span.wrong", row.answer || "(no answer)")]
          : [h("span.right", asked.proposed), h("small.faint", " proposed")],
      ),
      h("div.row", dot(row.error_type), h("small.dim", `${row.error_type ?? "not diagnosed"} · ${row.failure_id}`)),
      row.people && h("small.dim", `labelled ${row.people}`),
    ),
    h("div.card", resultOf({ name: result.prompt }, row.a)),
    h("div.card", resultOf({ name: result.prompt }, row.b)),
  );
}
