// What a page shows is in the URL: ?page=failures&type=negation&type=counting. It can be shared, and Back works.

const listeners = new Set();
const left = new Map(); // the query of each page when it was left, so that the rail leads back to it
export const pages = []; // filled by the frame: {name, title, group, folder}

const query = () => new URLSearchParams(location.search);

export const state = {
  // The page that is shown.
  page: () => pages.find((page) => page.name === query().get("page"))?.name ?? pages[0]?.name,
  // One value, or null.
  one: (name) => query().get(name),
  // All values of a name, as a list.
  list: (name) => query().getAll(name),
  // Changes values of this page: text, number, list, or null to take away. `replace` leaves no step for Back.
  set(changes, { replace = false } = {}) {
    const now = query();
    for (const [name, value] of Object.entries(changes)) {
      now.delete(name);
      for (const one of [value].flat())
        if (one !== null && one !== undefined && one !== "" && one !== false) now.append(name, one === true ? "1" : one);
    }
    if (!now.has("page")) now.set("page", state.page());
    go(now, replace);
  },
  // Goes to another page; without `values` to where it was left.
  go(page, values) {
    const now = new URLSearchParams(values ?? left.get(page) ?? {});
    now.delete("page");
    go(new URLSearchParams([["page", page], ...now]), false);
  },
  href: (page) => `?${new URLSearchParams({ page })}`,
  on: (listener) => listeners.add(listener),
};

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
