// Left column of Experiments: what is compared, what each arm has, what the whole takes.

import { emptyState, fill, fillOnce, fmt, h, pick, state } from "../shared/lib.js";
import { change, chosenArms, readForm } from "./state.js";

const FIELDS = [
  ["n", "Samples N", 1, "that each arm is trained on"],
  ["seeds", "Seeds", 1, "runs of each arm"],
  ["steps", "Steps", 1, "optimiser steps of each run"],
  ["replay", "Replay", 0, "rows, the same for all arms"],
  ["rate", "Learning rate", 0, ""],
  ["budget", "Budget", 0, "dollars for generating what is missing"],
];
const inputs = {};

export function startForm() {
  for (const [name, , min] of FIELDS)
    inputs[name] = h("input.in.short", {
      type: "number",
      id: `exp-${name}`,
      min,
      step: ["rate", "budget"].includes(name) ? "any" : 1,
      oninput: () => change({ [name]: inputs[name].value || null }),
    });
}

const row = (label, content, control = null) => h("div.exp-row", h("label", { for: control?.id ?? null }, label), h("div.exp-in", content));

export function drawForm(element, { choices }) {
  const { defaults } = choices;
  const active = document.activeElement;
  for (const [name] of FIELDS) if (active !== inputs[name]) inputs[name].value = state.one(name) ?? "";
  Object.entries({
    n: defaults.n,
    seeds: defaults.seeds,
    steps: "6 epochs",
    replay: "3 a sample",
    rate: "recipe's",
    budget: "none",
  }).forEach(([name, text]) => {
    inputs[name].placeholder = text;
  });
  const chosen = (name, value) => state.set({ [name]: value }, { replace: true });
  const accept = [
    { value: "passed", text: "pass every filter" },
    { value: "approved", text: "are approved" },
  ];
  fill(
    element,
    choices.checkpoints.length > 1 &&
      row(
        "From",
        pick(
          choices.checkpoints,
          state.one("checkpoint") ?? choices.checkpoint,
          (value) => chosen("checkpoint", value === choices.checkpoint ? null : value),
          { title: "Checkpoint to train from" },
        ),
      ),
    FIELDS.map(([name, label, , about]) => row(label, [inputs[name], h("small.faint", about)], inputs[name])),
    row(
      "Targeted",
      pick(accept, state.one("accept") ?? defaults.accept, (value) => chosen("accept", value === defaults.accept ? null : value), {
        title: "Which targeted samples count",
      }),
    ),
    choices.recipes.length > 1 &&
      row(
        "Recipe",
        pick(
          choices.recipes,
          state.one("recipe") ?? defaults.recipe,
          (value) => chosen("recipe", value === defaults.recipe ? null : value),
          {
            title: "Recipe",
          },
        ),
      ),
    row(
      "",
      h(
        "label.row",
        h("input", {
          type: "checkbox",
          checked: state.one("lower") === "1",
          onchange: (event) => chosen("lower", event.target.checked ? "1" : null),
        }),
        "lower N for all arms where one has fewer",
      ),
    ),
  );
  if (active && active !== document.activeElement && element.contains(active)) active.focus();
}

export function drawArms(element, { choices, plan }) {
  const chosen = chosenArms(choices);
  fillOnce(element, [choices.arms, chosen, plan?.plan.arms, plan?.plan.samples], () => {
    const planned = Object.fromEntries((plan?.plan.arms ?? []).map((arm) => [arm.arm, arm]));
    const without = (name, out) => {
      const left = new Set(choices.arms.map((arm) => arm.name).filter((arm) => !chosen.includes(arm)));
      if (out) left.add(name);
      else left.delete(name);
      state.set({ without: [...left] }, { replace: true });
    };
    return h(
      "div.card.rows.arms-in",
      h(
        "table",
        h("thead", h("tr", h("th", "arm"), h("th.r", { title: "Rows in its pool" }, "has"), h("th.r", "missing"))),
        h(
          "tbody",
          choices.arms.map((arm) => {
            const own = planned[arm.name];
            return h(
              "tr",
              h(
                "td",
                h(
                  "label",
                  { title: arm.about },
                  h("input", {
                    type: "checkbox",
                    checked: chosen.includes(arm.name),
                    onchange: (event) => without(arm.name, !event.target.checked),
                  }),
                  arm.title,
                ),
              ),
              h("td.r.dim", own && own.have !== null ? fmt.number(own.have) : ""),
              h("td.r", own?.short ? h("span.err", fmt.number(own.short)) : ""),
            );
          }),
        ),
      ),
    );
  });
}

const figure = (value, text) => h("div.figure", h("b", value), h("small.dim", text));

export function drawPlan(element, { plan, problem, choices }) {
  fillOnce(element, [plan, problem, choices.round], () => {
    if (!choices.round)
      return emptyState("No checkpoint yet", "An experiment starts from a checkpoint. Begin on the Failures page.", {
        text: "Failures",
        run: () => state.go("failures"),
      });
    if (problem) return h("div.card.plan.bad", h("p.err", problem));
    if (!plan) return null;
    const made = plan.plan;
    return h(
      "div.card.plan",
      { class: plan.obstacle ? "bad" : "" },
      h(
        "div.row.wrap",
        figure(fmt.number(made.samples), made.asked === made.samples ? "samples an arm" : `of ${fmt.number(made.asked)} asked for`),
        figure(fmt.number(made.replay), "replay"),
        figure(fmt.number(made.steps), "steps"),
        figure(fmt.number(made.runs), `runs, ${made.parallel} at a time`),
        figure(`≈ ${fmt.duration(made.seconds)}`, made.measured ? "by earlier runs here" : "not measured here yet"),
      ),
      made.replay < made.replay_asked &&
        h("p.small.faint", `Less replay than asked for (${fmt.number(made.replay_asked)}): no more examples are answered right.`),
      h("p.small.faint", `Measured on ${fmt.plural(made.eval, "eval example")}.`),
      made.lacking.length > 0 &&
        h(
          "p.small.faint",
          "Missing for the quotas of +N targeted, others take their place: ",
          made.lacking.map((lack) => `${lack.title}: ${fmt.number(lack.missing)} of ${fmt.number(lack.quota)}`).join("; "),
          ".",
        ),
      plan.obstacle && h("p.err", plan.obstacle),
      plan.obstacle && ahead(plan.generation),
    );
  });
}

// What generating the missing samples would take.
function ahead({ batches, calls, usd, billed, obstacle, budget_usd: budget }) {
  if (obstacle) return h("p.err", obstacle);
  const asked = batches.map((one) => `${fmt.number(one.asked)} ${one.source}`).join(" and ");
  const cost = billed ? fmt.usdRange(usd) : "free: the built-in teacher is used";
  const over = billed && budget !== null && usd && usd[1] > budget;
  return [
    h("p", `Generating them first asks for ${asked} samples: about ${fmt.plural(calls, "call")}, ${cost}.`),
    over && h("p.err", `That may exceed the budget of ${fmt.usd(budget)}: its jobs then pause, and can be resumed with another limit.`),
  ];
}

export function drawLaunch(element, { plan, problem, choices }, launch) {
  const generates = plan?.obstacle && plan.generation.batches.length > 0 && !plan.generation.obstacle;
  const can = Boolean(plan) && !problem && (!plan.obstacle || generates) && readForm(choices).options.arms.length > 0;
  fillOnce(element, [can, generates, plan?.obstacle], () =>
    h(
      "button.btn.p",
      { disabled: !can, onclick: () => launch(), title: plan?.obstacle ?? "Trains and measures every arm with every seed, as one job" },
      generates ? "Generate and start…" : "Start experiment",
      h("kbd", "b"),
    ),
  );
}
