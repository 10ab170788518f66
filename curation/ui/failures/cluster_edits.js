// People's changes to the clusters: merge, rename, split, make, move.

import { api, dialog, eventId, fmt, h, launchNow, toast } from "../shared/lib.js";
import { refreshClusters } from "./loading.js";
import { choose, filter, isCounted, narrowings, shown } from "./selection.js";
import { changeUndo } from "./undo.js";

// The buttons above the tree, for what is selected: several clusters, or failures by lasso, facets or search.
export function changeButtons(clusters, chosen) {
  const several = clusters.filter((cluster) => chosen.includes(cluster.cluster_id));
  const many = shown().page?.failures ?? 0;
  const some = many > 0 && isCounted() && narrowings().some((name) => name !== "cluster_id");
  if (several.length < 2 && !some) return null;
  return h(
    "div.cl-tools",
    several.length > 1 && h("button.btn.p", { onclick: () => merge(several) }, `Merge ${several.length} clusters`),
    some && h("button.btn", { onclick: () => make(many) }, `Make a cluster of ${fmt.number(many)}`),
    some && h("button.btn", { onclick: () => move(clusters, many) }, "Move to…"),
  );
}

export async function placeNew() {
  await launchNow("cluster", { only_new: true });
}

// The selection as a change takes it: what matches, and how many that were when the dialog opened; another number is refused.
const selection = () => ({ matching: filter(), expected: shown().page.failures });

// Sends a change, tells what was done with a way back, and shows what there is now.
async function send(path, body, message, then = {}) {
  const done = await api(`clusters/${path}`, { ...body, event_id: eventId() });
  toast(message, { kind: "good", action: changeUndo(done.change_id), seconds: 8 });
  await refreshClusters();
  const next = typeof then === "function" ? then(done) : then;
  if (Object.keys(next).length) choose(next);
}

// A dialog with fields above its one button; `run` gets the text of the title field, if there is one.
function asking(title, content, button, run, text = null) {
  const input = text !== null && h("input.in", { value: text, maxlength: 120, "aria-label": "Title", autofocus: true });
  const act = async () => {
    const given = input ? input.value.trim() : null;
    if (input && !given) return false;
    try {
      await run(given);
    } catch {
      return false;
    }
  };
  const { element } = dialog(
    title,
    [content, input && h("div.field", { style: "margin-top:10px" }, h("label.dim", "Title"), input)],
    [{ text: "Cancel" }, { text: button, kind: "p", run: act }],
  );
  if (!input) return;
  input.select();
  input.focus();
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    element.querySelector(".foot .btn.p").click();
  });
}

export function rename(cluster) {
  asking(
    "Rename",
    h("p.dim", "Your title replaces the frontier model's, also after the map is recomputed."),
    "Rename",
    (title) => send("rename", { cluster_id: cluster.cluster_id, title }, `Renamed: ${title}`),
    cluster.title,
  );
}

// Takes a suggested title.
export const take = (cluster, title) => send("rename", { cluster_id: cluster.cluster_id, title }, `Renamed: ${title}`);

// One cluster with another that is chosen in the dialog.
export function mergeWith(cluster) {
  const others = shown().clusters.filter((each) => each.cluster_id !== cluster.cluster_id);
  const select = choice([
    ...others.filter((each) => each.error_type === cluster.error_type),
    ...others.filter((each) => each.error_type !== cluster.error_type),
  ]);
  asking("Merge with", select, "Continue", async () => {
    merge([cluster, others.find((each) => each.cluster_id === Number(select.value))]);
  });
}

// A list of clusters by error type.
function choice(clusters) {
  const types = [...new Set(clusters.map((cluster) => cluster.error_type))];
  return h(
    "select.in",
    { "aria-label": "Cluster" },
    types.map((type) =>
      h(
        "optgroup",
        { label: type },
        clusters
          .filter((cluster) => cluster.error_type === type)
          .map((cluster) => h("option", { value: cluster.cluster_id }, cluster.title)),
      ),
    ),
  );
}

function merge(several) {
  const into = several.reduce((cluster, next) => (next.failures > cluster.failures ? next : cluster));
  const ids = several.map((cluster) => cluster.cluster_id);
  const total = several.reduce((sum, cluster) => sum + cluster.failures, 0);
  const types = new Set(several.map((cluster) => cluster.error_type));
  const mixed =
    types.size > 1 &&
    h(
      "p.dim",
      `They have ${types.size} error types; the merged cluster is listed under ${into.error_type}. ` + "Failures keep their error types.",
    );
  asking(
    `Merge ${several.length} clusters`,
    [h("p", `${fmt.plural(total, "failure")} become one cluster, also after the map is recomputed.`), mixed],
    "Merge",
    (title) =>
      send("merge", { cluster_ids: ids, into: into.cluster_id, title }, `Merged ${several.length} clusters: ${title}`, {
        cluster: into.cluster_id,
      }),
    into.title,
  );
}

// In two: the selected part against the rest where a part is selected, else by likeness.
export function split(cluster) {
  const { failures } = shown().page;
  const part = failures > 0 && failures < cluster.failures ? failures : 0;
  const selected = selection();
  const how = part
    ? `The ${fmt.plural(part, "selected failure")} become a new cluster.`
    : "It is split in two by similarity of questions and images; the smaller part becomes a new cluster.";
  asking(
    "Split",
    h("p", how),
    "Split",
    (title) =>
      send("split", { cluster_id: cluster.cluster_id, title, ...(part && selected) }, `Split off: ${title}`, (done) => ({
        cluster: [cluster.cluster_id, done.cluster_id],
        lasso: null,
      })),
    `${cluster.title} (2)`,
  );
}

function make(many) {
  const selected = selection();
  asking(
    "Make a cluster",
    h("p", `The ${fmt.plural(many, "selected failure")} move to a new cluster, which is kept when the map is recomputed.`),
    "Make",
    (title) =>
      send("make", { ...selected, title }, `New cluster of ${fmt.plural(many, "failure")}: ${title}`, (done) => ({
        cluster: done.cluster_id,
        lasso: null,
      })),
    "",
  );
}

function move(clusters, many) {
  const selected = selection();
  const select = choice(clusters);
  asking(
    `Move ${fmt.plural(many, "failure")}`,
    [h("p.dim", { style: "margin-bottom:8px" }, "They stay there when the map is recomputed."), select],
    "Move",
    () => {
      const into = clusters.find((cluster) => cluster.cluster_id === Number(select.value));
      return send("move", { ...selected, into: into.cluster_id }, `Moved ${fmt.plural(many, "failure")} to ${into.title}`, {
        cluster: into.cluster_id,
        lasso: null,
      });
    },
  );
}
