// The jobs that the Failures page launches, each with its dialog: evaluate, diagnose, cluster.

import { launch, priceText } from "../shared/lib.js";
import { filter, shown } from "./selection.js";

/** " · $0.21 – 0.40", or " · free". */
export const costText = (found) => (found.calls ? ` · ${priceText(found)}` : "");

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
      "The frontier model first answers each question itself, from the picture alone. " +
      "Then it sees both answers and says what went wrong.",
  });

export function launchCluster() {
  const again = shown().summary.placed > 0;
  return launch(
    "cluster",
    {},
    {
      title: again ? "Lay the map again" : "Cluster",
      noun: "diagnosed failure",
      button: again ? "Lay again" : "Cluster",
      first: ["text_weight", "image_weight"],
      hidden: ["only_new", "titles_of"],
      text:
        "Groups the diagnosed failures by error type and likeness, gives each group a plain title, and lays the map anew." +
        (again ? " What people renamed, merged, split, made or moved stays." : ""),
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
      text:
        "Asks the checkpoint every question of the datasets and scores its answers. " +
        "What it gets wrong on the train split becomes a failure.",
    },
  );
