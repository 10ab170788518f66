// Middle column: the map with its colours, legend, labels, lasso and tooltip.

import { api, at, colour, dot, fillOnce, h, icon, pick, picture, state, tooltip } from "../shared/lib.js";
import { valueText } from "./facets.js";
import { rounds, toggle } from "./index.js";
import { PointMap } from "./point_map.js";

const OTHERS = [
  "#4269d0",
  "#efb118",
  "#ff725c",
  "#6cc5b0",
  "#3ca951",
  "#ff8ab7",
  "#a463f2",
  "#97bbf5",
  "#9c6b4e",
  "#38b2c4",
  "#8c9a3c",
  "#d6679a",
];
const BAD_TO_GOOD = ["#d0443a", "#e07b39", "#e8b23a", "#a9b84a", "#3ca951"]; // score 0 to 1 in fifths
const WAYS = [
  { value: "error_type", text: "error type" },
  { value: "cluster", text: "cluster" },
  { value: "dataset", text: "dataset" },
  { value: "score", text: "score" },
  { value: "round", text: "round" },
];
const LABEL = 34; // letters of a cluster's title on the map

export class MapColumn {
  constructor(root, view, { lasso, pick: picked }) {
    Object.assign(this, { root, view, points: null, version: null, cards: new Map() });
    this.map = new PointMap(at(root, "map"), {
      onlasso: (polygon) => lasso(encode(polygon)),
      onpick: (index) => picked(index === null ? null : this.points.failure_id[index]),
      onhover: (index, x, y) => this.hover(index, x, y),
    });
  }

  get mode() {
    return this.map.mode;
  }

  setMode(mode) {
    this.map.mode = mode;
    for (const button of this.root.querySelectorAll("[data-mode]")) button.classList.toggle("on", button.dataset.mode === mode);
  }

  fit() {
    this.map.fit();
  }

  visible(on) {
    for (const name of ["map", "legend"]) at(this.root, name).hidden = !on;
    if (on) this.map.redraw();
  }

  // The points of a round, if they changed.
  async load(summary) {
    if (!summary.placed) {
      [this.points, this.version] = [null, summary.map];
      return;
    }
    if (this.version === summary.map) return;
    const answer = await api("failures/points", { round: rounds().length ? rounds() : null });
    const array = (name, type) => new type(Uint8Array.from(atob(answer[name]), (c) => c.charCodeAt(0)).buffer);
    this.version = summary.map;
    this.points = {
      names: answer.names,
      failure_id: array("failure_id", Int32Array),
      error_type: array("error_type", Uint8Array),
      dataset: array("dataset", Uint8Array),
      cluster: array("cluster", Uint16Array),
      score: array("score", Uint8Array),
      round: array("round", Uint8Array),
    };
    this.painted = null;
    this.map.setPoints(array("x", Float32Array), array("y", Float32Array));
  }

  // Which of the points the filter lets through; of a lasso alone that is known here.
  async loadShown(filter, current) {
    if (!this.points) return;
    const parts = Object.keys(filter).filter((name) => name !== "round");
    if (!parts.length) return this.map.setShown(null);
    if (parts.length === 1 && this.view.lassoIds) return this.preview();
    const answer = await api("failures/shown", filter);
    const ids = new Int32Array(Uint8Array.from(atob(answer.failure_id), (c) => c.charCodeAt(0)).buffer);
    if (current()) this.map.setShown(this.mask(ids));
  }

  // Greys at once what a lasso leaves out, until the server's answer for all of the filter is there.
  preview() {
    if (this.view.lassoIds) this.map.setShown(this.mask(this.view.lassoIds));
  }

  mask(ids) {
    const shown = new Uint8Array(this.points.failure_id.length);
    const all = this.points.failure_id;
    for (let i = 0, at = 0; i < ids.length; i++) {
      // both ascend
      while (at < all.length && all[at] < ids[i]) at++;
      if (all[at] === ids[i]) shown[at] = 1;
    }
    return shown;
  }

  // The lasso of the URL: its outline, and the failures it encloses in view.lassoIds.
  showLasso(text) {
    if (text === this.lasso && this.lassoOf === this.version) return;
    [this.lasso, this.lassoOf] = [text, this.version];
    const polygon = text && this.points ? decode(text) : null;
    this.map.setLasso(polygon);
    this.view.lassoIds = polygon ? Int32Array.from(this.map.inside(polygon), (i) => this.points.failure_id[i]) : null;
    this.view.lassoPacked = polygon && packed(this.view.lassoIds);
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

  show() {
    if (!this.points) return fillOnce(at(this.root, "legend"), null, () => null);
    const way = WAYS.find((one) => one.value === state.one("colour"))?.value ?? "error_type";
    const { index, palette } = this.colours(way);
    if (this.painted !== way) this.map.setColours(index, palette);
    this.painted = way;
    this.drawLegend(way, palette);
    this.map.setPicked(this.indexOf(Number(state.one("card"))));
  }

  // Failures whose error type was just corrected, in its colour; the places are what they were.
  recolour(failureIds, type) {
    if (!this.points) return;
    const names = this.points.names.error_type;
    if (!names.includes(type)) names.push(type);
    for (const id of failureIds) {
      const at = this.indexOf(id);
      if (at !== null) this.points.error_type[at] = names.indexOf(type);
    }
    this.painted = null;
    this.show();
  }

  colours(way) {
    const { names, error_type: type, dataset, cluster, score } = this.points;
    if (way === "dataset") return { index: dataset, palette: names.dataset.map((_, i) => OTHERS[i % OTHERS.length]) };
    if (way === "cluster") return { index: cluster, palette: names.cluster.map((_, i) => OTHERS[i % OTHERS.length]) };
    if (way === "round") return { index: this.points.round, palette: names.round.map((_, i) => OTHERS[i % OTHERS.length]) };
    if (way === "score") return { index: score.map((s) => Math.min(4, Math.floor(s / 20))), palette: BAD_TO_GOOD };
    return { index: type, palette: names.error_type.map(colour) };
  }

  drawLegend(way, palette) {
    const box = at(this.root, "legend");
    const known = WAYS.filter((one) => one.value !== "round" || this.points.names.round.length > 1);
    const ways = () =>
      pick(known, way, (chosen) => state.set({ colour: chosen === "error_type" ? null : chosen }, { replace: true }), {
        title: "What the colours mean",
      });
    if (way === "score")
      return fillOnce(box, [way, palette], () => [
        ways(),
        h("button", { disabled: true }, h("span", "0")),
        h("span.ramp", { style: { background: `linear-gradient(90deg, ${palette.join(",")})` } }),
        h("button", { disabled: true }, h("span", "1")),
      ]);
    const name = way === "cluster" ? "cluster" : way;
    const titles = new Map(this.view.clusters.map((one) => [one.cluster_id, one.title]));
    const text = (value) =>
      way === "round" ? `round ${value}` : way === "cluster" ? (titles.get(value) ?? `cluster ${value}`) : valueText(way, value);
    const order = way === "error_type" ? this.byCount(this.points.error_type, palette.length) : palette.map((_, i) => i);
    const items = order.map((i) => {
      const value = this.points.names[way][i];
      return { value, text: text(value), paint: palette[i], on: state.list(name).includes(String(value === "" ? "none" : value)) };
    });
    const button = ({ value, text, paint, on }) =>
      h(
        "button",
        { class: on ? "on" : "", onclick: () => toggle(name, value), title: text },
        h("span.dot", { style: { background: paint } }),
        h("span", text),
      );
    fillOnce(box, [way, known, items], () => [ways(), items.map(button)]);
  }

  byCount(index, size) {
    const counts = new Array(size).fill(0);
    for (const i of index) counts[i]++;
    return counts.map((_, i) => i).sort((a, b) => counts[b] - counts[a]);
  }

  // Titles of the clusters above where their points are densest, largest first; of the chosen ones only, where some are chosen.
  showLabels() {
    if (!this.points) return;
    const { cluster, names } = this.points;
    const members = names.cluster.map(() => []);
    for (let i = 0; i < cluster.length; i += Math.ceil(cluster.length / 20000)) members[cluster[i]].push(i);
    const chosen = state.list("cluster").map(Number);
    const wanted = this.view.clusters
      .filter((one) => (chosen.length ? chosen.includes(one.cluster_id) : one.shown))
      .sort((a, b) => b.failures - a.failures);
    this.map.setLabels(
      wanted.map((one) => ({ ...this.map.top(members[names.cluster.indexOf(one.cluster_id)] ?? []), text: short(one.title) })),
    );
  }

  tools() {
    if (!this.points || state.one("layout") === "slices") return null;
    const mode = (name, title) =>
      h(
        "button.btn.icon",
        { dataset: { mode: name }, class: this.mode === name ? "on" : "", title, "aria-label": title, onclick: () => this.setMode(name) },
        icon(name),
      );
    const grid = state.one("layout") === "grid";
    const swap = h("button.chip", { onclick: () => state.set({ layout: grid ? null : "grid" }) }, grid ? "map " : "grid ", h("kbd", "g"));
    if (grid) return [swap];
    return [
      h(
        "span.row",
        { style: "gap:2px" },
        mode("lasso", "Drag to lasso (p)"),
        mode("pan", "Drag to pan (p; or hold space or shift)"),
        h("button.btn.icon", { onclick: () => this.fit(), title: "Whole map (f)", "aria-label": "Whole map" }, icon("fit")),
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
      if (this.cards.size > 500) this.cards.clear();
      this.cards.set(id, row);
      if (this.map.hovered === index) draw(row);
    }, 60);
  }
}

const short = (title) => (title.length > LABEL ? `${title.slice(0, LABEL - 2)}…` : title);

// Numbers as base64: 20,000 of them as JSON would be three times as long, and are sent with every question.
function packed(ids) {
  const bytes = new Uint8Array(ids.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

// An outline as text for the URL: at most 60 corners, two digits each behind the point.
function encode(polygon) {
  const every = Math.ceil(polygon.length / 60);
  return polygon
    .filter((_, i) => i % every === 0)
    .map((corner) => corner.map((v) => v.toFixed(2)).join(","))
    .join(" ");
}

function decode(text) {
  const corners = text.split(" ").map((corner) => corner.split(",").map(Number));
  return corners.length > 2 && corners.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y)) ? corners : null;
}
