// Saved views: what the page shows, under a name, for everyone in the workspace. ?saved=<number> leads to one.

import { api, ask, at, dialog, fillOnce, fmt, h, state, toast } from "../shared/lib.js";
import { changed, follow, narrowed } from "./selection.js";

const PASSING = ["page", "card", "offset", "saved"];
let views = [];

export function start(root) {
  const box = at(root, "views");
  follow(() => draw(box));
}

export async function loadViews() {
  views = await api("views/list", { page: "failures" });
  changed.tell();
}

function draw(box) {
  const current = Number(state.one("saved"));
  fillOnce(
    box,
    [views, current],
    () =>
      views.length > 0 &&
      h(
        "details.facet",
        { open: true },
        h("summary", "Saved views"),
        views.map((view) => row(view, current)),
      ),
  );
}

const row = (view, current) =>
  h(
    "div.fview",
    { class: view.view_id === current ? "on" : "" },
    h(
      "a",
      {
        href: `?page=failures&saved=${view.view_id}`,
        title: `${view.author}, ${fmt.ago(view.created_at)}`,
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          show(view);
        },
      },
      view.name,
    ),
    h("button", { onclick: () => remove(view), title: "Delete this view", "aria-label": `Delete ${view.name}` }, "✕"),
  );

const show = (view, replace = false) => {
  const wanted = new URLSearchParams(view.query);
  const removed = [...new URLSearchParams(location.search).keys()].filter((name) => name !== "page" && !wanted.has(name));
  const values = Object.fromEntries([...new Set(wanted.keys())].map((name) => [name, wanted.getAll(name)]));
  state.set({ ...Object.fromEntries(removed.map((name) => [name, null])), ...values, saved: view.view_id }, { replace });
};

// Where the URL names a view and nothing else, it becomes that view's; true if it was changed.
export async function followSaved() {
  const id = Number(state.one("saved"));
  const names = [...new URLSearchParams(location.search).keys()].filter((name) => name !== "page");
  if (!id || names.some((name) => name !== "saved")) return false;
  const view = await api("views/one", { view_id: id }).catch(() => null);
  if (view?.query) show(view, true);
  else if (!view) state.set({ saved: null }, { replace: true });
  return Boolean(view?.query) || !view;
}

export function saveView() {
  const name = h("input.in", { maxlength: 80, placeholder: "Negations that the model overlooks", "aria-label": "Name" });
  const save = async () => {
    if (!name.value.trim()) return false;
    const query = new URLSearchParams(location.search);
    for (const passing of PASSING) query.delete(passing);
    const view = await api("views/save", { name: name.value, query: String(query) });
    await loadViews();
    state.set({ saved: view.view_id }, { replace: true });
    toast(`Saved as “${view.name}”: in the left column, and at ?page=failures&saved=${view.view_id}`, { kind: "good" });
  };
  const { element } = dialog(
    "Save this view",
    h("div", h("p.dim", "The selection and how it is shown, for everyone in this workspace."), name),
    [{ text: "Cancel" }, { text: "Save", kind: "p", run: save }],
  );
  name.addEventListener("keydown", (event) => event.key === "Enter" && element.querySelector(".btn.p").click());
  name.focus();
}

export const canSave = () => narrowed() || state.one("layout") || state.one("colour") || state.list("round").length > 0;

async function remove(view) {
  if (!(await ask("Delete this view?", `“${view.name}”, saved by ${view.author}.`, "Delete"))) return;
  await api("views/delete", { view_id: view.view_id });
  if (Number(state.one("saved")) === view.view_id) state.set({ saved: null }, { replace: true });
  await loadViews();
}
