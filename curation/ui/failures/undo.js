// Taking back: what was done last in this tab by key, and anything that people said or changed in this round from a list.

import { api, dialog, eventId, fmt, h, state, toast } from "../shared/lib.js";
import { refresh, refreshClusters } from "./loading.js";
import { choose, open, shown } from "./selection.js";

const done = []; // what was done in this tab and not taken back, the latest last: {path, body}

// Notes a change that can be taken back; returns what a toast needs for it. `path` is a route under api/, `body` names the change.
// `sent`, where it is on its way still: it is taken back once it is there.
function undoable(path, body, sent = Promise.resolve()) {
  const action = { path, body, sent };
  done.push(action);
  sent.catch(() => done.includes(action) && done.splice(done.indexOf(action), 1));
  return { text: "Undo", run: () => takeBack(action) };
}

export const changeUndo = (changeId) => undoable("clusters/undo", { change_id: changeId });
export const labelUndo = (batchId, sent) => undoable("failures/triage/undo", { batch_id: batchId }, sent);

// Takes back what was done last: a cluster edit or a triage label.
export function undoLatest() {
  if (!done.length) return toast("Nothing to undo since this page was opened; see History for earlier changes");
  takeBack(done.at(-1));
}

async function takeBack(action) {
  const at = done.findIndex((earlier) => JSON.stringify(earlier.body) === JSON.stringify(action.body));
  if (at >= 0) done.splice(at, 1);
  if (
    !(await (action.sent ?? Promise.resolve()).then(
      () => true,
      () => false,
    ))
  )
    return;
  const answer = await api(action.path, { ...action.body, event_id: eventId() });
  if (action.path === "clusters/undo") {
    if (state.list("cluster").length) choose({ cluster: null }, true);
    return refreshClusters();
  }
  toast(`Undone for ${fmt.plural(answer.undone, "failure")}`, { kind: "good", seconds: 2.5 });
  await refresh();
}

// All that people said and changed in the round, newest first, each with a way back.
export async function history() {
  const round = shown().summary.round;
  const [changes, labels] = await Promise.all([
    api("clusters/history", { round, limit: 200 }),
    api("failures/triage/history", { round, limit: 200 }),
  ]);
  const rows = [...changes, ...labels].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const undo = (row) =>
    row.batch_id
      ? { path: "failures/triage/undo", body: { batch_id: row.batch_id } }
      : { path: "clusters/undo", body: { change_id: row.change_id } };
  const line = (row) =>
    h(
      "tr",
      { class: row.undone ? "faint" : "" },
      h(
        "td",
        row.batch_id && row.failures === 1
          ? h(
              "button.link",
              {
                onclick: () => {
                  close();
                  open(row.failure_id);
                },
                title: "Open the failure",
              },
              describe(row),
            )
          : describe(row),
      ),
      h("td.dim", row.reviewer),
      h("td.dim", fmt.ago(row.created_at)),
      h(
        "td.r",
        row.undone
          ? "undone"
          : h(
              "button.btn",
              {
                onclick: () => {
                  close();
                  takeBack(undo(row));
                },
              },
              "Undo",
            ),
      ),
    );
  const content = rows.length
    ? h("table", h("tbody", rows.map(line)))
    : h("p.dim", "No triage labels, error type corrections or cluster edits in this round yet.");
  const { close } = dialog("History", content, [], { wide: true });
}

function describe(row) {
  const { action, titles, into_title: into, title, failures } = row;
  if (row.batch_id) {
    const whose = failures === 1 ? `Failure ${fmt.number(row.failure_id)}` : fmt.plural(failures, "failure");
    return `${whose}: ${[row.label, row.error_type && `error type ${row.error_type}`].filter(Boolean).join(", ")}`;
  }
  const names = (titles ?? []).map((title) => `“${title}”`).join(", ");
  if (action === "rename") return `${names} renamed “${title}”`;
  if (action === "merge") return `${names} merged${title ? ` as “${title}”` : ` into “${into}”`}`;
  if (action === "split") return `${fmt.plural(failures, "failure")} split off ${names} as “${title}”`;
  if (action === "make") return `“${title}” made of ${fmt.plural(failures, "failure")}`;
  return `${fmt.plural(failures, "failure")} moved to “${into}”`;
}
