// Left column of Finetune: the snapshot, the mix, the recipe, what the preflight found.

import { chip, colour, definition, dot, emptyState, exportSamples, fill, fillOnce, fmt, h, isActive, pick, state } from "../shared/lib.js";
import { planRow } from "../shared/plan_form.js";
import { events } from "./run.js";
import { change } from "./state.js";

const inputs = {};

export function startForm() {
  for (const [name, step] of [
    ["epochs", "any"],
    ["rate", "any"],
  ])
    inputs[name] = h("input.in.short", {
      type: "number",
      id: `fine-${name}`,
      step,
      min: 0,
      oninput: () => change({ [name]: inputs[name].value || null }),
    });
  inputs.name = h("input.in", {
    id: "fine-name",
    spellcheck: "false",
    maxlength: 80,
    oninput: () => change({ name: inputs.name.value.trim() || null }),
  });
  inputs.replay = h("input", {
    type: "range",
    id: "fine-replay",
    min: 0,
    max: 0.9,
    step: 0.01,
    oninput: () => {
      shareText(Number(inputs.replay.value));
      change({ replay: inputs.replay.value });
    },
  });
  inputs.share = h("b.share");
  inputs.meaning = h("small.faint");
}

// The options of the stage as the form stands, and whether an evaluation follows.
export function readForm({ defaults }) {
  const number = (name) => (state.one(name) === null ? null : Number(state.one(name)));
  const options = {
    checkpoint: state.one("checkpoint"),
    name: state.one("name"),
    recipe: state.one("recipe") ?? defaults.recipe,
    replay_share: number("replay") ?? defaults.replay_share,
    epochs: number("epochs"),
    learning_rate: number("rate"),
    earlier_rounds: state.one("earlier") !== "0",
  };
  return { options, then: state.one("then") !== "0" };
}

function meaning(share) {
  if (share === 0) return "no replay: learns only the new samples, high risk of forgetting";
  if (share < 0.3) return "little replay: learns fast, some forgetting";
  if (share <= 0.65) return "balanced: learns with little forgetting";
  return "mostly replay: least forgetting, learns slowly";
}

function shareText(share) {
  inputs.share.textContent = fmt.percent(share);
  inputs.meaning.textContent = meaning(share);
}

export function drawSnapshot(element, { choices, plan }) {
  fillOnce(element, [choices.round, choices.waiting, plan && { ...plan, steps: 0, seconds: 0, replay: 0 }], () => {
    if (!choices.round)
      return emptyState("No checkpoint yet", "A finetune starts from a checkpoint. Begin on the Failures page.", {
        text: "Failures",
        run: () => state.go("failures"),
      });
    if (!plan) return h("div.card", h("div.dim", "Snapshot"), h("div.num.faint", "…"));
    if (!plan.samples) return nothing(choices.waiting);
    return h(
      "div.card.snap",
      h(
        "div.row",
        h("span.dim", "Snapshot"),
        h("span.grow"),
        h(
          "button.btn",
          { onclick: () => exportSamples(), title: "Writes approved samples in the format of a trainer: LLaVA, TRL, LLaMA-Factory, …" },
          "Export samples",
        ),
      ),
      h("div.num", fmt.plural(plan.samples, "sample")),
      h("p.dim", who(plan)),
      bar(plan.error_type),
      legend(plan.error_type),
      h("div.row.wrap.tight.gates", gates(plan)),
    );
  });
}

function nothing({ samples, pending, unfiltered, undrawn }) {
  if (!samples)
    return emptyState("No samples yet", "A run is trained on approved samples. Generate some first.", {
      text: "Generate samples",
      run: () => state.go("generate"),
    });
  if (pending)
    return emptyState("Nothing is approved yet", `${fmt.plural(pending, "sample")} have passed all filters and wait for review.`, {
      text: `Review ${fmt.number(pending)}`,
      run: () => state.go("review"),
    });
  const left = undrawn
    ? `${fmt.plural(undrawn, "sample")} have no image yet.`
    : `${fmt.plural(unfiltered, "sample")} are not filtered yet.`;
  return emptyState("Nothing can be approved yet", left, { text: "Generate", run: () => state.go("generate") });
}

const of = (list, value) => list.find((group) => group.value === value)?.samples ?? 0;

function who(plan) {
  const people = of(plan.status, "approved");
  const rule = of(plan.status, "auto_approved");
  const routes = plan.route.map((group) => `${fmt.number(group.samples)} ${group.value.replaceAll("_", " ")}`).join(", ");
  return `${fmt.number(people)} approved by reviewers, one by one or in bulk${rule ? `, ${fmt.number(rule)} by a rule` : ""} · ${routes}`;
}

const bar = (types) =>
  h(
    "div.stack",
    types.map((group) =>
      h("i", { style: { flex: group.samples, background: colour(group.value) }, title: `${group.value}: ${group.samples}` }),
    ),
  );
const legend = (types) =>
  h(
    "div.fine-types",
    types.map((group) =>
      h("span", { title: definition(group.value) }, dot(group.value), group.value, h("span.dim", fmt.number(group.samples))),
    ),
  );

// Whether anything of it could leak from eval, and where it comes from.
function gates({ leaks, dataset }) {
  const gate = !leaks
    ? chip("leakage: filter is off", {
        kind: "wa",
        title: "The leakage filter is disabled: samples were not compared with the eval splits",
      })
    : leaks.leaking
      ? chip(`${fmt.number(leaks.leaking)} fail the leakage filter`, {
          kind: "no",
          title: "Approved although the leakage filter found them in an eval split. Click to open them.",
          onclick: () => state.go("review", { status: ["approved"], failing: "leakage" }),
        })
      : leaks.unjudged
        ? chip(`leakage: ${fmt.number(leaks.unjudged)} not checked`, {
            kind: "wa",
            title: "Approved before the leakage filter ran on them: run the filters",
          })
        : chip("no leakage", { kind: "ok", title: "No sample matches an example of an eval split" });
  return [gate, dataset.map((group) => chip([group.value, h("span.dim", fmt.number(group.samples))]))];
}

export function drawForm(element, { choices }) {
  const { options, then } = readForm(choices);
  const recipe = choices.recipes[options.recipe] ?? Object.values(choices.recipes)[0];
  const active = document.activeElement;
  const put = (name, value) => {
    if (active !== inputs[name]) inputs[name].value = value ?? "";
  };
  put("epochs", options.epochs);
  put("rate", options.learning_rate);
  put("name", options.name);
  put("replay", options.replay_share);
  shareText(Number(inputs.replay.value));
  inputs.epochs.placeholder = recipe.epochs;
  inputs.rate.placeholder = recipe.learning_rate;
  inputs.name.placeholder = "from round and job";
  const recipes = Object.entries(choices.recipes).map(([value, recipe]) => ({
    value,
    text: `${value} · LoRA r${recipe.r}, batch ${recipe.batch_size}`,
  }));
  const checkpoints = choices.checkpoints.map((value) => ({ value, text: value === choices.checkpoint ? `${value} (this round)` : value }));
  const check = (name, on, text, title) =>
    h(
      "label.row",
      { title },
      h("input", {
        type: "checkbox",
        checked: on,
        onchange: (event) => state.set({ [name]: event.target.checked ? null : "0" }, { replace: true }),
      }),
      text,
    );
  fill(
    element,
    planRow("Replay share", [h("div.replay", inputs.replay, inputs.share), inputs.meaning], null, inputs.replay),
    checkpoints.length > 1 &&
      planRow(
        "From",
        pick(
          checkpoints,
          options.checkpoint ?? choices.checkpoint,
          (value) => state.set({ checkpoint: value === choices.checkpoint ? null : value }, { replace: true }),
          { title: "Checkpoint to train from" },
        ),
      ),
    planRow(
      "Recipe",
      pick(recipes, options.recipe, (value) => state.set({ recipe: value === choices.defaults.recipe ? null : value }, { replace: true }), {
        title: "Recipe",
      }),
    ),
    planRow("Epochs", inputs.epochs, null, inputs.epochs),
    planRow("Learning rate", inputs.rate, null, inputs.rate),
    planRow("Name", inputs.name, null, inputs.name),
    choices.round > 1 && planRow("", check("earlier", options.earlier_rounds, "also approvals of earlier rounds")),
    planRow(
      "",
      check(
        "then",
        then,
        "then evaluate on eval",
        "Evaluates the new checkpoint on the eval split, and looks for the samples nearest to what it fixed and broke: for Results",
      ),
    ),
  );
  if (active && active !== document.activeElement && element.contains(active)) active.focus();
}

export function drawMix(element, { plan, problem, choices }) {
  fillOnce(element, [plan?.samples, plan?.replay, plan?.steps, plan?.seconds, plan?.reason, problem], () => {
    if (problem) return h("div.card.bad", h("p.err", problem));
    if (!plan?.samples) return null;
    const wanted = readForm(choices).options.replay_share;
    const got = plan.replay / Math.max(plan.samples + plan.replay, 1);
    const short =
      wanted - got > 0.02 &&
      h("p.small.faint", `Less replay than set: the checkpoint answers only ${fmt.plural(plan.replay, "matching example")} correctly.`);
    return h(
      "div.card.mix",
      h(
        "div.row",
        figure(plan.samples, "samples"),
        h("span.op", "+"),
        figure(plan.replay, "replay"),
        h("span.op", "→"),
        figure(plan.steps, "steps"),
        h("span.grow"),
        figure(
          plan.seconds ? `≈ ${fmt.duration(plan.seconds)}` : "?",
          plan.seconds ? "based on the last run" : "unknown before the first run",
        ),
      ),
      short,
      plan.reason && h("p.err", `Can't launch: ${plan.reason}`),
    );
  });
}

const figure = (value, text) => h("div.figure", h("b", typeof value === "number" ? fmt.number(value) : value), h("small.dim", text));

// The checks of the run that is shown: they are made before a run spends time.
export function drawPreflight(element, { run, plan }) {
  const checks = events.preflight;
  fillOnce(element, [checks, run?.job.job_id, run?.job.status, plan?.samples > 0], () => {
    if (!plan?.samples && !checks) return null;
    if (!checks)
      return [
        h("h4", "Preflight"),
        h(
          "p.dim.small",
          isActive(run?.job)
            ? "Checks run as soon as the model is loaded."
            : "Before training, the run checks its rows, token lengths, labels, image tokens, one real step, " +
                "that the adapter changes the answers, and time and memory. A failed check stops the run.",
        ),
      ];
    const bad = checks.filter((check) => !check.ok).length;
    return [
      h("h4", `Preflight of job ${run.job.job_id}${bad ? ` · ${bad} failed` : ""}`),
      h(
        "ul.checks",
        checks.map((check) =>
          h(
            "li",
            chip(check.ok ? "✓" : "✕", { kind: check.ok ? "ok" : "no" }),
            h("span", h("b", check.name), " ", h("span", { class: check.ok ? "dim" : "err" }, check.detail)),
          ),
        ),
      ),
    ];
  });
}

export function drawLaunch(element, { plan, choices, problem }, launch) {
  const can = Boolean(plan?.samples) && !plan.reason && !problem;
  fillOnce(
    element,
    [can, plan?.samples > 0, choices.round],
    () =>
      plan?.samples > 0 && [
        h(
          "button.btn.p",
          { disabled: !can, onclick: () => launch(), title: plan.reason ?? "Freezes the snapshot and trains a LoRA on it" },
          "Launch finetune",
          h("kbd", "b"),
        ),
      ],
  );
  element.hidden = !element.childNodes.length;
}
