// Right column of Finetune, below: all runs, what they were trained on and what came of it.

import { chip, fillOnce, fmt, h, STATUS_KIND, state } from "../shared/lib.js";
import { evaluate, results } from "./state.js";

export function drawRuns(element, { runs }) {
  const shown = Number(state.one("job")) || null;
  fillOnce(
    element,
    [runs, shown],
    () =>
      runs.length > 0 && [
        h("h4", "Runs"),
        h(
          "div.card.rows",
          h(
            "table.runs",
            h(
              "thead",
              h(
                "tr",
                h("th", "Run"),
                h("th", "Parent → checkpoint"),
                h("th.r", "Samples"),
                h("th.r", "Replay"),
                h("th.r", "Accuracy"),
                h("th.r", "Difference"),
                h("th"),
              ),
            ),
            h(
              "tbody",
              runs.map((run) => line(run, shown)),
            ),
          ),
        ),
      ],
  );
}

function line(run, shown) {
  const { measured } = run;
  const share = run.replay !== null && run.samples !== null ? run.replay / Math.max(run.samples + run.replay, 1) : null;
  const open = () => state.set({ job: run.job_id });
  const accuracy = measured
    ? [
        h("span.dim", fmt.fixed(measured.before)),
        " → ",
        fmt.fixed(measured.after),
        h(
          "small.dim.balanced",
          { title: "Balanced by answer; the majority answer is the most frequent gold answer of dataset, error type and named kind" },
          h("span", `balanced ${fmt.fixed(measured.balanced_before)} → ${fmt.fixed(measured.balanced_after)}`),
          h("span", `majority ${fmt.fixed(measured.majority)}`),
        ),
      ]
    : run.checkpoint
      ? h(
          "button.btn.slim",
          {
            onclick: (event) => {
              event.stopPropagation();
              evaluate(run.checkpoint);
            },
            title: `Evaluates ${run.checkpoint} on the eval split`,
          },
          "Evaluate on eval",
        )
      : chip(run.status, { kind: STATUS_KIND[run.status] ?? "", title: run.message });
  return h(
    "tr",
    {
      class: run.job_id === shown ? "on" : "",
      onclick: open,
      tabindex: 0,
      onkeydown: (event) => event.key === "Enter" && open(),
      title: settings(run),
    },
    h("td", run.run_id ? String(run.run_id) : h("span.dim", `job ${run.job_id}`)),
    h(
      "td.clip",
      h("span", { class: run.checkpoint ? "parent" : "" }, run.parent, run.checkpoint && h("span.faint", " → ")),
      run.checkpoint && h("b", { title: run.checkpoint }, run.checkpoint),
    ),
    h("td.r", fmt.number(run.samples)),
    h("td.r", share === null ? "–" : fmt.percent(share)),
    h("td.r", accuracy),
    h("td.r", measured && difference(measured)),
    h(
      "td.r",
      run.checkpoint &&
        measured &&
        h(
          "button.btn.slim",
          {
            onclick: (event) => {
              event.stopPropagation();
              results(run.parent, run.checkpoint);
            },
          },
          "Results",
        ),
    ),
  );
}

// Green or red only where the interval leaves zero out.
function difference({ difference: value, low, high, items, fixed, broken }) {
  const kind = low > 0 ? "okay" : high < 0 ? "err" : "dim";
  return h(
    "span",
    {
      title:
        `95 % interval ${fmt.signed(low)} to ${fmt.signed(high)}, ${fmt.plural(items, "eval example")}; ` +
        `${fixed} fixed, ${broken} broken`,
    },
    h("b", { class: kind }, fmt.signed(value)),
    h("small.dim", ` ${fmt.signed(low)} … ${fmt.signed(high)}`),
  );
}

function settings({ options, seconds, created_at: created }) {
  return [
    `launched ${new Date(created).toLocaleString()}`,
    options.recipe && `recipe ${options.recipe}`,
    options.epochs && `${options.epochs} epochs`,
    options.learning_rate && `learning rate ${options.learning_rate}`,
    seconds && `took ${fmt.duration(seconds)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}
