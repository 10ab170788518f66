// The cards of the queue: loaded ahead with their pictures, so that the next one is there before it is asked for.

import { api, media, onlyLatest } from "../shared/lib.js";

/** @import { Card, Queued } from "./types.js" */

const FIRST = 24; // cards loaded at the beginning, so that the first is there soon
const MORE = 40; // and each time fewer than AHEAD are left
const AHEAD = 64; // more than anybody presses keys while the next ones come
const PICTURES = 12; // pictures fetched ahead

export const pictureSize = (/** @type {Card} */ card) => (Math.max(card.width ?? 0, card.height ?? 0) <= 1024 ? "full" : "large");

const REMEMBERED = "mistakebook.review.short";

// How far groups were from their targets when the queue was begun, in this tab.
function remembered(/** @type {Queued} */ asked) {
  const kept = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "null");
  return kept && JSON.stringify(kept[0]) === JSON.stringify(asked) ? kept[1] : null;
}

export class Queue {
  /** @param {{ changed: () => void, unhurried: (run: () => void) => void }} given `changed` is called when the card that is shown, or
   *  what is known of it, is another; `unhurried` runs what can wait until nothing more pressing is on its way. */
  constructor({ changed, unhurried }) {
    this.changed = changed;
    this.unhurried = unhurried;
    /** @type {Card[]} */
    this.cards = [];
    this.index = 0; // of the card that is shown
    this.before = 0; // cards of the queue before the first of these
    this.total = 0;
    /** @type {string | null} */
    this.order = null; // as the server chose it
    /** @type {{ approved: Record<string, number>, target: number } | null} */
    this.known = null;
    this.ended = true; // no cards follow the last of these
    /** @type {Card | undefined} the last and the first of the queue that are there: guests, and cards shown again, are not */
    this.tail = undefined;
    /** @type {Card | undefined} */
    this.head = undefined;
    /** @type {Promise<{ cards: Card[] }> | null} the cards that follow, on their way */
    this.loading = null;
    /** @type {Queued & { short?: Record<string, number> } | null} */
    this.asked = null;
    this.newest = onlyLatest();
    /** @type {Map<string, HTMLImageElement>} pictures on their way, by address */
    this.ahead = new Map();
    /** @type {WeakMap<Card, number>} how often each card was changed here */
    this.changes = new WeakMap();
  }

  /** @returns {Card | undefined} */
  get card() {
    return this.cards[this.index];
  }

  find(/** @type {number | null | undefined} */ sampleId) {
    return this.cards.find((card) => card.sample_id === sampleId);
  }

  /**
   * Begins anew, at a sample, past so many, or at the front. Resolves to false where a newer call has overtaken this one.
   * After a reload in the middle the order goes on as it was, though approvals since have brought some clusters nearer to their target.
   * @param {Queued} asked
   * @param {number} [start]
   * @returns {Promise<boolean>}
   */
  async load(asked, start, skip = 0) {
    const before = start || skip ? remembered(asked) : null;
    const answer = await this.newest(api("review/next", { ...asked, start, skip, short: before ?? undefined, count: FIRST }));
    if (!answer) return false;
    const { cards, total, order, short, approved, target } = answer;
    if (!cards.length && skip && total) return this.load(asked, start, total - 1); // it is shorter than it was
    Object.assign(this, {
      cards,
      index: 0,
      before: answer.before,
      total,
      asked: { ...asked, short },
      order,
      known: { approved, target },
      loading: null,
    });
    sessionStorage.setItem(REMEMBERED, JSON.stringify([asked, short]));
    this.ended = answer.cards.length < FIRST;
    this.tail = this.cards.at(-1);
    this.head = this.cards[0];
    this.prefetch();
    this.changed();
    return true;
  }

  /**
   * One card on (or back); true if there was one to go to. At the end the index stands behind the last card.
   * @param {number} by
   */
  async move(by) {
    const to = this.index + by;
    if (to < 0) return this.before > 0 && this.loadBefore();
    if (to > this.cards.length) return false;
    this.index = to;
    this.changed();
    this.unhurried(() => this.prefetch());
    return true;
  }

  prefetch() {
    if (!this.ended && !this.loading && this.cards.length - this.index < AHEAD) this.loadMore();
    for (const card of this.cards.slice(this.index, this.index + PICTURES)) {
      if (!card.image) continue;
      const address = media(card.image, pictureSize(card));
      if (this.ahead.has(address)) continue;
      const image = new Image();
      image.src = address;
      this.ahead.set(address, image);
      const [oldest] = this.ahead.keys();
      if (this.ahead.size > 4 * PICTURES) this.ahead.delete(oldest);
    }
  }

  async loadMore() {
    const { asked, tail } = this;
    if (!tail) return;
    /** @type {Promise<{ cards: Card[] }>} */
    const loading = api("review/next", { ...asked, key: tail.key, sample_id: tail.sample_id, count: MORE }, { quiet: true });
    this.loading = loading;
    try {
      const { cards } = await loading;
      if (this.loading !== loading) return;
      this.loading = null;
      this.ended = cards.length < MORE;
      this.tail = cards.at(-1) ?? tail;
      const waited = !this.card;
      this.cards.push(...cards.filter((card) => !this.find(card.sample_id)));
      this.prefetch();
      if (waited) this.changed();
    } catch {
      if (this.loading === loading)
        setTimeout(() => {
          this.loading = null;
          this.prefetch();
        }, 1500);
    }
  }

  async loadBefore() {
    const { asked, head } = this;
    if (!head) return false;
    /** @type {{ cards: Card[] }} */
    const { cards } = await api("review/next", { ...asked, key: head.key, sample_id: head.sample_id, back: true, count: MORE });
    if (!cards.length) return false;
    this.head = cards.at(-1);
    const fresh = cards.reverse().filter((card) => !this.find(card.sample_id));
    this.cards.unshift(...fresh);
    this.before = Math.max(0, this.before - fresh.length);
    this.index = Math.max(0, fresh.length - 1);
    this.changed();
    return true;
  }

  // Goes to a sample, wherever it is: among the cards, or put in beside the current one.
  async open(/** @type {number} */ sampleId) {
    let at = this.cards.findIndex((card) => card.sample_id === sampleId);
    if (at < 0) {
      const card = await api("review/card", { sample_id: sampleId });
      at = this.cards.findIndex((card) => card.sample_id === sampleId);
      if (at < 0) {
        at = Math.min(this.index, this.cards.length);
        this.cards.splice(at, 0, { ...card, guest: true });
      }
    }
    this.index = at;
    this.prefetch();
    this.changed();
  }

  // Has a card anew from the store. What was decided or edited here meanwhile is newer than the answer: that stays.
  async refresh(/** @type {number} */ sampleId) {
    const shown = this.find(sampleId);
    if (!shown) return;
    const before = this.changes.get(shown);
    const fresh = await api("review/card", { sample_id: sampleId }, { quiet: true });
    if (this.changes.get(shown) !== before) return;
    Object.assign(shown, fresh);
    this.changed();
  }

  // Shows of a card what is not stored, or not asked for again, yet.
  update(/** @type {Card} */ card, /** @type {Partial<Card>} */ changes) {
    this.changes.set(card, (this.changes.get(card) ?? 0) + 1);
    Object.assign(card, changes);
    this.changed();
  }

  // Shows a card again after the current one.
  again(/** @type {Card} */ card) {
    if (this.card === card) return;
    const at = this.cards.indexOf(card);
    if (at >= 0) {
      this.cards.splice(at, 1);
      if (at < this.index) this.index -= 1;
    }
    this.cards.splice(this.index + 1, 0, card);
  }

  // Where the current card stands: guests don't count.
  get place() {
    return this.before + this.cards.slice(0, this.index + 1).filter((card) => !card.guest).length;
  }
}
