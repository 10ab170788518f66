// Right column: the grid of what is selected, and the card of one failure.

import {
  api,
  cell,
  chip,
  colour,
  definition,
  dot,
  emptyState,
  eventId,
  fill,
  fillList,
  fmt,
  h,
  icon,
  pick,
  picture,
  state,
  toast,
  types,
  zoom,
} from "../shared/lib.js";
import { currentId, press, recolour, refreshSoon, view } from "./index.js";
import { drawNeighbours } from "./neighbours.js";
import { history as showHistory, wordUndo } from "./undo.js";

const LABELS = [
  ["model error", "Model error", "m"],
  ["label error", "Label error", "l"],
  ["scorer artefact", "Scorer", "o"],
];
const HINTS = {
  "model error": "The model is wrong",
  "label error": "The gold answer is wrong",
  "scorer artefact": "The answer is right, in a form the metric doesn't take",
};

export function drawThumbs(box, { page, card }) {
  const rows = page?.rows ?? [];
  if (!rows.length) return fill(box, emptyState("No failure fits", "Take a choice away, or search for something else."));
  let grid = box.querySelector(".grid");
  if (!grid) {
    grid = h("div.grid");
    fill(box, grid);
  }
  fillList(grid, rows, thumb);
  for (const element of grid.children) {
    element.classList.toggle("sel", Number(element.dataset.id) === card?.failure_id);
    element.classList.toggle("marked", view.marked.has(Number(element.dataset.id)));
  }
  if (grid.parentNode.dataset.shown !== String(card?.failure_id)) grid.querySelector(".sel")?.scrollIntoView({ block: "nearest" });
  grid.parentNode.dataset.shown = card?.failure_id;
}

function thumb(row) {
  const caption = [
    h("span.q", dot(row.error_type), " ", row.question),
    h("span.a", h("s.wrong", shownAnswer(row.answer, row.choices)), " · ", h("span.right", shownAnswer(row.golds[0], row.choices))),
  ];
  const element = cell(row.image, caption, {
    onclick: (event) => press(event, row.failure_id),
    id: row.failure_id,
    title: `${row.question}\n(ctrl or shift marks several)`,
  });
  element.classList.toggle("excused", row.triage === "label error");
  return element;
}

// "B" of a multiple choice is shown with what it stands for.
function shownAnswer(answer, choices) {
  const index = choices?.length && /^[A-Z]$/.test(answer) ? answer.charCodeAt(0) - 65 : -1;
  return choices?.[index] ? `${answer}. ${choices[index]}` : answer || "(nothing)";
}

let drawn = null;

export function drawCard(box, { card, page, index }) {
  const mark = JSON.stringify([card, index, page?.failures, state.one("offset")]);
  if (mark === drawn) return;
  const same = drawn && JSON.parse(drawn)[0]?.failure_id === card?.failure_id;
  drawn = mark;
  if (!card) return fill(box);
  const place =
    index === null
      ? `Failure ${fmt.number(card.failure_id)}`
      : `Failure ${fmt.number(Number(state.one("offset") ?? 0) + index + 1)} of ${fmt.number(page.failures)}`;
  const shot = h(
    "button.shot",
    { onclick: () => zoom(card.image, card.question), title: "Large (z)" },
    picture(card.image, "card", card.question),
  );
  const from = `${card.dataset} · ${card.kind ?? "no kind"} · item ${card.external_id} · failure ${fmt.number(card.failure_id)}`;
  const { scrollTop } = box;
  const near = h("div.near");
  fill(
    box,
    h("h4", place),
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
    chip([shownAnswer(text, card.choices), times > 1 && h("span.dim", `× ${times}`)], { kind: "ok" }),
    " ",
  ]);
  return [
    fact("Question", h("b", { style: "font-weight:550" }, card.question)),
    card.choices.length > 0 &&
      fact(
        "Choices",
        h(
          "ol.choices",
          card.choices.map((text, i) => h("li", h("span.faint", String.fromCharCode(65 + i)), text)),
        ),
      ),
    fact("Gold", gold),
    fact("Baseline", chip(shownAnswer(card.answer, card.choices), { kind: "no" })),
    card.diagnosis_id &&
      fact(
        "Frontier",
        chip(shownAnswer(card.own_answer ?? "", card.choices), { kind: card.own_score >= card.threshold ? "ok" : "no" }),
        " ",
        h("small.dim", card.own_score >= card.threshold ? "sees it right" : "fails too"),
      ),
    fact("Score", h("span.dim", `${fmt.fixed(card.strict, 2)} · lenient ${fmt.fixed(card.lenient, 2)}`)),
  ];
}

function count(list) {
  const counts = {};
  for (const one of list) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

const USE = { teachable: "ok", "gold looks wrong": "wa", "only its form is wrong": "wa", "the frontier fails too": "wa" };

function diagnosis(card) {
  if (!card.diagnosis_id) return [h("h4", "Diagnosis"), h("p.dim", "Not diagnosed yet.")];
  const choices = types.map((type) => ({ value: type.name, text: type.name }));
  const select = pick(choices, card.error_type, (type) => triage([card.failure_id], { error_type: type }), {
    title: `Error type: ${definition(card.error_type)}`,
  });
  select.style.borderLeft = `3px solid ${colour(card.error_type)}`;
  const practised = card.samples
    ? fact(
        "Practised by",
        fmt.plural(card.samples, "sample"),
        card.approved ? h("span.dim", `, ${fmt.number(card.approved)} approved`) : "",
      )
    : null;
  return [
    h("h4", "Diagnosis"),
    h("div", card.faulty_reasoning),
    h(
      "dl.kv.diag",
      { style: "margin-top:8px" },
      fact("Error type", select, " ", confirmation(card), " ", chip(card.use, { kind: USE[card.use] ?? "" })),
      card.description && fact("It sees", h("span.dim", card.description)),
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
      title: by ? `Error type given or confirmed by ${by}` : "The error type is right (c)",
      "aria-label": "The error type is right",
    },
    "✓",
  );
}

// Says that the frontier model's error type is right: agreement is counted over these and over corrections.
// A key that comes before the next card does is about the next one.
export function confirmType() {
  const id = currentId();
  const type = (view.page?.rows.find((row) => row.failure_id === id) ?? (view.card?.failure_id === id ? view.card : null))?.error_type;
  return type && triage([id], { error_type: type });
}

// The bar below the card: a person's word on the failure.
export function drawTriage(box, { card }) {
  const many = view.marked.size;
  const ids = () => (many ? [...view.marked] : [card.failure_id]);
  const on = (label) => !many && card.triage === label;
  fill(
    box,
    card &&
      LABELS.map(([label, text, key]) =>
        h(
          "button.btn",
          {
            class: on(label) ? "on" : "",
            "aria-pressed": String(on(label)),
            title: many ? `${HINTS[label]}: all ${many} marked` : HINTS[label],
            onclick: () => triage(ids(), { label }),
          },
          text,
          h("kbd", key),
        ),
      ),
    card && h("span.grow"),
    card &&
      h(
        "button.btn.icon",
        {
          onclick: showHistory,
          title: "History: what people said and changed, each with a way back (u undoes the latest)",
          "aria-label": "History",
        },
        icon("back"),
      ),
  );
}

function history(card) {
  if (!card.history?.length) return null;
  const line = (event) => `${event.reviewer}: ${event.label ?? event.error_type}, ${fmt.ago(event.created_at)}`;
  return h("p.small.faint", { style: "margin-top:8px" }, card.history.slice(0, 3).map(line).join(" · "));
}

// Stores a person's word on failures; what is shown changes at once and is put right by the answer.
export async function triage(failureIds, word, said = null) {
  const change = word.label ? { triage: word.label } : { error_type: word.error_type };
  if (failureIds.includes(view.card?.failure_id)) Object.assign(view.card, change);
  for (const row of view.page?.rows ?? []) if (failureIds.includes(row.failure_id)) Object.assign(row, change);
  if (word.error_type) recolour(failureIds, word.error_type);
  view.marked.clear();
  const event = eventId();
  const sent = api("failures/triage", { failure_ids: failureIds, event_id: event, ...word });
  const back = wordUndo(event, sent);
  try {
    const { moved } = await sent;
    const what = said ?? `${fmt.plural(failureIds.length, "failure")}: ${word.label ?? word.error_type}`;
    toast(moved ? `${what}; ${moved === 1 ? "it joins" : "they join"} the clusters of that type` : what, {
      kind: "good",
      seconds: 4,
      action: back,
    });
  } finally {
    refreshSoon();
  }
}
