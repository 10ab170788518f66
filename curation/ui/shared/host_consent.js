// Before pictures or prompts go to another machine its name is shown, and the person is asked once for each.

import { h } from "./dom.js";
import { ask } from "./overlays.js";

const KEY = "mistakebook.hosts";
/** @returns {string[]} */
const allowed = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");

/**
 * Whether `what` ("the pictures of 5 failures, with …") may go to `host`; null is this machine. Asks where that host was never allowed.
 * @param {string | null | undefined} host
 * @param {string} what
 */
export async function mayLeave(host, what) {
  if (!host || allowed().includes(host)) return true;
  const text = h(
    "div",
    h("p", "This sends ", what, " to ", h("b", host), ", which is another machine."),
    h("p.dim", { style: "margin-top:8px" }, "You are asked once per machine. Nothing else is sent; keys are never shown or stored here."),
  );
  if (!(await ask(`Send to ${host}?`, text, `Send to ${host}`))) return false;
  localStorage.setItem(KEY, JSON.stringify([...allowed(), host]));
  return true;
}

/**
 * Behind whom is asked: where that is, and that things leave this machine.
 * @param {string | null} host
 */
export const hostText = (host) => (host ? `at ${host}, another machine` : "on this machine");
