// Building and finding elements. Text always goes in as text: nothing that a dataset or a model wrote is ever parsed as HTML.

/** @import { Attributes, Child, Made } from "./types.js" */

const TURNING = /[\u202A-\u202E\u2066-\u2069]/g; // embeddings, overrides and isolates of bidirectional text
const SVG = new Set(["svg", "path", "circle", "line", "rect", "text", "g", "title"]);

/**
 * h("div.card", {title: "…", onclick: f}, "text", node, [more], null): an element. Attributes that are null or false are left out.
 * @template {string} T
 * @param {T} tag
 * @param {Attributes | Child} [attributes]
 * @param {Child[]} children
 * @returns {Made<T>}
 */
export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const inSvg = SVG.has(name) && name !== "title";
  const element = inSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name || "div");
  if (classes.length) element.setAttribute("class", classes.join(" "));
  if (attributes instanceof Node || typeof attributes !== "object" || Array.isArray(attributes))
    children.unshift(/** @type {Child} */ (attributes));
  else for (const [key, value] of Object.entries(attributes ?? {})) set(element, key, value);
  append(element, children);
  return /** @type {Made<T>} */ (element);
}

/**
 * @param {any} element
 * @param {string} key
 * @param {any} value
 */
function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "class") element.setAttribute("class", `${element.getAttribute("class") ?? ""} ${value}`.trim());
  else if (key === "style" && typeof value === "object") for (const [name, v] of Object.entries(value)) element.style.setProperty(name, v);
  else if (key === "dataset") Object.assign(element.dataset, value);
  else if (key === "value" || key === "checked" || key === "disabled" || key === "selected") element[key] = value;
  else element.setAttribute(key, value === true ? "" : value);
}

/**
 * @param {Node} element
 * @param {Child[]} children
 */
function append(element, children) {
  const shown = element.nodeName === "TEXTAREA" ? String : marked; // what people edit stays as it is
  for (const child of /** @type {Child[]} */ (/** @type {any[]} */ (children).flat(Infinity)))
    if (child !== null && child !== undefined && child !== false)
      element.appendChild(child instanceof Node ? child : document.createTextNode(shown(String(child))));
}

/**
 * A text whose characters that turn the direction of what follows are shown as marks: they would show other words than there are,
 * and reach beyond their own text.
 * @param {string} text
 */
export function marked(text) {
  return text.replace(TURNING, (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}]`);
}

/**
 * Takes what was in a node away and puts the children there; while a button in it is being pressed, at the release.
 * @template {Node} N
 * @param {N} node
 * @param {Child[]} children
 * @returns {N}
 */
export function fill(node, ...children) {
  if (waits(node, () => fill(node, ...children))) return node;
  node.textContent = "";
  append(node, children);
  return node;
}

/**
 * Fills a node only when `value` (anything that JSON can hold) is another than the last time: scroll, focus and open menus stay.
 * @param {Node} node
 * @param {unknown} value
 * @param {() => Child} build
 */
export function fillOnce(node, value, build) {
  if (waits(node, () => fillOnce(node, value, build))) return;
  const mark = JSON.stringify(value);
  if (marks.get(node) === mark) return;
  marks.set(node, mark);
  fill(node, build());
}

/** @type {WeakMap<Node, string>} */
const marks = new WeakMap();

/**
 * Fills a node with one element an item; elements of items that were there before, unchanged, are kept. make(item) builds one.
 * @template T
 * @param {Node} node
 * @param {readonly T[]} items
 * @param {(item: T) => Node} make
 */
export function fillList(node, items, make) {
  if (waits(node, () => fillList(node, items, make))) return;
  const before = lists.get(node) ?? new Map();
  const now = new Map(
    items.map((item) => {
      const mark = JSON.stringify(item);
      return [mark, before.get(mark) ?? make(item)];
    }),
  );
  lists.set(node, now);
  const wanted = [...now.values()];
  for (const child of [...node.childNodes]) if (!wanted.includes(child)) child.remove();
  for (const [i, element] of wanted.entries()) if (node.childNodes[i] !== element) node.insertBefore(element, node.childNodes[i] ?? null);
}

/** @type {WeakMap<Node, Map<string, Node>>} */
const lists = new WeakMap();

/**
 * Whether a node can't be drawn anew just now, because a button in it is being pressed: the click would miss a button that has gone.
 * What was to be drawn last is drawn at the release.
 * @param {Node} node
 * @param {() => unknown} redraw
 */
function waits(node, redraw) {
  waiting.delete(node);
  if (!pressed || !node.contains(pressed)) return false;
  waiting.set(node, redraw);
  return true;
}

/** @type {Map<Node, () => unknown>} */
const waiting = new Map(); // nodes, with what is to be done at the release
/** @type {Element | null} */
let pressed = null; // the button under a pointer that is down

addEventListener(
  "pointerdown",
  (event) => {
    pressed = event.button === 0 ? /** @type {Element} */ (event.target).closest("button, a, label, summary") : null;
  },
  true,
);
addEventListener(
  "click",
  () => {
    pressed = null;
  },
  true,
); // what the click itself draws, it draws at once
for (const end of ["pointerup", "pointercancel"])
  addEventListener(
    end,
    () =>
      setTimeout(() => {
        // the click comes first
        pressed = null;
        const now = [...waiting.values()];
        waiting.clear();
        for (const redraw of now) redraw();
      }),
    true,
  );

/**
 * The first element below `root` with that data attribute: at(root, "map") is <… data-map>.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {any} null where there is none
 */
export const at = (root, name) => root.querySelector(`[data-${name}]`);

const ICONS = {
  light:
    "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2" +
    "M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  system: "M3 5h18v11H3zM9 20h6M12 16v4",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  lasso: "M4 10c0-3.3 3.6-6 8-6s8 2.7 8 6-3.6 6-8 6c-1.4 0-2.7-.3-3.8-.7M8 15.3c0 1.5-3 1.2-3 3.2 0 1 .8 1.7 2 1.7",
  pan: "M12 3v18M3 12h18M12 3 9.5 5.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5",
  panel: "M3 5h18v14H3zM15 5v14",
  close: "M6 6l12 12M18 6 6 18",
  back: "M4 5v5h5M4.6 10a8 8 0 1 1-.6 4",
  left: "M14.5 6 8.5 12l6 6",
  right: "M9.5 6l6 6-6 6",
};

/**
 * A line drawing by name; its colour is that of the text around it.
 * @param {keyof typeof ICONS} name
 */
export function icon(name) {
  const lines = h("path", {
    d: ICONS[name],
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.8,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
  return h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, lines);
}
