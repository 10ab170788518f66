// Assigning samples to reviewers, and the assignments there are with their progress.

import { api, bar, chip, dialog, eventId, fill, fmt, h, toast } from "../shared/lib.js";
import { matching, queueOf } from "./state.js";

const form = { chosen: null, copies: 1, blind: false, title: "", extra: [] };

// A form that assigns the samples of the queue to reviewers.
export function assignForm(people, again) {
  form.chosen ??= new Set(people.logins ? people.names : [people.reviewer]);
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

export function assignments(people, again) {
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
          `${fmt.plural(assignment.samples, "sample")}, ` +
            (assignment.copies > 1 ? `${assignment.copies} reviewers each` : "1 reviewer each") +
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
