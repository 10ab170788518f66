// Shortcuts of pages. They work wherever the focus is, except while text is typed, and only for the page that is shown.

import { h } from "./dom.js";
import { dialog } from "./overlays.js";
import { pages, state } from "./url_state.js";

/** @import { Shortcut } from "./types.js" */

/** @type {Map<string, Shortcut[]>} */
const registered = new Map(); // by page
const MAP = "mistakebook.keys"; // a person's own keys: {"failures.next": "n"}

/**
 * Registers the shortcuts of a page, where its module is read: {key: "j", what: "next failure", run, name: "next"}.
 * `name` makes it remappable; `repeat` lets a held key count; one whose `what` is null goes without saying.
 * @param {string} page
 * @param {Shortcut[]} list
 */
export function keys(page, list) {
  registered.set(page, list);
}

/**
 * The shortcut to a button that launches or buys something: it is focused, and Enter presses it. No key launches by itself.
 * @param {string} selector
 * @param {string} what
 * @param {string} key
 * @returns {Shortcut}
 */
export const toButton = (selector, what, key = "b") => ({
  name: "launch",
  key,
  what: `${what} (Enter presses it)`,
  run: () => {
    const button = /** @type {HTMLElement | null} */ (document.querySelector(`${selector}:not([disabled])`));
    button?.scrollIntoView({ block: "nearest" });
    button?.focus();
  },
});

/** @returns {Record<string, string>} */
const own = () => JSON.parse(localStorage.getItem(MAP) ?? "{}");
/**
 * @param {string} page
 * @param {Shortcut} entry
 */
const keyOf = (page, entry) => own()[`${page}.${entry.name}`] ?? entry.key;
/**
 * The shortcut of a page that has that name.
 * @param {string} page
 * @param {string} name
 * @returns {Shortcut}
 */
function shortcut(page, name) {
  const entry = registered.get(page)?.find((entry) => entry.name === name);
  if (!entry) throw new Error(`page ${page} has no shortcut ${name}`);
  return entry;
}

/** @type {Record<string, string>} */
const COMMON = { "/": "search", "?": "show shortcuts", Escape: "leave a field or close a dialog" };

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
  /**
   * @param {string} page
   * @param {string} name
   */
  key: (page, name) => keyOf(page, shortcut(page, name)),
  /**
   * What else a key does on a page: {name, what}; name is null where it can't be given away. Undefined where it is free.
   * @param {string} page
   * @param {string} name
   * @param {string} key
   */
  taken(page, name, key) {
    if (COMMON[key]) return { name: null, what: COMMON[key] };
    const conflict = registered.get(page)?.find((entry) => entry.name !== name && keyOf(page, entry) === key);
    return conflict && { name: conflict.what ? conflict.name : null, what: conflict.what ?? conflict.name };
  },
  /**
   * @param {string} page
   * @param {string} name
   * @param {string | null} key
   */
  set(page, name, key) {
    const map = own();
    if (key && key !== shortcut(page, name).key) map[`${page}.${name}`] = key;
    else delete map[`${page}.${name}`];
    localStorage.setItem(MAP, JSON.stringify(map));
  },
  /**
   * Two shortcuts of a page exchange their keys.
   * @param {string} page
   * @param {string} name
   * @param {string} other
   */
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

/**
 * The key of a shortcut as it stands, for a button: h("button", "Approve", keyCap("review", "approve")).
 * @param {string} page
 * @param {string} name
 */
export const keyCap = (page, name) => h("kbd", keyName(keymap.key(page, name)));
/** @param {string} key */
export const keyName = (key) => NAMES[key] ?? key;

/** @param {EventTarget | null} target */
const typing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest("textarea, select, input:not([type=checkbox],[type=radio],[type=range],[type=button])"));

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && typing(event.target)) return /** @type {HTMLElement} */ (event.target).blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.keyCode === 229 || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") return help();
  const page = /** @type {string} */ (state.page());
  const root = document.getElementById(`page-${page}`);
  if (!root?.checkVisibility()) return;
  const search = /** @type {HTMLElement | null} */ (root.querySelector("[data-search]"));
  if (event.key === "/" && search?.checkVisibility()) {
    event.preventDefault();
    return search.focus();
  }
  const entry = registered.get(page)?.find((entry) => keyOf(page, entry) === event.key);
  if (!entry || (event.repeat && !entry.repeat)) return;
  event.preventDefault();
  entry.run(event);
});

// The overlay that lists the page's shortcuts.
export function help() {
  const page = /** @type {string} */ (state.page());
  /** @type {[string, string | null][]} */
  const entries = (registered.get(page) ?? []).filter((entry) => entry.what).map((entry) => [keyOf(page, entry), entry.what]);
  const common = [
    ["/", "search"],
    ["Esc", "leave a field or close a dialog"],
    ["?", "show shortcuts"],
  ];
  const rows = [...entries, ...common].map(([key, what]) =>
    h("tr", h("td.r", { style: "width:110px" }, h("kbd", NAMES[key] ?? key)), h("td", what)),
  );
  dialog(`Shortcuts · ${pages.find((item) => item.name === page)?.title}`, h("table", h("tbody", rows)));
}

/** @type {Record<string, string>} */
const NAMES = { " ": "space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "enter" };
