// Middle column: the map with its labels, lasso and tooltip. Its points are asked for once the pictures are there.

import { api, at, dot, h, icon, picture, state, tooltip } from "../shared/lib.js";
import { coloursOf, drawLegend, wayOf } from "./map_legend.js";
import { PointMap } from "./point_map.js";
import { chooseLasso, follow, lasso, learn, middle, narrowings, open, pageArrived, retyped, rounds, showAs, shown } from "./selection.js";

const LABEL = 34; // letters of a cluster's title on the map
const LABELLED = 20_000; // points that the places of labels are worked out from
const REST = 60; // milliseconds that the pointer rests before the failure below it is asked for
const REMEMBERED = 500; // failures

let column;

export function start(root) {
  column = new MapColumn(root);
}

export const fit = () => column.map.fit();
export const toggleMode = () => column.setMode(column.map.mode === "pan" ? "lasso" : "pan");
export const tools = () => column.tools();

class MapColumn {
  constructor(root) {
    this.root = root;
    this.points = null;
    this.version = null; // of the points
    this.painted = null; // what the colours mean
    this.outlined = null; // the lasso that is shown, and on which points
    this.labelled = null;
    this.cards = new Map(); // failures that were hovered over
    this.map = new PointMap(at(root, "map"), {
      onlasso: chooseLasso,
      onpick: (index) => index !== null && open(this.points.failure_id[index]),
      onhover: (index, x, y) => this.hover(index, x, y),
    });
    follow((known) => this.draw(known));
    pageArrived.on(async (chosen, isCurrent) => {
      await this.load(shown().summary);
      if (isCurrent()) await this.loadShown(chosen, isCurrent);
    });
    retyped.on((ids, type) => this.recolour(ids, type));
  }

  setMode(mode) {
    this.map.mode = mode;
    for (const button of this.root.querySelectorAll("[data-mode]")) button.classList.toggle("on", button.dataset.mode === mode);
  }

  // The points of the rounds meant, if they changed.
  async load(summary) {
    if (this.version === summary.map) return;
    if (summary.placed) {
      const answer = await api("failures/points", { round: rounds().length ? rounds() : null });
      const array = (name, type) => new type(bytesOf(answer[name]));
      this.points = {
        names: answer.names,
        failure_id: array("failure_id", Int32Array),
        error_type: array("error_type", Uint8Array),
        dataset: array("dataset", Uint8Array),
        cluster: array("cluster", Uint16Array),
        score: array("score", Uint8Array),
        round: array("round", Uint8Array),
      };
      this.map.setPoints(array("x", Float32Array), array("y", Float32Array));
    } else this.points = null;
    this.version = summary.map;
    this.painted = null;
    this.draw(shown());
  }

  // Which of the points the filter lets through; of a lasso alone that is known here.
  async loadShown(chosen, isCurrent) {
    if (!this.points) return;
    const parts = narrowings();
    if (!parts.length) return this.map.setShown(null);
    if (parts.join() === "lasso") return this.map.setShown(this.mask(this.enclosed));
    const answer = await api("failures/shown", chosen);
    if (isCurrent()) this.map.setShown(this.mask(new Int32Array(bytesOf(answer.failure_id))));
  }

  // Ids ascend, as those of the points do.
  mask(ids) {
    const let_through = new Uint8Array(this.points.failure_id.length);
    const all = this.points.failure_id;
    for (let i = 0, at = 0; i < ids.length; i++) {
      while (at < all.length && all[at] < ids[i]) at++;
      if (all[at] === ids[i]) let_through[at] = 1;
    }
    return let_through;
  }

  // The place of a failure among the points, or null; their numbers ascend.
  indexOf(id) {
    const ids = this.points.failure_id;
    let [low, high] = [0, ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return ids[low] === id ? low : null;
  }

  draw({ clusters }) {
    const on = middle() === "map";
    const box = at(this.root, "map");
    if (box.hidden === on) {
      for (const name of ["map", "legend"]) at(this.root, name).hidden = !on;
      if (on) this.map.redraw();
    }
    this.drawLasso();
    if (this.points) {
      const way = wayOf();
      if (this.painted !== way) this.map.setColours(...coloursOf(this.points, way));
      this.painted = way;
      this.drawLabels(clusters ?? []);
      const picked = this.indexOf(Number(state.one("card")));
      if (picked !== this.map.picked) this.map.setPicked(picked);
    }
    drawLegend(at(this.root, "legend"), this.points, clusters ?? []);
  }

  // The lasso of the URL: its outline, and how many failures it encloses. What it leaves out turns grey at once; the server's answer
  // for all of the filter follows.
  drawLasso() {
    const mark = JSON.stringify([lasso(), this.version]);
    if (mark === this.outlined) return;
    this.outlined = mark;
    const polygon = this.points && lasso();
    this.map.setLasso(polygon);
    this.enclosed = polygon && Int32Array.from(this.map.inside(polygon), (i) => this.points.failure_id[i]);
    if (this.enclosed) this.map.setShown(this.mask(this.enclosed));
    learn({ enclosed: this.enclosed?.length ?? null });
  }

  // Titles of the clusters above where their points are densest, largest first; of the chosen ones only, where some are chosen.
  drawLabels(clusters) {
    const chosen = state.list("cluster").map(Number);
    const wanted = clusters
      .filter((cluster) => (chosen.length ? chosen.includes(cluster.cluster_id) : cluster.shown))
      .sort((a, b) => b.failures - a.failures)
      .map((cluster) => [cluster.cluster_id, short(cluster.title)]);
    const mark = JSON.stringify([wanted, this.version]);
    if (mark === this.labelled) return;
    this.labelled = mark;
    const { cluster, names } = this.points;
    const members = names.cluster.map(() => []);
    for (let i = 0; i < cluster.length; i += Math.ceil(cluster.length / LABELLED)) members[cluster[i]].push(i);
    this.map.setLabels(wanted.map(([id, text]) => ({ ...this.map.top(members[names.cluster.indexOf(id)] ?? []), text })));
  }

  // Failures whose error type was just corrected, in its colour; the places are what they were.
  recolour(failureIds, type) {
    if (!this.points) return;
    const names = this.points.names.error_type;
    if (!names.includes(type)) names.push(type);
    for (const id of failureIds) {
      const index = this.indexOf(id);
      if (index !== null) this.points.error_type[index] = names.indexOf(type);
    }
    this.painted = null;
    this.draw(shown());
  }

  tools() {
    if (!this.points || middle() === "slices") return null;
    const mode = (name, title) =>
      h(
        "button.btn.icon",
        {
          dataset: { mode: name },
          class: this.map.mode === name ? "on" : "",
          title,
          "aria-label": title,
          onclick: () => this.setMode(name),
        },
        icon(name),
      );
    const grid = middle() === "grid";
    const swap = h("button.chip", { onclick: () => showAs(grid ? "map" : "grid") }, grid ? "map " : "grid ", h("kbd", "g"));
    if (grid) return [swap];
    return [
      h(
        "span.row",
        { style: "gap:2px" },
        mode("lasso", "Drag to lasso (p)"),
        mode("pan", "Drag to pan (p; or hold space or shift)"),
        h("button.btn.icon", { onclick: fit, title: "Fit the map (f)", "aria-label": "Fit the map" }, icon("fit")),
      ),
      swap,
    ];
  }

  // Picture and question of the point below the pointer, fetched after a moment of rest.
  hover(index, x, y) {
    clearTimeout(this.waiting);
    if (index === null) return tooltip(null);
    const id = this.points.failure_id[index];
    const draw = (row) =>
      tooltip(
        x,
        y,
        picture(row.image, "thumb"),
        h("div", h("div", dot(row.error_type), " ", row.question), h("div", h("s.wrong", row.answer), " ", h("span.right", row.golds[0]))),
      );
    if (this.cards.has(id)) return draw(this.cards.get(id));
    tooltip(null);
    this.waiting = setTimeout(async () => {
      const row = await api("failures/card", { failure_id: id }, { quiet: true });
      if (this.cards.size > REMEMBERED) this.cards.clear();
      this.cards.set(id, row);
      if (this.map.hovered === index) draw(row);
    }, REST);
  }
}

const short = (title) => (title.length > LABEL ? `${title.slice(0, LABEL - 2)}…` : title);
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
