// What a page shows is in the URL: ?page=failures&type=negation&type=counting. It can be shared, and Back works.

/** @import { Page, UrlChanges } from "./types.js" */

/** @type {Set<() => unknown>} */
const listeners = new Set();
/** @type {Map<string | undefined, URLSearchParams>} */
const left = new Map(); // page: its query when it was left, so that the rail leads back to it
/** @type {Page[]} */
export const pages = []; // filled by the frame

const query = () => new URLSearchParams(location.search);

export const state = {
  // The page that is shown.
  page: () => pages.find((page) => page.name === query().get("page"))?.name ?? pages[0]?.name,
  /**
   * One value, or null.
   * @param {string} name
   */
  one: (name) => query().get(name),
  /**
   * All values of a name, as a list.
   * @param {string} name
   */
  list: (name) => query().getAll(name),
  /**
   * Changes values of this page: text, number, list, or null to take away. `replace` leaves no step for Back.
   * @param {UrlChanges} changes
   */
  set(changes, { replace = false } = {}) {
    const now = query();
    for (const [name, value] of Object.entries(changes)) {
      now.delete(name);
      for (const item of [value].flat())
        if (item !== null && item !== undefined && item !== "" && item !== false) now.append(name, item === true ? "1" : String(item));
    }
    if (!now.has("page")) now.set("page", String(state.page()));
    go(now, replace);
  },
  /**
   * Goes to another page; without `values` to where it was left.
   * @param {string} page
   * @param {Record<string, any> | string[][]} [values]
   */
  go(page, values) {
    const now = new URLSearchParams(values ?? left.get(page));
    now.delete("page");
    go(new URLSearchParams([["page", page], ...now]), false);
  },
  /** @param {string} page */
  href: (page) => `?${new URLSearchParams({ page })}`,
  /** @param {() => unknown} listener */
  on: (listener) => listeners.add(listener),
};

/**
 * @param {URLSearchParams} now
 * @param {boolean} replace
 */
function go(now, replace) {
  const target = `?${now}`;
  if (target === location.search) return;
  left.set(state.page(), query());
  history[replace ? "replaceState" : "pushState"](history.state, "", new URL(target, location.href));
  tell();
}

export function tell() {
  for (const listener of listeners) listener();
}

addEventListener("popstate", tell);
