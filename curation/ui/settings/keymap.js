// The keyboard shortcuts of all pages; each can be given another key, in this browser.

import { fill, h, keymap, keyName, pages, toast } from "../shared/lib.js";

// Shortcuts of all pages; a click on one waits for another key. Kept in this browser.
export function drawKeymap(box) {
  const all = keymap.all();
  const again = () => drawKeymap(box);
  const listen = (entry, element) => {
    element.classList.add("listening");
    element.textContent = "press a key";
    const stop = () => {
      removeEventListener("keydown", assign, true);
      removeEventListener("pointerdown", stop, true);
      again();
    };
    const assign = (event) => {
      if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key !== "Escape") give(entry, event.key);
      stop();
    };
    addEventListener("keydown", assign, true);
    addEventListener("pointerdown", stop, true);
  };
  const give = (entry, key) => {
    const conflict = keymap.taken(entry.page, entry.name, key);
    if (!conflict) keymap.set(entry.page, entry.name, key);
    else if (conflict.name === null)
      toast(`${keyName(key)} is used by “${conflict.what}” and can't be reassigned: choose another key.`, { kind: "bad", seconds: 6 });
    else
      toast(`${keyName(key)} is already used by “${conflict.what}”.`, {
        seconds: 10,
        action: {
          text: `Swap: the other gets ${keyName(entry.key)}`,
          run: () => {
            keymap.swap(entry.page, entry.name, conflict.name);
            again();
          },
        },
      });
  };
  const line = (entry) => {
    const key = h(
      "button.key",
      { title: "Click, then press another key", onclick: () => listen(entry, key) },
      h("kbd", keyName(entry.key)),
    );
    return h(
      "div.line",
      key,
      h("span.clip", { title: entry.what }, entry.what),
      entry.key !== entry.standard &&
        h(
          "button.btn.bare",
          {
            onclick: () => {
              keymap.set(entry.page, entry.name, null);
              again();
            },
          },
          `reset to ${keyName(entry.standard)}`,
        ),
    );
  };
  const reset = h(
    "button.btn",
    {
      onclick: () => {
        keymap.reset();
        again();
      },
    },
    "Reset all",
  );
  fill(
    box,
    h("div.row", h("h4", "Keyboard shortcuts"), h("span.grow"), keymap.changed() && reset),
    h(
      "div.card.keys",
      pages
        .filter((page) => all.some((entry) => entry.page === page.name))
        .map((page) => [h("b.dim", page.title), h("div.keylist", all.filter((entry) => entry.page === page.name).map(line))]),
    ),
    h(
      "p.hint",
      "Click a key to change it, for this browser. On every page ",
      h("kbd", "/"),
      " searches, ",
      h("kbd", "?"),
      " lists the shortcuts, ",
      h("kbd", "Esc"),
      " closes.",
    ),
  );
}
