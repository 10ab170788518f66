// Shortcuts of pages. They work wherever the focus is, except while text is typed, and only for the page that is shown.

import { h } from "./dom.js";
import { dialog } from "./overlays.js";
import { pages, state } from "./url_state.js";

const registered = new Map(); // page -> [{key, what, run, name, repeat}]
const MAP = "mistakebook.keys"; // a person's own keys: {"failures.next": "n"}

// Registers the shortcuts of a page, where its module is read: {key: "j", what: "next failure", run, name: "next"}.
// `name` makes it remappable; `repeat` lets a held key count; one whose `what` is null goes without saying.
export function keys(page, list) {
  registered.set(page, list);
}

const own = () => JSON.parse(localStorage.getItem(MAP) ?? "{}");
const keyOf = (page, entry) => own()[`${page}.${entry.name}`] ?? entry.key;
const COMMON = { "/": "search", "?": "these keys", Escape: "leave, or close what is open" };

// Shortcuts as they stand: [{page, name, key, standard, what}], and changing one (null: back to the standard).
export const keymap = {
  // Pages register their shortcuts when their module is read: this reads them all.
  load: () => Promise.all(pages.map(({ folder }) => import(`../${folder}/index.js`))),
  all: () =>
    [...registered].flatMap(([page, list]) =>
      list
        .filter((entry) => entry.what)
        .map((entry) => ({ page, name: entry.name, key: keyOf(page, entry), standard: entry.key, what: entry.what })),
    ),
  key: (page, name) =>
    keyOf(
      page,
      registered.get(page).find((entry) => entry.name === name),
    ),
  // What else a key does on a page: {name, what}; name is null where it can't be given away. Undefined where it is free.
  taken(page, name, key) {
    if (COMMON[key]) return { name: null, what: COMMON[key] };
    const other = registered.get(page).find((entry) => entry.name !== name && keyOf(page, entry) === key);
    return other && { name: other.what ? other.name : null, what: other.what ?? other.name };
  },
  set(page, name, key) {
    const map = own();
    if (key && key !== registered.get(page).find((entry) => entry.name === name).key) map[`${page}.${name}`] = key;
    else delete map[`${page}.${name}`];
    localStorage.setItem(MAP, JSON.stringify(map));
  },
  // Two shortcuts of a page exchange their keys.
  swap(page, name, other) {
    const [mine, theirs] = [keymap.key(page, name), keymap.key(page, other)];
    keymap.set(page, name, theirs);
    keymap.set(page, other, mine);
  },
  reset: () => localStorage.removeItem(MAP),
  changed: () => Object.keys(own()).length > 0,
  // Another one where any key is another: for what is drawn only when it has changed.
  mark: () => localStorage.getItem(MAP),
};

// The key of a shortcut as it stands, for a button: h("button", "Approve", keyCap("review", "approve")).
export const keyCap = (page, name) => h("kbd", keyName(keymap.key(page, name)));
export const keyName = (key) => NAMES[key] ?? key;

const typing = (target) =>
  target instanceof Element &&
  (target.isContentEditable || target.closest("textarea, select, input:not([type=checkbox],[type=radio],[type=range],[type=button])"));

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && typing(event.target)) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.keyCode === 229 || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") return help();
  const page = state.page();
  const root = document.getElementById(`page-${page}`);
  if (!root?.checkVisibility()) return;
  if (event.key === "/" && root.querySelector("[data-search]")?.checkVisibility()) {
    event.preventDefault();
    return root.querySelector("[data-search]").focus();
  }
  const entry = (registered.get(page) ?? []).find((one) => keyOf(page, one) === event.key);
  if (!entry || (event.repeat && !entry.repeat)) return;
  event.preventDefault();
  entry.run(event);
});

// The overlay that lists the page's shortcuts.
export function help() {
  const page = state.page();
  const entries = (registered.get(page) ?? []).filter((entry) => entry.what).map((entry) => [keyOf(page, entry), entry.what]);
  const common = [
    ["/", "search"],
    ["Esc", "leave a field, close what is open"],
    ["?", "these keys"],
  ];
  const rows = [...entries, ...common].map(([key, what]) =>
    h("tr", h("td.r", { style: "width:110px" }, h("kbd", NAMES[key] ?? key)), h("td", what)),
  );
  dialog(`Keys · ${pages.find((one) => one.name === page).title}`, h("table", h("tbody", rows)));
}

const NAMES = { " ": "space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "enter" };
