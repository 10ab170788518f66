// What is known of one cluster: its typical failures, how far it can be trusted; and how far the error types of all of them can.

import { api, estimate, fill, fmt, h, launchNow, picture, priceText, toast } from "../shared/lib.js";
import { mergeWith, rename, split, take } from "./cluster_edits.js";
import { refreshClusters } from "./loading.js";
import { isCounted, open } from "./selection.js";
import { history } from "./undo.js";

const typical = new Map(); // cluster and its size -> its failures nearest the centre

// The box below the chosen cluster.
export function more(cluster, about) {
  const strip = h("div.cl-strip", { "aria-label": "Most typical failures" });
  drawTypical(strip, cluster);
  return h(
    "div.cl-more",
    h("div.small.dim", "Most typical"),
    strip,
    facts(cluster, about),
    proposal(cluster, about),
    h(
      "div.row.wrap",
      h("button.btn", { onclick: () => rename(cluster) }, "Rename"),
      h(
        "button.btn",
        { onclick: () => split(cluster), disabled: !isCounted(), title: "Split in two: the selected part, or by similarity" },
        "Split",
      ),
      h("button.btn", { onclick: () => mergeWith(cluster), title: "Merge with another cluster; or select several in the list" }, "Merge…"),
      suggestButton(cluster),
    ),
  );
}

async function drawTypical(strip, { cluster_id: id, failures }) {
  const mark = `${id}.${failures}`;
  if (!typical.has(mark)) typical.set(mark, await api("clusters/typical", { cluster_id: id, limit: 6 }, { quiet: true }));
  fill(
    strip,
    typical
      .get(mark)
      .map((row) =>
        h(
          "button",
          { onclick: () => open(row.failure_id), title: `${row.question}\n${fmt.answer(row.answer)}, gold ${row.golds[0]}` },
          picture(row.image, "thumb", row.question),
        ),
      ),
  );
}

function facts(cluster, about) {
  if (!about) return null;
  const { stability, resamples, dissolved, agreement, made_by: by, found_title: modelTitle } = about;
  const stable =
    stability === null
      ? h("span.dim", by ? `Made by ${by}: not resampled` : "not measured")
      : [
          fmt.fixed(stability, 2),
          h("span.dim", ` over ${fmt.plural(resamples, "resample")}` + (dissolved ? `, dissolved in ${fmt.percent(dissolved)}` : "")),
        ];
  const size = by && [
    h("dt", "Size"),
    h(
      "dd",
      fmt.plural(cluster.failures, "failure"),
      cluster.examples &&
        h(
          "span.dim",
          `, accuracy ${fmt.fixed(cluster.accuracy, 2)} strict, ${fmt.fixed(cluster.accuracy_lenient, 2)} lenient ` +
            `over ${fmt.plural(cluster.examples, "example")}`,
        ),
    ),
  ];
  const agreed = agreement
    ? [`${agreement.agreed} of ${agreement.checked}`, h("span.dim", ` (${fmt.percent(agreement.low)} to ${fmt.percent(agreement.high)})`)]
    : h("span.dim", "none yet");
  const titleRow = modelTitle && modelTitle !== cluster.title && [h("dt", "Model's title"), h("dd.dim", modelTitle)];
  return h(
    "dl.kv",
    size,
    h(
      "dt",
      {
        title: by
          ? "Resampling tests whether clustering finds a cluster again; this one was made by a person"
          : "Mean Jaccard similarity to the most similar cluster when failures are resampled and clustered again " +
            "(Hennig 2007): above 0.85 highly stable, below 0.6 not to be trusted",
      },
      "Stability",
    ),
    h("dd", stable),
    h("dt", { title: "Failures whose error type people checked: how often they agree with the frontier model" }, "Error type"),
    h("dd", agreed),
    titleRow,
  );
}

// A title that the frontier model suggested: it stands only if a person takes it.
function proposal(cluster, about) {
  const text = about?.suggested_title;
  if (!text || text === cluster.title) return null;
  return h(
    "div.cl-note",
    h(
      "span",
      { title: "Suggested by the frontier model from failures of this cluster and of its neighbours" },
      "Suggested: ",
      h("b", text),
    ),
    " ",
    h("button.btn", { onclick: () => take(cluster, text), title: "Use this title; can be undone" }, "Use it"),
  );
}

const prices = new Map(); // cluster and its size -> what a suggestion costs
const asking = new Set(); // clusters that a suggestion is on its way for

function suggestButton(cluster) {
  const { cluster_id: id, failures } = cluster;
  const mark = `${id}.${failures}`;
  const price = h("span");
  if (!prices.has(mark))
    prices.set(
      mark,
      estimate("cluster", { titles_of: [id] }).then(
        (estimated) => ` · ${priceText(estimated)}`,
        () => "",
      ),
    );
  prices.get(mark).then((text) => {
    price.textContent = text;
  });
  return h(
    "button.btn",
    {
      onclick: (event) => suggest(id, event.currentTarget),
      disabled: asking.has(id),
      title: "The frontier model reads twenty failures of this cluster and the nearest clusters; the title changes only if you accept",
    },
    "Suggest a title",
    price,
  );
}

const ENDED = ["done", "failed", "cancelled", "interrupted", "paused"];

async function suggest(id, button) {
  button.disabled = true;
  asking.add(id);
  try {
    let job = await launchNow("cluster", { titles_of: [id] });
    while (!ENDED.includes(job.status)) {
      await new Promise((go) => setTimeout(go, 700));
      job = await api(`jobs/${job.job_id}`, undefined, { quiet: true });
    }
    if (job.status !== "done" || job.failed) toast(`No title suggested: ${job.message || "see the job"}`, { kind: "bad" });
  } finally {
    asking.delete(id);
    button.disabled = false;
  }
  await refreshClusters();
}

// The line below the tree: kappa of the error types, and people's changes.
export function drawEvidence(evidence) {
  if (!evidence) return null;
  const {
    kappa: { value, low, high, pairs, agreed },
    changes,
  } = evidence;
  const text = !pairs
    ? "Error types: not checked by people yet"
    : value === null
      ? `Error types: people agree on ${agreed} of ${fmt.number(pairs)}; one type only, so no kappa yet`
      : `Error types: kappa ${fmt.fixed(value, 2)} (${fmt.fixed(low, 2)} to ${fmt.fixed(high, 2)}) over ${fmt.plural(pairs, "failure")}`;
  return h(
    "div.cl-note.cl-foot",
    h(
      "span",
      {
        title:
          "Cohen's kappa between the frontier model's error type and the one that people gave or confirmed, " +
          "with a 95 % interval; only failures that people checked",
      },
      text,
    ),
    (changes > 0 || pairs > 0) &&
      h("button.link", { onclick: history, title: "Labels and cluster edits of this round; each can be undone" }, "History"),
  );
}
