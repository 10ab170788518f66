// Small things that pages are made of.

import { h, icon } from "./dom.js";
import { media } from "./media.js";

/** @import { Button, Child, ErrorType } from "./types.js" */

/** @type {ErrorType[]} */
export const types = []; // filled by the frame
let unknown = "#b9b8b0";

/**
 * @param {ErrorType[]} list
 * @param {string} unknownColour
 */
export function learnTypes(list, unknownColour) {
  types.push(...list);
  unknown = unknownColour;
}

/**
 * The workspace's own error types, in place of those that the pages were built with.
 * @param {ErrorType[]} list
 */
export function relearnTypes(list) {
  types.splice(0, types.length, ...list);
}

/** Those that people may choose: hidden ones keep their colour where they are, and are offered no more. */
export const offeredTypes = () => types.filter((type) => !type.hidden);

/** @param {string | null | undefined} errorType */
export const colour = (errorType) => types.find((type) => type.name === errorType)?.colour ?? unknown;
/** @param {string | null | undefined} errorType */
export const definition = (errorType) => types.find((type) => type.name === errorType)?.definition ?? "";

/** @param {string | null | undefined} errorType */
export const dot = (errorType) => h("span.dot", { style: { background: colour(errorType) } });

/**
 * A small label; kind is ok, no, wa or on. With `onremove` it carries a cross.
 * @param {Child} content
 * @param {{kind?: string, title?: string | null, onclick?: (() => unknown) | null, onremove?: (() => unknown) | null}} [options]
 */
export function chip(content, { kind = "", title = null, onclick = null, onremove = null } = {}) {
  const cross = onremove && h("span.x", "✕");
  return h(onclick || onremove ? "button.chip" : "span.chip", { class: kind, title, onclick: onclick ?? onremove }, content, cross);
}

/**
 * @param {string | null} errorType
 * @param {Child} [count]
 */
export const typeChip = (errorType, count) =>
  h(
    "span.chip",
    { title: definition(errorType) },
    dot(errorType),
    errorType ?? "not diagnosed",
    count !== undefined && h("span.dim", count),
  );

/**
 * A thin bar, share from 0 to 1.
 * @param {number} share
 * @param {string | null} [paint]
 * @param {string} [tag]
 */
export const bar = (share, paint = null, tag = "span.bar") =>
  h(tag, h("i", { style: { width: `${Math.min(100, Math.max(0, 100 * share))}%`, ...(paint ? { background: paint } : {}) } }));
/**
 * @param {number} share
 * @param {string | null} [paint]
 */
export const mini = (share, paint) => bar(share, paint, "div.mini");

/**
 * Progress of a job: a bar with "412/720" and what is known of time and money.
 * @param {number} done
 * @param {number} total
 * @param {Child[]} more
 */
export const progress = (done, total, ...more) =>
  h("span.row", bar(total ? done / total : 0), h("small.dim", `${done}/${total}`, ...more.filter(Boolean).map((text) => ` · ${text}`)));

/**
 * What stands where there is nothing yet: what it is, what to do next, and a button that does it ({text, run, kind} or an element).
 * @param {string} title
 * @param {Child} [text]
 * @param {(Button | Element | false | null | undefined)[]} actions
 */
export function emptyState(title, text = "", ...actions) {
  const buttons = /** @type {(Button | Element)[]} */ (actions.filter(Boolean)).map((action) =>
    action instanceof Node ? action : h("button.btn", { class: action.kind ?? "p", onclick: action.run }, action.text),
  );
  return h(
    "div.empty",
    h("b", title),
    text && h("p", text),
    buttons.length > 0 && h("div.row.wrap", { style: "justify-content:center" }, buttons),
  );
}

/**
 * A picture of an example or a sample. An undrawn one has none yet.
 * @param {string | null | undefined} sha
 * @param {string} [size]
 * @param {string} [alt]
 */
export const picture = (sha, size = "card", alt = "") =>
  sha ? h("img.pic", { src: media(sha, size), alt, loading: "lazy", decoding: "async", draggable: "false" }) : h("div.pic");

/**
 * A message of a prompt, below its role.
 * @param {string} text
 * @param {string} role
 */
export const promptText = (text, role) => h("div.prompt-text", h("small.faint", role), h("div.mono", text));

/**
 * A cell of a grid of pictures: picture and caption lines. `chosen` outlines it.
 * @param {string | null | undefined} sha
 * @param {Child} caption
 * @param {{chosen?: boolean, onclick?: (() => unknown) | null, id?: number | string | null, title?: string | null}} [options]
 */
export const cell = (sha, caption, { chosen = false, onclick = null, id = null, title = null } = {}) =>
  h(
    "button.th",
    { class: chosen ? "sel" : "", onclick, title, dataset: id === null ? {} : { id } },
    picture(sha),
    caption && h("p", caption),
  );

/**
 * Choosing one of [{value, text}] (or plain texts).
 * @param {(string | {value: string | null, text: string})[]} options
 * @param {string | null | undefined} value
 * @param {(value: string) => unknown} onchange
 * @param {{title?: string | null, cls?: string}} [more]
 */
export function pick(options, value, onchange, { title = null, cls = "pick" } = {}) {
  const list = options.map((option) => (typeof option === "object" ? option : { value: option, text: option }));
  const select = h(
    "select",
    { class: cls, title, "aria-label": title, onchange: () => onchange(select.value) },
    list.map((o) => h("option", { value: o.value ?? "" }, o.text)),
  );
  select.value = value ?? "";
  return select;
}

/**
 * Folds the last column of `cols` into a drawer on narrow screens; gives back the button that opens it, to put into a header.
 * @param {HTMLElement} cols
 * @param {string} title
 */
export function drawer(cols, title) {
  const column = /** @type {HTMLElement} */ (cols.lastElementChild);
  column.classList.add("drawer");
  /** @param {boolean} [open] */
  const toggle = (open) => cols.classList.toggle("open", open);
  const head = /** @type {HTMLElement} */ (column.querySelector(".hd"));
  head.append(h("button.btn.icon.bare.drawer-tab", { onclick: () => toggle(false), title: "Close", "aria-label": "Close" }, icon("close")));
  addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
  return {
    button: h("button.btn.icon.drawer-tab", { onclick: () => toggle(), title, "aria-label": title }, icon("panel")),
    open: () => toggle(true),
    close: () => toggle(false),
  };
}
