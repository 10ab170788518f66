// What the Experiments page shows, and what its form writes into the URL.

import { listeners, state } from "../shared/lib.js";
import { jobLoader, typing } from "../shared/plan_form.js";

export const view = { choices: null, plan: null, problem: null, busy: false, shown: null, list: [] };
export const shownChanged = listeners();

// Writes form fields into the URL; the plan follows.
export const change = typing(250);

/** @typedef {{arms: {name: string, title: string, about: string}[], defaults: {accept: string}, checkpoint: string | null}} Choices */

/** @type {Record<string, string>} the option of the stage, by the name in the URL */
const NUMBERS = { n: "n", seeds: "seeds", steps: "steps", replay: "replay", rate: "learning_rate" };

/**
 * The arms that the form has chosen, in the order of the server's list.
 * @param {Choices} choices
 */
export function chosenArms({ arms }) {
  const left = state.list("without");
  return arms.map((arm) => arm.name).filter((name) => !left.includes(name));
}

/**
 * The body of experiments/plan and experiments/start as the form stands.
 * @param {Choices} choices
 */
export function readForm(choices) {
  /** @type {Record<string, any> & {arms: string[]}} */
  const options = {
    arms: chosenArms(choices),
    accept: state.one("accept") ?? choices.defaults.accept,
    lower_n: state.one("lower") === "1",
  };
  for (const [name, option] of Object.entries(NUMBERS)) if (state.one(name) !== null) options[option] = Number(state.one(name));
  if (state.one("checkpoint")) options.checkpoint = state.one("checkpoint");
  if (state.one("recipe")) options.recipe = state.one("recipe");
  const budget = state.one("budget");
  return { options, generation: { budget_usd: budget === null ? null : Number(budget) } };
}

export const what = () => ({
  score: state.one("score") ?? "strict",
  reference: state.one("reference"),
  arm: state.one("arm"),
});

export const loadShown = jobLoader(view, "shown", "experiments/experiment", shownChanged.tell, what);
