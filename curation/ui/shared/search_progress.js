// Says in a search box how far the index is while it is made: until then a search finds what is there so far.

import { api } from "./api.js";
import { h } from "./dom.js";

const EVERY = 1000; // milliseconds
/** @type {Set<string>} */
const indexing = new Set();

/**
 * Whether a search does not find everything yet: the server refuses to act on all that match until it does.
 * @param {"failures" | "samples"} what
 */
export const isIndexing = (what) => indexing.has(what);

/**
 * Looks once when a page starts, and again while there is something to wait for. `what`: failures or samples; `again` searches anew
 * when more can be found.
 * @param {HTMLInputElement} input
 * @param {"failures" | "samples"} what
 * @param {() => unknown} again
 */
export async function watchIndex(input, what, again) {
  const { [what]: done } = await api("search/progress", undefined, { quiet: true }).catch(() => ({}));
  if (done === undefined) indexing.delete(what);
  else indexing.add(what);
  const parent = /** @type {HTMLElement} */ (input.parentNode);
  const status =
    /** @type {HTMLElement | null} */ (parent.querySelector(".indexing")) ??
    parent.appendChild(h("small.indexing.dim", { role: "status" }));
  const before = status.textContent;
  status.textContent = done === undefined ? "" : `indexing ${Math.floor(100 * done)} %`;
  status.title = status.textContent && "The search index is being built; results cover what is indexed so far";
  if (before && input.value.trim()) again();
  if (done !== undefined) setTimeout(() => watchIndex(input, what, again), EVERY);
}
