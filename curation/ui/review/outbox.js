// Decisions on their way to the store: sent in their order, each with an id of its own, and again for as long as nothing answers.
// Those that queue up while one is on its way go together, in one request; each has its own answer.
// Until the store has acknowledged one it lies in localStorage, so that closing the page loses none.

import { ApiError, afterPaint, api, listeners } from "../shared/lib.js";
import { keepsUnsaved, leaving } from "../shared/unsaved.js";

/** @import { Item } from "./types.js" */

const WAITS = [400, 1000, 2000, 4000, 8000]; // milliseconds between attempts
const PATIENCE = 15000; // an answer that takes longer counts as none
const TOGETHER = 50; // decisions in one request
const FINAL = [400, 403, 404, 409, 422]; // answers that sending again won't change

export class Outbox {
  constructor() {
    /** @type {ReturnType<typeof listeners<[Item, any]>>} told of each and its answer, once it is on disk */
    this.stored = listeners();
    /** @type {ReturnType<typeof listeners<[Item, ApiError]>>} told of each and why it was not taken */
    this.refused = listeners();
    this.changed = listeners(); // how many there are, or whether anything answers, is another
    /** @type {Item[]} */
    this.items = [];
    /** @type {string | null} */
    this.trouble = null; // what the app last answered, where it didn't take them
    this.prefix = ""; // of the keys in localStorage; none before it is known who reviews
    this.sending = false;
    /** @type {(() => void)[]} */
    this.waiters = [];
    /** @type {(() => void) | undefined} ends a pause between two attempts */
    this.wake = undefined;
    addEventListener("beforeunload", (event) => this.items.length && !leaving() && event.preventDefault());
    keepsUnsaved(async () => {
      await this.settled();
      const { length } = this.items;
      return length
        ? `${length === 1 ? "One decision is" : `${length} decisions are`} not saved yet (${this.trouble ?? "no answer"}).`
        : "";
    });
    addEventListener("online", () => this.wake?.());
  }

  /**
   * Sends what an earlier page of this workspace could not send for this person.
   * @param {string} workspace
   * @param {string} reviewer
   */
  open(workspace, reviewer) {
    if (this.prefix) return;
    this.prefix = `mistakebook.unsaved.${workspace}.${reviewer}.`;
    const kept = Object.keys(localStorage)
      .filter((key) => key.startsWith(this.prefix))
      .sort();
    this.items.unshift(...kept.map((key) => ({ ...JSON.parse(localStorage.getItem(key) ?? ""), key })));
    this.send();
  }

  /**
   * @param {Item["path"]} path
   * @param {Item["body"]} body
   */
  add(path, body) {
    const key = `${this.prefix}${String(Date.now()).padStart(15, "0")}.${String(++count).padStart(6, "0")}.${body.event_id}`;
    /** @type {Item} */
    const item = { path, body, key };
    localStorage.setItem(key, JSON.stringify({ path, body }));
    this.items.push(item);
    this.changed.tell();
    // Behind the frame that the key's own work is painted in: to start a request takes two milliseconds, and the answer a core.
    afterPaint(() => this.send());
    return item;
  }

  // Whether something about this sample is still on its way.
  holds(/** @type {number} */ sampleId) {
    return this.items.some((item) => item.body.sample_id === sampleId || item.sampleId === sampleId);
  }

  /**
   * Resolves once everything is saved, or as soon as it is known that nothing answers.
   * @returns {Promise<void>}
   */
  settled() {
    return this.items.length && !this.trouble ? new Promise((resolve) => this.waiters.push(resolve)) : Promise.resolve();
  }

  async send() {
    if (this.sending || !this.prefix) return;
    this.sending = true;
    let together = TOGETHER;
    for (let attempt = 0; this.items.length; ) {
      const items = this.next(together);
      /** @type {(() => void)[]} what to tell of each */
      let outcomes;
      try {
        const answers = await this.answers(items);
        outcomes = items.map(
          (item, i) => () =>
            answers[i].error
              ? this.refused.tell(item, new ApiError(answers[i].error, answers[i].status))
              : this.stored.tell(item, answers[i]),
        );
      } catch (given) {
        const error = /** @type {ApiError} */ (given);
        if (FINAL.includes(error.status) && items.length > 1) {
          together = 1; // one of them is not understood: the others are not to go with it
          continue;
        }
        if (FINAL.includes(error.status)) outcomes = [() => this.refused.tell(items[0], error)];
        else {
          this.trouble = error.message;
          this.release();
          this.changed.tell();
          await this.pause(WAITS[Math.min(attempt++, WAITS.length - 1)]);
          continue;
        }
      }
      attempt = 0;
      items.forEach((item, i) => {
        this.done(item);
        outcomes[i]();
      });
    }
    this.sending = false;
    this.release();
  }

  // What goes in the next request: the first of all, and with a decision the decisions behind it, as far as they are on other samples.
  next(/** @type {number} */ most) {
    const samples = new Set();
    const end = this.items.findIndex(
      ({ path, body }, i) => i === most || path !== "decide" || samples.size === samples.add(body.sample_id).size,
    );
    return this.items.slice(0, end < 0 ? this.items.length : Math.max(1, end));
  }

  /**
   * @param {Item[]} items
   * @returns {Promise<any[]>} one of each
   */
  async answers(items) {
    const bodies = items.map((item) => item.body);
    const send = (/** @type {string} */ path, /** @type {unknown} */ body) =>
      api(`review/${path}`, body, { quiet: true, signal: AbortSignal.timeout(PATIENCE) });
    return items.length === 1 ? [await send(items[0].path, bodies[0])] : (await send("decisions", { decisions: bodies })).answers;
  }

  done(/** @type {Item} */ item) {
    this.items = this.items.filter((queued) => queued !== item);
    localStorage.removeItem(item.key);
    this.trouble = null;
    this.changed.tell();
  }

  /** @returns {Promise<void>} */
  pause(/** @type {number} */ ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  release() {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}

let count = 0;
