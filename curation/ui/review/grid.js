// Grid: sixty samples at once, chosen by click, shift-click or keys, for decisions on many.

import { api, chip, dot, emptyState, fill, fillList, fmt, h, icon, keyCap, onlyLatest, picture, state } from "../shared/lib.js";
import { statusText, words } from "./facets.js";
import { saved } from "./focus.js";
import { choose, draw, matching, openSample, undo, view } from "./index.js";

const PAGE = 60;

export class Grid {
  constructor(box, foot, { drawn, bulk }) {
    Object.assign(this, {
      box,
      foot,
      drawn,
      bulk,
      rows: [],
      total: 0,
      offset: 0,
      current: null,
      card: null,
      anchor: null,
      selected: new Map(),
      queue: null,
      newest: onlyLatest(),
      newestCard: onlyLatest(),
    });
    this.cells = h("div.grid", { role: "listbox", "aria-multiselectable": "true" });
    this.cells.addEventListener("click", (event) => {
      const cell = event.target.closest("[data-id]");
      if (cell) this.click(Number(cell.dataset.id), event.shiftKey);
    });
    this.cells.addEventListener(
      "dblclick",
      (event) => event.target.closest("[data-id]") && openSample(Number(event.target.closest("[data-id]").dataset.id)),
    );
  }

  // Has the page of the URL's offset; the selection lasts as long as the queue is the same.
  async load(asked, sampleId) {
    this.offset = Number(state.one("offset") ?? 0);
    const answer = await this.newest(api("review/page", { ...asked, offset: this.offset, limit: PAGE }));
    if (!answer) return;
    const queue = JSON.stringify(asked);
    if (queue !== this.queue) this.selected.clear();
    Object.assign(this, { ...answer, queue });
    if (!this.rows.length && this.offset) return state.set({ offset: null }, { replace: true });
    if (!this.rows.some((row) => row.sample_id === this.current))
      this.current = this.rows.some((row) => row.sample_id === sampleId) ? sampleId : (this.rows[0]?.sample_id ?? null);
    this.draw();
    this.loadCard();
  }

  draw() {
    if (!this.rows.length)
      fill(
        this.box,
        emptyState("Nothing here", "No sample fits this choice.", {
          text: "Samples of every status",
          run: () =>
            choose({
              status: "all",
              words: null,
              error_type: null,
              route: null,
              dataset: null,
              round: null,
              failing: null,
              failure: null,
              queue: null,
              audit: null,
              samples: null,
            }),
        }),
      );
    else {
      if (!this.cells.isConnected) fill(this.box, this.cells);
      fillList(this.cells, this.rows, cell);
      this.mark();
    }
    this.drawFoot();
    this.drawn();
  }

  mark() {
    for (const element of this.cells.children) {
      const id = Number(element.dataset.id);
      element.classList.toggle("sel", this.selected.has(id));
      element.classList.toggle("here", id === this.current);
      element.setAttribute("aria-selected", String(this.selected.has(id)));
    }
    this.drawFoot();
  }

  // Card of the current cell, for the right column.
  async loadCard() {
    if (this.current === null) return;
    const card = await this.newestCard(api("review/card", { sample_id: this.current }, { quiet: true }).catch(() => undefined));
    if (!card) return;
    this.card = card;
    draw();
  }

  click(id, shift) {
    const ids = this.rows.map((row) => row.sample_id);
    if (shift && this.anchor !== null && ids.includes(this.anchor)) {
      const [from, to] = [ids.indexOf(this.anchor), ids.indexOf(id)].sort((a, b) => a - b);
      for (const row of this.rows.slice(from, to + 1)) this.selected.set(row.sample_id, row.status);
      getSelection()?.removeAllRanges();
    } else {
      this.flip(id);
      this.anchor = id;
    }
    this.goTo(id);
  }

  flip(id) {
    if (!this.selected.delete(id)) this.selected.set(id, this.rows.find((row) => row.sample_id === id)?.status);
  }

  toggle() {
    if (this.current === null) return;
    this.flip(this.current);
    this.anchor = this.current;
    this.mark();
  }

  selectPage() {
    const all = this.rows.every((row) => this.selected.has(row.sample_id));
    for (const row of this.rows) {
      if (all) this.selected.delete(row.sample_id);
      else this.selected.set(row.sample_id, row.status);
    }
    this.mark();
  }

  goTo(id) {
    this.current = id;
    this.mark();
    this.cells.querySelector(`[data-id="${id}"]`)?.scrollIntoView({ block: "nearest" });
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.loadCard(), 120);
  }

  columns() {
    return getComputedStyle(this.cells).gridTemplateColumns.split(" ").length;
  }

  step(by) {
    const at = this.rows.findIndex((row) => row.sample_id === this.current) + by;
    if (at >= 0 && at < this.rows.length) return this.goTo(this.rows[at].sample_id);
    if (Math.abs(by) === 1) this.turn(by);
  }

  turn(by) {
    const offset = this.offset + by * PAGE;
    if (offset < 0 || offset >= this.total) return;
    this.current = null;
    state.set({ offset: offset || null, sample: null });
  }

  openCurrent() {
    if (this.current !== null) openSample(this.current);
  }

  // Approve, reject or clear what is selected; without a selection the cell under the cursor.
  act(action) {
    const ids = this.selected.size ? [...this.selected.keys()] : this.current === null ? [] : [this.current];
    if (ids.length)
      this.bulk({ sample_ids: ids }, action).then((done) => {
        if (!done) return;
        this.selected.clear();
        this.mark();
      });
  }

  summary() {
    return this.total ? `${fmt.number(this.total)} in this queue` : "";
  }

  pager() {
    const pages = Math.max(1, Math.ceil(this.total / PAGE));
    const here = this.offset / PAGE + 1;
    const jump = h("input.in.rev-jump", {
      type: "number",
      min: 1,
      max: pages,
      value: here,
      title: "Go to page",
      "aria-label": "Page",
      onchange: () => state.set({ offset: (Math.min(pages, Math.max(1, Number(jump.value) || 1)) - 1) * PAGE || null, sample: null }),
    });
    return [
      h(
        "button.btn.icon",
        { onclick: () => this.turn(-1), disabled: here <= 1, title: "Previous page", "aria-label": "Previous page" },
        icon("left"),
      ),
      jump,
      h("small.dim", `of ${fmt.number(pages)}`),
      h(
        "button.btn.icon",
        { onclick: () => this.turn(1), disabled: here >= pages, title: "Next page", "aria-label": "Next page" },
        icon("right"),
      ),
    ];
  }

  drawFoot() {
    const n = this.selected.size;
    const button = (text, kind, key, run, title) =>
      h("button.btn", { class: kind, onclick: run, title }, text, key && keyCap("review", key));
    const acts = (run, keyed) => [
      button("Approve", "g", keyed && "approve", () => run("approve")),
      button("Reject", "b", keyed && "reject", () => run("reject")),
      button("Clear", "", keyed && "reset", () => run("reset"), "Takes decisions off: the filters decide again"),
    ];
    const all = n === 0 && this.total > 0;
    fill(
      this.foot,
      n
        ? [
            h("b", `${fmt.number(n)} selected`),
            acts((action) => this.act(action), true),
            button("Select none", "bare", null, () => {
              this.selected.clear();
              this.mark();
            }),
          ]
        : all
          ? [
              h(
                "b",
                { title: "Or select some: click, shift-click, x" },
                this.total === 1 ? "The one that matches" : `All ${fmt.number(this.total)} that match`,
              ),
              acts((action) => this.bulk(matching(), action), false),
            ]
          : null,
      h("span.grow"),
      this.rows.length > 0 && !n && button("Select page", "", "all", () => this.selectPage()),
      button("Undo", "", "undo", () => undo()),
      saved(view.outbox),
    );
  }
}

function cell(row) {
  const tip =
    `Sample ${row.sample_id}, ${statusText[row.status].toLowerCase()}` +
    `${row.failing.length ? `; fails ${row.failing.map(words).join(", ")}` : ""}` +
    `\n${row.question}\n${row.answer}`;
  const stands = row.choices.length ? row.choices[row.answer.charCodeAt(0) - 65] : null;
  return h(
    "button.th",
    { dataset: { id: row.sample_id }, title: tip, role: "option" },
    h(
      "span.rev-thumb",
      picture(row.image),
      h("i.rev-mark", { class: row.status }),
      row.failing.length > 0 && chip(row.failing.length === 1 ? words(row.failing[0]) : `fails ${row.failing.length}`, { kind: "no" }),
    ),
    h("p", h("span.q", dot(row.error_type), " ", row.question), h("span.a.right", stands ? `${row.answer}. ${stands}` : row.answer)),
  );
}
