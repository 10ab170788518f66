// The form of Generate, kept in the URL: clusters, samples per failure, route, models, budget.

import { endpointOf } from "../shared/endpoint_picker.js";
import { chip, colour, dialog, dot, endpointText, fill, fmt, h, form as optionsForm, pick, state } from "../shared/lib.js";
import { planRow } from "../shared/plan_form.js";
import { change, chosenClusters, selection, view } from "./state.js";

// Names in the URL of what the form holds, and the options they stand for.
const FIELDS = {
  per: "per_failure",
  images: "images_per_prompt",
  limit: "limit",
  budget: "budget_usd",
  route: "route",
  difficulty: "difficulty",
  contrasts: "contrasts",
  split: "split",
};
const ROUTES = [
  ["same_image", "Same image", "New questions about the failed example's image"],
  ["new_image", "New image", "A question with an image prompt; the image is then generated"],
  ["both", "Both", "Both routes for each failure"],
];
const DIFFICULTIES = [
  { value: "as_seed", text: "as the seed" },
  { value: "easier", text: "easier" },
  { value: "harder", text: "harder" },
];
const SPLITS = [
  { value: "failures", text: "by share of the failures" },
  { value: "equal", text: "the same for each cluster" },
];
const ACCEPTED = { value: "accepted", text: "as accepted on Results" };
const splits = ({ accepted }) => (accepted ? [ACCEPTED, ...SPLITS] : SPLITS);
const quotaList = ({ quotas }) =>
  Object.entries(quotas)
    .map(([name, samples]) => `${name} ${samples}`)
    .join(", ");
const OTHER = "other";

const inputs = {}; // those that keep their place while the rest is drawn anew

export function startForm() {
  for (const name of ["per", "images", "contrasts", "limit", "budget"])
    inputs[name] = h("input.in.short", {
      type: "number",
      id: `gen-${name}`,
      step: name === "budget" ? "any" : 1,
      min: name === "budget" || name === "contrasts" ? 0 : 1,
      oninput: () => change({ [name]: inputs[name].value || null }),
    });
  for (const name of ["endpoint", "model", "drawer", "drawmodel"])
    inputs[name] = h("input.in", {
      id: `gen-${name}`,
      spellcheck: "false",
      oninput: () => change({ [name]: inputs[name].value.trim() || null }),
    });
  inputs.limit.placeholder = "all";
  inputs.budget.placeholder = "none";
  inputs.endpoint.placeholder = "https://…/v1";
  inputs.model.placeholder = "model";
  inputs.drawmodel.placeholder = "folder or hub name";
}

// Further options of the image generator, in the URL as JSON (which somebody may have shortened): a server's address, size, steps …
function drawWith() {
  try {
    return JSON.parse(state.one("drawwith") ?? "{}");
  } catch {
    return {};
  }
}

const written = (options) => (Object.keys(options).length ? JSON.stringify(options) : null);

// Whom generate asks: an endpoint with a name, or an address and a model.
function whom(defaults) {
  const name = state.one("frontier") ?? (state.one("endpoint") || state.one("model") ? null : defaults.frontier);
  return name ? { frontier: name } : { endpoint: state.one("endpoint") ?? defaults.endpoint, model: state.one("model") ?? defaults.model };
}

// The form as the stages take it: {options, judging, draw, then}.
export function readForm(choices) {
  const { defaults } = choices;
  const number = (name) => (state.one(name) === null ? defaults[FIELDS[name]] : Number(state.one(name)));
  const budget_usd = number("budget");
  const asked = whom(defaults);
  // where none is named, the server says whom the stage asks
  const frontier = { ...(state.one("frontier") || state.one("endpoint") || state.one("model") ? asked : {}), budget_usd };
  const judge = state.one("judge");
  const judging = { ...(judge ? { frontier: judge } : choices.judges.frontier ? {} : asked), budget_usd };
  const options = {
    per_failure: number("per"),
    images_per_prompt: number("images"),
    limit: number("limit"),
    route: state.one("route") ?? defaults.route,
    difficulty: state.one("difficulty") ?? defaults.difficulty,
    contrasts: number("contrasts"),
    split: state.one("split") ?? defaults.split,
    ...frontier,
  };
  const [first] = choices.generators;
  const generator = state.one("drawer") ?? first.generator;
  const model =
    state.one("drawmodel") ?? (generator === first.generator ? first.model : choices.plugins[generator]?.properties.model.default);
  const draw = { generator, model, generator_options: drawWith(), budget_usd };
  return { options, judging, draw, then: state.one("then") !== "0" };
}

export function drawForm(element, { choices }) {
  const form = readForm(choices);
  const { options, draw } = form;
  for (const [name, option] of Object.entries(FIELDS)) {
    const input = inputs[name];
    if (!input || document.activeElement === input) continue;
    input.value = options[option] ?? "";
    const { minimum, maximum } = choices.limits[option] ?? {};
    if (minimum !== undefined) input.min = minimum;
    if (maximum !== undefined) input.max = maximum;
  }
  const route = h(
    "div.seg",
    { role: "radiogroup", "aria-label": "Route" },
    ROUTES.map(([value, text, title]) =>
      h(
        "button.btn",
        {
          class: value === options.route ? "on" : "",
          role: "radio",
          "aria-checked": String(value === options.route),
          title,
          onclick: () => state.set({ route: value === choices.defaults.route ? null : value }, { replace: true }),
        },
        text,
      ),
    ),
  );
  const then = h(
    "label.row",
    h("input", {
      type: "checkbox",
      checked: form.then,
      onchange: (event) => state.set({ then: event.target.checked ? null : "0" }, { replace: true }),
    }),
    "then draw and filter automatically",
  );
  const active = document.activeElement;
  fill(
    element,
    planRow("Clusters", clusterChips(choices)),
    state.one("choose") && clusterList(choices),
    planRow("Samples per failure", inputs.per, options.route === "both" ? "per route" : null, inputs.per),
    planRow("Route", route),
    planRow(
      "Difficulty",
      pick(
        DIFFICULTIES,
        options.difficulty,
        (value) => state.set({ difficulty: value === choices.defaults.difficulty ? null : value }, { replace: true }),
        { title: "Difficulty" },
      ),
      "relative to the failed question",
    ),
    options.route !== "same_image" && planRow("Images per prompt", inputs.images, "each image becomes a sample", inputs.images),
    planRow("Contrasts", inputs.contrasts, "of these: ask the opposite of another sample, so that it is not lost", inputs.contrasts),
    planRow("Maximum failures", inputs.limit, "each cluster gets a quota", inputs.limit),
    (options.limit || choices.accepted) &&
      planRow(
        "Quotas",
        [
          pick(
            splits(choices),
            options.split,
            (value) => state.set({ split: value === choices.defaults.split ? null : value }, { replace: true }),
            {
              title: "Quotas",
            },
          ),
          options.split === "accepted" &&
            h(
              "small.dim",
              { title: quotaList(choices.accepted) },
              ` ${fmt.plural(Object.keys(choices.accepted.quotas).length, "error type")}`,
            ),
        ],
        options.split === "accepted" &&
          `accepted by ${choices.accepted.author} on Results; it also sets the number of failures where none is given`,
      ),
    planRow("Frontier model", frontierChoice(choices)),
    form.then && planRow("Judge model", judgeChoice(choices)),
    options.route !== "same_image" && planRow("Image generator", generatorChoice(choices, draw), "draws image prompts"),
    options.route !== "same_image" &&
      planRow(
        "Renderer",
        h("span", "Vega-Lite (built-in), $0"),
        "draws specs: charts, tables, documents, diagrams; the frontier model chooses prompt or spec",
      ),
    planRow("Budget cap", [h("span.dim", "$"), inputs.budget], form.then ? "hard limit, per job" : "hard limit", inputs.budget),
    planRow("", then),
  );
  if (active && active !== document.activeElement && element.contains(active)) active.focus();
}

function clusterChips(choices) {
  const byId = new Map(choices.clusters.map((cluster) => [cluster.cluster_id, cluster]));
  const ids = chosenClusters();
  const remove = (id) => state.set({ clusters: ids.filter((chosen) => chosen !== id) });
  const chips = ids
    .map((id) => byId.get(id))
    .filter(Boolean)
    .map((cluster) =>
      chip([dot(cluster.error_type), h("span.clip", cluster.title), h("span.dim", fmt.number(cluster.teachable))], {
        onremove: () => remove(cluster.cluster_id),
        title: `${cluster.title}: ${fmt.plural(cluster.teachable, "teachable failure")}. Click to remove.`,
      }),
    );
  if (selection())
    chips.unshift(
      chip(["selection of failures", h("span.dim", fmt.number(selection().failures))], {
        kind: "on",
        onremove: () => state.set({ selection: null }),
        title: "Selected on the Failures page",
      }),
    );
  if (!chips.length) chips.push(chip(["all teachable failures", h("span.dim", fmt.number(choices.teachable ?? 0))]));
  const more =
    choices.clusters.length > 0 &&
    h(
      "button.chip",
      {
        onclick: () => state.set({ choose: state.one("choose") ? null : 1 }, { replace: true }),
        "aria-expanded": String(Boolean(state.one("choose"))),
      },
      state.one("choose") ? "Close the list" : "Choose",
      h("kbd", "c"),
    );
  return h("div.row.wrap.tight", chips, more);
}

function clusterList(choices) {
  const ids = new Set(chosenClusters());
  const most = Math.max(...choices.clusters.map((cluster) => cluster.teachable));
  const toggle = (id) =>
    state.set({ clusters: ids.has(id) ? [...ids].filter((chosen) => chosen !== id) : [...ids, id], selection: null }, { replace: true });
  return h(
    "div.gen-list",
    choices.clusters.map((cluster) =>
      h(
        "label",
        {
          class: ids.has(cluster.cluster_id) ? "on" : "",
          title: `${cluster.teachable} of ${cluster.failures} failures are teachable: the frontier model gets them right`,
        },
        h("input", { type: "checkbox", checked: ids.has(cluster.cluster_id), onchange: () => toggle(cluster.cluster_id) }),
        dot(cluster.error_type),
        h("span.clip", cluster.title),
        h("span.mini", h("i", { style: { width: `${(100 * cluster.teachable) / most}%`, background: colour(cluster.error_type) } })),
        h("span.n", fmt.number(cluster.teachable)),
      ),
    ),
  );
}

const builtIn = (name) => (["pocket-teacher", "pocket-flux"].includes(name) ? `${name} (built-in)` : name);

// Who is asked, in the URL as `frontier` (a name) or `endpoint` and `model`; `judge` (a name) for the filters.
function frontierChoice(choices) {
  const asked = whom(choices.defaults);
  const now = endpointOf(choices.endpoints, asked);
  const isOther = !now || state.one("other") === "frontier";
  const choose = (value) => {
    if (value === OTHER) return state.set({ other: "frontier", frontier: null }, { replace: true });
    const endpoint = choices.endpoints[Number(value)],
      standard = endpoint === endpointOf(choices.endpoints, choices.defaults);
    state.set(
      {
        frontier: endpoint.name && !standard ? endpoint.name : null,
        endpoint: endpoint.name ? null : endpoint.endpoint,
        model: endpoint.name ? null : endpoint.model,
        other: null,
      },
      { replace: true },
    );
  };
  for (const name of ["endpoint", "model"])
    if (document.activeElement !== inputs[name]) inputs[name].value = asked[name] ?? now?.[name] ?? "";
  const list = choices.endpoints.map((endpoint, i) => ({ value: String(i), text: endpointText(endpoint) }));
  return [
    pick([...list, { value: OTHER, text: "Another endpoint…" }], isOther ? OTHER : String(choices.endpoints.indexOf(now)), choose, {
      title: "Frontier endpoint",
    }),
    isOther && h("div.gen-pair", inputs.endpoint, inputs.model),
    keyOf(view.plan?.frontier),
  ];
}

const keyOf = (asked) =>
  asked &&
  (asked.host || !asked.key_there) &&
  h("small", { class: asked.key_there ? "faint" : "err" }, `${asked.api_key_env} is ${asked.key_there ? "" : "not "}set`);

function judgeChoice(choices) {
  const named = choices.endpoints.filter((endpoint) => endpoint.name);
  const standard = choices.judges.frontier ? `configured: ${choices.judges.frontier}` : "the same";
  return [
    pick(
      [{ value: "", text: standard }, ...named.map((endpoint) => ({ value: endpoint.name, text: endpointText(endpoint) }))],
      state.one("judge") ?? "",
      (value) => state.set({ judge: value || null }, { replace: true }),
      { title: "Endpoint of the filters" },
    ),
    view.plan?.judge.api_key_env !== view.plan?.frontier.api_key_env && keyOf(view.plan?.judge),
  ];
}

function generatorChoice(choices, draw) {
  const known = choices.generators.map(({ generator, model, generator_options: further, address, host }) => ({
    value: JSON.stringify([generator, model, further]),
    text: address ? `${model} at ${host ?? address.replace(/^https?:\/\/|\/v1$/g, "")}` : builtIn(model),
  }));
  const same = (entry) =>
    entry.generator === draw.generator &&
    entry.model === draw.model &&
    entry.generator_options.base_url === draw.generator_options.base_url;
  const now = known[choices.generators.findIndex(same)]?.value;
  const isOther = !now || state.one("other") === "draw";
  const choose = (value) => {
    if (value === OTHER) return state.set({ other: "draw" }, { replace: true });
    const [drawer, drawmodel, further] = JSON.parse(value);
    const first = choices.generators[0];
    const standard = drawer === first.generator && drawmodel === first.model;
    state.set(
      { drawer: standard ? null : drawer, drawmodel: standard ? null : drawmodel, drawwith: written(further), other: null },
      { replace: true },
    );
  };
  if (document.activeElement !== inputs.drawmodel) inputs.drawmodel.value = draw.model;
  const plugin = pick(
    Object.keys(choices.plugins).map((value) => ({ value, text: value.replaceAll("_", " ") })),
    draw.generator,
    (value) => state.set({ drawer: value, drawmodel: null, drawwith: null, other: "draw" }, { replace: true }),
    { title: "Plugin" },
  );
  const given = Object.entries(draw.generator_options).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  const more = h(
    "button.btn",
    {
      onclick: () => generatorOptions(choices.plugins[draw.generator], draw),
      title: "Size, steps, guidance, address …",
    },
    "Options",
  );
  return [
    h(
      "div.row.tight",
      pick([...known, { value: OTHER, text: "Another model…" }], isOther ? OTHER : now, choose, { title: "Image generator" }),
      more,
    ),
    isOther && h("div.gen-pair", plugin, inputs.drawmodel),
    given.length > 0 && h("small.faint", given.join(" · ")),
  ];
}

// What an image generator can be told beside its model; kept is what differs from its defaults.
function generatorOptions(schema, draw) {
  const shown = optionsForm(schema, draw.generator_options, () => {}, { except: ["model"] });
  const keep = () => {
    const changed = Object.entries(shown.values()).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(schema.properties[name].default ?? null),
    );
    state.set({ drawwith: written(Object.fromEntries(changed)) }, { replace: true });
  };
  dialog(`Options of ${draw.model}`, shown.element, [{ text: "Cancel" }, { text: "Use", kind: "p", run: keep }]);
}
