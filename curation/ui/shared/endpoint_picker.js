// Frontier endpoints that have a name: the list that all launches share, and the picker of a launch.

import { api } from "./api.js";
import { fill, h } from "./dom.js";
import { hostText } from "./host_consent.js";
import { form } from "./schema_form.js";
import { pick } from "./widgets.js";

/** @import { Endpoint, Schema, Stage, Values } from "./types.js" */

// What an endpoint fills in where a launch doesn't: these are shown only where no named endpoint is chosen.
export const SETTINGS = ["endpoint", "model", "api_key_env", "concurrency", "endpoint_options"];
const OTHER = "\u0000other"; // no endpoint can be called that

/** @type {Promise<{endpoints: Endpoint[], schema: Schema, stages: Record<string, string>, file: string}> | undefined} */
let known;
// {endpoints, stages, schema, file}, asked for once; a change of the list asks anew.
export const endpointList = () =>
  (known ??= api("endpoints/list", {}, { quiet: true }).catch((error) => {
    known = undefined;
    throw error;
  }));
/**
 * After a change: what any page shows of endpoints is asked for again.
 * @param {Awaited<NonNullable<typeof known>>} list
 */
export function endpointsChanged(list) {
  known = Promise.resolve(list);
  document.dispatchEvent(new CustomEvent("mb:endpoints"));
}

/**
 * "strong · gpt-5 at api.openai.com"
 * @param {Endpoint} endpoint
 */
export const endpointText = ({ name, endpoint, model, host }) =>
  endpoint === "pocket-teacher"
    ? `${name ?? model} (built-in)`
    : `${name ? `${name} · ` : ""}${model} at ${host ?? endpoint.replace(/^https?:\/\//, "").replace(/\/v1$/, "")}`;

/**
 * The named endpoint that these options mean, if any.
 * @template {{name?: string, endpoint: string, model: string}} E
 * @param {E[]} endpoints
 * @param {Values} options
 */
export const endpointOf = (endpoints, options) =>
  endpoints.find((endpoint) =>
    options.frontier ? endpoint.name === options.frontier : endpoint.endpoint === options.endpoint && endpoint.model === options.model,
  );

/**
 * A picker for the options of a stage: {element, values()}: {frontier} or the settings of an endpoint without a name.
 * @param {{endpoints: Endpoint[]}} list
 * @param {Schema} schema
 * @param {Values} options
 * @param {() => unknown} onChange
 */
export function endpointPick({ endpoints }, schema, options, onChange) {
  let chosen = endpointOf(endpoints, options)?.name ?? OTHER;
  const own = form(
    schema,
    Object.fromEntries(SETTINGS.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined)),
    onChange,
    { only: SETTINGS, advanced: ["concurrency", "endpoint_options"] },
  );
  const about = h("div.hint"),
    unnamed = h("div.form");
  const draw = () => {
    const endpoint = endpoints.find((entry) => entry.name === chosen);
    fill(
      about,
      endpoint
        ? [hostText(endpoint.host), !endpoint.key_there && h("span.err", ` · ${endpoint.api_key_env} is not set`)]
        : "used for this launch only",
    );
    fill(unnamed, !endpoint && own.element);
  };
  const select = pick(
    [...endpoints.map((endpoint) => ({ value: endpoint.name, text: endpointText(endpoint) })), { value: OTHER, text: "Another endpoint…" }],
    chosen,
    (value) => {
      chosen = value;
      draw();
      onChange();
    },
    { title: "Frontier endpoint", cls: "in" },
  );
  select.id = `frontier-${Math.random().toString(36).slice(2, 8)}`;
  draw();
  return {
    element: h(
      "div.form",
      { style: "margin-bottom:10px" },
      h("div.field", h("label", { for: select.id }, "Endpoint"), h("div", select), about),
      unnamed,
    ),
    values: () => (chosen === OTHER ? { frontier: null, ...own.values() } : { frontier: chosen }),
  };
}
