// Right column of Results: the examples that were fixed or broken, and one of them with the samples that practised it.

import { api, at, cell, chip, dot, emptyState, fill, fmt, h, pick, picture, state, typeChip, zoom } from "../shared/lib.js";

export function drawLedger(root, view) {
  const { found } = view.summary;
  const which = state.one("which") ?? "fixed";
  fill(
    at(root, "which"),
    found &&
      ["fixed", "broken"].map((name) =>
        chip(`${name} ${fmt.number(found[name])}`, {
          kind: which === name ? (name === "fixed" ? "ok" : "no") : "",
          onclick: () => state.set({ which: name === "fixed" ? null : name, offset: null }),
        }),
      ),
  );
  fill(
    at(root, "type"),
    found &&
      pick(
        [{ value: "", text: "all error types" }, ...found.by_error_type.map((line) => ({ value: line.name, text: line.name }))],
        state.one("type") ?? "",
        (type) => state.set({ type, offset: null }),
        { title: "Error type" },
      ),
  );
  const box = at(root, "ledger"),
    ledger = view.ledger;
  if (!ledger) return fill(at(root, "pages"), fill(box) && null);
  if (!ledger.rows.length)
    fill(
      box,
      emptyState(which === "fixed" ? "No fixed examples" : "No broken examples", state.one("type") ? "Choose another error type." : ""),
    );
  else
    fill(
      box,
      h("div", { dataset: { detail: "" } }),
      h(
        "div.grid",
        ledger.rows.map((row) => thumb(root, row)),
      ),
    );
  if (ledger.rows.length) openRow(root, ledger.rows[0]);
  pages(at(root, "pages"), ledger.total, ledger.rows.length);
}

const turn = (row) =>
  h(
    "span.turn",
    h("s", { class: (state.one("which") ?? "fixed") === "fixed" ? "wrong" : "right" }, fmt.answer(row.answer_before)),
    " → ",
    h("span", { class: (state.one("which") ?? "fixed") === "fixed" ? "right" : "wrong" }, fmt.answer(row.answer_after)),
  );

const thumb = (root, row) =>
  cell(row.image, [h("span.q", dot(row.error_type), " ", row.question), turn(row)], {
    onclick: () => openRow(root, row),
    id: row.example_id,
    title: row.question,
  });

async function openRow(root, row) {
  for (const element of root.querySelectorAll(".grid .th")) element.classList.toggle("sel", Number(element.dataset.id) === row.example_id);
  const trained = h("div.trained");
  const fact = (name, ...content) => [h("dt", name), h("dd", content)];
  fill(
    root.querySelector("[data-detail]"),
    h(
      "div.detail.card",
      h(
        "div.top",
        h("button.shot", { onclick: () => zoom(row.image, row.question), title: "Enlarge" }, picture(row.image, "card", row.question)),
        h(
          "dl.kv",
          fact("Question", h("b", { style: "font-weight:550" }, row.question)),
          row.choices.length > 0 && fact("Choices", fmt.choices(row.choices)),
          fact("Gold", chip([...new Set(row.golds)].join(", "), { kind: "ok" })),
          fact("Answer", turn(row)),
          fact("Type", typeChip(row.error_type)),
          fact("Dataset", h("span.dim", row.dataset)),
        ),
      ),
      h("h4", "Training samples"),
      trained,
    ),
  );
  const samples = await api(
    "results/behind",
    { after: state.one("after") ?? root.querySelector("[data-pair] select:nth-of-type(2)").value, error_type: row.error_type },
    { quiet: true },
  );
  fill(
    trained,
    samples.length
      ? samples.slice(0, 6).map((sample) =>
          cell(sample.image, null, {
            title:
              `sample ${sample.sample_id}: ${sample.question} ${sample.answer}` +
              `${sample.decided_by ? ` (approved by ${sample.decided_by})` : ""}`,
            onclick: () => state.go("review", { sample: sample.sample_id }),
          }),
        )
      : h("span.dim", { style: "grid-column:1/-1" }, "No approved sample of this error type."),
  );
}

function pages(box, total, shown) {
  const offset = Number(state.one("offset") ?? 0),
    size = 24;
  const go = (to) => state.set({ offset: to || null });
  fill(
    box,
    h("small.dim", total ? `${fmt.number(offset + 1)}–${fmt.number(offset + shown)} of ${fmt.number(total)}` : ""),
    h("span.grow"),
    h("button.btn", { disabled: offset === 0, onclick: () => go(offset - size) }, "‹"),
    h("button.btn", { disabled: offset + shown >= total, onclick: () => go(offset + size) }, "›"),
  );
}
