// What can be done with the selection: diagnose, generate; and for the whole round: cluster. Each with what it costs.

import { at, estimate, fill, fmt, h, later, state } from "../shared/lib.js";
import { isIndexing } from "../shared/search_progress.js";
import { costText, launchCluster, launchDiagnose, launchKinds, toDiagnose } from "./launches.js";
import { filter, follow, isCounted, narrowed, narrowings, shown } from "./selection.js";

const HANDED = "mistakebook.generate"; // where Generate finds the selection
const PROBE = 60; // failures that the estimate on the button is computed from
const REST = 400; // milliseconds without a change before it is

let asked = null; // the selection that the estimate on the button is for
let price = "";
let figure; // where the button shows it

export function start(root) {
  const [box, recluster] = ["actions", "recluster"].map((name) => at(root, name));
  follow(({ summary, page }) => {
    if (!page) return;
    drawActions(box, summary, page);
    drawCluster(recluster, summary);
  });
}

function drawActions(box, summary, page) {
  const open = page.failures - page.diagnosed;
  const many = open || page.failures;
  figure = h("span", price && asked === mark() ? price : "");
  const diagnose = h(
    "button.btn",
    {
      class: summary.diagnosed ? "" : "p",
      disabled: !many || !isCounted(),
      onclick: launchDiagnose,
      title: open ? "The frontier model analyses what went wrong" : "All of these are diagnosed; this diagnoses them again",
    },
    `${open || !page.failures ? "Diagnose" : "Diagnose again"} ${many ? fmt.number(many) : ""}`,
    figure,
  );
  const why = page.teachable
    ? `${fmt.plural(page.teachable, "teachable failure")}: the frontier model answers them correctly`
    : "No teachable failures yet: diagnose them first";
  const generate = h(
    "button.btn",
    { class: summary.diagnosed ? "p" : "", disabled: !page.teachable || !isCounted(), title: why, onclick: generateFor },
    narrowed() ? "Generate for selection →" : "Generate for all →",
  );
  fill(box, summary.failures > 0 && [diagnose, generate]);
  if (many) showEstimate();
}

function drawCluster(box, summary) {
  fill(
    box,
    summary.unnamed > 0 &&
      summary.failures > 0 &&
      h(
        "button.btn",
        {
          onclick: launchKinds,
          title: `The datasets of ${fmt.plural(summary.unnamed, "example")} state no kind. Named first, clusters go by what is asked`,
        },
        "Name kinds",
      ),
    summary.diagnosed > 0 &&
      h(
        "button.btn",
        {
          onclick: launchCluster,
          title: summary.placed
            ? `${fmt.number(summary.placed)} of ${fmt.number(summary.diagnosed)} diagnosed failures are on the map`
            : "Groups the diagnosed failures and computes the map",
        },
        summary.placed ? "Recompute map" : "Cluster",
      ),
  );
}

const mark = () => JSON.stringify([filter(), shown().page.diagnosed, shown().summary.version]);

// The estimate on the button, for the selection as it is now: of some failures, and from them for all. Not while a search finds
// only some: once it finds all, the page is drawn anew.
const showEstimate = later(async () => {
  const now = mark();
  if (asked === now || (filter().words && isIndexing("failures"))) return;
  [asked, price] = [now, ""];
  try {
    const estimated = await estimate("diagnose", { ...toDiagnose(), limit: PROBE });
    if (asked !== now) return;
    const { page } = shown();
    const times = (page.failures - page.diagnosed || page.failures) / estimated.detail.failures;
    const usd = estimated.usd?.map((amount) => amount * times);
    figure.textContent = price = costText({ ...estimated, calls: Math.round(estimated.calls * times), usd });
  } catch {
    /* nothing to estimate: the dialog says why */
  }
}, REST);

// Hands the selection over to the Generate page: a filter, which the server resolves; of clusters alone their numbers.
function generateFor() {
  const { failures, teachable, by_error_type } = shown().page;
  const names = narrowings();
  const what = !names.length ? {} : names.join() === "cluster_id" ? { cluster_ids: filter().cluster_id } : { matching: filter() };
  sessionStorage.setItem(HANDED, JSON.stringify({ ...what, failures, teachable, by_error_type }));
  state.go("generate", {});
}
