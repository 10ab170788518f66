// The card of one failure: question, answers, diagnosis, and the failures most alike.

import { at, chip, colour, definition, fill, fmt, h, pick, picture, state, types, zoom } from "../shared/lib.js";
import { drawNeighbours } from "./neighbours.js";
import { follow } from "./selection.js";
import { confirmType, triage } from "./triage.js";

export function start(root) {
  const box = at(root, "card");
  follow((shown) => drawCard(box, shown));
}

let drawn = null;

function drawCard(box, { card, page, place }) {
  const mark = JSON.stringify([card, place, page?.failures, state.one("near")]);
  if (mark === drawn) return;
  const same = drawn && JSON.parse(drawn)[0]?.failure_id === card?.failure_id;
  drawn = mark;
  if (!card) return fill(box);
  const title = place === null ? `Failure ${fmt.number(card.failure_id)}` : `Failure ${fmt.number(place)} of ${fmt.number(page.failures)}`;
  const shot = h(
    "button.shot",
    { onclick: () => zoom(card.image, card.question), title: "Enlarge (z)" },
    picture(card.image, "card", card.question),
  );
  const from = `${card.dataset} · ${card.kind ?? "no kind"} · item ${card.external_id} · failure ${fmt.number(card.failure_id)}`;
  const { scrollTop } = box;
  const near = h("div.near");
  fill(
    box,
    h("h4", title),
    h("div.card", h("div.top", shot, h("dl.kv", facts(card))), diagnosis(card), history(card)),
    near,
    h("p.small.faint", { style: "margin-top:8px" }, from),
  );
  drawNeighbours(near, card);
  box.scrollTop = same ? scrollTop : 0;
}

const fact = (name, ...content) => [h("dt", name), h("dd", content)];

function facts(card) {
  const golds = Object.entries(count(card.golds)).sort((a, b) => b[1] - a[1]);
  const gold = golds.map(([text, times]) => [
    chip([fmt.answer(text, card.choices), times > 1 && h("span.dim", `× ${times}`)], { kind: "ok" }),
    " ",
  ]);
  return [
    fact("Question", h("b", { style: "font-weight:550" }, card.question)),
    card.choices.length > 0 &&
      fact(
        "Choices",
        h(
          "ol.choices",
          card.choices.map((text, i) => h("li", h("span.faint", fmt.letter(i)), text)),
        ),
      ),
    fact("Gold", gold),
    fact("Baseline", chip(fmt.answer(card.answer, card.choices), { kind: "no" })),
    card.diagnosis_id &&
      fact(
        "Frontier",
        chip(fmt.answer(card.own_answer ?? "", card.choices), { kind: card.own_score >= card.threshold ? "ok" : "no" }),
        " ",
        h("small.dim", card.own_score >= card.threshold ? "correct" : "also wrong"),
      ),
    fact("Score", h("span.dim", `${fmt.fixed(card.strict, 2)} · lenient ${fmt.fixed(card.lenient, 2)} · ${card.metric_title}`)),
    card.read !== card.answer &&
      fact(
        "Read as",
        card.read === null
          ? h("span.dim", { title: "The lenient score found no answer in this text" }, "no answer found")
          : h("span.mono", { title: "What the lenient score took for the answer" }, fmt.answer(card.read, card.choices)),
      ),
  ];
}

function count(list) {
  const counts = {};
  for (const item of list) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}

const USE = { teachable: "ok", "gold looks wrong": "wa", "only its form is wrong": "wa", "the frontier fails too": "wa" };

function diagnosis(card) {
  if (!card.diagnosis_id) return [h("h4", "Diagnosis"), h("p.dim", "Not diagnosed yet.")];
  const choices = types
    .filter((type) => !type.hidden || type.name === card.error_type)
    .map((type) => ({ value: type.name, text: type.name }));
  const select = pick(choices, card.error_type, (type) => triage([card.failure_id], { error_type: type }), {
    title: `Error type: ${definition(card.error_type)}`,
  });
  select.style.borderLeft = `3px solid ${colour(card.error_type)}`;
  const practised = card.samples
    ? fact("Samples", fmt.number(card.samples), card.approved ? h("span.dim", `, ${fmt.number(card.approved)} approved`) : "")
    : null;
  return [
    h("h4", "Diagnosis"),
    h("div", card.faulty_reasoning),
    h(
      "dl.kv.diag",
      { style: "margin-top:8px" },
      fact("Error type", select, " ", confirmation(card), " ", chip(card.use, { kind: USE[card.use] ?? "" })),
      card.description && fact("Image", h("span.dim", card.description)),
      card.key_elements?.length > 0 && fact("Key elements", h("span.dim", card.key_elements.join(", "))),
      fact("Confidence", h("span.dim", fmt.fixed(card.confidence, 2), ` · ${card.frontier}`)),
      card.cluster && fact("Cluster", h("span.dim", card.cluster)),
      practised,
    ),
  ];
}

// A tick that says whether a person has given or confirmed the error type; pressing it confirms.
function confirmation(card) {
  const by = card.history?.find((event) => event.error_type)?.reviewer;
  return h(
    "button.btn.icon.bare",
    {
      class: by ? "okay" : "",
      "aria-pressed": String(Boolean(by)),
      onclick: confirmType,
      title: by ? `Error type given or confirmed by ${by}` : "Confirm the error type (c)",
      "aria-label": "Confirm the error type",
    },
    "✓",
  );
}

function history(card) {
  if (!card.history?.length) return null;
  const line = (event) => `${event.reviewer}: ${event.label ?? event.error_type}, ${fmt.ago(event.created_at)}`;
  return h("p.small.faint", { style: "margin-top:8px" }, card.history.slice(0, 3).map(line).join(" · "));
}
