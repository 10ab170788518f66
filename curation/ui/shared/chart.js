// Charts: figures that the server has made with plotly (curation/ui/shared/chart_theme.py),
// drawn by plotly.js in the colours of shared/tokens.css.

import { h } from "./dom.js";
import { token } from "./theme.js";

/** @typedef {import("./types.d.ts").Figure} Figure */

/** @type {Promise<any> | undefined} */
let library;

// plotly.js (4.8 MB, from this machine), loaded with the first chart that is drawn. Where that fails the next chart tries again.
function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("ui/plotly.min.js", document.baseURI).href;
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => {
      library = undefined;
      script.remove();
      reject(new Error("plotly.js could not be loaded"));
    };
    document.head.append(script);
  });
  return library;
}

/** @type {Set<Chart>} */
const charts = new Set();
document.addEventListener("mb:theme", () => {
  for (const chart of charts) chart.paint();
});

// A place for one chart. Pages keep it and put `element` where it belongs: drawn anew it keeps what the reader has zoomed to.
export class Chart {
  /** @param {{small?: boolean, onclick?: (point: any) => void}} [options] small: fewer buttons; onclick gets the point below the pointer */
  constructor({ small = false, onclick } = {}) {
    this.small = small;
    this.onclick = onclick;
    this.plot = h("div");
    this.element = h("div.chart", { role: "figure" }, this.plot);
    /** @type {Figure | null} */
    this.figure = null;
    this.width = 0; // at which it is drawn, in pixels
    charts.add(this);
    new ResizeObserver(() => {
      if (this.width && this.element.clientWidth && this.element.clientWidth !== this.width) this.paint();
    }).observe(this.element);
  }

  /**
   * Draws a figure; where plotly.js can't be loaded, says so in its place.
   * @param {Figure} figure
   */
  async draw(figure) {
    this.figure = figure;
    this.element.setAttribute("aria-label", figure.layout.meta.label);
    this.element.style.setProperty("height", `${figure.layout.height}px`);
    try {
      this.plotly = await plotly();
    } catch (error) {
      this.plot.textContent = `No chart: ${/** @type {Error} */ (error).message}.`;
      return;
    }
    if (this.figure === figure) this.paint();
  }

  // Draws what is to be shown, in the colours and at the width of now.
  paint() {
    if (!this.plotly || !this.figure) return;
    const first = !this.width;
    if (first) this.plot.textContent = "";
    this.width = this.element.clientWidth || this.width || 600;
    const { data, layout } = painted(this.figure);
    const touch = matchMedia("(pointer: coarse)").matches; // a finger scrolls the page; zooming is a button
    this.plotly.react(this.plot, data, { ...layout, width: this.width, ...(touch && { dragmode: false }) }, this.config(touch));
    if (first && this.onclick)
      /** @type {any} */ (this.plot).on("plotly_click", (/** @type {any} */ event) => this.onclick?.(event.points[0]));
  }

  /** @param {boolean} touch */
  config(touch) {
    const files = [this.download("png"), this.download("svg")];
    const zoom = this.small ? ["resetScale2d"] : ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
    return { modeBarButtons: [zoom, files], displayModeBar: touch || "hover", displaylogo: false, doubleClick: "reset" };
  }

  /**
   * A button of the mode bar that saves the chart as it is shown; a PNG has three pixels for each of the screen's.
   * @param {"png" | "svg"} format
   */
  download(format) {
    const name = format.toUpperCase();
    const click = () => {
      const { height, meta } = /** @type {Figure} */ (this.figure).layout;
      const size = { width: this.width, height, scale: format === "png" ? 3 : 1 };
      this.plotly.downloadImage(this.plot, { format, filename: fileName(meta.file), ...size });
    };
    return { name: `Download as ${name}`, icon: () => h("b", name), click };
  }
}

// A name that every file system takes.
const fileName = (/** @type {string} */ text) =>
  text
    .replace(/[^\p{L}\p{N}.]+/gu, "-")
    .replace(/^[-.]+|-+$/g, "")
    .slice(0, 120);

/**
 * A figure with what each "var(--token)" in it stands for in the theme that is shown.
 * @param {any} value
 * @returns {any}
 */
export function painted(value) {
  if (typeof value === "string") return /^var\(--[\w-]+\)$/.test(value) ? token(value.slice(4, -1)) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(painted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, painted(part)]));
}
