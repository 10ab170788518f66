// Right column of Data & models, above: a frontier endpoint with its test, and which keys are there.

import { api, chip, fillOnce, h } from "./lib.js";

const tested = new Map(); // what a test said, by endpoint and model
let value = null;

export function drawEndpoint(box, { endpoints, default: standard, keys }) {
  value ??= { endpoint: standard.endpoint, model: standard.model, api_key_env: keys[0]?.name ?? "OPENAI_API_KEY" };
  fillOnce(box, [endpoints, standard, keys], () => {
    const outcome = h("div");
    const field = (name, label, hint, list) => {
      const id = `known-${name}`;
      return h("label", label, h("span", h("input.in", { value: value[name], title: hint, "data-endpoint": name, list: id, oninput: (event) => { value[name] = event.target.value; shown(); } }),
        h("datalist", { id }, [...new Set(list)].map((one) => h("option", { value: one })))));
    };
    const key = () => `${value.endpoint} ${value.model}`;
    const shown = () => {
      const found = tested.get(key());
      outcome.className = found ? `outcome ${found.ok === undefined ? "" : found.ok ? "ok" : "no"}` : "";
      outcome.textContent = found?.words ?? "";
    };
    const button = h("button.btn.p", { title: "Asks what colour a red square has: one call, paid like any other", onclick: async () => {
      const mine = key();
      button.disabled = true;
      tested.set(mine, { words: "Asking…" });
      shown();
      try {
        tested.set(mine, await api("data/test", value, { quiet: true }));
      } catch (error) {
        tested.set(mine, { ok: false, words: error.message });
      }
      button.disabled = false;
      shown();
    } }, "Test");
    shown();
    return [h("h4", "Frontier model"), h("div.card", h("div.ask", field("endpoint", "Endpoint", "Address of an OpenAI-compatible server ending in /v1, or pocket-teacher", endpoints.map((one) => one.endpoint)),
      field("model", "Model", "The model's name at that endpoint", endpoints.map((one) => one.model)), field("api_key_env", "Key", "Name of the environment variable that holds the key", keys.map((one) => one.name)),
      h("div.row", button, h("small.dim", "one small call with a picture"))), outcome),
    h("p.dim", { style: "margin-top:6px;font-size:12px" }, standard.from_environment ? "New jobs start from OPENAI_BASE_URL and MISTAKEBOOK_MODEL of the environment. " : "New jobs start with pocket-teacher. ",
      "Another standard: OPENAI_BASE_URL and MISTAKEBOOK_MODEL in the environment or in config.toml beside the workspaces; any stage can name its own.")];
  });
}

export function drawKeys(box, names) {
  fillOnce(box, names, () => [h("h4", "Keys"), h("div.card", names.map(({ name, where, trouble }) => h("div.part", h("span.mono", name), where ? chip(`present, ${where}`, { kind: "ok" }) : chip(trouble ? "not readable" : "not set"), trouble && h("div.dim.err", trouble))),
    h("div.part", h("div.dim", "Keys come from the environment, or from keys.json (mode 600) in the workspace's folder. Their values are never shown, stored or logged.")))]);
}
