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

let stages;
// All stages with their options' schemas, asked for once.
export const stageList = () => (stages ??= api("stages", undefined, { quiet: true }));
document.addEventListener("mb:endpoints", () => {
  stages = undefined;
}); // their defaults name the endpoint that they ask

// What a launch would take, or null where that can't be told (nothing to do, say).
export const estimate = (stage, options) => api("estimate", { stage, options }, { quiet: true });

// What an estimate's calls cost: "$0.40 – 1.20", "unpriced", or "free" where the built-in teacher is asked; "" without calls.
export const priceText = (found) => (!found.calls ? "" : found.billed ? fmt.usdRange(found.usd) : "free");

// "412 failures · about 824 calls · $1.90 · 4 min"
function estimateText(found, noun = "row", price = true) {
  const parts = [
    fmt.plural(found.rows, noun),
    found.calls ? `about ${fmt.plural(found.calls, "call")}` : null,
    price ? priceText(found) : null,
  ];
  return [...parts, found.seconds ? `about ${fmt.duration(found.seconds)}` : null].filter(Boolean).join(" · ");
}

// Launches at once, with what shall follow by itself ([{stage, options}]); tells what was started, and gives back the job.
// `found` is its estimate, where that is known: it names the other machine that something would go to.
export async function start(stage, options, then = [], found = null) {
  const { sends } = (await stageList()).find((one) => one.name === stage);
  const { host } = found ?? (sends ? await api("estimate", { stage, options }) : {});
  const what = stage === "draw" ? "image prompts" : "pictures and questions of this workspace";
  if (!(await mayLeave(host, what))) throw new Error(`nothing was sent to ${host}`);
  const job = await api("jobs", { stage, options, then });
  toast(`Job ${job.job_id} is queued: ${job.title ?? stage}`, { kind: "good", action: { text: "See jobs", run: () => state.go("jobs") } });
  document.dispatchEvent(new CustomEvent("mb:poll"));
  return job;
}

// Shows the estimate and the stage's options (all but `hidden`; those in `first` unfolded), then launches. Resolves to the job, or null.
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
    let known = {};
    const reckon = async () => {
      const mine = ++asked;
      try {
        const given = values,
          found = await estimate(stage, given);
        known = { given, found };
        if (mine !== asked) return;
        fill(
          figure,
          found.calls ? priceText(found) : fmt.plural(found.rows, noun),
          found.calls > 0 && !found.billed && h("small.dim", " built-in: nothing is billed"),
        );
        fill(figures, h("div.dim", "Estimate"), figure, h("div.dim", estimateText(found, noun, false)), costTable(found));
      } catch (error) {
        if (mine === asked) fill(figures, h("div.err", error.message));
      }
    };
    const reckonLater = later(reckon, 300);
    let launched = null;
    const go = async () => {
      try {
        launched = await start(stage, values, then, known.given === values ? known.found : null);
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
    reckon();
    stageList()
      .then(async (list) => {
        const { options: schema, defaults } = list.find((one) => one.name === stage);
        const others = Object.keys(schema.properties ?? {}).filter((name) => first.length && !first.includes(name));
        const start = { ...defaults, ...options };
        const asks = "frontier" in (schema.properties ?? {});
        const changed = () => {
          values = { ...shown.values(), ...frontier?.values() };
          reckonLater();
        };
        const frontier = asks ? endpointPick(await endpointList(), schema, start, changed) : null;
        if (asks) for (const name of ["frontier", ...SETTINGS]) delete start[name];
        const shown = form(schema, start, changed, { except: [...hidden, ...(asks ? ["frontier", ...SETTINGS] : [])], advanced: others });
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
