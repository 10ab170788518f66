// Right column of Results: the examples that were fixed or broken, and one of them with the samples that practised it.

import { api, at, cell, chip, dot, emptyState, fill, fmt, h, launch, pick, picture, state, typeChip, zoom } from "../shared/lib.js";
import { group, lines, pair, tableTitle, view } from "./state.js";

export function drawLedger(root) {
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
        [{ value: "", text: `every ${tableTitle()}` }, ...lines().map((line) => ({ value: line.name, text: line.name }))],
        group() ?? "",
        (name) => state.set({ group: name, offset: null }),
        { title: tableTitle() },
      ),
  );
  const box = at(root, "ledger"),
    ledger = view.ledger;
  if (!ledger) return fill(at(root, "pages"), fill(box) && null);
  if (!ledger.rows.length)
    fill(box, emptyState(which === "fixed" ? "No fixed examples" : "No broken examples", group() ? `Choose another ${tableTitle()}.` : ""));
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
          fact("Type", typeChip(row.error_type), row.kind !== row.error_type && h("small.dim", ` ${row.kind}`)),
          fact("Cluster", h("span.dim", row.cluster)),
          fact("Dataset", h("span.dim", row.dataset)),
        ),
      ),
      trained,
    ),
  );
  const asked = { ...pair(), example_id: row.example_id, error_type: row.error_type };
  const { nearest, samples } = await api("results/behind", asked, { quiet: true });
  fill(trained, nearest ? nearestSamples(samples) : someSamples(samples));
}

// The training samples most like the example, each with why it was made and who approved it.
const nearestSamples = (samples) => [
  h("h4", "Nearest training samples"),
  samples.map((sample) =>
    h(
      "div.near",
      cell(sample.image, null, { title: `Open sample ${sample.sample_id} in Review`, onclick: () => openSample(sample) }),
      h(
        "div",
        h("div", h("b", sample.question), " ", chip(sample.answer, { kind: "ok" })),
        h(
          "div.dim",
          { title: `cosine of question and answer ${fmt.fixed(sample.text, 2)}, of image ${fmt.fixed(sample.image_likeness, 2)}` },
          `likeness ${fmt.fixed(sample.score, 2)} · `,
          h("button.link", { onclick: () => openSample(sample) }, `sample ${sample.sample_id}`),
          sample.decided_by ? ` · approved by ${sample.decided_by}` : sample.status === "auto_approved" ? " · auto-approved" : "",
        ),
        sample.failure_id !== null &&
          h(
            "div.dim",
            "made for ",
            h("button.link", { onclick: () => state.go("failures", { card: sample.failure_id }) }, `failure ${sample.failure_id}`),
            sample.failed_question && `: “${sample.failed_question}” “${fmt.answer(sample.failed_answer)}”`,
          ),
        sample.faulty_reasoning && h("div.dim", `diagnosis: ${sample.faulty_reasoning}`),
      ),
    ),
  ),
];

// Nobody has looked for the nearest: some of the same error type, and the job that looks.
const someSamples = (samples) => [
  h("h4", "Training samples of this error type"),
  samples.length
    ? h(
        "div.some",
        samples.slice(0, 6).map((sample) =>
          cell(sample.image, null, {
            title:
              `sample ${sample.sample_id}: ${sample.question} ${sample.answer}` +
              `${sample.decided_by ? ` (approved by ${sample.decided_by})` : ""}`,
            onclick: () => openSample(sample),
          }),
        ),
      )
    : h("p.dim", "No approved sample of this error type."),
  samples.length > 0 && h("button.btn", { onclick: findNearest }, "Find the nearest samples of every example"),
];

const openSample = (sample) => state.go("review", { sample: sample.sample_id });

const findNearest = () =>
  launch(
    "nearest_samples",
    { checkpoint: view.summary.after, before: view.summary.before },
    {
      title: "Find nearest training samples",
      text: "Compares question, answer and image of every fixed and broken example with what the checkpoint was trained on.",
      noun: "comparison",
    },
  );

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
