// Filters of Settings: on and off, thresholds on the spread of the scores; what would move is told before it is applied.

import { costLine, costText } from "../shared/filter_costs.js";
import { api, estimate, fill, fmt, h, later, launch, onlyLatest, toast } from "../shared/lib.js";

const costs = new Map(); // filter: where its line says what judging the rest would take

export function drawFilters(box, filters, history) {
  costs.clear();
  fill(
    box,
    h("h4", "Filters"),
    h(
      "div.card.rows",
      filters.map((filter) => line(filter)),
    ),
    h(
      "p.hint",
      "Filters hide and delete nothing: failed samples stay in Review, where reviewers can override the filter. " +
        "A change here updates the status of all samples at once; reviewers' decisions are kept.",
      history.length > filters.length && ` Last change: ${history[0].filter} by ${history[0].author}, ${fmt.ago(history[0].created_at)}.`,
    ),
  );
  tellCosts(filters.filter(({ standard }) => standard !== null).map(({ filter }) => filter));
}

const newestCosts = onlyLatest();

// What each filter, on or off, would take to judge the samples that it has not judged.
async function tellCosts(filters) {
  const estimated = await newestCosts(estimate("filter", { filters }).catch(() => null));
  if (!estimated) return;
  const parts = new Map(estimated.detail.filters.map((part) => [part.filter, part]));
  for (const [name, element] of costs) {
    const part = parts.get(name);
    const judge = () =>
      launch(
        "filter",
        { filters: [name] },
        {
          title: `Run ${name} on ${fmt.plural(part.samples, "sample")}`,
          noun: "verdict",
          hidden: ["filters", "sample_ids"],
          button: "Run",
        },
      );
    fill(
      element,
      part
        ? [
            h("span.clip", { title: costText(part, estimated.billed) }, costLine(part, estimated.billed)),
            h("button.btn.bare", { onclick: judge }, "Run…"),
          ]
        : "run on every drawn sample",
    );
  }
}

function line(filter) {
  const scores = filter.scores.map(([score]) => score);
  const low = Math.min(0, filter.threshold, ...scores),
    high = Math.max(1, filter.threshold, filter.standard ?? 0, ...scores);
  const held = filter.loosest !== null && filter.enabled; // can't be overridden in bulk, and so not switched off
  const now = { enabled: filter.enabled, threshold: filter.threshold };
  const step = (high - low) / 100 <= 0.011 ? 0.01 : 0.05;
  const moves = h("div.moves", { hidden: true }),
    scale = h("div.scale"),
    latest = onlyLatest();
  const on = h("input", {
    type: "checkbox",
    checked: now.enabled,
    disabled: held,
    title: held
      ? `Can't be disabled or set above ${filter.loosest}: samples that fail it can only be approved one by one`
      : "Enable or disable this filter",
    "aria-label": `${filter.filter} on`,
    onchange: () => {
      now.enabled = on.checked;
      changed();
    },
  });
  const slider = h("input", {
    type: "range",
    min: low,
    max: high,
    step,
    value: now.threshold,
    "aria-label": `threshold of ${filter.filter}`,
    oninput: () => {
      now.threshold = Number(slider.value);
      number.value = slider.value;
      changed();
    },
  });
  slider.value = now.threshold;
  const number = h("input.in", {
    type: "number",
    step,
    value: now.threshold,
    "aria-label": `threshold of ${filter.filter}`,
    oninput: () => {
      if (number.value !== "") {
        now.threshold = Number(number.value);
        slider.value = number.value;
        changed();
      }
    },
  });
  const rest = costs.get(filter.filter) ?? h("small.dim.row.tight");
  costs.set(filter.filter, rest);
  const asks = { frontier: " · calls the frontier model", baseline: " · runs the checkpoint" }[filter.asks];
  const element = h(
    "div.filter",
    on,
    h(
      "div.about",
      h("div.clip", { title: filter.title }, h("b", { style: "font-weight:550" }, filter.filter), " ", h("small.dim", filter.title, asks)),
      rest,
    ),
    h("div", scale, slider),
    h("div.row", h("span.dim", filter.comparison === "at_least" ? "≥" : "≤"), number),
    h(
      "small.dim.r",
      { title: `${fmt.number(filter.judged)} samples judged at this setting` },
      filter.enabled ? `${fmt.number(filter.failing)} of ${fmt.number(filter.judged)} fail` : "off",
    ),
    moves,
  );
  const draw = () => {
    fill(scale, spread(filter, now, low, high));
    element.classList.toggle("off", !now.enabled);
  };
  const preview = later(async () => {
    const outcome = await latest(
      api("settings/filter_preview", { filter: filter.filter, ...now }, { quiet: true }).catch((error) => ({ error: error.message })),
    );
    if (!outcome || same()) return;
    fill(
      moves,
      outcome.error
        ? h("span.err", outcome.error)
        : [
            h("b", outcome.samples ? `${fmt.plural(outcome.samples, "sample")} would change status` : "No sample would change status"),
            outcome.moves.map((move) =>
              h("span", `${move.before.replace("_", "-")} → ${move.after.replace("_", "-")} `, h("b", fmt.number(move.samples))),
            ),
            h("span.grow"),
            filter.standard !== null &&
              now.threshold !== filter.standard &&
              h("button.btn.bare", { onclick: () => reset(filter.standard) }, `Default ${filter.standard}`),
            h("button.btn", { onclick: () => reset(filter.threshold, filter.enabled) }, "Discard"),
            h("button.btn.p", { onclick: apply }, "Apply"),
          ],
    );
  }, 200);
  const same = () => now.enabled === filter.enabled && now.threshold === filter.threshold;
  const changed = () => {
    draw();
    moves.hidden = same();
    if (!same()) {
      fill(moves, h("span.dim", "Counting changes…"));
      preview();
    }
  };
  const reset = (threshold, enabled = now.enabled) => {
    Object.assign(now, { threshold, enabled });
    on.checked = enabled;
    slider.value = number.value = threshold;
    changed();
  };
  const apply = async () => {
    const { filters } = await api("settings/filter", { filter: filter.filter, ...now });
    element.replaceWith(line(filters.find((entry) => entry.filter === filter.filter)));
    toast(
      `${filter.filter} is ${now.enabled ? `on, ${filter.comparison === "at_least" ? "at least" : "at most"} ${now.threshold}` : "off"}`,
      { kind: "good" },
    );
  };
  draw();
  return element;
}

// How many samples have which score; those that fail are red. Drawn by hand: it is 26 pixels high, stands on the slider's own scale and
// is drawn anew with every move of it, on eight sliders; plotly takes 20 ms and a mode bar for each.
function spread(filter, now, low, high) {
  const width = 260,
    height = 26,
    bins = 40,
    counts = new Array(bins + 1).fill(0),
    failing = new Array(bins + 1).fill(0);
  for (const [score, samples] of filter.scores) {
    const bin = Math.round(((score - low) / (high - low)) * bins);
    counts[bin] += samples;
    if (filter.comparison === "at_least" ? score < now.threshold : score > now.threshold) failing[bin] += samples;
  }
  const most = Math.max(...counts, 1),
    tall = (n) => (n ? Math.max(2, (height - 2) * Math.sqrt(n / most)) : 0),
    wide = (width - 14) / bins;
  const x = (value) => 7 + ((width - 14) * (value - low)) / (high - low);
  return h(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": "score distribution" },
    counts.map(
      (n, i) =>
        n > 0 &&
        h(
          "rect",
          {
            x: 7 + (i - 0.5) * wide,
            y: height - tall(n),
            width: wide - 1,
            height: tall(n),
            fill: failing[i] > n / 2 ? "var(--bad)" : "var(--line-strong)",
          },
          h("title", `${fmt.number(n)} samples`),
        ),
    ),
    h("line", { x1: x(now.threshold), x2: x(now.threshold), y1: 0, y2: height, stroke: "var(--accent)", "stroke-width": 1.5 }),
  );
}
