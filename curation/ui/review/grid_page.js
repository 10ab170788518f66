// The page of the grid: sixty samples, the one under the cursor, and which are selected.

import { api, onlyLatest, state } from "../shared/lib.js";

const PAGE = 60;
const REST = 120; // milliseconds that the cursor rests before the sample below it is asked for

/** @import { Card, Queued, Row } from "./types.js" */

export class GridPage {
  /** @param {{ changed: () => void }} given `changed` is called after each change */
  constructor({ changed }) {
    this.changed = changed;
    /** @type {Row[]} */
    this.rows = [];
    this.total = 0;
    this.offset = 0;
    /** @type {number | null} the sample under the cursor */
    this.current = null;
    /** @type {Card | null} all that is known of that sample */
    this.card = null;
    /** @type {number | null} where a selection by shift begins */
    this.anchor = null;
    /** @type {Set<number>} */
    this.selected = new Set();
    /** @type {string | null} what `rows` are a page of, as JSON */
    this.queue = null;
    /** @type {number | undefined} */
    this.soon = undefined;
    this.newest = onlyLatest();
    this.newestCard = onlyLatest();
  }

  get ids() {
    return this.rows.map((row) => row.sample_id);
  }

  get number() {
    return this.offset / PAGE + 1;
  }

  get pages() {
    return Math.max(1, Math.ceil(this.total / PAGE));
  }

  /**
   * Has the page of the URL's offset; the selection lasts as long as the queue is the same.
   * @param {Queued} asked
   * @param {number | null} sampleId where the cursor is to stand
   */
  async load(asked, sampleId) {
    this.offset = Number(state.one("offset") ?? 0);
    const answer = await this.newest(api("review/page", { ...asked, offset: this.offset, limit: PAGE }));
    if (!answer) return;
    const queue = JSON.stringify(asked);
    if (queue !== this.queue) this.selected.clear();
    Object.assign(this, { ...answer, queue });
    if (!this.rows.length && this.offset) return state.set({ offset: null }, { replace: true });
    const there = (/** @type {number | null} */ id) => id !== null && this.ids.includes(id);
    if (!there(this.current)) this.current = there(sampleId) ? sampleId : (this.ids[0] ?? null);
    this.changed();
    this.loadCard();
  }

  // All that is known of the sample under the cursor.
  async loadCard() {
    if (this.current === null) return;
    const card = await this.newestCard(api("review/card", { sample_id: this.current }, { quiet: true }).catch(() => undefined));
    if (!card) return;
    this.card = card;
    this.changed();
  }

  /**
   * The cursor goes to a sample, which is selected or no longer so; with shift all up to it are.
   * @param {number} id
   * @param {boolean} shift
   */
  click(id, shift) {
    const { ids } = this;
    if (shift && this.anchor !== null && ids.includes(this.anchor)) {
      const [from, to] = [ids.indexOf(this.anchor), ids.indexOf(id)].sort((a, b) => a - b);
      for (const id of ids.slice(from, to + 1)) this.selected.add(id);
    } else {
      this.flip(id);
      this.anchor = id;
    }
    this.goTo(id);
  }

  flip(/** @type {number} */ id) {
    if (!this.selected.delete(id)) this.selected.add(id);
  }

  toggle() {
    if (this.current === null) return;
    this.flip(this.current);
    this.anchor = this.current;
    this.changed();
  }

  // All of the page, or none where all are selected already.
  selectPage() {
    const all = this.ids.every((id) => this.selected.has(id));
    for (const id of this.ids) {
      if (all) this.selected.delete(id);
      else this.selected.add(id);
    }
    this.changed();
  }

  selectNone() {
    this.selected.clear();
    this.changed();
  }

  goTo(/** @type {number} */ id) {
    this.current = id;
    this.changed();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.loadCard(), REST);
  }

  // The cursor goes on by so many samples; by one also over the edge of the page.
  step(/** @type {number} */ by) {
    const at = (this.current === null ? -1 : this.ids.indexOf(this.current)) + by;
    if (at >= 0 && at < this.rows.length) return this.goTo(this.ids[at]);
    if (Math.abs(by) === 1) this.turn(by);
  }

  turn(/** @type {number} */ by) {
    const offset = this.offset + by * PAGE;
    if (offset < 0 || offset >= this.total) return;
    this.current = null;
    state.set({ offset: offset || null, sample: null });
  }

  // Goes to a page by its number; the nearest that there is.
  jump(/** @type {number} */ number) {
    state.set({ offset: (Math.min(this.pages, Math.max(1, number || 1)) - 1) * PAGE || null, sample: null });
  }

  // What a decision is on: what is selected, else the sample under the cursor.
  get meant() {
    return this.selected.size ? [...this.selected] : this.current === null ? [] : [this.current];
  }
}
