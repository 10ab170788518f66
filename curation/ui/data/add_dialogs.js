// Dialogs of Data & models: predictions, a checkpoint.

import { api, dialog, estimate, fill, form, h, later, launchNow, onlyLatest, pick, stageList, toast } from "../shared/lib.js";
import { testCheckpoint } from "./checkpoint_test.js";
import { plugins } from "./plugins.js";
import { uploader } from "./uploads.js";

// How the lines of a file of predictions fit the dataset: counts, and the first lines that can't be used.
function joined({ words, first }) {
  return [
    h("p", { style: "margin-top:8px" }, words),
    first.length > 0 &&
      h(
        "div.bad",
        first.map((line) => h("div", h("span.err", line))),
      ),
  ];
}

export async function importPredictions(datasets, again) {
  if (!datasets.length) return toast("Import a dataset first: predictions are answers to its examples", { kind: "bad" });
  const schema = (await stageList()).find((stage) => stage.name === "import_predictions").options;
  let values = { dataset: datasets[0].name };
  const box = h("div"),
    state = h("small.dim"),
    report = h("div.look", { "aria-live": "polite" }),
    wrong = h("div.err", { style: "margin-top:8px" });
  const latest = onlyLatest();
  const look = later(async () => {
    if (!values.path || !values.checkpoint) return fill(report);
    try {
      const found = await latest(estimate("import_predictions", values));
      if (found) fill(report, joined(found.detail));
    } catch (error) {
      fill(report, h("p.err", error.message));
    }
  });
  const draw = () => {
    const shown = form(
      schema,
      values,
      (now) => {
        values = { ...values, ...now };
        look();
      },
      { except: ["dataset"] },
    );
    fill(
      box,
      h(
        "div.from",
        h("span.dim", "Dataset"),
        pick(
          datasets.map((dataset) => dataset.name),
          values.dataset,
          (name) => {
            values.dataset = name;
            look();
          },
          { title: "Dataset" },
        ),
        h("span.grow"),
        uploader(
          "Upload a file…",
          { accept: ".jsonl,.json,.csv,.tsv,.xlsx", multiple: false },
          ({ path }) => {
            values = { ...values, path };
            draw();
            look();
          },
          (text) => fill(state, text),
        ),
        state,
      ),
      shown.element,
    );
  };
  draw();
  const { element } = dialog(
    "Import predictions",
    [
      h(
        "p.dim",
        { style: "margin-bottom:10px" },
        "Predictions made elsewhere: JSON Lines, a JSON array or a table (.csv, .tsv, .xlsx) with an object or row each, as ",
        h("span.mono", '{"id": "q17", "answer": "two", "split": "train"}'),
        ", or what lmms-eval (--log_samples), VLMEvalKit (.xlsx, .tsv) or OpenCompass (.json) wrote. " +
          "Which join and which field of answers are taken is said below, with every kind of line that is left out. " +
          "They are scored here; train predictions below the threshold become failures.",
      ),
      box,
      report,
      wrong,
    ],
    [
      { text: "Cancel" },
      {
        text: "Import",
        kind: "p",
        run: async () => {
          try {
            await launchNow("import_predictions", values);
          } catch (error) {
            wrong.textContent = error.message;
            return false;
          }
        },
      },
    ],
  );
  element.addEventListener("close", again);
}

export async function addCheckpoint(again) {
  const { baselines } = await plugins();
  let plugin = baselines[0],
    name = "",
    options = {};
  const fields = h("div"),
    about = h("p.dim", { style: "margin-bottom:10px" }),
    wrong = h("div.err", { style: "margin-top:8px" });
  const draw = () => {
    about.textContent = plugin.about;
    const advanced = Object.keys(plugin.options.properties).filter((option) => !["model", "adapter"].includes(option));
    fill(
      fields,
      form(
        plugin.options,
        options,
        (now) => {
          options = now;
        },
        { advanced },
      ).element,
    );
  };
  const title = h("input.in", {
    placeholder: "for example llava-7b",
    "data-checkpoint-name": true,
    oninput: (event) => {
      name = event.target.value;
    },
  });
  draw();
  const described = () => {
    const { model = "", adapter = null, ...rest } = options;
    return { name, baseline: plugin.name, model: model ?? "", adapter, options: rest };
  };
  const { element } = dialog(
    "Add a checkpoint",
    [
      h(
        "div.from",
        h("span.dim", "Loaded by"),
        pick(
          baselines.map((plugin) => plugin.name),
          plugin.name,
          (chosen) => {
            plugin = baselines.find((entry) => entry.name === chosen);
            draw();
          },
          { title: "Baseline" },
        ),
      ),
      about,
      h("div.form", { style: "margin-bottom:10px" }, h("div.field", h("label", "Name"), title)),
      fields,
      wrong,
      h(
        "p.dim",
        { style: "margin-top:8px" },
        "Weights are loaded (or downloaded by hub name) at the first evaluation. Test loads them now: it shows how they are " +
          "asked, asks one example, takes one LoRA step, and says how much memory both take.",
      ),
    ],
    [
      { text: "Cancel" },
      {
        text: "Test",
        run: () => {
          testCheckpoint(described());
          return false;
        },
      },
      {
        text: "Add",
        kind: "p",
        run: async () => {
          try {
            const added = await api("data/checkpoint", described(), { quiet: true });
            toast(`${added.name} was added: evaluate it next`, { kind: "good" });
          } catch (error) {
            wrong.textContent = error.message;
            return false;
          }
        },
      },
    ],
  );
  element.addEventListener("close", again);
  title.focus();
}
