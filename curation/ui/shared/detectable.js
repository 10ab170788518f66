// What the eval splits could show at all, said where money is about to be spent.

import { api } from "./api.js";
import { fill, h } from "./dom.js";

/** @typedef {{text: string, source: string}} Ahead */

/**
 * A line in words, with what it rests on as its title; null where there are no eval examples.
 * @param {Ahead | null} found
 */
export const aheadText = (found) =>
  found &&
  h(
    "p.dim.ahead",
    { title: `Minimum detectable difference: 80 % power at the 5 % level; ${found.source}` },
    h("b", "Measurable: "),
    found.text,
  );

/**
 * Asks for it and fills an element with it.
 * @param {HTMLElement} element
 */
export async function drawDetectable(element) {
  const found = await api("results/detectable", {}, { quiet: true }).catch(() => null);
  fill(element, aheadText(found));
}
