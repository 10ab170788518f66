// A look at a source before it is imported: a column for each field, rows as they stand in the file, the examples they would become.

import { fill, fmt, h, pick } from "../shared/lib.js";

const BAD = 50; // unusable lines shown

// A select for each field. `chosen(field, column)` is called where one is changed; show(preview) and hide() draw them.
export function columnChoices(chosen) {
  const element = h("fieldset.columns", { hidden: true });
  const show = ({ fields, columns, mapping }) => {
    element.hidden = !fields.length || !columns.length;
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.field : null;
    const one = (field) => {
      const several = mapping[field]?.includes(", ") ? [mapping[field]] : [];
      const options = [{ value: "", text: "no column" }, ...new Set([...columns, ...several])];
      const select = pick(options, mapping[field], (column) => chosen(field, column), { title: `Column of ${field}`, cls: "in" });
      select.dataset.field = field;
      return h("label", h("span", field), select);
    };
    fill(element, h("legend", "Columns"), fields.map(one));
    if (focused) element.querySelector(`[data-field="${focused}"]`)?.focus();
  };
  const hide = () => {
    element.hidden = true;
  };
  return { element, show, hide };
}

export function previewed({ about, rows, bad, looked, unusable, splits, whole, layout, skipped, remarks, raw, columns, mapping }) {
  const head = h(
    "div.row.wrap",
    { style: "margin-bottom:8px" },
    h("b", about.name),
    h("span.dim", `${about.metric_title} · prompt suffix “${about.prompt_suffix}”`),
    h("span.grow"),
    h(
      "span",
      whole ? `all ${fmt.number(looked)} checked: ` : `the first ${fmt.number(looked)} checked: `,
      Object.entries(splits)
        .filter(([, n]) => n)
        .map(([name, n]) => `${fmt.number(n)} ${name}`)
        .join(", ") || "none usable",
      unusable > 0 && h("span.err", ` · ${fmt.number(unusable)} not usable`),
    ),
  );
  const counted = (counts) => Object.entries(counts).map(([what, n]) => `${fmt.number(n)}: ${what}`);
  const told = [
    layout,
    counted(skipped).length > 0 && `left out: ${counted(skipped).join(", ")}`,
    counted(remarks).length > 0 && `remarks: ${counted(remarks).join(", ")}`,
  ].filter(Boolean);
  const shown = raw.some((row) => row.item) || !rows.length ? raw : rows.map((item) => ({ item }));
  return [
    head,
    told.map((text) => h("p.dim", text)),
    columns.length > 0 && raw.length > 0 && [h("h4", "Rows as they stand in the file"), rawTable(raw, columns, mapping)],
    shown.length > 0 && [h("h4", "As they would be imported"), itemTable(shown)],
    bad.length > 0 && [
      h("h4", `Unusable lines${unusable > BAD ? `, the first ${BAD}` : ""}`),
      h(
        "div.bad",
        bad.slice(0, BAD).map((line) => h("div", h("span.mono", line.source), " ", h("span.err", line.error))),
      ),
      h("p.dim", "All other lines are imported; these are listed with the job."),
    ],
  ];
}

// Five rows of the file, a column each; which field it becomes stands under its name.
function rawTable(raw, columns, mapping) {
  const fieldOf = (column) =>
    Object.entries(mapping)
      .filter(([, told]) => told === column || told.split(", ").includes(column))
      .map(([field]) => field)
      .join(", ");
  return h(
    "div.wide-table",
    {
      tabindex: 0,
      role: "region",
      "aria-label": "Rows as they stand in the file",
    },
    h(
      "table",
      h(
        "thead",
        h(
          "tr",
          columns.map((column) => h("th", column, h("div.faint", fieldOf(column) ? `→ ${fieldOf(column)}` : "not used"))),
        ),
      ),
      h(
        "tbody",
        raw.map((row) =>
          h(
            "tr",
            { title: row.source },
            columns.map((column) => h("td", { dir: "auto" }, row.cells[column] ?? "")),
          ),
        ),
      ),
    ),
  );
}

function itemTable(rows) {
  const line = ({ item, said, source }) =>
    item
      ? h(
          "tr",
          h("td", { style: "width:56px" }, h("img", { src: item.picture, alt: "" })),
          h("td", { dir: "auto" }, item.question, item.choices.length > 0 && h("div.dim", fmt.choices(item.choices))),
          h("td", { dir: "auto" }, [...new Set(item.golds)].join(", ")),
          h("td.dim", item.split),
          h("td.dim", item.kind ?? ""),
          h("td.dim", item.external_id),
        )
      : h("tr", h("td"), h("td", { colspan: 5 }, h("span.err", "not imported: "), said, h("div.faint", source)));
  return h(
    "div.wide-table",
    {
      tabindex: 0,
      role: "region",
      "aria-label": "Examples as they would be imported",
    },
    h(
      "table",
      h(
        "thead",
        h(
          "tr",
          ["", "Question", "Golds", "Split", "Kind", "Id"].map((text) => h("th", text)),
        ),
      ),
      h("tbody", rows.map(line)),
    ),
  );
}
