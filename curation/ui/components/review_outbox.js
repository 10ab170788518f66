// Decisions on their way to the store: sent one after another, each with an id of its own, and again for as long as nothing answers.
// Until the store has acknowledged one it lies in localStorage, so that closing the page loses none.

import { api } from "./lib.js";

const WAITS = [400, 1000, 2000, 4000, 8000]; // milliseconds between attempts
const PATIENCE = 15000; // an answer that takes longer counts as none
const FINAL = [400, 403, 404, 409, 422]; // answers that sending again won't change

export class Outbox {
  // stored(item, answer) and refused(item, error) tell the outcome, changed() that the counter is another.
  constructor({ stored, refused, changed }) {
    Object.assign(this, { items: [], trouble: null, prefix: null, stored, refused, changed, sending: false, waiters: [] });
    addEventListener("beforeunload", (event) => this.items.length && event.preventDefault());
    addEventListener("online", () => this.wake?.());
  }

  // Takes up what an earlier page of this workspace could not send for this person.
  open(workspace, reviewer) {
    if (this.prefix) return;
    this.prefix = `mistakebook.unsaved.${workspace}.${reviewer}.`;
    const kept = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix)).sort();
    this.items.unshift(...kept.map((key) => ({ ...JSON.parse(localStorage.getItem(key)), key })));
    this.send();
  }

  add(path, body) {
    const key = `${this.prefix}${String(Date.now()).padStart(15, "0")}.${String(++count).padStart(6, "0")}.${body.event_id}`;
    const item = { path, body, key };
    localStorage.setItem(key, JSON.stringify({ path, body }));
    this.items.push(item);
    this.changed();
    this.send();
    return item;
  }

  // Whether something about this sample is still on its way.
  holds(sampleId) {
    return this.items.some((item) => item.body.sample_id === sampleId || item.sampleId === sampleId);
  }

  // Resolves once everything is saved, or as soon as it is known that nothing answers.
  settled() {
    return this.items.length && !this.trouble ? new Promise((resolve) => this.waiters.push(resolve)) : Promise.resolve();
  }

  async send() {
    if (this.sending || !this.prefix) return;
    this.sending = true;
    for (let attempt = 0; this.items.length;) {
      const item = this.items[0];
      let told;
      try {
        const answer = await api(`review/${item.path}`, item.body, { quiet: true, signal: AbortSignal.timeout(PATIENCE) });
        told = () => this.stored(item, answer);
      } catch (error) {
        if (FINAL.includes(error.status)) told = () => this.refused(item, error);
        else {
          this.trouble = error.message;
          this.release();
          this.changed();
          await this.pause(WAITS[Math.min(attempt++, WAITS.length - 1)]);
          continue;
        }
      }
      attempt = 0;
      this.done(item);
      told();
    }
    this.sending = false;
    this.release();
  }

  done(item) {
    this.items = this.items.filter((one) => one !== item);
    localStorage.removeItem(item.key);
    this.trouble = null;
    this.changed();
  }

  pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  release() {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}

let count = 0;
