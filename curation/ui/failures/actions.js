// What can be done with the selection: diagnose, cluster, generate; each with what it costs.

import {
  api,
  emptyState,
  estimate,
  fill,
  fillOnce,
  fmt,
  h,
  later,
  launch,
  pages,
  priceText,
  progress,
  state,
  toast,
} from "../shared/lib.js";
import { filter, narrowed, view } from "./index.js";

let asked = null; // the selection that the estimate on the button is for
let price = "";
let figure; // where the button shows it

export function drawActions(box, recluster, view) {
  const { page, summary } = view;
  const open = (page?.failures ?? 0) - (page?.diagnosed ?? 0);
  const many = open || page?.failures || 0;
  figure = h("span", price && asked === mark(view) ? price : "");
  const text = `${open || !page?.failures ? "Diagnose" : "Diagnose again"} ${many ? fmt.number(many) : ""}`;
  const diagnose = h(
    "button.btn",
    {
      class: summary.diagnosed ? "" : "p",
      disabled: !many,
      onclick: () => launchDiagnose(view),
      title: open ? "Asks the frontier model what went wrong" : "All of these are diagnosed; this asks again",
    },
    text,
    figure,
  );
  const teachable = page?.teachable ?? 0;
  const why = teachable
    ? `${fmt.plural(teachable, "teachable failure")}: the frontier model gets them right`
    : "None of these is teachable yet: diagnose them first";
  const generate = h(
    "button.btn",
    { class: summary.diagnosed ? "p" : "", disabled: !teachable, title: why, onclick: () => generateFor(view) },
    narrowed() ? "Generate for selection →" : "Generate for all →",
  );
  fill(box, summary.failures > 0 && [diagnose, generate]);
  fill(
    recluster,
    summary.diagnosed > 0 &&
      h(
        "button.btn",
        {
          onclick: launchCluster,
          title: summary.placed
            ? `${fmt.number(summary.placed)} of ${fmt.number(summary.diagnosed)} diagnosed failures are on the map`
            : "Groups the diagnosed failures and lays the map",
        },
        summary.placed ? "Lay the map again" : "Cluster",
      ),
  );
  if (many) reckon(view);
}

const mark = ({ page, summary }) => JSON.stringify([filter(), page?.diagnosed, summary.version]);

const PROBE = 60; // failures that the estimate on the button is reckoned from

// The estimate on the button, for the selection as it is now: of some failures, and from them for all.
const reckon = later(async (view) => {
  const now = mark(view);
  if (asked === now) return;
  [asked, price] = [now, ""];
  try {
    const ids =
      (await idsToDiagnose(view, PROBE)) ?? (await api("failures/ids", { ...filter(), limit: PROBE }, { quiet: true })).undiagnosed;
    const found = await estimate("diagnose", { failure_ids: ids });
    if (asked !== now) return;
    const many = (view.page.failures - view.page.diagnosed || view.page.failures) / ids.length;
    figure.textContent = price = costText({ ...found, calls: Math.round(found.calls * many), usd: found.usd?.map((usd) => usd * many) });
  } catch {
    /* nothing to estimate: the dialog says why */
  }
}, 400);

// Those of the selection without a diagnosis; all of it if each has one; null for all of the round that have none.
async function idsToDiagnose({ page }, limit = null) {
  if (!narrowed() && page.failures > page.diagnosed) return null;
  const found = await api("failures/ids", { ...filter(), limit }, { quiet: limit !== null });
  return found.undiagnosed.length ? found.undiagnosed : found.failure_ids;
}

async function launchDiagnose(view) {
  const failureIds = await idsToDiagnose(view);
  await launch(
    "diagnose",
    { failure_ids: failureIds },
    {
      title: "Diagnose",
      noun: "failure",
      hidden: ["failure_ids", "limit", "again"],
      button: "Diagnose",
      text:
        "The frontier model first answers each question itself, from the picture alone. " +
        "Then it sees both answers and says what went wrong.",
    },
  );
}

function launchCluster() {
  const again = Boolean(view.summary?.placed);
  return launch(
    "cluster",
    {},
    {
      title: again ? "Lay the map again" : "Cluster",
      noun: "diagnosed failure",
      button: again ? "Lay again" : "Cluster",
      first: ["text_weight", "image_weight"],
      hidden: ["only_new", "titles_of"],
      text:
        "Groups the diagnosed failures by error type and likeness, gives each group a plain title, and lays the map anew." +
        (again ? " What people renamed, merged, split, made or moved stays." : ""),
    },
  );
}

const launchEvaluate = () =>
  launch(
    "evaluate",
    {},
    {
      title: "Evaluate",
      noun: "example",
      button: "Evaluate",
      text:
        "Asks the checkpoint every question of the datasets and scores its answers. " +
        "What it gets wrong on the train split becomes a failure.",
    },
  );

// Hands the selection over to the Generate page.
async function generateFor(view) {
  const chosen = filter();
  const names = Object.keys(chosen).filter((name) => name !== "round");
  const onlyClusters = names.length === 1 && names[0] === "cluster_id";
  const what = !names.length
    ? {}
    : onlyClusters
      ? { cluster_ids: chosen.cluster_id }
      : { failure_ids: (await api("failures/ids", chosen)).failure_ids };
  sessionStorage.setItem(
    "mistakebook.generate",
    JSON.stringify({ ...what, failures: view.page.failures, teachable: view.page.teachable, by_error_type: view.page.by_error_type }),
  );
  if (pages.some((page) => page.name === "generate")) state.go("generate", {});
  else toast("There is no Generate page in this build; use `mistakebook generate`.", { kind: "bad" });
}

// Above the grid while there is no map: how far the round is, and what to do next. True where there is nothing to show below it.
export function drawSteps(box, view) {
  const { summary, running } = view;
  const nothing = whyNothing(view);
  fillOnce(box, [summary, running.map((job) => [job.stage, job.done, job.total, job.seconds_left]), nothing?.[0]], () =>
    nothing ? emptyState(...nothing) : steps(view),
  );
  box.classList.toggle("alone", Boolean(nothing));
  return Boolean(nothing);
}

function whyNothing({ summary, running }) {
  const runs = (stage) => running.some((one) => one.stage === stage);
  if (summary.placed) return null;
  if (!summary.examples && !runs("import"))
    return [
      "No questions yet",
      "Import a dataset, or start with the built-in one: its train split is where failures are found.",
      pageButton("data", "Data & models"),
    ];
  if (!summary.round)
    return [
      "No checkpoint yet",
      "A round starts from a checkpoint: the model whose mistakes are collected.",
      pageButton("data", "Data & models"),
    ];
  if (!summary.answered && runs("import")) return ["Reading the benchmarks", "Their train split is where failures are found."];
  if (!summary.answered && !runs("evaluate"))
    return [
      `${summary.checkpoint} has not been asked yet`,
      `${fmt.plural(summary.examples, "train question")} wait for it. What it gets wrong appears here.`,
      { text: "Evaluate", run: launchEvaluate },
    ];
  if (summary.answered && !summary.failures && !runs("evaluate"))
    return [
      "Nothing went wrong",
      `${summary.checkpoint} answers all ${fmt.number(summary.answered)} train questions right. Import a harder dataset.`,
      pageButton("data", "Data & models"),
    ];
  return null;
}

function steps(view) {
  const { summary, running } = view;
  const job = (stage) => running.find((one) => one.stage === stage);
  const left = summary.failures - summary.diagnosed;
  return h(
    "div.steps",
    stepCard(
      "1  Evaluate",
      job("evaluate"),
      summary.answered >= summary.examples,
      `${fmt.number(summary.answered)} of ${fmt.plural(summary.examples, "train item")} asked`,
      "Evaluate the rest",
      launchEvaluate,
    ),
    stepCard(
      "2  Diagnose",
      job("diagnose"),
      summary.failures > 0 && !left,
      `${fmt.number(summary.diagnosed)} of ${fmt.plural(summary.failures, "failure")} diagnosed`,
      `Diagnose ${fmt.number(left)}`,
      () => launchDiagnose(view),
    ),
    stepCard(
      "3  Cluster",
      job("cluster"),
      false,
      "groups with a title, and the map",
      summary.diagnosed ? `Cluster ${fmt.number(summary.diagnosed)}` : "Cluster",
      launchCluster,
      summary.diagnosed > 0,
    ),
  );
}

function stepCard(title, job, done, text, button, run, possible = true) {
  if (job)
    return h(
      "div.card.now",
      h("b", title),
      h("span.dim", text),
      progress(job.done, job.total, job.seconds_left && `${fmt.duration(job.seconds_left)} left`),
    );
  if (done) return h("div.card", h("b", title), h("span.dim", text), h("span.okay", "✓ done"));
  return h(
    "div.card",
    h("b", title),
    h("span.dim", text),
    h(
      "button.btn",
      { class: possible ? "p" : "", disabled: !possible, onclick: run },
      button,
      possible && cost(button, title.slice(3).toLowerCase()),
    ),
  );
}

const costs = new Map(); // button -> what it costs, asked once for each number on it

// " · $0.21 – 0.40", or " · free".
const costText = (found) => (found.calls ? ` · ${priceText(found)}` : "");

function cost(button, stage) {
  const span = h("span", costs.get(button) ?? "");
  if (!costs.has(button)) {
    costs.set(button, "");
    estimate(stage, {}).then(
      (found) => {
        costs.set(button, costText(found));
        span.textContent = costs.get(button);
      },
      () => {},
    );
  }
  return span;
}

const pageButton = (name, text) => pages.some((page) => page.name === name) && { text, run: () => state.go(name) };
