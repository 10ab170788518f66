// Left column: error types and their clusters as a tree; below the chosen cluster what is known of it.

import { api, at, colour, definition, dot, fillOnce, fmt, h, state } from "../shared/lib.js";
import { drawEvidence, more } from "./cluster_details.js";
import { changeButtons, placeNew } from "./cluster_edits.js";
import { changed, choose, clustersEdited, follow, isCounted, narrowings, toggle } from "./selection.js";

const FOLDED = "mistakebook.failures.folded"; // error types whose clusters are out of sight, in this browser tab
const UNSTABLE = 0.6; // Hennig 2007: below it a cluster should not be trusted

const folded = new Set(JSON.parse(sessionStorage.getItem(FOLDED) ?? "[]"));
let known = { mark: null, evidence: null }; // what /api/clusters/evidence last said, and of what

clustersEdited.on(() => {
  known = { mark: null, evidence: known.evidence };
});

export function start(root) {
  const box = at(root, "clusters");
  follow((shown) => shown.clusters && draw(box, shown));
}

function draw(box, { clusters, summary, page }) {
  if (!clusters.length) {
    const text = !summary.failures
      ? ""
      : summary.diagnosed
        ? "Cluster the diagnosed failures to see groups here."
        : "Diagnose failures, then cluster them: titled groups appear here.";
    return fillOnce(box, text, () => text && h("div.fail-hint", text));
  }
  learn(summary);
  const chosen = state.list("cluster").map(Number);
  const { evidence } = known;
  const mark = [clusters, chosen, evidence, [...folded], summary.diagnosed - summary.placed, page.failures, narrowings(), isCounted()];
  fillOnce(box, mark, () => [
    unplaced(summary),
    changeButtons(clusters, chosen),
    groups(clusters).map((group) => branch(group, chosen, evidence)),
    drawEvidence(evidence),
  ]);
}

// Asks for the evidence where the map, a diagnosis or a triage label is new; the tree is drawn without it meanwhile.
async function learn(summary) {
  const mark = `${summary.version}.${summary.changes ?? ""}`;
  if (known.mark === mark) return;
  known = { mark, evidence: known.evidence };
  const evidence = await api("clusters/evidence", { round: summary.round }, { quiet: true });
  if (known.mark !== mark) return;
  known = { mark, evidence };
  changed.tell();
}

// Error types with their clusters, those with the most failures first (the server sorts them so).
function groups(clusters) {
  const byType = new Map();
  const all = clusters.reduce((sum, cluster) => sum + cluster.failures, 0);
  for (const cluster of clusters) {
    const { error_type: type } = cluster;
    if (!byType.has(type)) byType.set(type, { type, failures: 0, shown: 0, clusters: [] });
    const group = byType.get(type);
    group.failures += cluster.failures;
    group.shown += cluster.shown;
    group.clusters.push({ ...cluster, share: cluster.failures / all });
  }
  const most = Math.max(...clusters.map((cluster) => cluster.failures));
  return [...byType.values()].map((group) => ({ ...group, share: group.failures / all, most, ...accuracyOf(group.clusters) }));
}

// Over all examples of some clusters.
function accuracyOf(clusters) {
  const measured = clusters.filter((cluster) => cluster.accuracy !== null);
  const examples = measured.reduce((sum, cluster) => sum + cluster.examples, 0);
  const mean = (name) =>
    measured.every((cluster) => cluster[name] !== null)
      ? measured.reduce((sum, cluster) => sum + cluster[name] * cluster.examples, 0) / examples
      : null;
  return examples
    ? { accuracy: mean("accuracy"), accuracy_lenient: mean("accuracy_lenient"), accuracy_before: mean("accuracy_before"), examples }
    : { accuracy: null, accuracy_before: null, examples: 0 };
}

function branch(group, chosen, evidence) {
  const { type, clusters, shown, failures } = group;
  const open = !folded.has(type);
  const ids = clusters.map((cluster) => cluster.cluster_id);
  const all = ids.every((id) => chosen.includes(id));
  const fold = () => {
    if (open) folded.add(type);
    else folded.delete(type);
    sessionStorage.setItem(FOLDED, JSON.stringify([...folded]));
    changed.tell();
  };
  const take = () => choose({ cluster: all ? chosen.filter((id) => !ids.includes(id)) : [...new Set([...chosen, ...ids])] });
  return h(
    "div.cl-group",
    h(
      "div.cl-type",
      { class: shown ? "" : "none" },
      h(
        "button.cl-fold",
        {
          onclick: fold,
          "aria-expanded": String(open),
          title: open ? "Collapse" : "Expand",
          "aria-label": `${open ? "Collapse" : "Expand"} ${type}`,
        },
        open ? "▾" : "▸",
      ),
      h(
        "button.cl-name",
        { onclick: take, "aria-pressed": String(all), title: `${definition(type)} Click to select all its clusters.` },
        dot(type),
        h("b", type),
        h("span.n", { title: of(shown, failures) }, fmt.number(shown)),
        (ids.length > 1 || !open) && figures(group),
      ),
    ),
    open &&
      clusters.map((cluster) =>
        leaf(
          cluster,
          chosen,
          group.most,
          evidence?.clusters.find((row) => row.cluster_id === cluster.cluster_id),
        ),
      ),
  );
}

function leaf(cluster, chosen, most, about) {
  const { cluster_id: id, error_type: type, title, failures, shown } = cluster;
  const on = chosen.includes(id);
  const shaky =
    about?.stability !== null &&
    about?.stability < UNSTABLE &&
    h(
      "span.wa",
      { title: `Stability ${fmt.fixed(about.stability, 2)} under resampling, below ${UNSTABLE}: not to be trusted` },
      "unstable",
    );
  const row = h(
    "button.cl",
    {
      class: `${on ? "on" : ""} ${shown ? "" : "none"}`,
      onclick: () => toggle("cluster", id),
      "aria-pressed": String(on),
      title: definition(type),
      dataset: { cluster: id },
    },
    h("b", title),
    h("span.n", { title: of(shown, failures) }, fmt.number(shown)),
    figures(cluster, shaky),
    bars(shown / most, failures / most, colour(type)),
  );
  return on && chosen.length === 1 ? [row, more(cluster, about)] : row;
}

const of = (shown, failures) => `${fmt.number(shown)} of ${fmt.plural(failures, "failure")} match the other facets`;

// "12 % · accuracy 0.42 +0.05"
function figures({ share, accuracy, accuracy_lenient: lenient, accuracy_before: before, examples }, ...rest) {
  const change = before !== null && accuracy !== null ? accuracy - before : null;
  const delta =
    change !== null &&
    h(
      "span",
      { class: change >= 0 ? "right" : "wrong", title: "Change since the previous round, on the same examples" },
      fmt.signed(change, 2),
    );
  return h(
    "small",
    {
      title: examples
        ? `Share of all clustered failures; accuracy on ${fmt.plural(examples, "assigned train example")}: ` +
          `${fmt.fixed(accuracy)} strict, ${fmt.fixed(lenient)} lenient`
        : "Share of all clustered failures",
    },
    `${fmt.percent(share)}${accuracy === null ? "" : ` · accuracy ${fmt.fixed(accuracy, 2)}`}`,
    delta,
    rest,
  );
}

// A bar for all of a cluster, and over it one for what the other choices leave of it.
const bars = (part, whole, paint) =>
  h(
    "div.mini",
    h("i.whole", { style: { width: `${100 * whole}%`, background: paint } }),
    h("i", { style: { width: `${100 * part}%`, background: paint } }),
  );

// "34 failures are not on the map yet: place them"
function unplaced({ diagnosed, placed, rounds = [], round }) {
  const many = diagnosed - placed;
  if (!many || !placed || round !== rounds.at(-1)) return null;
  return h(
    "div.cl-note",
    `${fmt.plural(many, "failure")} ${many === 1 ? "is" : "are"} not on the map yet. `,
    h(
      "button.btn",
      { onclick: placeNew, title: "Adds them next to similar failures; the others stay where they are. No model is called." },
      "Place them",
    ),
  );
}
