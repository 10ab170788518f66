// The price table of Settings: dollars per million tokens, by model.

import { api, chip, fill, fmt, h, toast } from "../shared/lib.js";

const FIELDS = ["input", "cached", "image", "output", "batch", "image_tokens", "picture"];
const HEADS = {
  input: "Input, $/M",
  cached: "Cached, $/M",
  image: "Image in, $/M",
  output: "Output, $/M",
  batch: "Batch factor",
  image_tokens: "Image tokens",
  picture: "Image out, $ each",
};
const EMPTY = { cached: "as input", image: "as input", batch: "1", image_tokens: "?" };

export function drawPrices(box, table, used) {
  const rows = table.prices.map((row) => ({ ...row }));
  const unpriced = used.filter((entry) => entry.unpriced && !rows.some((row) => row.model === entry.model));
  const body = h("tbody"),
    wrong = h("span.err"),
    save = h("button.btn.p", { disabled: true, onclick: () => store() }, "Save prices");
  const changed = () => {
    save.disabled = false;
    wrong.textContent = "";
  };
  const cell = (row, name) =>
    h(
      "td",
      h("input.in", {
        type: "number",
        min: 0,
        step: "any",
        value: row[name] ?? "",
        placeholder: EMPTY[name] ?? "",
        "aria-label": `${HEADS[name]} of ${row.model}`,
        oninput: (event) => {
          row[name] = event.target.value === "" ? null : Number(event.target.value);
          changed();
        },
      }),
    );
  const draw = () =>
    fill(
      body,
      rows.map((row) =>
        h(
          "tr",
          h(
            "td",
            h("input.in.name", {
              value: row.model,
              "aria-label": "model",
              placeholder: "model name at the endpoint",
              oninput: (event) => {
                row.model = event.target.value;
                changed();
              },
            }),
          ),
          FIELDS.map((name) => cell(row, name)),
          h(
            "td.dim",
            row.pretend && chip("nominal", { title: "Not billed: a nominal price, so that budgets can be tried with the built-in models" }),
          ),
          h(
            "td.r",
            !row.shipped &&
              h(
                "button.btn.icon.bare",
                {
                  title: "Remove",
                  "aria-label": `remove ${row.model}`,
                  onclick: () => {
                    rows.splice(rows.indexOf(row), 1);
                    changed();
                    draw();
                  },
                },
                "✕",
              ),
          ),
        ),
      ),
    );
  const add = (model = "") => {
    rows.push({
      model,
      input: null,
      cached: null,
      image: null,
      output: null,
      batch: null,
      image_tokens: null,
      picture: null,
      pretend: false,
    });
    changed();
    draw();
    body.querySelector("tr:last-child input").focus();
  };
  const store = async () => {
    const models = Object.fromEntries(
      rows.filter((row) => !row.shipped || edited(row, table)).map(({ model, shipped, ...price }) => [model, price]),
    );
    try {
      const now = await api("settings/prices", { models }, { quiet: true });
      toast("Prices saved; they apply from the next call", { kind: "good" });
      drawPrices(box, now, used);
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  draw();
  fill(
    box,
    h("h4", "Prices"),
    table.trouble && h("p.err", { style: "margin-bottom:6px" }, table.trouble),
    h(
      "div.card.rows.prices",
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            h("th", "Model"),
            FIELDS.map((name) => h("th.r", HEADS[name])),
            h("th"),
            h("th"),
          ),
        ),
        body,
      ),
    ),
    h(
      "div.row.wrap",
      { style: "margin-top:8px" },
      h("button.btn", { onclick: () => add() }, "Add a model"),
      unpriced.map((used) =>
        h(
          "button.btn",
          { onclick: () => add(used.model), title: `${fmt.plural(used.unpriced, "call")} without a price` },
          `Add price for ${used.model}`,
        ),
      ),
      wrong,
      h("span.grow"),
      save,
    ),
    h("p.hint", `Models without a price are shown as unpriced; no budget can be enforced for them. Stored in ${table.file}.`),
  );
}

const edited = (row, table) => {
  const before = table.prices.find((priced) => priced.model === row.model);
  return !before || FIELDS.some((name) => before[name] !== row[name]);
};
