// What the reviewer did, latest first; any of it can be undone.

import { api, dialog, fill, fmt, h, picture } from "../shared/lib.js";
import { openSample, undo } from "./actions.js";
import { outbox, reviewing, statusText } from "./state.js";
import { find } from "./undo_list.js";

const DID = { approve: ["approved", "ok"], reject: ["rejected", "no"], reset: ["cleared", ""], edit: ["edited", "on"] };

export async function openHistory() {
  await outbox.settled();
  const box = h("div");
  const { element } = dialog(`History of ${reviewing().reviewer}`, box, [], { wide: true });
  const show = async () => {
    const rows = await api("review/history?limit=200");
    fill(
      box,
      rows.length
        ? h("table.rev-log", h("tbody", rows.map(line)))
        : h("p.dim", "No actions yet. Approve with a, reject with r; every action is listed here and can be undone."),
    );
  };
  const line = (row) => {
    const [text, kind] = DID[row.action];
    const open = () => {
      element.close();
      openSample(row.sample_id);
    };
    const take = async () => {
      if (row.samples === 1) element.close();
      await undo(find(row.event_id) ?? row);
      await outbox.settled();
      if (element.open) await show();
    };
    return h(
      "tr",
      { class: row.undone ? "undone" : "" },
      h("td", { style: "width:46px" }, h("button.rev-small", { onclick: open, title: "Open sample" }, picture(row.image, "thumb"))),
      h(
        "td",
        h(
          "div",
          h("span.chip", { class: kind }, text),
          " ",
          row.samples > 1 ? h("b", fmt.plural(row.samples, "sample")) : `sample ${fmt.number(row.sample_id)}`,
          row.reason && h("span.dim", ` · ${row.reason}`),
          row.note && h("span.dim", ` · “${row.note}”`),
        ),
        h(
          "div.clip.dim",
          { title: row.question },
          row.samples > 1 ? `${row.question} …` : `${row.question} ${row.answer} · now ${statusText[row.status].toLowerCase()}`,
        ),
      ),
      h("td.r.dim", { style: "white-space:nowrap" }, fmt.ago(row.created_at)),
      h("td.r", { style: "width:80px" }, row.undone ? h("span.dim", "undone") : h("button.btn", { onclick: take }, "Undo")),
    );
  };
  await show();
}
