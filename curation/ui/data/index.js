// The Data & models page: datasets and checkpoints (left); frontier endpoints, keys, built-in parts and plugins (right).

import {
  api,
  at,
  chip,
  dialog,
  drawer,
  emptyState,
  endpointList,
  exportCheckpoint,
  fill,
  fillOnce,
  fmt,
  h,
  keys,
  launch,
  onlyLatest,
} from "../shared/lib.js";
import { addCheckpoint, importPredictions } from "./add_dialogs.js";
import { testCheckpoint } from "./checkpoint_test.js";
import { datasetCard, removedDatasets } from "./dataset_cards.js";
import { drawEndpoints, drawKeys, editEndpoint } from "./endpoint_editor.js";
import { importDataset } from "./import_dialog.js";

let root,
  models,
  seen = null,
  plugins = null,
  lastRunning = null;

keys("data", [
  { name: "import", key: "i", what: "import a dataset", run: () => importDataset(show) },
  { name: "predictions", key: "p", what: "import predictions", run: () => importPredictions(seen.datasets, show) },
  { name: "checkpoint", key: "c", what: "add a checkpoint", run: () => addCheckpoint(show) },
  { name: "endpoint", key: "e", what: "add a frontier endpoint", run: () => editEndpoint(null, seen.frontier.schema) },
]);

export function start(element) {
  root = element;
  models = drawer(root.querySelector(".cols"), "Endpoints and plugins");
  document.addEventListener("mb:endpoints", () => seen && show());
}

const newest = onlyLatest();

export async function show() {
  const answers = await newest(Promise.all([api("data/overview", {}), endpointList()]));
  if (!answers) return;
  seen = { ...answers[0], frontier: answers[1] };
  draw();
  plugins ??= await api("data/plugins", {});
  fillOnce(at(root, "plugins"), plugins, pluginList);
}

export async function tick(workspace) {
  const now = JSON.stringify([workspace.running.map((job) => job.job_id), workspace.ended]);
  if (lastRunning !== null && now !== lastRunning) await show();
  lastRunning = now;
}

function draw() {
  const { datasets, checkpoints, keys: names, cards } = seen;
  const examples = datasets.reduce((sum, dataset) => sum + dataset.train + dataset.dev + dataset.eval, 0);
  fill(
    at(root, "sum"),
    datasets.length > 0 &&
      `${fmt.plural(examples, "example")} in ${fmt.plural(datasets.length, "dataset")} · ${fmt.plural(checkpoints.length, "checkpoint")}`,
  );
  fillOnce(
    at(root, "actions"),
    datasets.map((dataset) => dataset.name),
    () => [
      h("button.btn", { onclick: () => addCheckpoint(show) }, "Add checkpoint", h("kbd", "c")),
      h(
        "button.btn",
        {
          onclick: () => importPredictions(seen.datasets, show),
          disabled: !datasets.length,
          title: "Predictions of a model that was run elsewhere",
        },
        "Import predictions",
        h("kbd", "p"),
      ),
      h("button.btn.p", { onclick: () => importDataset(show) }, "Import dataset", h("kbd", "i")),
      models.button,
    ],
  );
  fillOnce(at(root, "datasets"), [datasets, seen.removed, seen.round], () => [
    datasets.length
      ? [h("h4", "Datasets"), datasets.map((data) => datasetCard(data, show))]
      : emptyState(
          "No dataset yet",
          "Import one of your own, or a public benchmark you have downloaded; easy-VQA and PocketVQA are built in.",
          { text: "Import a dataset", run: () => importDataset(show) },
        ),
    removedDatasets(seen.removed, show),
  ]);
  fillOnce(at(root, "checkpoints"), checkpoints, () => [
    h("h4", "Checkpoints and adapters"),
    checkpoints.length
      ? h("div.card.rows", checkpointTable(checkpoints))
      : h(
          "div.card.dim",
          "No checkpoints yet. A checkpoint is a model that can be evaluated: " +
            "pocket-llava is built in; add LLaVA, Qwen-VL or any other that transformers loads.",
        ),
  ]);
  drawEndpoints(at(root, "frontier"), seen);
  drawKeys(at(root, "keys"), names);
  fillOnce(at(root, "parts"), cards, () => [
    h("h4", "Built-in models"),
    h(
      "div.card",
      cards.map(part),
      h(
        "div.part",
        h(
          "div.dim",
          "Small models with real weights, loaded by the same code as large ones. " +
            "To replace one, add a checkpoint or name another model in a stage's options.",
        ),
      ),
    ),
  ]);
}

function checkpointTable(checkpoints) {
  const head = ["Name", "Loaded by", "Weights", "Trained from", "Answers", "Eval", "Size", ""];
  return h(
    "table",
    h(
      "thead",
      h(
        "tr",
        head.map((text, i) => h("th", { class: i >= 4 ? "r" : "" }, text)),
      ),
    ),
    h(
      "tbody",
      checkpoints.map((checkpoint) =>
        h(
          "tr",
          h(
            "td",
            h("b", { style: "font-weight:550" }, checkpoint.name),
            " ",
            checkpoint.of_round && chip(`round ${seen.round}`, { kind: "on" }),
          ),
          h("td.dim", checkpoint.baseline),
          h(
            "td.clip",
            { title: [checkpoint.model, checkpoint.adapter].filter(Boolean).join("\n") },
            checkpoint.model || h("span.dim", "answers only"),
            checkpoint.adapter && h("small.dim", " + adapter"),
          ),
          h(
            "td.clip",
            checkpoint.parent
              ? [checkpoint.parent, checkpoint.run_id && h("small.dim", ` run ${checkpoint.run_id}`)]
              : h("span.faint", "–"),
          ),
          h("td.r", fmt.number(checkpoint.predictions)),
          h("td.r", fmt.fixed(checkpoint.eval_accuracy)),
          h(
            "td.r.dim",
            { title: "Weights on this machine" },
            checkpoint.adapter_bytes !== null
              ? fmt.bytes(checkpoint.adapter_bytes)
              : checkpoint.model_bytes !== null
                ? fmt.bytes(checkpoint.model_bytes)
                : "–",
          ),
          h(
            "td.r",
            checkpoint.baseline !== "imported" && [
              h(
                "button.btn",
                {
                  onclick: () => testCheckpoint({ name: checkpoint.name }),
                  title: "Loads the weights, asks one example, takes one LoRA step; says how much memory both take",
                },
                "Test",
              ),
              " ",
              h(
                "button.btn",
                { onclick: () => evaluate(checkpoint.name), title: "Evaluates the examples without a prediction" },
                "Evaluate",
              ),
              checkpoint.adapter && " ",
              checkpoint.adapter &&
                h(
                  "button.btn",
                  { onclick: () => exportCheckpoint(checkpoint.name), title: "Writes the adapter with its card, or merged weights" },
                  "Export",
                ),
            ],
          ),
        ),
      ),
    ),
  );
}

const evaluate = (checkpoint) =>
  launch("evaluate", { checkpoint }, { title: `Evaluate ${checkpoint}`, noun: "example", hidden: ["checkpoint"], button: "Evaluate" });

const part = (card) =>
  h(
    "div.part",
    h("b", { style: "font-weight:550" }, card.name),
    h(
      "span.row",
      h("small.dim", fmt.bytes(card.bytes)),
      h("button.btn", { onclick: () => dialog(card.name, h("div.card-text", card.card), [{ text: "Close" }], { wide: true }) }, "Card"),
    ),
  );

function pluginList() {
  const family = (title, list) => [
    h("h4", title),
    h(
      "div.card",
      list.map((plugin) =>
        h(
          "div.part",
          h("b", { style: "font-weight:550" }, plugin.name),
          h("button.btn", { onclick: () => optionsOf(plugin) }, "Options"),
          h("div.dim", plugin.about),
        ),
      ),
    ),
  ];
  return [
    family("Baselines (vision-language models)", plugins.baselines),
    family("Image generators", plugins.image_generators),
    family("Embedders", plugins.embedders),
    family("Dataset formats", plugins.datasets),
  ];
}

function optionsOf(plugin) {
  const rows = Object.entries(plugin.options.properties ?? {}).map(([name, field]) =>
    h(
      "tr",
      h("td", h("b", { style: "font-weight:550" }, name)),
      h("td.dim", field.description ?? ""),
      h("td.r.mono", field.default === undefined ? "" : JSON.stringify(field.default)),
    ),
  );
  dialog(
    plugin.name,
    [
      h("p.dim", { style: "margin-bottom:10px" }, plugin.about),
      h("table", h("thead", h("tr", h("th", "Option"), h("th", ""), h("th.r", "Default"))), h("tbody", rows)),
    ],
    [{ text: "Close" }],
    { wide: true },
  );
}
