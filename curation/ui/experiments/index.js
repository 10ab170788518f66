// The Experiments page: what is to be compared and what it takes (left), an experiment as it goes and what it shows (right).

import { api, ask, at, fmt, h, keys, state, toast, toButton } from "../shared/lib.js";
import { planner, pollFollower } from "../shared/plan_form.js";
import { drawArms, drawForm, drawLaunch, drawPlan, startForm } from "./form.js";
import { drawShown } from "./shown.js";
import { loadShown, readForm, shownChanged, view } from "./state.js";

let root;
let launching = false;

keys("experiments", [
  toButton("#page-experiments [data-launch] .btn", "go to the button that starts the experiment"),
  { name: "score", key: "l", what: "strict or lenient scores", run: () => state.set({ score: state.one("score") ? null : "lenient" }) },
]);

export function start(element) {
  root = element;
  startForm();
}

export async function show() {
  if (!view.choices) await loadChoices();
  drawForm(at(root, "form"), view);
  drawLeft();
  await Promise.all([replan(), loadList(), loadShown()]);
}

const loadChoices = async () => {
  view.choices = await api("experiments/choices", {});
};

const replan = planner(view, "experiments/plan", () => readForm(view.choices), drawLeft);

shownChanged.on(() => drawShown(root, view));

async function loadList() {
  view.list = await api("experiments/list");
}

export const tick = pollFollower(view, "experiments", {
  reload: () => Promise.all([loadChoices(), loadList(), replan(true)]),
  draw: drawLeft,
  job: () => view.shown,
  loadJob: loadShown,
});

function drawLeft() {
  const { choices } = view;
  const checkpoint = readForm(choices).options.checkpoint ?? choices.checkpoint;
  at(root, "from").textContent = checkpoint ? `from ${checkpoint}` : "";
  const ready = Boolean(choices.round);
  for (const name of ["form", "arms", "launch"]) at(root, name).hidden = !ready;
  drawArms(at(root, "arms"), view);
  drawPlan(at(root, "plan"), view);
  drawLaunch(at(root, "launch"), view, launch);
}

// Starts the runs; where samples are missing, what generates them first, once people have agreed to what that costs.
async function launch() {
  const { plan, choices, problem } = view;
  if (!plan || problem || launching) return;
  const generates = plan.obstacle && plan.generation.batches.length && !plan.generation.obstacle;
  if (plan.obstacle && !generates) return;
  const body = readForm(choices);
  if (generates && !(await agreed(plan.generation))) return;
  launching = true;
  try {
    const started = await api("experiments/start", { ...body, generation: generates ? body.generation : null });
    toast(
      started.stage === "experiment"
        ? `Job ${started.job_id}: the experiment runs`
        : `Job ${started.job_id} generates what is missing; the experiment follows by itself`,
      { kind: "good" },
    );
    document.dispatchEvent(new CustomEvent("mb:poll"));
    state.set({ job: started.job_id });
    await loadList();
  } finally {
    launching = false;
  }
}

function agreed({ batches, calls, usd, billed, host }) {
  const cost = billed ? fmt.usdRange(usd) : "free: the built-in teacher is used";
  const text = [
    ...batches.map((one) =>
      h("p", `${one.source}: ${fmt.plural(one.missing, "sample")} missing, ${fmt.number(one.asked)} are asked for, drawn and filtered.`),
    ),
    h("p.dim", `About ${fmt.plural(calls, "call")}, ${cost}.`),
    host && h("p.dim", `Images and questions go to ${host}.`),
  ];
  return ask("Generate what is missing first?", text, "Generate and start");
}
