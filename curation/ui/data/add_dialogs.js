// Dialogs of Data & models: a dataset (looked at before it is imported), predictions, a checkpoint.

import { api, dialog, estimate, fill, fmt, form, h, later, launchNow, onlyLatest, pick, stageList, toast } from "../shared/lib.js";
import { testCheckpoint } from "./checkpoint_test.js";

let known; // plugins with their options' schemas
const plugins = () =>
  (known ??= api("data/plugins", {}).catch((error) => {
    known = undefined;
    throw error;
  }));

// Sends files into the workspace, keeping their folders; gives back {path of the first, folder}. `said` tells how far it is.
async function upload(files, report) {
  let batch = "new",
    first = null,
    folder = null;
  for (const [i, file] of [...files].entries()) {
    report(`uploading ${i + 1} of ${files.length}: ${file.name}`);
    const name = (file.webkitRelativePath || file.name).split("/").map(encodeURIComponent).join("/");
    const response = await fetch(new URL(`api/data/upload/${batch}/${name}`, document.baseURI), { method: "POST", body: file });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    batch = answer.batch;
    folder = answer.folder;
    if (!first && /\.(jsonl|csv|tsv|xlsx|json|parquet|arrow|tar)$/i.test(file.name)) first = answer.path;
  }
  const whole = !!files[0]?.webkitRelativePath;
  if (whole) folder += `/${files[0].webkitRelativePath.split("/")[0]}`;
  report(`${fmt.plural(files.length, "file")} uploaded`);
  return { path: first, folder, whole };
}

function uploader(text, attributes, got, report) {
  const input = h("input", { type: "file", hidden: true, multiple: true, ...attributes });
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    try {
      got(await upload(input.files, report));
    } catch (error) {
      report(error.message || "the upload was interrupted; try again");
    }
    input.value = "";
  });
  return [input, h("button.btn", { onclick: () => input.click() }, text)];
}

export async function importDataset(again) {
  const { datasets: formats } = await plugins();
  let format = formats.find((plugin) => plugin.name === "auto"),
    source = {},
    ifThere = "",
    ready = false;
  const about = h("p.dim", { style: "margin-bottom:10px" }),
    fields = h("div"),
    look = h("div.look"),
    state = h("small.dim");
  const latest = onlyLatest();
  const preview = async () => {
    ready = false;
    if (format.options.required?.some((name) => !source[name])) return fill(look);
    fill(look, h("div.dim", "Checking…"));
    const answer = await latest(
      api("data/preview", { format: format.name, source }, { quiet: true }).catch((error) => ({ error: error.message })),
    );
    if (!answer) return;
    ready = !answer.error && answer.rows.length > 0;
    fill(look, answer.error ? h("div.err", answer.error) : previewed(answer));
  };
  const previewSoon = later(preview, 500);
  const draw = () => {
    about.textContent = format.about;
    const shown = form(
      format.options,
      source,
      (now) => {
        source = now;
        previewSoon();
      },
      {
        advanced: Object.keys(format.options.properties).filter(
          (name) => !["path", "images", "name", "metric", "split", "family"].includes(name),
        ),
      },
    );
    fill(fields, shown.element);
    source = shown.values();
    preview();
  };
  const got = ({ path, folder, whole }) => {
    const chosen = whole ? folder : path;
    if (!chosen) return fill(state, "no list of examples among the uploaded files");
    source = { ...source, path: chosen };
    if (!whole && ["jsonl", "json", "csv", "tsv", "xlsx"].includes(format.name) && !chosen.endsWith(`.${format.name}`))
      format = formats.find((plugin) => plugin.name === "auto");
    choice.value = format.name;
    draw();
  };
  const choice = pick(
    formats.map((plugin) => plugin.name),
    format.name,
    (name) => {
      format = formats.find((plugin) => plugin.name === name);
      source = {};
      draw();
    },
    { title: "Format" },
  );
  const say = (text) => fill(state, text);
  const top = h(
    "div.from",
    h("span.dim", "Format"),
    choice,
    h("span.grow"),
    h("span.dim", "If the name is there"),
    pick(
      ["add what is new, if nothing else changed", "add what is new", "replace what changed", "refuse"],
      "add what is new, if nothing else changed",
      (name) => {
        ifThere = { "add what is new": "add", "replace what changed": "replace", refuse: "refuse" }[name] ?? "";
      },
      { title: "If a dataset of that name is there already" },
    ),
    uploader("Upload files…", { accept: ".jsonl,.csv,.tsv,.xlsx,.json,.parquet,.tar,image/*" }, got, say),
    uploader("Upload a folder…", { webkitdirectory: true }, got, say),
    state,
  );
  const { element } = dialog(
    "Import a dataset",
    [top, about, fields, look],
    [
      { text: "Cancel" },
      {
        text: "Import",
        kind: "p",
        run: async () => {
          if (!ready) {
            toast("Nothing to import yet: choose a source that has usable examples", { kind: "bad" });
            return false;
          }
          try {
            await launchNow("import", { format: format.name, source, again: ifThere });
          } catch {
            return false;
          }
        },
      },
    ],
    { wide: true },
  );
  element.addEventListener("close", again);
  draw();
}

function previewed({ about, rows, bad, looked, unusable, splits, whole, layout, skipped, remarks }) {
  const head = h(
    "div.row.wrap",
    { style: "margin-bottom:8px" },
    h("b", about.name),
    h("span.dim", `${about.metric_title} · prompt suffix “${about.prompt_suffix}”`),
    h("span.grow"),
    h(
      "span",
      whole ? `all ${fmt.number(looked)} checked: ` : `the first ${fmt.number(looked)} checked: `,
      Object.entries(splits)
        .filter(([, n]) => n)
        .map(([name, n]) => `${fmt.number(n)} ${name}`)
        .join(", ") || "none usable",
      unusable > 0 && h("span.err", ` · ${fmt.number(unusable)} not usable`),
    ),
  );
  const counted = (counts) => Object.entries(counts).map(([what, n]) => `${fmt.number(n)}: ${what}`);
  const told = [
    layout,
    counted(skipped).length > 0 && `left out: ${counted(skipped).join(", ")}`,
    counted(remarks).length > 0 && `remarks: ${counted(remarks).join(", ")}`,
  ].filter(Boolean);
  const line = (row) =>
    h(
      "tr",
      h("td", { style: "width:56px" }, h("img", { src: row.picture, alt: "" })),
      h("td", row.question, row.choices.length > 0 && h("div.dim", fmt.choices(row.choices))),
      h("td", [...new Set(row.golds)].join(", ")),
      h("td.dim", row.split),
      h("td.dim", row.kind ?? ""),
      h("td.dim", row.external_id),
    );
  return [
    head,
    told.map((text) => h("p.dim", text)),
    rows.length > 0 &&
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            ["", "Question", "Golds", "Split", "Kind", "Id"].map((text) => h("th", text)),
          ),
        ),
        h("tbody", rows.map(line)),
      ),
    bad.length > 0 && [
      h("h4", `Unusable lines${unusable > bad.length ? `, the first ${bad.length}` : ""}`),
      h(
        "div.bad",
        bad.map((line) => h("div", h("span.mono", line.source), " ", h("span.err", line.error))),
      ),
    ],
    bad.length > 0 && h("p.dim", "All other lines are imported; these are listed with the job."),
  ];
}

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
          { accept: ".jsonl,.json", multiple: false },
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
        "Predictions made elsewhere, one JSON object per line: ",
        h("span.mono", '{"id": "q17", "answer": "two", "split": "train"}'),
        ". They are scored here; train predictions below the threshold become failures.",
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
