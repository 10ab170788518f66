// The jobs that the Failures page launches, each with its dialog: evaluate, name kinds, diagnose, cluster.

import { launch, priceText } from "../shared/lib.js";
import { filter, shown } from "./selection.js";

/** " · $0.21 – 0.40", or " · free". */
export const costText = (estimated) => (estimated.calls ? ` · ${priceText(estimated)}` : "");

/** What of the selection is diagnosed, as the stage takes it: those without a diagnosis, or all of it again where each has one. */
export function toDiagnose() {
  const { page } = shown();
  return { matching: filter(), again: page.failures > 0 && page.failures === page.diagnosed };
}

export const launchDiagnose = () =>
  launch("diagnose", toDiagnose(), {
    title: "Diagnose",
    noun: "failure",
    hidden: ["failure_ids", "limit", "again"],
    button: "Diagnose",
    text:
      "The frontier model first answers each question itself, from the image alone. " + "Then it sees both answers and explains the error.",
  });

export const launchKinds = () =>
  launch(
    "kinds",
    {},
    {
      title: "Name kinds of questions",
      noun: "wording",
      button: "Name kinds",
      text:
        "The datasets state no kind for these questions. The frontier model names it, once for each wording, from question and image; " +
        "of eval examples it sees the text alone. Clusters, results and samples then go by what is asked.",
    },
  );

export function launchCluster() {
  const again = shown().summary.placed > 0;
  return launch(
    "cluster",
    {},
    {
      title: again ? "Recompute map" : "Cluster",
      noun: "diagnosed failure",
      button: again ? "Recompute" : "Cluster",
      first: ["text_weight", "image_weight"],
      hidden: ["only_new", "titles_of"],
      text:
        "Groups the diagnosed failures by error type and similarity, gives each cluster a title, and computes the map." +
        (again ? " Cluster edits made by people are kept." : ""),
    },
  );
}

export const launchEvaluate = () =>
  launch(
    "evaluate",
    {},
    {
      title: "Evaluate",
      noun: "example",
      button: "Evaluate",
      text: "Runs the checkpoint on every example and scores its answers. " + "Wrong answers on the train split become failures.",
    },
  );
