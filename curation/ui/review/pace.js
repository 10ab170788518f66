// How fast the reviewer decides.

import { fmt } from "../shared/lib.js";

const WINDOW = 120_000; // milliseconds that are looked back
const LEAST = 3; // decisions from which on there is something to say

/** @type {number[]} */
let times = [];

export function countDecision() {
  times.push(performance.now());
}

/** "41 a minute": decisions of the last two minutes, as long as there are some. */
export function pace() {
  const now = performance.now();
  times = times.filter((time) => now - time < WINDOW);
  if (times.length < LEAST) return "";
  const minutes = Math.max(now - times[0], 3000) / 60_000;
  return `${fmt.number(times.length / minutes)} a minute`;
}
