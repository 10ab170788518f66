// Left column: the clusters.

import { colour, definition, dot, fillOnce, fmt, h, state } from "./lib.js";
import { toggle } from "./failures.js";

export function drawClusters(box, { clusters, summary }) {
  const chosen = state.list("cluster").map(Number);
  if (!clusters.length) {
    const text = !summary.failures ? "" : summary.diagnosed ? "Diagnosed failures are grouped here once they are clustered."
      : "Diagnose failures, then cluster them: groups with a plain title appear here.";
    return fillOnce(box, text, () => text && h("div.fail-hint", text));
  }
  const most = Math.max(...clusters.map((cluster) => cluster.failures));
  fillOnce(box, [clusters, chosen], () => clusters.map((cluster) => row(cluster, chosen.includes(cluster.cluster_id), most)));
}

function row(cluster, on, most) {
  const { cluster_id: id, error_type: type, title, failures, shown, accuracy, accuracy_before: before, examples } = cluster;
  const change = before !== null && accuracy !== null ? accuracy - before : null;
  const delta = change !== null && h("span", { class: change >= 0 ? "right" : "wrong",
    title: "Change since the last round, on the same examples" }, fmt.signed(change, 2));
  const figure = accuracy === null ? "" : ` · accuracy ${fmt.fixed(accuracy, 2)}`;
  return h("button.cl", { class: `${on ? "on" : ""} ${shown ? "" : "none"}`, onclick: () => toggle("cluster", id),
    "aria-pressed": String(on), title: definition(type) },
    dot(type), h("b", title), h("span.n", { title: `${fmt.number(shown)} of ${fmt.plural(failures, "failure")} fit the other choices` },
      fmt.number(shown)),
    h("small", { title: examples ? `over ${fmt.number(examples)} train examples of this kind` : "" }, `${type}${figure}`, delta),
      share(shown / most, failures / most, colour(type)));
}

// A bar for all of a cluster, and over it one for what the other choices leave of it.
const share = (part, whole, paint) => h("div.mini", h("i.whole", { style: { width: `${100 * whole}%`, background: paint } }),
  h("i", { style: { width: `${100 * part}%`, background: paint } }));
