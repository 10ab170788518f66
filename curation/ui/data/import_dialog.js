// The dialog that imports a dataset: what a source holds is looked at, columns are chosen, then it is imported.

import { api, dialog, fill, form, h, later, launchNow, onlyLatest, pick, toast } from "../shared/lib.js";
import { columnChoices, previewed } from "./import_preview.js";
import { plugins } from "./plugins.js";
import { uploader } from "./uploads.js";

const SHOWN = ["path", "images", "name", "metric", "split", "family"]; // other options of a format are folded away
const IF_THERE = {
  "add what is new, if nothing else changed": "",
  "add what is new": "add",
  "replace what changed": "replace",
  refuse: "refuse",
};

export async function importDataset(again) {
  const { datasets: formats } = await plugins();
  const named = (name) => formats.find((plugin) => plugin.name === name);
  let format = named("auto"),
    source = {},
    columns = {}, // the column of a field, where it was chosen by hand
    ifThere = "",
    ready = false;
  const about = h("p.dim", { style: "margin-bottom:10px" }),
    fields = h("div"),
    look = h("div.look", { "aria-live": "polite" }),
    state = h("small.dim");
  const asked = () => (Object.keys(columns).length ? { ...source, map: columns } : source);
  const choices = columnChoices((field, column) => {
    columns = { ...columns, [field]: column };
    preview();
  });
  const latest = onlyLatest();
  const preview = async () => {
    ready = false;
    if (format.options.required?.some((name) => !source[name])) {
      choices.hide();
      return fill(look);
    }
    look.classList.add("waits");
    if (!look.firstChild) fill(look, h("div.dim", "Checking…"));
    const answer = await latest(
      api("data/preview", { format: format.name, source: asked() }, { quiet: true }).catch((error) => ({ error: error.message })),
    );
    if (!answer) return;
    look.classList.remove("waits");
    ready = !answer.error && answer.rows.length > 0;
    if (answer.error) choices.hide();
    else choices.show(answer);
    fill(look, answer.error ? h("div.err", answer.error) : previewed(answer));
  };
  const previewSoon = later(preview, 500);
  const draw = () => {
    about.textContent = format.about;
    const shown = form(
      format.options,
      source,
      (now) => {
        if (now.path !== source.path) columns = {};
        source = now;
        previewSoon();
      },
      {
        advanced: Object.keys(format.options.properties).filter((name) => !SHOWN.includes(name)),
        except: ["map"],
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
    columns = {};
    if (!whole && ["jsonl", "json", "csv", "tsv", "xlsx"].includes(format.name) && !chosen.endsWith(`.${format.name}`))
      format = named("auto");
    choice.value = format.name;
    draw();
  };
  const choice = pick(
    formats.map((plugin) => plugin.name),
    format.name,
    (name) => {
      format = named(name);
      source = source.path && format.options.properties.path ? { path: source.path } : {};
      columns = {};
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
      Object.keys(IF_THERE),
      Object.keys(IF_THERE)[0],
      (words) => {
        ifThere = IF_THERE[words];
      },
      { title: "If a dataset of that name is there already" },
    ),
    uploader("Upload files…", { accept: ".jsonl,.csv,.tsv,.xlsx,.json,.parquet,.tar,image/*" }, got, say),
    uploader("Upload a folder…", { webkitdirectory: true }, got, say),
    state,
  );
  const { element } = dialog(
    "Import a dataset",
    [top, about, fields, choices.element, look],
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
            await launchNow("import", {
              format: format.name,
              source: asked(),
              again: ifThere,
            });
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
