// The cards of datasets: counts and scores, what was left out of them, and the dialogs that rename, remove and restore them.

import { api, dialog, fmt, h, picture, toast, zoom } from "../shared/lib.js";

export function datasetCard(data, again) {
  const count = (name, n) => h("div", h("b", fmt.number(n)), h("small.dim", name));
  const share = (name, value) =>
    h(
      "div",
      { title: `Strict score of the round's checkpoint on ${name}` },
      h("b", { class: value === null ? "faint" : "" }, fmt.fixed(value)),
      h("small.dim", `on ${name}`),
    );
  const facts = [data.format, data.metric_title, `failure below ${data.threshold}`, data.licence, data.source].filter(Boolean).join(" · ");
  return h(
    "div.card.set",
    h(
      "div",
      h("b", { style: "font-size:14px" }, data.title || data.name),
      data.title && data.title !== data.name && h("span.dim", ` ${data.name}`),
      h("div.facts", { title: `${facts}\nPrompt suffix: ${data.prompt_suffix || "(nothing)"}\nAnswer form: ${data.answer_form}` }, facts),
    ),
    h(
      "div.counts",
      count("train", data.train),
      data.dev > 0 && count("dev", data.dev),
      count("eval", data.eval),
      share("train", data.train_accuracy),
      share("eval", data.eval_accuracy),
    ),
    leftOut(data),
    h(
      "div.shots",
      data.pictures.map((row) =>
        h(
          "button",
          {
            title: `${row.question}\n${[...new Set(row.golds)].join(", ")}`,
            onclick: () => zoom(row.image, `${row.question} ${[...new Set(row.golds)].join(", ")}`),
          },
          picture(row.image),
        ),
      ),
    ),
    h(
      "div.row.acts",
      h("span.dim.clip.grow", { title: data.layout }, data.layout),
      h("button.btn", { onclick: () => rename(data, again), "aria-label": `Rename ${data.name}` }, "Rename"),
      h("button.btn", { onclick: () => remove(data, again), "aria-label": `Remove ${data.name}` }, "Remove"),
    ),
  );
}

// What is not in the dataset, by reason, with the list of rows.
function leftOut({ name, skipped, remarks }) {
  const counted = (counts) =>
    Object.entries(counts)
      .map(([what, n]) => `${fmt.number(n)} ${what}`)
      .join(", ");
  const list = `api/datasets/${encodeURIComponent(name)}/skipped.csv`;
  if (!Object.keys(skipped).length && !Object.keys(remarks).length) return null;
  return h(
    "div.left-out",
    Object.keys(skipped).length > 0 && [
      h("span", `Left out: ${counted(skipped)}. `),
      h("a.link", { href: list, download: "", "aria-label": `Download the rows left out of ${name}` }, "Download the list"),
    ],
    Object.keys(remarks).length > 0 && h("div.dim", `Remarks: ${counted(remarks)}`),
  );
}

// The datasets that were removed; nothing if there is none.
export function removedDatasets(removed, again) {
  if (!removed.length) return null;
  const restore = async ({ name }) => {
    const use = await api("datasets/restore", { name });
    toast(`${name} is back: ${fmt.plural(use.examples, "example")}`, { kind: "good" });
    again();
  };
  return [
    h("h4", "Removed datasets"),
    h(
      "div.card",
      removed.map((data) =>
        h(
          "div.part",
          h("b", { style: "font-weight:550" }, data.title || data.name),
          h("button.btn", { onclick: () => restore(data), "aria-label": `Restore ${data.name}` }, "Restore"),
          h("div.dim", `${fmt.plural(data.examples, "example")} · removed by ${data.author} ${fmt.ago(data.removed_at)}`),
        ),
      ),
    ),
  ];
}

// What depends on a dataset, a line each.
function useList(use) {
  const lines = [
    [use.examples, "example"],
    [use.predictions, "answer"],
    [use.failures, "failure"],
    [use.diagnoses, "diagnosis", "diagnoses"],
    [use.labels, "label of people", "labels of people"],
    [use.samples, "sample"],
    [use.decisions, "decision on samples", "decisions on samples"],
    [use.runs, "finetune trained on these samples", "finetunes trained on these samples"],
  ];
  return h(
    "ul.uses",
    lines.filter(([n]) => n > 0).map(([n, one, many]) => h("li", n === 1 ? `1 ${one}` : `${fmt.number(n)} ${many ?? `${one}s`}`)),
  );
}

async function remove({ name }, again) {
  const use = await api("datasets/use", { name });
  const kept = use.diagnoses + use.labels + use.samples + use.decisions + use.runs > 0;
  const wrong = h("div.err", { role: "alert" });
  dialog(
    `Remove ${name}`,
    [
      h("p", "These depend on it:"),
      useList(use),
      h(
        "p",
        "Its examples, their answers and failures are hidden: they are in no list, not evaluated and not counted. Nothing is deleted, " +
          "samples and decisions on them stay, and it can be restored on this page.",
      ),
      kept && h("p", h("b", "People decided or paid for some of this.")),
      wrong,
    ],
    [
      { text: "Cancel" },
      {
        text: kept ? "Remove all the same" : "Remove",
        kind: "b",
        run: async () => {
          try {
            await api("datasets/remove", { name, force: kept }, { quiet: true });
          } catch (error) {
            wrong.textContent = error.message;
            return false;
          }
          toast(`${name} was removed: restore it at the end of the list`, { kind: "good" });
          again();
        },
      },
    ],
  );
}

function rename({ name }, again) {
  const wrong = h("div.err", { role: "alert" }),
    input = h("input.in", { value: name, id: "dataset-new-name" });
  dialog(
    `Rename ${name}`,
    [h("div.form", h("div.field", h("label", { for: "dataset-new-name" }, "New name"), input)), wrong],
    [
      { text: "Cancel" },
      {
        text: "Rename",
        kind: "p",
        run: async () => {
          try {
            await api("datasets/rename", { name, to: input.value }, { quiet: true });
          } catch (error) {
            wrong.textContent = error.message;
            return false;
          }
          toast(`${name} is called ${input.value.trim()} now`, { kind: "good" });
          again();
        },
      },
    ],
  );
  input.select();
}
