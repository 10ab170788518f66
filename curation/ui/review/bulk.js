// A decision on many: what it would touch is shown first, then it is one action with one undo.

import { api, dialog, eventId, fill, fmt, h, keyCap, pick, picture, toast } from "../shared/lib.js";
import { undo } from "./actions.js";
import { reload } from "./loading.js";
import { outbox, reviewing, statusText } from "./state.js";
import { add } from "./undo_list.js";

const VERBS = { approve: "Approve", reject: "Reject", reset: "Clear" };
const DONE = { approve: "approved", reject: "rejected", reset: "cleared" };

let opening = false; // a preview is on its way: a second press of the key opens no second dialog

// Shows the preview; resolves to the action that was done, or null.
export async function openBulk(matching, action) {
  if (opening) return null;
  opening = true;
  try {
    return (await previewed(matching, action)) ?? null;
  } finally {
    opening = false;
  }
}

async function previewed(matching, action) {
  await outbox.settled();
  if (outbox.items.length) return void toast("Some decisions are not saved yet: the app does not respond. Try again once they are saved.");
  let seed = 0;
  let preview = await api("review/bulk/preview", { matching, action, seed });
  if (!preview.total) return void toast("No samples match.");
  const event_id = eventId();
  const content = h("div");
  let reason = null;
  let note = "";
  const show = () =>
    fill(
      content,
      h("p", { style: "margin-bottom:10px" }, sentence(preview, action)),
      counts(preview),
      leftOut(preview),
      action === "reject" &&
        h(
          "div.row",
          { style: "margin-top:10px" },
          h("span.dim", "Reason"),
          pick([{ value: "", text: "none" }, ...reviewing().reasons], reason, (value) => {
            reason = value || null;
          }),
        ),
      h(
        "div.row",
        { style: "margin-top:8px" },
        h("span.dim", "Note"),
        h("input.in", {
          value: note,
          maxlength: 2000,
          placeholder: "saved with each decision",
          "aria-label": "Note",
          oninput: (event) => {
            note = event.target.value;
          },
        }),
      ),
      h(
        "h4",
        preview.total > preview.members.length
          ? [
              `${preview.members.length} of them at random `,
              h("button.btn.icon.bare", { onclick: others, title: "Show another random twelve" }, "show others"),
            ]
          : "All of them",
      ),
      h("div.grid.rev-few", preview.members.map(member)),
    );
  const others = async () => {
    preview = await api("review/bulk/preview", { matching, action, seed: ++seed });
    show();
  };
  show();
  return new Promise((resolve) => {
    let done = null;
    const apply = async () => {
      try {
        const answer = await api("review/bulk", { matching, action, reason, note: note.trim() || null, event_id, expected: preview.count });
        done = { event_id, action, reason, samples: answer.count, batch_id: answer.batch_id };
      } catch (error) {
        if (error.status === 409) await others();
        return false;
      }
      add(done);
      reload();
      done.told = toast(`${fmt.plural(done.samples, "sample")} ${DONE[action]}`, {
        kind: "good",
        seconds: 8,
        action: { text: "Undo", run: () => undo(done) },
      });
    };
    const buttons = [
      { text: "Cancel" },
      ...(preview.count
        ? [{ text: `${VERBS[action]} ${fmt.number(preview.count)}`, kind: action === "reject" ? "b" : "p", run: apply }]
        : []),
    ];
    const { element } = dialog(action === "reset" ? "Clear decisions" : `${VERBS[action]} samples`, content, buttons, { wide: true });
    element.addEventListener("close", () => resolve(done));
  });
}

function sentence({ count, total }, action) {
  const what = {
    approve: "will be approved and used in training",
    reject: "will be rejected",
    reset: "will lose your decision; the status from the filters applies again",
  }[action];
  return [
    h("b", fmt.plural(count, "sample")),
    ` of ${fmt.number(total)} ${what}. This is one action: `,
    keyCap("review", "undo"),
    " undoes all of it.",
  ];
}

const counts = ({ by_status }) =>
  h(
    "div.row.wrap",
    Object.entries(by_status).map(([status, count]) =>
      h("span.chip", h("i.rev-mark", { class: status }), statusText[status], h("span.dim", fmt.number(count))),
    ),
  );

function leftOut({ left_out: { undrawn, leaking } }) {
  const lines = [
    undrawn && `${fmt.number(undrawn)} without an image`,
    leaking && `${fmt.number(leaking)} that leak from an eval split or were not checked for leakage yet (approve these one by one)`,
  ].filter(Boolean);
  return lines.length > 0 && h("p.rev-left-out", "Left out: ", lines.join(", "), ".");
}

const member = (row) =>
  h(
    "div.th",
    { title: `Sample ${row.sample_id}: ${row.question}` },
    h("span.rev-thumb", picture(row.image), h("i.rev-mark", { class: row.status })),
    h("p", h("span.q", row.question), h("span.a.right", row.answer)),
  );
