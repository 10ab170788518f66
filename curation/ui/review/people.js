// People: who was given what, how fast they are, how far they agree; and giving samples to them.

import { api, bar, chip, dialog, eventId, fill, fmt, h, later, onlyLatest, toast } from "../shared/lib.js";
import { choose, matching, queueOf } from "./state.js";

const newest = onlyLatest();
const GOOD = 0.8; // from which on alpha is called reliable, Krippendorff 2004
const form = { chosen: null, copies: 1, blind: false, title: "", extra: [] };

export async function drawPeople(box) {
  const people = await newest(api("review/people", {}));
  if (!people) return;
  form.chosen ??= new Set(people.logins ? people.names : [people.reviewer]);
  const again = () => drawPeople(box);
  const agreement = h("div", h("p.dim", "Counting…"));
  fill(
    box,
    table(people),
    h("div.rev-two", h("div", h("h4", "Inter-annotator agreement"), agreement), h("div", h("h4", "Assign samples"), giving(people, again))),
    assignments(people, again),
    settings(people, again),
  );
  fill(agreement, agreed(await api("review/agreement", {}), people));
}

// Everybody ----------------------------------------------------------------------------------------------------

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

// Agreement ----------------------------------------------------------------------------------------------------

function agreed({ alpha, low, high, units, decisions, pairs }, { disputed, blind }) {
  const settle =
    disputed > 0 &&
    h(
      "button.btn",
      { onclick: () => choose({ status: "disputed", queue: null, audit: null, view: null }) },
      `Resolve disputes (${fmt.number(disputed)})`,
    );
  if (!units)
    return [
      h("p.dim", "No sample was decided by two reviewers yet. Assign the same samples to two or more, blind, to measure agreement."),
      settle && h("div.row", { style: "margin-top:8px" }, settle),
    ];
  const pair = (row) =>
    h(
      "tr",
      h("td", row.one, h("span.faint", " and "), row.other),
      h("td.r", fmt.number(row.samples)),
      h("td.r", fmt.percent(row.agree)),
      h("td.r", fmt.fixed(row.kappa, 2)),
    );
  return [
    h(
      "div.row.wrap",
      h(
        "span.num",
        { title: "Krippendorff's alpha, nominal: 1 full agreement, 0 as by chance" },
        alpha === null ? "–" : fmt.fixed(alpha, 3),
      ),
      h(
        "div",
        h(
          "div",
          alpha === null
            ? "alpha is undefined: all decisions are the same"
            : ["Krippendorff's alpha", low !== null && h("span.dim", `, 95 % interval ${fmt.fixed(low, 3)} to ${fmt.fixed(high, 3)}`)],
        ),
        h(
          "small.dim",
          `${fmt.plural(units, "sample")} decided by two or more, ${fmt.number(decisions)} decisions` +
            `${blind ? "" : "; without blinding, later reviewers could see earlier decisions"}`,
        ),
      ),
    ),
    alpha !== null &&
      h(
        "p.small",
        { class: low >= GOOD ? "okay" : "dim" },
        low >= GOOD
          ? "Reliable: the whole interval is above 0.80."
          : high < 0.667
            ? "Too low to rely on: agree on guidelines, then review some samples again."
            : "Not shown to be reliable (0.80) yet.",
      ),
    h(
      "table",
      h("thead", h("tr", h("th", "Pair"), h("th.r", "both decided"), h("th.r", "agree"), h("th.r", { title: "Cohen's kappa" }, "kappa"))),
      h("tbody", pairs.slice(0, 20).map(pair)),
    ),
    settle && h("div.row", { style: "margin-top:8px" }, settle),
  ];
}

// Giving -------------------------------------------------------------------------------------------------------

function giving(people, again) {
  const box = h("div.card.rev-give");
  const what = () => {
    const { queue, ...chosen } = matching();
    return queueOf() ? { ...chosen, statuses: ["pending"] } : chosen;
  };
  let preview = null;
  const event_id = eventId();
  const give = async () => {
    const answer = await api("review/assign", {
      matching: what(),
      reviewers: [...form.chosen],
      copies: form.copies,
      blind: form.blind,
      title: form.title,
      event_id,
    });
    toast(`${fmt.plural(answer.samples, "sample")} assigned to ${[...form.chosen].join(", ")}`, { kind: "good" });
    form.title = "";
    again();
  };
  const picker = () => peoplePicker(people, form.chosen, draw);
  const draw = () => {
    const n = form.chosen.size;
    form.copies = Math.max(1, Math.min(form.copies, n));
    const each = preview && n ? Math.round((preview.samples * form.copies) / n) : 0;
    const copies = h(
      "select.pick",
      {
        "aria-label": "Reviewers per sample",
        onchange: () => {
          form.copies = Number(copies.value);
          draw();
        },
      },
      Array.from({ length: Math.max(1, n) }, (_, i) => h("option", { value: i + 1 }, i ? `${i + 1} reviewers each` : "1 reviewer each")),
    );
    copies.value = form.copies;
    fill(
      box,
      h(
        "p",
        preview
          ? [
              h("b", fmt.plural(preview.samples, "sample")),
              " in the current queue",
              preview.assigned > 0 && h("span.dim", `; ${fmt.number(preview.assigned)} more are already assigned`),
            ]
          : h("span.dim", "Counting…"),
      ),
      picker(),
      h(
        "div.row.wrap",
        copies,
        h(
          "label.row",
          h("input", {
            type: "checkbox",
            checked: form.blind,
            onchange: (event) => {
              form.blind = event.target.checked;
            },
          }),
          h("span", { title: "Reviewers see neither filter verdicts nor others' decisions before they decide a sample" }, "blind"),
        ),
        h("input.in.grow", {
          value: form.title,
          placeholder: "name of the assignment",
          "aria-label": "Name of the assignment",
          maxlength: 200,
          oninput: (event) => {
            form.title = event.target.value;
          },
        }),
      ),
      h(
        "div.row",
        h(
          "button.btn.p",
          { disabled: !preview?.samples || !n, onclick: give },
          preview?.samples ? `Assign ${fmt.number(preview.samples)}` : "Nothing to assign",
        ),
        n > 0 && each > 0 && h("small.dim", `about ${fmt.number(each)} each`),
      ),
    );
  };
  draw();
  api("review/assign/preview", { matching: what() }).then((answer) => {
    preview = answer;
    draw();
  });
  return box;
}

// Names with a tick each; without logins any name can be added.
function peoplePicker({ names, logins }, chosen, changed) {
  const all = [...new Set([...names, ...form.extra, ...chosen])];
  const tick = (name) =>
    h(
      "button.chip",
      {
        class: chosen.has(name) ? "on" : "",
        "aria-pressed": String(chosen.has(name)),
        onclick: () => {
          if (!chosen.delete(name)) chosen.add(name);
          changed();
        },
      },
      name,
    );
  const add = h("input.in.short", {
    placeholder: "add a name",
    "aria-label": "Add a name",
    maxlength: 100,
    onchange: () => {
      const name = add.value.trim();
      if (!name) return;
      form.extra.push(name);
      chosen.add(name);
      changed();
    },
  });
  return h("div.row.wrap", all.map(tick), !logins && add);
}

// Assignments --------------------------------------------------------------------------------------------------

function assignments(people, again) {
  if (!people.assignments.length) return null;
  const card = (assignment) =>
    h(
      "div.card.rev-given",
      h(
        "div.row",
        h("b", assignment.title),
        assignment.blind && chip("blind", { kind: "on" }),
        h(
          "span.dim",
          `${fmt.plural(assignment.samples, "sample")}, ${assignment.copies > 1 ? `${assignment.copies} reviewers each` : "1 reviewer each"}` +
            ` · ${assignment.author}, ${fmt.ago(assignment.created_at)}`,
        ),
        h("span.grow"),
        h(
          "button.btn",
          { onclick: () => change(assignment, people, again), title: "Add or remove reviewers; undecided samples are redistributed" },
          "Reviewers…",
        ),
      ),
      h(
        "div.rev-loads",
        assignment.progress.map((share) =>
          h(
            "div.row",
            h("span.name", share.reviewer),
            bar(share.assigned ? share.done / share.assigned : 0),
            h("small.dim", `${fmt.number(share.done)} of ${fmt.number(share.assigned)}`),
          ),
        ),
      ),
    );
  return [h("h4", "Assignments"), people.assignments.map(card)];
}

function change(assignment, people, again) {
  const chosen = new Set(assignment.reviewers);
  const box = h("div");
  const event_id = eventId();
  const draw = () =>
    fill(
      box,
      h("p", { style: "margin-bottom:10px" }, "Decided samples stay with their reviewer; as few of the others as possible are reassigned."),
      peoplePicker(people, chosen, draw),
    );
  draw();
  dialog(`Reviewers of “${assignment.title}”`, box, [
    { text: "Cancel" },
    {
      text: "Redistribute",
      kind: "p",
      run: async () => {
        try {
          const { moved } = await api("review/reassign", { assignment_id: assignment.assignment_id, reviewers: [...chosen], event_id });
          toast(`${fmt.plural(moved, "sample")} reassigned`, { kind: "good" });
        } catch {
          return false;
        }
        again();
      },
    },
  ]);
}

// Settings -----------------------------------------------------------------------------------------------------

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
