// Exports: what is written, where to, how much it is; then its progress, and where it was written.

import { api } from "./api.js";
import { fill, h } from "./dom.js";
import * as fmt from "./format.js";
import { isActive } from "./job_status.js";
import { estimate, stageList, start } from "./launch_dialog.js";
import { dialog } from "./overlays.js";
import { later } from "./timing.js";
import { state } from "./url_state.js";
import { bar } from "./widgets.js";

/** @import { Child, Estimate, Field, Job, Stage, Values } from "./types.js" */

const EVERY = 700; // ms between two looks at the job
const USUAL = ["approved", "auto_approved"];
const STATUSES = {
  approved: "approved by people",
  auto_approved: "approved by a rule",
  pending: "waiting for review",
  unfiltered: "not filtered yet",
  failed: "fail a filter",
  rejected: "rejected",
  disputed: "disputed",
};
const FORMS = {
  adapter: "The LoRA as PEFT keeps it, with a model card: base, snapshot, recipe, before and after.",
  merged: "One model of base and LoRA, merged in float32; the largest logit error is measured on examples and stated in its card.",
};
const TYPES = { as_base: "as the base", float32: "float32", bfloat16: "bfloat16", float16: "float16" };

let made = 0;
/**
 * A labelled field, and what is said below it.
 * @param {string} label
 * @param {HTMLElement} input
 * @param {Child} [hint]
 */
function field(label, input, hint = "") {
  input.id = `export-${++made}`;
  return h("div.field", h("label", { for: input.id }, label), input, h("div.hint", hint));
}

/**
 * @param {string} label
 * @param {Record<string, string>} choices
 * @param {string} chosen
 * @param {(value: string) => unknown} change
 * @param {Child} [hint]
 */
function select(label, choices, chosen, change, hint) {
  const options = Object.entries(choices).map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  const input = h("select.in", options);
  input.addEventListener("change", () => change(input.value));
  return field(label, input, hint);
}

/**
 * Where it goes: a folder, and the hub.
 * @param {Values} values
 * @param {() => unknown} changed
 */
function places(values, changed) {
  const folder = h("input.in", { placeholder: "in the workspace's folder exports", spellcheck: "false" });
  const hub = h("input.in", { placeholder: "not uploaded", spellcheck: "false" });
  const open = h("input", { type: "checkbox", checked: true });
  folder.addEventListener("input", () => {
    values.folder = folder.value.trim() || null;
    changed();
  });
  hub.addEventListener("input", () => {
    values.push_to_hub = hub.value.trim() || null;
    changed();
  });
  open.addEventListener("change", () => {
    values.private = open.checked;
  });
  return [
    field("Folder", folder, "Made equal to what is exported: files of earlier exports go, files of others stay."),
    h(
      "details",
      h("summary", "Upload to the hub"),
      h(
        "div.form",
        field("Repository", hub, "OWNER/NAME. The token is HF_TOKEN of the machine that runs Mistakebook; nothing is sent without it."),
        h("label.row", open, "private, where the repository is new"),
      ),
    ),
  ];
}

/**
 * The dialog of a stage that exports: its fields, what it would write, then the job to its end.
 * @param {string} stage
 * @param {string} title
 * @param {string} noun
 * @param {Values} values
 * @param {(changed: () => void) => Child} fields
 */
function exportDialog(stage, title, noun, values, fields) {
  const figure = h("div.card", { "aria-live": "polite", "data-export-count": true });
  const body = h("div.form", { style: "margin-top:14px" });
  let asked = 0;
  const count = async () => {
    const mine = ++asked;
    if (Array.isArray(values.status) && !values.status.length) {
      fill(figure, h("p.err", "Choose which samples are exported."));
      return;
    }
    try {
      const found = await estimate(stage, { ...values });
      if (mine === asked) fill(figure, counted(found, noun));
    } catch (error) {
      if (mine === asked) fill(figure, h("p.err", /** @type {Error} */ (error).message));
    }
  };
  const changed = later(count, 300);
  fill(body, fields(changed), places(values, changed));
  const box = h("div", figure, body);
  const { close } = dialog(
    title,
    [box],
    [
      { text: "Close" },
      {
        text: "Export",
        kind: "p",
        run: async () => {
          if (Array.isArray(values.status) && !values.status.length) return false;
          try {
            const job = await start(stage, { ...values });
            close();
            followExport(title, job);
          } catch (error) {
            fill(figure, h("p.err", /** @type {Error} */ (error).message));
          }
          return false;
        },
      },
    ],
  );
  count();
}

/**
 * @param {Estimate} found
 * @param {string} noun
 */
function counted(found, noun) {
  const without = Number(found.detail?.without_picture ?? 0);
  return [
    h("div.num", fmt.plural(found.rows, noun)),
    h("div.dim", { style: "overflow-wrap:anywhere" }, `to ${found.detail?.folder}`),
    without > 0 && h("p.small.dim", `${fmt.plural(without, "sample")} more have no picture yet and are left out.`),
  ];
}

/**
 * A job that exports, to its end: progress, then where it was written, or why not.
 * @param {string} title
 * @param {Job} job
 */
function followExport(title, job) {
  const box = h("div", { "aria-live": "polite", "data-export-state": true });
  const { element } = dialog(title, [box], [{ text: "See the job", run: () => state.go("jobs", { job: job.job_id }) }, { text: "Close" }]);
  const look = async () => {
    if (!element.isConnected) return; // closed: it goes on as a job
    const now = await api(`jobs/${job.job_id}`, undefined, { quiet: true });
    if (isActive(now)) {
      const { done, total } = now.progress ?? now;
      const share = bar(total ? done / total : 0);
      fill(box, h("div.row", share, h("small.dim", `${fmt.number(done)} of ${fmt.number(total)}`)), h("p.dim", now.message ?? ""));
      setTimeout(look, EVERY);
      return;
    }
    fill(
      box,
      h("p", { class: now.status === "done" ? "" : "err", style: "overflow-wrap:anywhere" }, now.message ?? now.status),
      now.failed > 0 && h("p.err", `${fmt.plural(now.failed, "sample")} could not be exported; the job lists them with the reason.`),
    );
  };
  fill(box, h("p.dim", "Queued…"));
  look();
}

/** Samples in the format of a trainer. */
export async function exportSamples() {
  const stage = /** @type {Stage} */ ((await stageList()).find((entry) => entry.name === "export"));
  const formats = /** @type {Field & {about?: Record<string, string>}} */ (stage.options.properties?.format ?? {});
  const about = formats.about ?? {};
  /** @type {Values} */
  const values = { format: stage.defaults.format, status: USUAL, private: true };
  const sentence = h("span", about[String(values.format)]);
  const names = Object.fromEntries(Object.keys(about).map((name) => [name, name.replaceAll("_", "-")]));
  exportDialog("export", "Export samples", "sample", values, (changed) => [
    select(
      "Format",
      names,
      String(values.format),
      (name) => {
        values.format = name;
        fill(sentence, about[name] ?? "");
        changed();
      },
      sentence,
    ),
    h("div.field", { role: "group", "aria-label": "Samples that are" }, h("span.dim", "Samples that are"), statuses(values, changed)),
  ]);
}

/**
 * @param {Values} values
 * @param {() => void} changed
 */
function statuses(values, changed) {
  const chosen = new Set(USUAL);
  return h(
    "div.row.wrap",
    Object.entries(STATUSES).map(([status, text]) => {
      const input = h("input", { type: "checkbox", checked: chosen.has(status) });
      input.addEventListener("change", () => {
        if (input.checked) chosen.add(status);
        else chosen.delete(status);
        values.status = [...chosen];
        changed();
      });
      return h("label.row", { style: "white-space:nowrap" }, input, text);
    }),
  );
}

/**
 * A checkpoint's adapter, or base and adapter as one model.
 * @param {string} checkpoint
 */
export function exportCheckpoint(checkpoint) {
  /** @type {Values} */
  const values = { checkpoint, form: "adapter", dtype: "as_base", private: true };
  const sentence = h("span", FORMS.adapter);
  const type = h("div", { hidden: true });
  exportDialog("export_checkpoint", `Export ${checkpoint}`, "checkpoint", values, (changed) => {
    fill(
      type,
      select("Save the weights as", TYPES, "as_base", (name) => {
        values.dtype = name;
      }),
    );
    return [
      select(
        "Write",
        { adapter: "the adapter", merged: "merged weights" },
        "adapter",
        (form) => {
          values.form = form;
          type.hidden = form !== "merged";
          fill(sentence, FORMS[/** @type {"adapter" | "merged"} */ (form)]);
          changed();
        },
        sentence,
      ),
      type,
    ];
  });
}
