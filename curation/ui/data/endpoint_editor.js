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
      frontier.endpoints.map((one) => endpoint(one, frontier)),
    ),
    h("h4", { style: "margin-top:16px" }, "Endpoint per stage"),
    h(
      "div.card.stages",
      frontier.stages.map((one) => stage(one, frontier.endpoints)),
    ),
    h(
      "p.dim",
      { style: "margin-top:6px;font-size:12px", title: frontier.file },
      "Stored in config.toml (names of key variables, never keys). Each launch can choose another endpoint.",
    ),
  ]);
}

function endpoint(one, { schema, stages }) {
  const users = stages.filter((stage) =>
    stage.frontier ? stage.frontier === one.name : stage.endpoint === one.endpoint && stage.model === one.model,
  );
  const { endpoint: address, model, api_key_env: key, ...further } = one.values;
  const facts = [...Object.entries(further).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`)].join(" · ");
  const outcome = h("div", { "data-outcome": one.name });
  const test = h(
    "button.btn",
    {
      title: "Sends one small call with an image (billed like any other)",
      onclick: () => run(test, outcome, { name: one.name }, mark(one.values)),
    },
    "Test",
  );
  show(outcome, tested.get(mark(one.values)));
  return h(
    "div.part",
    { "data-endpoint": one.name },
    h(
      "span.clip",
      { title: address },
      h("b", { style: "font-weight:550" }, one.name),
      h("span.dim", address === "pocket-teacher" ? " built-in" : ` ${endpointText({ ...one, name: null })}`),
    ),
    h("span.row.tight", one.own && h("button.btn", { onclick: () => editEndpoint(one, schema) }, "Edit"), test),
    h(
      "div.dim",
      h(
        "span.row.wrap.tight",
        users.map((stage) => chip(stage.stage, { kind: "on", title: `Used by stage ${stage.stage}` })),
        address !== "pocket-teacher" &&
          h("span", { class: one.key_there ? "" : "err" }, `${one.api_key_env} ${one.key_there ? "is set" : "is not set"}`),
        facts && h("span", facts),
        one.name === "environment" && h("span", "from OPENAI_BASE_URL"),
      ),
    ),
    outcome,
  );
}

async function run(button, outcome, body, key) {
  button.disabled = true;
  show(outcome, { words: "Testing…" });
  let said;
  try {
    said = await api("endpoints/test", body, { quiet: true });
  } catch (error) {
    said = { ok: false, words: error.message };
  }
  tested.set(key, said);
  button.disabled = false;
  show(outcome, said);
}

function show(outcome, found) {
  outcome.className = found ? `outcome ${found.ok === undefined ? "" : found.ok ? "ok" : "no"}` : "";
  outcome.textContent = found?.words ?? "";
}

function stage({ stage: name, title, frontier, endpoint: address, model }, endpoints) {
  const standard = `default: ${endpointText({ endpoint: address, model, host: null })}`;
  const options = [
    { value: "", text: frontier ? "default" : standard },
    ...endpoints.map((one) => ({ value: one.name, text: endpointText(one) })),
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
export function editEndpoint(one, schema) {
  const name = h("input.in", { value: one?.name ?? "", placeholder: "cheap, strong, …", id: "endpoint-name", spellcheck: "false" });
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
  const fields = form(plain, { ...standard, ...one?.values }, () => {}, {
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
      endpointsChanged(await api("endpoints/save", { name: name.value, was: one?.name ?? null, values: values() }, { quiet: true }));
    } catch (error) {
      fill(wrong, error.message);
      return false;
    }
  };
  const remove = async () => {
    if (
      !(await ask(
        `Remove ${one.name}?`,
        "Removes it from config.toml; stages that use it return to the default. Paid replies are kept.",
        "Remove",
        "b",
      ))
    )
      return false;
    endpointsChanged(await api("endpoints/remove", { name: one.name }));
  };
  const { element } = dialog(
    one ? `Endpoint ${one.name}` : "Add a frontier endpoint",
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
    [one && { text: "Remove", kind: "b", run: remove }, { text: "Cancel" }, { text: one ? "Save" : "Add", kind: "p", run: save }].filter(
      Boolean,
    ),
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
