// Left column: what the queue holds. Statuses and facets with their counts; a click narrows, another widens.

import { at, chip, definition, dot, fillOnce, fmt, h, mini, pick, state } from "../shared/lib.js";
import {
  afterwards,
  byStatus,
  choose,
  chosenStatuses,
  FACETS,
  order,
  queue,
  queueOf,
  STATUSES,
  tally,
  toggle,
  toggleStatus,
  words,
} from "./state.js";

const TITLES = { error_type: "Error type", route: "Route", dataset: "Dataset", round: "Round", failing: "Failing filter" };
const FOLD = 9;
const ORDERS = [
  ["informative", "most informative first"],
  ["random", "random order"],
  ["newest", "newest first"],
  ["oldest", "oldest first"],
];
const unfolded = new Set();

export function start(root) {
  const [statuses, facets, orders] = ["statuses", "facets", "order"].map((name) => at(root, name));
  afterwards.on(() => {
    drawStatuses(statuses);
    drawFacets(facets);
    drawOrder(orders);
  });
}

const QUEUES = [
  ["mine", "To do", "Assigned to you, not decided yet"],
  ["done", "Decided", "Assigned to you and decided"],
];

// What is assigned to the reviewer.
function queues({ assigned, done }, audit) {
  if (!assigned && !queueOf() && !audit) return null;
  const counts = { mine: assigned - done, done };
  return h(
    "div.rev-facet",
    h("h4", "Assigned to you"),
    QUEUES.map(([name, text, hint]) =>
      row({
        text,
        hint,
        count: counts[name],
        on: queueOf() === name,
        lead: h("i.rev-mark", { class: name === "mine" ? "pending" : "approved" }),
        run: () => choose({ queue: queueOf() === name ? null : name, audit: null, status: null }),
      }),
    ),
    (audit != null || queueOf() === "audit") &&
      row({
        text: "Audit queue",
        hint: "Blind random sample of automatic approvals and rejections",
        count: audit ?? 0,
        on: queueOf() === "audit",
        lead: h("i.rev-mark.disputed"),
        run: () => choose({ audit: queueOf() === "audit" ? null : 1, queue: null, status: null }),
      }),
    assigned > 0 && h("div.rev-progress", mini(assigned ? done / assigned : 0)),
  );
}

// Narrowings that are no facet, each with a cross.
function chips() {
  const failure = state.one("failure");
  const samples = state.one("samples")?.split(",").length;
  return (
    (failure || samples) &&
    h(
      "div.rev-facet.rev-narrow",
      samples &&
        chip(fmt.plural(samples, "sample"), {
          kind: "on",
          title: "Random sample from the Calibration page",
          onremove: () => choose({ samples: null }),
        }),
      failure &&
        chip(`failure ${fmt.number(Number(failure))}`, {
          kind: "on",
          title: "Only samples generated from this failure",
          onremove: () => choose({ failure: null }),
        }),
    )
  );
}

function drawStatuses(box) {
  const { facets, mine, audit } = tally();
  const counts = byStatus();
  const chosen = chosenStatuses();
  const all = chosen.length === STATUSES.length;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const hidden = queueOf() && !facets.status?.length;
  fillOnce(box, [counts, chosen, mine, audit, queueOf(), state.one("failure"), state.one("samples")], () => [
    queues(mine, audit),
    chips(),
    !hidden &&
      h(
        "div.rev-facet",
        h("h4", "Status"),
        STATUSES.map(([name, text, hint]) =>
          row({
            text,
            hint,
            count: counts[name] ?? 0,
            on: !all && chosen.includes(name),
            lead: h("i.rev-mark", { class: name }),
            run: (event) => toggleStatus(name, event),
          }),
        ),
        row({
          text: "All",
          hint: "Every status",
          count: total,
          on: all,
          lead: h("i.rev-mark"),
          run: () => choose({ status: "all" }),
        }),
      ),
  ]);
}

function drawFacets(box) {
  const { facets } = tally();
  const shown = Object.keys(FACETS).filter((name) => (facets[name]?.length ?? 0) > (name === "failing" ? 0 : 1) || state.list(name).length);
  fillOnce(box, [facets, shown.map((name) => state.list(name))], () => shown.map((name) => section(name, facets[name] ?? [])));
}

function section(name, values) {
  const chosen = state.list(name);
  const missing = chosen.filter((value) => !values.some((row) => row.value === value)).map((value) => ({ value, count: 0 }));
  const all = [...values, ...missing];
  const cut = unfolded.has(name) || all.length <= FOLD + 1 ? all : all.slice(0, FOLD);
  const more = all.length - cut.length;
  return h(
    "div.rev-facet",
    h("h4", TITLES[name]),
    cut.map(({ value, count }) =>
      row({
        text: name === "error_type" || name === "dataset" ? value : words(value),
        hint: name === "error_type" ? definition(value) : "",
        count,
        on: chosen.includes(value),
        lead: name === "error_type" && dot(value),
        run: () => toggle(name, value),
      }),
    ),
    more > 0 &&
      h(
        "button.facet-value",
        {
          onclick: (event) => {
            unfolded.add(name);
            event.target.closest(".rev-facet").replaceWith(section(name, values));
          },
        },
        h("span.dim", `${more} more`),
        h("span"),
      ),
  );
}

const row = ({ text, hint, count, on, lead, run }) =>
  h(
    "button.facet-value",
    { class: `${on ? "on" : ""} ${count ? "" : "none"}`, onclick: run, "aria-pressed": String(on), title: hint || text },
    lead,
    h("span", text),
    h("span.n", fmt.number(count)),
  );

function drawOrder(box) {
  const now = order();
  const target = queue.known?.target;
  const hint =
    `Most informative: filters disagree, scores close to thresholds, ` +
    `clusters with fewer than ${target ?? "the wanted number of"} approved samples`;
  const forced = queue.order && queue.order !== now;
  fillOnce(box, [now, forced, target], () => [
    h("span.dim", "Order"),
    forced
      ? h("span", { title: "Blind queues are in random order: any other order would reveal filter verdicts" }, "random (blind)")
      : pick(
          ORDERS.map(([value, text]) => ({ value, text })),
          now,
          (chosen) => choose({ order: chosen === "informative" ? null : chosen }),
          { title: hint },
        ),
  ]);
}
