// Where the queue shows no sample: it is still loading, all is decided, nothing fits, or there is nothing at all; each with the way on.

import { emptyState, fmt, h, state } from "../shared/lib.js";
import { openByHand } from "./handwritten.js";
import { reload } from "./loading.js";
import { byStatus, choose, chosenStatuses, clearFacets, narrowed, queue, queueOf, statusText } from "./state.js";

export function nothing() {
  if (!queue.ended) return h("div.rev-waiting");
  const counts = byStatus();
  const widen = narrowed() && { text: "Clear all facets", kind: "", run: () => clearFacets() };
  const further = ["pending", "disputed", "failed", "unfiltered", "undrawn"].map((status) => goTo(status, counts));
  if (state.one("samples") || state.one("audit")) further.unshift({ text: "Back to Calibration", run: () => state.go("calibration") });
  if (queueOf() && !queue.total)
    return emptyState(
      { mine: "Nothing left to review", done: "No decisions yet", audit: "Nothing to audit" }[queueOf()],
      "Samples assigned to you appear here.",
      widen,
      ...further,
    );
  if (queue.total)
    return emptyState(
      "End of the queue",
      `You have seen all of it: ${fmt.plural(queue.total, "sample")}.`,
      { text: "Back to the start", run: reload },
      ...further,
      widen,
    );
  const approved = (counts.approved ?? 0) + (counts.auto_approved ?? 0);
  if (!narrowed() && approved && !counts.pending && chosenStatuses().join() === "pending") {
    const open = ["disputed", "unfiltered", "undrawn"].some((status) => counts[status]);
    const rejected = counts.rejected > 0 && `, ${fmt.number(counts.rejected)} rejected`;
    return emptyState(
      open ? "No pending samples" : "All samples reviewed",
      [`${fmt.plural(approved, "sample")} approved`, rejected || "", "."].join(""),
      { text: "Finetune", run: () => state.go("finetune") },
      ...further,
    );
  }
  if (Object.values(counts).some(Boolean) || narrowed())
    return emptyState("No matching samples", "Change the facets or the search.", ...further, widen);
  return emptyState(
    "No samples to review yet",
    "Samples are generated from diagnosed failures, drawn and filtered. Here people decide which ones to train on.",
    { text: "Generate samples", run: () => state.go("generate") },
    { text: "Open failures", kind: "", run: () => state.go("failures") },
    { text: "Write a sample", kind: "", run: openByHand },
  );
}

// A button that shows the samples of a status, where there are some and they aren't what is shown.
const goTo = (status, counts) =>
  counts[status] > 0 &&
  !state.list("status").includes(status) && {
    text: `${statusText[status]} (${fmt.number(counts[status])})`,
    kind: "",
    run: () => choose({ status: status === "pending" ? null : status }),
  };
