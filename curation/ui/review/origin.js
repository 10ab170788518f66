// Right column: where a sample comes from, and what has happened to it.

import { at, dot, fillOnce, fmt, h, keyCap, launch, picture, state, zoom } from "../shared/lib.js";
import { openSample, showSiblings } from "./actions.js";
import { rendered } from "./picture_spec.js";
import { afterwards, sample, statusText, tally, words } from "./state.js";

export function start(root) {
  const box = at(root, "origin");
  afterwards.on(() => draw(box, sample()));
}

function draw(box, card) {
  if (!card) return fillOnce(box, "none", () => h("p.dim", "Source failure, image generation and history of the sample."));
  fillOnce(box, [card, tally().facets.status?.length], () => [
    origin(card),
    skill(card),
    prompt(card),
    rendered(card),
    drawing(card),
    again(card),
    siblings(card),
    history(card),
  ]);
  // Only where somebody has scrolled: to ask for the place, or to set it, lays the whole page out at once.
  box.onscroll ??= () => {
    scrolled = true;
  };
  if (scrolled && box.dataset.sample !== String(card.sample_id)) {
    box.scrollTop = 0;
    scrolled = false;
  }
  box.dataset.sample = card.sample_id;
}

let scrolled = false;

function origin(card) {
  const { origin: from } = card;
  if (!from)
    return h(
      "p.dim",
      `Handwritten${card.frontier ? ` (${card.frontier.replace("by hand: ", "")})` : ""}, ` +
        `${fmt.ago(card.created_at)}; not generated from a failure.`,
    );
  const golds = [...new Set(from.golds)].map((gold) => fmt.answer(gold, from.choices)).join(", ");
  return [
    h(
      "div.rev-origin",
      h(
        "button.rev-small",
        { onclick: () => zoom(from.image, from.question), title: "Enlarge" },
        picture(from.image, "card", from.question),
      ),
      h(
        "div",
        h("b", { style: "font-weight:550" }, from.question),
        h("div", h("span.dim", "gold "), h("span.right", golds)),
        h("div", h("span.dim", "baseline "), h("span.wrong", fmt.answer(from.answer, from.choices))),
        h(
          "a.small",
          {
            href: `?page=failures&card=${from.failure_id}`,
            onclick: (event) => {
              event.preventDefault();
              state.go("failures", { card: from.failure_id });
            },
          },
          `failure ${fmt.number(from.failure_id)} →`,
        ),
      ),
    ),
    h("h4", "Diagnosis"),
    h(
      "p",
      h("span", dot(card.error_type), " "),
      from.faulty_reasoning ?? "not diagnosed",
      from.confidence !== null && h("span.dim", ` · confidence ${fmt.fixed(from.confidence, 2)}`),
    ),
  ];
}

// What the sample says it practises, beside what failed.
function skill(card) {
  const failed = card.origin?.skill;
  if (!card.skill && !failed) return null;
  const same = card.skill?.toLowerCase() === failed?.toLowerCase();
  return [
    h("h4", "Skill"),
    h(
      "p",
      card.skill ?? h("span.dim", "not stated"),
      card.contrast && h("span.dim", { title: "Asks the opposite of another sample, so that it is not lost" }, " · contrast"),
      failed && !same && h("span.dim", ` · failed: ${failed}`),
    ),
  ];
}

const prompt = (card) => card.image_prompt && [h("h4", "Image prompt"), h("p.dim", card.image_prompt)];

function drawing(card) {
  if (!card.drawings.length) return card.route === "same_image" ? [h("h4", "Image"), h("p.dim", "The failure's image.")] : null;
  const [latest, ...earlier] = card.drawings;
  const facts = Object.entries(latest.recipe)
    .filter(([name, value]) => !["pipeline", "generator"].includes(name) && typeof value !== "object")
    .map(([name, value]) => `${words(name)} ${value}`);
  return [
    h("h4", "Image generation"),
    h("p.dim", [latest.generator, `seed ${latest.seed}`, ...facts].join(" · ")),
    earlier.length > 0 &&
      h(
        "div.rev-siblings",
        earlier
          .slice(0, 4)
          .map((drawing) =>
            h(
              "button.rev-small",
              { title: `Earlier image, seed ${drawing.seed}`, onclick: () => zoom(drawing.image, `seed ${drawing.seed}`) },
              picture(drawing.image, "thumb"),
            ),
          ),
      ),
  ];
}

export const redraw = (card) =>
  launch(
    "draw",
    { sample_ids: [card.sample_id] },
    {
      title: `Draw sample ${fmt.number(card.sample_id)}${card.image ? " again" : ""}`,
      noun: "image",
      hidden: ["sample_ids", "limit"],
      button: "Draw",
      text: card.picture_spec
        ? "Renders the spec again with another look (background, grid, axes); its data stays. Earlier images stay in the log."
        : "Generates the image again with another seed. Earlier images stay in the log.",
    },
  );

const regenerate = (card) =>
  launch(
    "generate",
    { failure_ids: [card.failure_id] },
    {
      title: `More samples for failure ${fmt.number(card.failure_id)}`,
      noun: "call",
      hidden: ["failure_ids", "cluster_ids", "limit"],
      button: "Generate",
      text: "The frontier model generates more samples for the same failure. Existing samples are kept.",
    },
  );

export const canDraw = (card) => Boolean(card.image_prompt || card.picture_spec);

const again = (card) =>
  (canDraw(card) || card.failure_id) &&
  h(
    "div.row.wrap",
    { style: "margin-top:8px" },
    canDraw(card) &&
      h(
        "button.btn",
        { onclick: () => redraw(card), title: `Another image from the same ${card.picture_spec ? "spec" : "prompt"}` },
        card.image ? "Redraw" : "Draw",
      ),
    card.failure_id && h("button.btn", { onclick: () => regenerate(card), title: "More samples from the same failure" }, "Generate more"),
  );

function siblings(card) {
  if (!card.siblings.length) return null;
  const sibling = (sample) =>
    h(
      "button.rev-small",
      {
        class: sample.status,
        onclick: () => openSample(sample.sample_id),
        title: `Sample ${sample.sample_id}, ${statusText[sample.status].toLowerCase()}: ${sample.question} ${sample.answer}`,
      },
      picture(sample.image, "thumb"),
    );
  return [
    h(
      "h4",
      "From the same failure ",
      h(
        "button.btn.icon.bare",
        { onclick: showSiblings, title: "All samples from the same failure, in the grid" },
        "all ",
        keyCap("review", "siblings"),
      ),
    ),
    h("div.rev-siblings", card.siblings.slice(0, 12).map(sibling)),
  ];
}

const DID = { approve: "approved", reject: "rejected", reset: "cleared", edit: "edited", undo: "undid" };

// One line an event: verdicts, decisions, edits, drawings; latest first.
function history(card) {
  const lines = [
    {
      at: card.created_at,
      text: card.route === "by_hand" ? "handwritten" : card.frontier ? `generated by ${card.frontier}` : "imported",
    },
    ...card.drawings.map((drawing) => ({ at: drawing.created_at, text: `drawn, seed ${drawing.seed}` })),
    ...card.verdicts
      .filter((verdict) => verdict.created_at)
      .map((verdict) => ({
        at: verdict.created_at,
        text:
          `${words(verdict.filter)} ${verdict.error ? "error" : verdict.passes ? "passes" : "fails"}: ` +
          `${verdict.error ?? verdict.reason}`,
        bad: verdict.passes === false,
      })),
    ...card.events
      .filter((event) => event.action !== "undo")
      .map((event) => ({
        at: event.created_at,
        text:
          `${event.reviewer} ${DID[event.action]}${event.batch_id ? " in bulk" : ""}${event.settles ? ", resolving the dispute" : ""}` +
          `${event.reason ? `: ${event.reason}` : ""}${event.note ? ` (“${event.note}”)` : ""}`,
        person: true,
        undone: event.undone,
        stale: event.revision !== card.revision,
      })),
  ];
  lines.sort((a, b) => new Date(b.at) - new Date(a.at) || Boolean(b.person) - Boolean(a.person));
  return [
    h("h4", "History"),
    h(
      "ol.rev-history",
      lines.map((line) =>
        h(
          "li",
          {
            class: line.undone ? "undone" : line.stale ? "stale" : line.bad ? "wrong" : line.person ? "" : "dim",
            title: line.stale ? "On an earlier revision; no longer counts" : fmt.ago(line.at),
          },
          h("time", fmt.clock(line.at)),
          h("span", line.text),
        ),
      ),
    ),
    card.revisions.length > 0 && h("p.small.dim", `revision ${card.revision}; last edited by ${card.revisions.at(-1).reviewer}`),
  ];
}
