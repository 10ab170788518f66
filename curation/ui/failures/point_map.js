// A map of points on a canvas: zoom by wheel, pan by drag (pan mode, space, shift or the middle button), lasso by drag, a click picks.
//
// The points are drawn by a small rasteriser of our own into the canvas's pixels: 100,000 take a few milliseconds on any machine,
// with no GPU. Everything that moves with the pointer (lasso, hover, labels) lies on a second canvas above.

import { token } from "../shared/theme.js";

const PADDING = 36; // pixels kept free at the edges when everything is in view
const REACH = 9; // pixels from the pointer within which a point is hit
const STEP = 4; // pixels between two corners of a lasso

export class PointMap {
  // box: an element that gets the canvases. Callbacks: onlasso([[x, y], …] in data units), onpick(index or null), onhover(index or
  // null, x, y in the window).
  constructor(box, { onlasso, onpick, onhover }) {
    Object.assign(this, { box, onlasso, onpick, onhover });
    this.count = 0;
    this.mode = "lasso";
    this.view = { x: 0, y: 0, scale: 1 };
    this.lasso = null;
    this.picked = this.hovered = null;
    this.labels = [];
    [this.canvas, this.over] = [document.createElement("canvas"), document.createElement("canvas")];
    for (const canvas of [this.canvas, this.over]) {
      Object.assign(canvas.style, { position: "absolute", inset: "0", width: "100%", height: "100%", touchAction: "none" });
      box.append(canvas);
    }
    this.over.setAttribute("aria-label", "Map of failures: drag to lasso, click to pick, wheel to zoom");
    new ResizeObserver(() => this.resize()).observe(box);
    document.addEventListener("mb:theme", () => this.redraw());
    this.listen();
  }

  // Float32Arrays of places. The view is kept unless there was none.
  setPoints(x, y) {
    const first = this.count === 0;
    [this.x, this.y, this.count] = [x, y, x.length];
    this.shown = null;
    this.bounds = boundsOf(x, y);
    if (first) this.fit();
    this.redraw();
  }

  // An index into `palette` (CSS colours #rrggbb) a point.
  setColours(index, palette) {
    [this.index, this.palette] = [index, palette.map(rgb)];
    this.redraw();
  }

  // 1 for each point that is let through; the others turn grey. null: all are.
  setShown(shown) {
    this.shown = shown;
    this.redraw();
  }

  setLabels(labels) {
    this.labels = labels; // [{x, y, text}], the most important first
    this.redraw();
  }

  setLasso(polygon) {
    this.lasso = polygon;
    this.redraw();
  }

  setPicked(index) {
    this.picked = index;
    this.redraw();
  }

  // Indices of the points inside a polygon of data units.
  inside(polygon) {
    const [x0, x1] = range(polygon.map((corner) => corner[0]));
    const [y0, y1] = range(polygon.map((corner) => corner[1]));
    const indices = [];
    for (let i = 0; i < this.count; i++) {
      const [x, y] = [this.x[i], this.y[i]];
      if (x < x0 || x > x1 || y < y0 || y > y1) continue;
      let within = false;
      for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
        const [[ax, ay], [bx, by]] = [polygon[a], polygon[b]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
      }
      if (within) indices.push(i);
    }
    return indices;
  }

  // Just above where the given points are densest: {x, y}, for a label.
  top(indices) {
    const { x0, x1, y0, y1 } = this.bounds;
    const reach = 0.08 * Math.max(x1 - x0, y1 - y0);
    const cells = new Map();
    for (const i of indices) {
      const key = `${Math.round(this.x[i] / reach)} ${Math.round(this.y[i] / reach)}`;
      cells.set(key, (cells.get(key) ?? 0) + 1);
    }
    const [densest] = [...cells].sort((a, b) => b[1] - a[1])[0] ?? ["0 0"];
    const [cx, cy] = densest.split(" ").map((part) => part * reach);
    const near = indices.filter((i) => Math.hypot(this.x[i] - cx, this.y[i] - cy) < reach);
    const heights = near.map((i) => this.y[i]).sort((a, b) => a - b);
    return { x: near.reduce((sum, i) => sum + this.x[i], 0) / near.length, y: heights[Math.floor(heights.length * 0.04)] };
  }

  // All points into view, or those with the given indices.
  fit(indices = null) {
    if (!this.count) return;
    const { x0, x1, y0, y1 } = indices?.length
      ? boundsOf(
          indices.map((i) => this.x[i]),
          indices.map((i) => this.y[i]),
        )
      : this.bounds;
    const [width, height] = [this.box.clientWidth - 2 * PADDING, this.box.clientHeight - 2 * PADDING];
    const scale = Math.max(1e-6, Math.min(width / Math.max(1e-6, x1 - x0), height / Math.max(1e-6, y1 - y0)));
    this.view = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale };
    this.fitted = !indices;
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  // Drawing

  resize() {
    const ratio = devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = Math.max(1, Math.round(this.box.clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(this.box.clientHeight * ratio));
    }
    this.pixels = null;
    if (this.fitted) this.fit();
    this.redraw();
  }

  toScreen(x, y) {
    return [
      (x - this.view.x) * this.view.scale + this.box.clientWidth / 2,
      (y - this.view.y) * this.view.scale + this.box.clientHeight / 2,
    ];
  }

  toData(sx, sy) {
    return [
      (sx - this.box.clientWidth / 2) / this.view.scale + this.view.x,
      (sy - this.box.clientHeight / 2) / this.view.scale + this.view.y,
    ];
  }

  radius() {
    const zoomed = this.bounds ? Math.min(3, Math.max(1, (this.view.scale * (this.bounds.x1 - this.bounds.x0)) / this.box.clientWidth)) : 1;
    return (this.count > 20000 ? 1.3 : this.count > 3000 ? 1.9 : 2.5) * Math.sqrt(zoomed);
  }

  draw() {
    if (!this.box.clientWidth || this.canvas.width <= 1) return;
    const context = this.canvas.getContext("2d");
    this.pixels ??= context.createImageData(this.canvas.width, this.canvas.height);
    const [r, g, b] = rgb(token("--panel"));
    new Uint32Array(this.pixels.data.buffer).fill((255 << 24) | (b << 16) | (g << 8) | r);
    if (this.count && this.index) {
      const stamp = disc(this.radius() * (devicePixelRatio || 1), this.canvas.width);
      const grey = new Array(this.palette.length).fill(rgb(token("--line-strong")));
      if (this.shown) this.stamp(stamp, 0, grey, 0.7);
      this.stamp(stamp, 1, this.palette, 0.82);
    }
    context.putImageData(this.pixels, 0, 0);
    this.drawOver();
  }

  // Blends one disc a point into the pixels, for the points that are shown (1) or are not (0).
  stamp({ size, offsets, cover }, which, palette, alpha) {
    const { data, width, height } = this.pixels;
    const { x, y, index, shown, count } = this;
    const ratio = devicePixelRatio || 1;
    const scale = this.view.scale * ratio;
    const [dx, dy] = [width / 2 - this.view.x * scale - size / 2, height / 2 - this.view.y * scale - size / 2];
    const flat = Uint8Array.from(palette.flat());
    const weights = cover.map((share) => share * alpha);
    const corners = offsets.length;
    for (let i = 0; i < count; i++) {
      if (shown && shown[i] !== which) continue;
      const left = Math.round(x[i] * scale + dx);
      const top = Math.round(y[i] * scale + dy);
      if (left < 0 || top < 0 || left + size > width || top + size > height) continue;
      const r = flat[3 * index[i]];
      const g = flat[3 * index[i] + 1];
      const b = flat[3 * index[i] + 2];
      const base = 4 * (top * width + left);
      for (let k = 0; k < corners; k++) {
        const p = base + offsets[k];
        const a = weights[k];
        data[p] += (r - data[p]) * a;
        data[p + 1] += (g - data[p + 1]) * a;
        data[p + 2] += (b - data[p + 2]) * a;
      }
    }
  }

  drawOver() {
    const context = this.over.getContext("2d");
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.box.clientWidth, this.box.clientHeight);
    this.drawLabels(context);
    context.lineWidth = 1.25;
    const outline = this.drag?.lasso ?? this.lasso;
    if (outline) {
      context.beginPath();
      for (const corner of outline) context.lineTo(...this.toScreen(...corner));
      context.closePath();
      context.fillStyle = context.strokeStyle = token("--accent");
      context.globalAlpha = 0.08;
      context.fill();
      context.globalAlpha = 1;
      context.setLineDash([4, 3]);
      context.stroke();
      context.setLineDash([]);
    }
    for (const [index, width] of [
      [this.hovered, 1.5],
      [this.picked, 2.5],
    ]) {
      if (index === null || index >= this.count) continue;
      context.beginPath();
      context.arc(...this.toScreen(this.x[index], this.y[index]), this.radius() + 4, 0, 7);
      context.strokeStyle = token("--panel");
      context.lineWidth = width + 2;
      context.stroke();
      context.strokeStyle = token("--ink");
      context.lineWidth = width;
      context.stroke();
    }
  }

  // Titles where they find room; each has a halo in the colour of the ground.
  drawLabels(context) {
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const taken = [];
    for (const { x, y, text } of this.labels) {
      const [sx, bottom] = this.toScreen(x, y);
      const sy = bottom - 12;
      const half = context.measureText(text).width / 2 + 4;
      const area = [sx - half, sy - 9, sx + half, sy + 9];
      if (area[0] < 0 || area[2] > this.box.clientWidth || area[1] < 0 || area[3] > this.box.clientHeight) continue;
      if (taken.some((label) => area[0] < label[2] && label[0] < area[2] && area[1] < label[3] && label[1] < area[3])) continue;
      taken.push(area);
      context.strokeStyle = token("--panel");
      context.lineWidth = 4;
      context.globalAlpha = 0.85;
      context.strokeText(text, sx, sy);
      context.globalAlpha = 1;
      context.fillStyle = token("--ink");
      context.fillText(text, sx, sy);
    }
  }

  // Pointer

  nearest(sx, sy) {
    let [best, distance] = [null, (REACH / this.view.scale) ** 2];
    const [x, y] = this.toData(sx, sy);
    for (let i = 0; i < this.count; i++) {
      if (this.shown && !this.shown[i]) continue;
      const d = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (d < distance) [best, distance] = [i, d];
    }
    return best;
  }

  listen() {
    const over = this.over;
    const place = (event) => {
      const box = over.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let space = false;
    addEventListener("keydown", (event) => {
      if (event.key !== " " || !over.matches(":hover")) return;
      space = true;
      over.style.cursor = "grab";
      event.preventDefault();
    });
    addEventListener("keyup", (event) => {
      if (event.key === " ") space = false;
    });
    over.addEventListener("pointerdown", (event) => {
      if (event.button > 1) return;
      over.setPointerCapture(event.pointerId);
      const [sx, sy] = place(event);
      const pan = this.mode === "pan" || space || event.shiftKey || event.button === 1;
      this.drag = { start: [sx, sy], last: [sx, sy], pan, lasso: null, moved: false };
      event.preventDefault();
      document.activeElement?.blur();
    });
    over.addEventListener("pointermove", (event) => {
      const [sx, sy] = place(event);
      over.style.cursor = this.drag?.pan ? "grabbing" : this.mode === "pan" || space || event.shiftKey ? "grab" : "crosshair";
      if (!this.drag) return this.hover(sx, sy, event);
      const [lx, ly] = this.drag.last;
      if (!this.drag.moved && Math.hypot(sx - this.drag.start[0], sy - this.drag.start[1]) < STEP) return;
      this.drag.moved = true;
      if (this.drag.pan) {
        this.view.x -= (sx - lx) / this.view.scale;
        this.view.y -= (sy - ly) / this.view.scale;
        this.fitted = false;
        this.drag.last = [sx, sy];
      } else if (Math.hypot(sx - lx, sy - ly) >= STEP || !this.drag.lasso) {
        this.drag.lasso ??= [this.toData(...this.drag.start)];
        this.drag.lasso.push(this.toData(sx, sy));
        this.drag.last = [sx, sy];
      }
      if (this.drag.pan) this.redraw();
      else this.drawOver();
    });
    over.addEventListener("pointerup", (event) => {
      const drag = this.drag;
      this.drag = null;
      if (!drag) return;
      if (!drag.moved) this.onpick(this.nearest(...place(event)));
      else if (drag.lasso?.length > 2) this.onlasso(drag.lasso);
      this.redraw();
    });
    over.addEventListener("pointercancel", () => {
      this.drag = null;
      this.redraw();
    });
    over.addEventListener("pointerleave", () => this.hover(null));
    over.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const [sx, sy] = place(event);
        const [x, y] = this.toData(sx, sy);
        const factor = Math.exp(-Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode ? 20 : 1))) * 0.004);
        this.view.scale *= factor;
        this.view.x = x - (sx - this.box.clientWidth / 2) / this.view.scale;
        this.view.y = y - (sy - this.box.clientHeight / 2) / this.view.scale;
        this.fitted = false;
        this.redraw();
      },
      { passive: false },
    );
    over.addEventListener("dblclick", () => this.fit());
  }

  hover(sx, sy, event) {
    const nearest = sx === null ? null : this.nearest(sx, sy);
    if (nearest !== this.hovered) {
      this.hovered = nearest;
      this.drawOver();
    }
    this.onhover(nearest, event?.clientX, event?.clientY);
  }
}

function boundsOf(x, y) {
  const [[x0, x1], [y0, y1]] = [range(x), range(y)];
  return { x0, x1, y0, y1 };
}

function range(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.length === 4 ? hex[(at + 1) / 2].repeat(2) : hex.slice(at, at + 2), 16));

// A disc with soft edges: the bytes of its pixels, counted from the corner of its square in an image `width` wide, and how much of each
// it covers.
function disc(radius, width) {
  const size = 2 * Math.ceil(radius) + 1;
  const [offsets, cover] = [[], []];
  for (let i = 0; i < size * size; i++) {
    const [column, row] = [i % size, Math.floor(i / size)];
    const share = Math.min(1, radius + 0.5 - Math.hypot(column - size / 2 + 0.5, row - size / 2 + 0.5));
    if (share <= 0) continue;
    offsets.push(4 * (row * width + column));
    cover.push(share);
  }
  return { size, offsets: Int32Array.from(offsets), cover: Float32Array.from(cover) };
}
