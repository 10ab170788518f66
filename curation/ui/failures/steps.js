// Above the grid while there is no map: how far the round is, and what to do next.

import { emptyState, estimate, fillOnce, fmt, h, progress, state } from "../shared/lib.js";
import { costText, launchCluster, launchDiagnose, launchEvaluate, launchKinds } from "./launches.js";
import { shown } from "./selection.js";

// True where there is nothing to show below it.
export function drawSteps(box) {
  const { summary, running } = shown();
  const nothing = whyNothing();
  fillOnce(box, [summary, running.map((job) => [job.stage, job.done, job.total, job.seconds_left]), nothing?.[0]], () =>
    nothing ? emptyState(...nothing) : steps(),
  );
  box.classList.toggle("alone", Boolean(nothing));
  return Boolean(nothing);
}

function whyNothing() {
  const { summary, running } = shown();
  const runs = (stage) => running.some((entry) => entry.stage === stage);
  if (summary.placed) return null;
  if (!summary.examples && !runs("import"))
    return [
      "No examples yet",
      "Import a dataset, or use the built-in one. Failures are found on the train split.",
      pageButton("data", "Data & models"),
    ];
  if (!summary.round)
    return [
      "No checkpoint yet",
      "A round starts from a checkpoint: the model whose failures are collected.",
      pageButton("data", "Data & models"),
    ];
  if (!summary.answered && runs("import")) return ["Importing datasets", "Failures are found on the train split."];
  if (!summary.answered && !runs("evaluate"))
    return [
      `${summary.checkpoint} is not evaluated yet`,
      `Evaluate it on ${fmt.plural(summary.examples, "train example")}: its wrong answers appear here.`,
      { text: "Evaluate", run: launchEvaluate },
    ];
  if (summary.answered && !summary.failures && !runs("evaluate"))
    return [
      "No failures",
      `${summary.checkpoint} answers all ${fmt.number(summary.answered)} train examples correctly. Import a harder dataset.`,
      pageButton("data", "Data & models"),
    ];
  return null;
}

function steps() {
  const { summary, running } = shown();
  const job = (stage) => running.find((entry) => entry.stage === stage);
  const left = summary.failures - summary.diagnosed;
  return h(
    "div.steps",
    stepCard(
      "1  Evaluate",
      job("evaluate"),
      summary.answered >= summary.examples,
      `${fmt.number(summary.answered)} of ${fmt.plural(summary.examples, "train example")} evaluated`,
      "Evaluate the rest",
      launchEvaluate,
    ),
    (summary.unnamed > 0 || job("kinds")) &&
      stepCard(
        "Name kinds",
        job("kinds"),
        false,
        `${fmt.plural(summary.unnamed, "question")} without a kind`,
        "Name kinds",
        launchKinds,
        summary.failures > 0,
      ),
    stepCard(
      "2  Diagnose",
      job("diagnose"),
      summary.failures > 0 && !left,
      `${fmt.number(summary.diagnosed)} of ${fmt.plural(summary.failures, "failure")} diagnosed`,
      `Diagnose ${fmt.number(left)}`,
      launchDiagnose,
    ),
    stepCard(
      "3  Cluster",
      job("cluster"),
      false,
      "titled groups and a map",
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

function cost(button, stage) {
  const span = h("span", costs.get(button) ?? "");
  if (!costs.has(button)) {
    costs.set(button, "");
    estimate(stage, {}).then(
      (estimated) => {
        costs.set(button, costText(estimated));
        span.textContent = costs.get(button);
      },
      () => {},
    );
  }
  return span;
}

const pageButton = (name, text) => ({ text, run: () => state.go(name) });
