// Launching a job with its estimate beside it: the same dialog on every page.

import { api } from "./api.js";
import { fill, h } from "./dom.js";
import { endpointList, endpointPick, SETTINGS } from "./endpoint_picker.js";
import { costTable } from "./filter_costs.js";
import * as fmt from "./format.js";
import { mayLeave } from "./host_consent.js";
import { dialog, toast } from "./overlays.js";
import { form } from "./schema_form.js";
import { later } from "./timing.js";
import { state } from "./url_state.js";

/** @import { Estimate, Job, Stage, Values } from "./types.js" */

/** @type {Promise<Stage[]> | undefined} */
let stages;
/**
 * All stages with their options' schemas, asked for once.
 * @returns {Promise<Stage[]>}
 */
export const stageList = () => (stages ??= api("stages", undefined, { quiet: true }));
document.addEventListener("mb:endpoints", () => {
  stages = undefined;
}); // their defaults name the endpoint that they ask

/**
 * What a launch would take, or null where that can't be told (nothing to do, say).
 * @param {string} stage
 * @param {Values} options
 * @returns {Promise<Estimate>}
 */
export const estimate = (stage, options) => api("estimate", { stage, options }, { quiet: true });

/**
 * What an estimate's calls cost: "$0.40 – 1.20", "unpriced", or "free" where the built-in teacher is asked; "" without calls.
 * @param {Estimate} estimated
 */
export const priceText = (estimated) => (!estimated.calls ? "" : estimated.billed ? fmt.usdRange(estimated.usd) : "free");

/**
 * "412 failures · about 824 calls · $1.90 · 4 min"
 * @param {Estimate} estimated
 * @param {string} [noun]
 * @param {boolean} [price]
 */
function estimateText(estimated, noun = "row", price = true) {
  const parts = [
    fmt.plural(estimated.rows, noun),
    estimated.calls ? `about ${fmt.plural(estimated.calls, "call")}` : null,
    price ? priceText(estimated) : null,
    estimated.detail?.rendered ? `${fmt.number(estimated.detail.rendered)} rendered from specs here, $0` : null,
  ];
  return [...parts, estimated.seconds ? `about ${fmt.duration(estimated.seconds)}` : null].filter(Boolean).join(" · ");
}

/**
 * Launches at once, with what shall follow by itself ([{stage, options}]); tells what was started, and gives back the job.
 * `estimated` is its estimate, where that is known: it names the other machine that something would go to.
 * @param {string} stage
 * @param {Values} options
 * @param {object[]} [then]
 * @param {{host: string | null} | null} [estimated]
 * @returns {Promise<Job>}
 */
export async function start(stage, options, then = [], estimated = null) {
  const sends = (await stageList()).find((entry) => entry.name === stage)?.sends;
  const { host } = estimated ?? (sends ? await estimate(stage, options) : { host: null });
  const what = stage === "draw" ? "image prompts" : "images and questions of this workspace";
  if (!(await mayLeave(host, what))) throw new Error(`nothing was sent to ${host}`);
  const job = await api("jobs", { stage, options, then });
  toast(`Job ${job.job_id} is queued: ${job.title ?? stage}`, { kind: "good", action: { text: "See jobs", run: () => state.go("jobs") } });
  document.dispatchEvent(new CustomEvent("mb:poll"));
  return job;
}

/**
 * Shows the estimate and the stage's options (all but `hidden`; those in `first` unfolded), then launches. Resolves to the job, or null.
 * @param {string} stage
 * @param {Values} [options]
 * @param {{title?: string, text?: string, noun?: string, hidden?: string[], first?: string[], button?: string, then?: object[]}} [more]
 * @returns {Promise<Job | null>}
 */
export function launch(
  stage,
  options = {},
  { title = stage, text = "", noun = "row", hidden = [], first = [], button = "Start", then = [] } = {},
) {
  return new Promise((resolve) => {
    const figure = h("div.num", "…");
    const figures = h("div.card", h("div.dim", "Estimate"), figure);
    const fields = h("div", { style: "margin-top:14px" });
    let values = options;
    let asked = 0;
    /** @type {{given?: Values, estimated?: Estimate}} */
    let known = {};
    const showEstimate = async () => {
      const mine = ++asked;
      try {
        const given = values,
          estimated = await estimate(stage, given);
        known = { given, estimated };
        if (mine !== asked) return;
        fill(
          figure,
          estimated.calls ? priceText(estimated) : fmt.plural(estimated.rows, noun),
          estimated.calls > 0 && !estimated.billed && h("small.dim", " built-in: nothing is billed"),
        );
        fill(figures, h("div.dim", "Estimate"), figure, h("div.dim", estimateText(estimated, noun, false)), costTable(estimated));
      } catch (error) {
        if (mine === asked) fill(figures, h("div.err", /** @type {Error} */ (error).message));
      }
    };
    const estimateLater = later(showEstimate, 300);
    /** @type {Job | null} */
    let launched = null;
    const go = async () => {
      const estimated = known.given === values ? (known.estimated ?? null) : null;
      // what was shown is what is launched, or nothing
      const expected = values.matching && estimated ? { expected: estimated.detail?.failures } : {};
      try {
        launched = await start(stage, { ...values, ...expected }, then, estimated);
      } catch {
        return false;
      }
    };
    const { element } = dialog(
      title,
      [text && h("p.dim", { style: "margin-bottom:10px" }, text), figures, fields],
      [{ text: "Cancel" }, { text: button, kind: "p", run: go }],
    );
    element.addEventListener("close", () => resolve(launched));
    showEstimate();
    stageList()
      .then(async (list) => {
        const { options: schema, defaults } = /** @type {Stage} */ (list.find((entry) => entry.name === stage));
        const further = Object.keys(schema.properties ?? {}).filter((name) => first.length && !first.includes(name));
        /** @type {Values} */
        const start = { ...defaults, ...options };
        const asks = "frontier" in (schema.properties ?? {});
        const changed = () => {
          values = { ...shown.values(), ...frontier?.values() };
          estimateLater();
        };
        const frontier = asks ? endpointPick(await endpointList(), schema, start, changed) : null;
        if (asks) for (const name of ["frontier", ...SETTINGS]) delete start[name];
        const shown = form(schema, start, changed, { except: [...hidden, ...(asks ? ["frontier", ...SETTINGS] : [])], advanced: further });
        if (first.length) return fill(fields, frontier?.element, shown.element);
        fill(
          fields,
          frontier?.element,
          h("details", h("summary.dim", { style: "cursor:pointer" }, "Options"), h("div", { style: "margin-top:10px" }, shown.element)),
        );
      })
      .catch(() => {
        stages = undefined;
      });
  });
}
