// Right column of Data & models, above: frontier endpoints with their tests, which stage asks which, and which keys are there.

import { api, ask, chip, dialog, endpointsChanged, endpointText, fill, fillOnce, form, h, pick } from "../shared/lib.js";

const tested = new Map(); // what a test said, by the settings that were tested
const mark = (values) => JSON.stringify(Object.entries(values).sort());

export function drawEndpoints(box, { frontier }) {
  fillOnce(box, frontier, () => [
    h(
      "div.row",
      { style: "margin-bottom:6px" },
      h("h4", { style: "margin:0" }, "Frontier endpoints"),
      h("span.grow"),
      h("button.btn", { onclick: () => editEndpoint(null, frontier.schema) }, "Add endpoint", h("kbd", "e")),
    ),
    h(
      "div.card",
      frontier.endpoints.map((entry) => endpoint(entry, frontier)),
    ),
    h("h4", { style: "margin-top:16px" }, "Endpoint per stage"),
    h(
      "div.card.stages",
      frontier.stages.map((row) => stage(row, frontier.endpoints)),
    ),
    h(
      "p.dim",
      { style: "margin-top:6px;font-size:12px", title: frontier.file },
      "Stored in config.toml (names of key variables, never keys). Each launch can choose another endpoint.",
    ),
  ]);
}

function endpoint(entry, { schema, stages }) {
  const users = stages.filter((stage) =>
    stage.frontier ? stage.frontier === entry.name : stage.endpoint === entry.endpoint && stage.model === entry.model,
  );
  const { endpoint: address, model, api_key_env: key, ...further } = entry.values;
  const facts = [...Object.entries(further).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`)].join(" · ");
  const outcome = h("div", { "data-outcome": entry.name });
  const test = h(
    "button.btn",
    {
      title: "Sends one small call with an image (billed like any other)",
      onclick: () => run(test, outcome, { name: entry.name }, mark(entry.values)),
    },
    "Test",
  );
  show(outcome, tested.get(mark(entry.values)));
  return h(
    "div.part",
    { "data-endpoint": entry.name },
    h(
      "span.clip",
      { title: address },
      h("b", { style: "font-weight:550" }, entry.name),
      h("span.dim", address === "pocket-teacher" ? " built-in" : ` ${endpointText({ ...entry, name: null })}`),
    ),
    h("span.row.tight", entry.own && h("button.btn", { onclick: () => editEndpoint(entry, schema) }, "Edit"), test),
    h(
      "div.dim",
      h(
        "span.row.wrap.tight",
        users.map((stage) => chip(stage.stage, { kind: "on", title: `Used by stage ${stage.stage}` })),
        address !== "pocket-teacher" &&
          h("span", { class: entry.key_there ? "" : "err" }, `${entry.api_key_env} ${entry.key_there ? "is set" : "is not set"}`),
        facts && h("span", facts),
        entry.name === "environment" && h("span", "from OPENAI_BASE_URL"),
      ),
    ),
    outcome,
  );
}

async function run(button, outcome, body, key) {
  button.disabled = true;
  show(outcome, { words: "Testing…" });
  let result;
  try {
    result = await api("endpoints/test", body, { quiet: true });
  } catch (error) {
    result = { ok: false, words: error.message };
  }
  tested.set(key, result);
  button.disabled = false;
  show(outcome, result);
}

function show(outcome, result) {
  outcome.className = result ? `outcome ${result.ok === undefined ? "" : result.ok ? "ok" : "no"}` : "";
  outcome.textContent = result?.words ?? "";
}

function stage({ stage: name, title, frontier, endpoint: address, model }, endpoints) {
  const standard = `default: ${endpointText({ endpoint: address, model, host: null })}`;
  const options = [
    { value: "", text: frontier ? "default" : standard },
    ...endpoints.map((entry) => ({ value: entry.name, text: endpointText(entry) })),
  ];
  return h(
    "label",
    { title },
    name,
    pick(options, frontier ?? "", async (value) => endpointsChanged(await api("endpoints/use", { stage: name, name: value || null })), {
      title: `${name} asks`,
      cls: "in",
    }),
  );
}

// Adds an endpoint, or changes one; what is empty is left to the standard.
export function editEndpoint(entry, schema) {
  const name = h("input.in", { value: entry?.name ?? "", placeholder: "cheap, strong, …", id: "endpoint-name", spellcheck: "false" });
  // hints name the standards; nothing is written that wasn't chosen
  const standard = Object.fromEntries(Object.keys(schema.properties).map((field) => [field, null]));
  const main = ["endpoint", "model", "api_key_env", "concurrency", "max_pixels", "detail", "requests_per_minute", "tokens_per_minute"];
  const plain = {
    ...schema,
    required: [],
    properties: Object.fromEntries(
      Object.entries(schema.properties).map(([field, { default: value, description, ...rest }]) => [
        field,
        {
          ...rest,
          anyOf: [...(rest.anyOf?.filter((kind) => kind.type !== "null") ?? [{ ...rest, anyOf: undefined }]), { type: "null" }],
          description: `${description ?? ""}${value === undefined || value === null ? "" : ` Empty: ${value}.`}`,
        },
      ]),
    ),
  };
  const fields = form(plain, { ...standard, ...entry?.values }, () => {}, {
    advanced: Object.keys(schema.properties).filter((field) => !main.includes(field)),
  });
  const wrong = h("p.err"),
    outcome = h("div");
  const values = () =>
    Object.fromEntries(
      Object.entries(fields.values()).filter(
        ([field, value]) =>
          value !== null && value !== undefined && value !== "" && !(value === false && !schema.properties[field].default),
      ),
    );
  const test = h("button.btn", { onclick: () => run(test, outcome, { values: values() }, mark(values())) }, "Test");
  const save = async () => {
    try {
      endpointsChanged(await api("endpoints/save", { name: name.value, was: entry?.name ?? null, values: values() }, { quiet: true }));
    } catch (error) {
      fill(wrong, error.message);
      return false;
    }
  };
  const remove = async () => {
    if (
      !(await ask(
        `Remove ${entry.name}?`,
        "Removes it from config.toml; stages that use it return to the default. Paid replies are kept.",
        "Remove",
        "b",
      ))
    )
      return false;
    endpointsChanged(await api("endpoints/remove", { name: entry.name }));
  };
  const { element } = dialog(
    entry ? `Endpoint ${entry.name}` : "Add a frontier endpoint",
    [
      h(
        "div.form",
        { style: "margin-bottom:8px" },
        h(
          "div.field",
          h("label", { for: "endpoint-name" }, "Name"),
          h("div", name),
          h("div.hint", "Name used by launches, stages and --frontier"),
        ),
      ),
      fields.element,
      h("div.row", { style: "margin-top:10px" }, test, h("small.dim", "one small call with an image")),
      outcome,
      wrong,
    ],
    [
      entry && { text: "Remove", kind: "b", run: remove },
      { text: "Cancel" },
      { text: entry ? "Save" : "Add", kind: "p", run: save },
    ].filter(Boolean),
  );
  element.classList.add("endpoint");
  name.focus();
}

export function drawKeys(box, names) {
  fillOnce(box, names, () => [
    h("h4", "Keys"),
    h(
      "div.card",
      names.map(({ name, where, trouble }) =>
        h(
          "div.part",
          h("span.mono", name),
          where ? chip(`present, ${where}`, { kind: "ok" }) : chip(trouble ? "not readable" : "not set"),
          trouble && h("div.dim.err", trouble),
        ),
      ),
      h(
        "div.part",
        h(
          "div.dim",
          "Keys come from the environment, or from keys.json (mode 600) in the workspace's folder. " +
            "Their values are never shown, stored or logged.",
        ),
      ),
    ),
  ]);
}
