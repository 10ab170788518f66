// The test of a checkpoint: loaded, asked, trained by one step in a process of its own; what came out, or what to do.

import { api, chip, dialog, fill, h } from "../shared/lib.js";

// `checkpoint`: {name} of the list, or one as it would be added.
export async function testCheckpoint(checkpoint) {
  const found = h(
    "div",
    { "aria-live": "polite", "data-tested": true },
    h("p.dim", "Loading the weights… A large model takes minutes, one from the hub is downloaded first."),
  );
  dialog(`Test ${checkpoint.name || checkpoint.model}`, [found], [{ text: "Close" }], { wide: true });
  try {
    const { findings } = await api("data/checkpoint/test", checkpoint, { quiet: true });
    fill(
      found,
      h(
        "table",
        h(
          "tbody",
          findings.map((one) =>
            h(
              "tr",
              h("td", chip(one.ok ? "ok" : "failed", { kind: one.ok ? "good" : "bad" })),
              h("td", { style: "white-space:nowrap" }, one.name),
              h("td", { style: "overflow-wrap:anywhere" }, one.detail),
            ),
          ),
        ),
      ),
    );
  } catch (error) {
    fill(found, h("p.err", error.message));
  }
}
