// What the reviewer did and may take back, the latest last: decisions, edits and bulk decisions, of this page and of earlier ones.

/** @import { Done } from "./types.js" */

/** @type {Done[]} */
let list = [];

export const latest = () => list.at(-1);
export const find = (/** @type {string} */ eventId) => list.find((action) => action.event_id === eventId);

export function add(/** @type {Done} */ done) {
  list.push(done);
}

export function forget(/** @type {string} */ eventId) {
  list = list.filter((action) => action.event_id !== eventId);
}

/** What was done before the page was opened can be undone too: rows of api/review/history, latest first. */
export function addEarlier(/** @type {Done[]} */ rows) {
  list = [...rows.filter((action) => !action.undone && !find(action.event_id)).reverse(), ...list];
}
