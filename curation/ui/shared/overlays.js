// What floats above the page: toasts, dialogs, the large picture, the tooltip.

import { fill, h, icon } from "./dom.js";
import { media } from "./media.js";

/** @import { Button, Child } from "./types.js" */

/**
 * A passing message; errors stay until they are closed. `action` is {text, run}. The same text is not shown twice.
 * @param {string} text
 * @param {{kind?: string, action?: {text: string, run: () => unknown} | null, seconds?: number}} [options]
 * @returns {() => void} closes it
 */
export function toast(text, { kind = "", action = null, seconds = kind === "bad" ? 0 : 4 } = {}) {
  const box = /** @type {HTMLElement} */ (document.querySelector("[data-toasts]"));
  for (const shown of /** @type {Iterable<HTMLElement>} */ (box.children)) if (shown.dataset.text === text) return () => shown.remove();
  const close = () => element.remove();
  const element = h(
    "div.toast",
    { class: kind, dataset: { text } },
    h("span.grow", text),
    action &&
      h(
        "button.btn",
        {
          onclick: () => {
            close();
            action.run();
          },
        },
        action.text,
      ),
    h("button.btn.icon.bare", { onclick: close, title: "Close", "aria-label": "Close" }, icon("close")),
  );
  box.append(element);
  if (seconds) setTimeout(close, seconds * 1000);
  return close;
}

/**
 * A dialog with a title, content, and buttons [{text, kind, run, key}]; `run` may return false (or a promise of it) to keep it open.
 * @param {string} title
 * @param {Child} content
 * @param {Button[]} [buttons]
 * @param {{wide?: boolean}} [options]
 */
export function dialog(title, content, buttons = [], { wide = false } = {}) {
  const element = h("dialog.mb", { class: wide ? "wide" : "" });
  const close = () => element.close();
  let working = false; // while a button is at work a second click, or Enter, does nothing
  /** @param {Button} button */
  const press = (button) => async () => {
    if (working && button.run) return;
    working = true;
    try {
      if (button.run && (await button.run()) === false) return;
    } finally {
      working = false;
    }
    close();
  };
  const shown = buttons.map((button) =>
    h("button.btn", { class: button.kind, onclick: press(button) }, button.text, button.key && h("kbd", button.key)),
  );
  fill(
    element,
    h(
      "div.hd",
      h("b", title),
      h("span.grow"),
      h("button.btn.icon.bare", { onclick: close, title: "Close (Esc)", "aria-label": "Close" }, icon("close")),
    ),
    h("div.inner", content),
    buttons.length > 0 && h("div.hd.foot", h("span.grow"), shown),
  );
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (/** @type {Event} */ event) => event.target === element && close());
  document.body.append(element);
  element.showModal();
  shown.at(-1)?.focus();
  return { element, close };
}

/**
 * Asks before something is done; resolves to whether it shall be.
 * @param {string} title
 * @param {Child} content
 * @param {string} [yes]
 * @param {string} [kind]
 * @returns {Promise<boolean>}
 */
export function ask(title, content, yes = "Continue", kind = "p") {
  return new Promise((resolve) => {
    let answer = false;
    const { element } = dialog(title, content, [
      { text: "Cancel" },
      {
        text: yes,
        kind,
        run: () => {
          answer = true;
        },
      },
    ]);
    element.addEventListener("close", () => resolve(answer));
  });
}

/**
 * The picture, as large as the window allows.
 * @param {string} sha
 * @param {string} [text]
 */
export function zoom(sha, text = "") {
  const element = h(
    "dialog.mb.zoom",
    { onclick: () => element.close() },
    h("img", { src: media(sha, "full"), alt: text }),
    text && h("p", text),
  );
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
}

const tip = h("div.mb.mb-tip", { hidden: true });

/**
 * A tooltip beside a point of the window; null hides it.
 * @param {number | null} x
 * @param {number} [y]
 * @param {Child[]} content
 */
export function tooltip(x, y = 0, ...content) {
  if (!tip.isConnected) document.body.append(tip);
  tip.hidden = x === null;
  if (x === null) return;
  fill(tip, content);
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${x + 14 + width > innerWidth ? x - 14 - width : x + 14}px`;
  tip.style.top = `${Math.min(y + 14, innerHeight - height - 8)}px`;
}
