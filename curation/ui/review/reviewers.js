// The reviewers of the workspace: how many samples each decided and how fast; how reviews are made.

import { api, bar, chip, fill, fmt, h, later, onlyLatest } from "../shared/lib.js";
import { assignForm, assignments } from "./assignments.js";
import { interAnnotatorAgreement } from "./reviewer_agreement.js";

const newest = onlyLatest();

export async function drawReviewers(box) {
  const people = await newest(api("review/people", {}));
  if (!people) return;
  const again = () => drawReviewers(box);
  const agreement = h("div", h("p.dim", "Counting…"));
  fill(
    box,
    table(people),
    h(
      "div.rev-two",
      h("div", h("h4", "Inter-annotator agreement"), agreement),
      h("div", h("h4", "Assign samples"), assignForm(people, again)),
    ),
    assignments(people, again),
    settings(people, again),
  );
  fill(agreement, interAnnotatorAgreement(await api("review/agreement", {}), people));
}

function table({ reviewer, reviewers }) {
  if (!reviewers.length) return [h("h4", "Reviewers"), h("p.dim", `No decisions yet. You are ${reviewer}.`)];
  const line = (person) =>
    h(
      "tr",
      h("td", h("b", person.reviewer), " ", person.reviewer === reviewer && chip("you", { kind: "on" })),
      h(
        "td",
        person.assigned > 0
          ? h("span.row", bar(person.done / person.assigned), h("span", `${fmt.number(person.done)} of ${fmt.number(person.assigned)}`))
          : h("span.dim", "–"),
      ),
      h("td.r", fmt.number(person.decisions)),
      h("td.r", person.bulk ? fmt.number(person.bulk) : h("span.dim", "–")),
      h("td.r", person.per_hour ? fmt.number(Math.round(person.per_hour)) : "–"),
      h("td.r", person.median_seconds ? `${fmt.fixed(person.median_seconds, 1)} s` : "–"),
      h("td.r", fmt.percent(person.approve_share)),
      h("td.r.dim", person.last_at ? fmt.ago(person.last_at) : "never"),
    );
  const head = (text, title) => h("th", { class: text === "Reviewer" || text === "Assigned and done" ? "" : "r", title }, text);
  return [
    h("h4", "Reviewers"),
    h(
      "table.rev-all",
      h(
        "thead",
        h(
          "tr",
          head("Reviewer"),
          head("Assigned and done"),
          head("One by one", "Decisions made one by one and not undone"),
          head("In bulk"),
          head("Per hour", "Decisions per hour of active time; pauses over two minutes are not counted"),
          head("Median time", "From one action to the next decision"),
          head("Approved", "Share of approvals among one-by-one decisions"),
          head("Last active"),
        ),
      ),
      h("tbody", reviewers.map(line)),
    ),
  ];
}

function settings({ blind, target }, again) {
  const set = async (path, body) => {
    await api(`review/${path}`, body);
    again();
  };
  const wanted = h("input.in.short", {
    type: "number",
    min: 1,
    value: target,
    "aria-label": "Approved samples wanted per cluster",
    onchange: later(() => Number(wanted.value) >= 1 && set("target", { samples: Number(wanted.value) }), 10),
  });
  return [
    h("h4", "Workspace settings"),
    h(
      "div.card",
      h(
        "label.row",
        h("input", { type: "checkbox", checked: blind, onchange: (event) => set("blind", { on: event.target.checked }) }),
        h("span", "Blind review: filter verdicts and others' decisions are hidden until a reviewer has decided"),
      ),
      h(
        "div.row",
        { style: "margin-top:8px" },
        h("span", "Approved samples wanted per cluster"),
        wanted,
        h("small.dim", "clusters below it come first in the queue"),
      ),
    ),
  ];
}
