// The table of slices: in which the baseline fails more often than elsewhere, the surest first. A click sets the facets.

import { api, at, emptyState, fill, fillOnce, fmt, h, onlyLatest, pick, state } from "../shared/lib.js";
import { facetTitle, valueText } from "./facets.js";
import { choose, follow, middle, rounds } from "./selection.js";

const NAMES = { assigned: "error type", kind: "kind", dataset: "dataset", opening: "first words", length: "answer length" };
const DIMENSIONS = Object.keys(NAMES);
const LEAST = [20, 50, 100, 500, 2000];
const newest = onlyLatest();
let asked = null;
let answer = null;

export function start(root) {
  const box = at(root, "slices");
  follow(({ summary, page }) => {
    box.hidden = middle() !== "slices";
    if (!box.hidden && page) load(box, summary);
  });
}

function load(box, summary) {
  const options = { least: Number(state.one("least") ?? 50), without_label_errors: state.one("label_errors") === "out" };
  const wanted = { ...options, round: rounds().length ? rounds() : null };
  const mark = JSON.stringify([wanted, summary.version]);
  if (asked !== mark) {
    asked = mark;
    if (!answer) fill(box, h("p.dim", { style: "padding:12px" }, "Comparing slices …"));
    newest(api("slices/table", wanted)).then(
      (table) => {
        if (!table) return;
        answer = table;
        draw(box, options);
      },
      () => {
        asked = null;
      },
    );
  }
  if (answer) draw(box, options);
}

function draw(box, options) {
  const chosen = DIMENSIONS.map((name) => state.list(name));
  fillOnce(box, [answer, options, chosen], () => [
    head(options),
    answer.rows.length ? table(answer.rows) : emptyState("No slice has that many examples", "Lower the minimum."),
  ]);
}

const head = ({ least, without_label_errors: without }) =>
  h(
    "div.slices-head",
    h(
      "span.dim",
      `${fmt.plural(answer.compared, "slice")} of the train examples, sorted by the lower bound of their lift: ` +
        "failure rate in the slice over the rate elsewhere. 95 % intervals, clustered by image, not corrected for multiple comparisons.",
    ),
    h(
      "span.row",
      h(
        "label.row",
        "at least ",
        pick(
          LEAST.map((n) => ({ value: n, text: fmt.number(n) })),
          least,
          (n) => state.set({ least: n }, { replace: true }),
          { title: "Minimum examples per slice" },
        ),
        " examples",
      ),
      h(
        "label.row",
        h("input", {
          type: "checkbox",
          checked: without,
          onchange: () => state.set({ label_errors: without ? null : "out" }, { replace: true }),
        }),
        "without label errors",
      ),
    ),
  );

function table(rows) {
  const top = Math.max(2, ...rows.map((row) => Math.min(20, row.high)));
  const bottom = Math.min(0.5, ...rows.map((row) => Math.max(0.25, row.low)));
  const place = (value) => 100 * Math.min(1, Math.max(0, Math.log(value / bottom) / Math.log(top / bottom)));
  return h(
    "table.slices",
    h(
      "thead",
      h(
        "tr",
        h("th", "Slice"),
        h("th.fig", "Failures"),
        h("th.fig", { title: "Failure rate in the slice and elsewhere" }, "Rate"),
        h("th.fig", { title: "Rate in the slice over the rate elsewhere, with its 95 % interval" }, "Lift"),
        h("th"),
      ),
    ),
    h(
      "tbody",
      rows.map((row) => line(row, place)),
    ),
  );
}

function line(row, place) {
  const on = DIMENSIONS.every((name) => state.list(name).join() === (name in row.values ? row.values[name] || "none" : ""));
  const set = () =>
    choose(Object.fromEntries(DIMENSIONS.map((name) => [name, on || !(name in row.values) ? null : row.values[name] || "none"])));
  const also = row.also.map((values) =>
    Object.entries(values)
      .map(([name, value]) => `${facetTitle(name)}: ${valueText(name, value)}`)
      .join(", "),
  );
  const title =
    `accuracy ${fmt.fixed(row.accuracy)} strict, ${fmt.fixed(row.accuracy_lenient)} lenient, over ${fmt.number(row.images)} images` +
    (also.length ? `\nthe same examples: ${also.join("; ")}` : "");
  const names = Object.entries(row.values).map(([name, value], i) => [
    i > 0 && h("br"),
    h("b", valueText(name, value)),
    h("small.faint", ` ${NAMES[name]}`),
  ]);
  return h(
    "tr",
    {
      class: `${on ? "on" : ""} ${row.low > 1 ? "high" : row.high < 1 ? "low" : ""}`,
      onclick: set,
      title,
      tabindex: 0,
      onkeydown: (event) => event.key === "Enter" && set(),
    },
    h("td", names),
    h("td.fig", fmt.number(row.failures), h("small.dim", `of ${fmt.number(row.examples)}`)),
    h("td.fig", fmt.percent(row.rate), h("small.dim", `elsewhere ${fmt.percent(row.elsewhere)}`)),
    h("td.fig", h("b", `× ${fmt.fixed(row.lift, 2)}`), h("small.dim", `${fmt.fixed(row.low, 2)} to ${fmt.fixed(row.high, 2)}`)),
    h(
      "td",
      h(
        "span.forest",
        h("i.one", { style: { left: `${place(1)}%` } }),
        h("i.reach", { style: { left: `${place(row.low)}%`, width: `${place(row.high) - place(row.low)}%` } }),
        h("i.at", { style: { left: `${place(row.lift)}%` } }),
      ),
    ),
  );
}
