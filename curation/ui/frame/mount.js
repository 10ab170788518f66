// How pages come to life. A page is a folder of curation/ui, whose index.js has
//   export function start(root) {}        once, when the page is first shown; root holds the elements of page.html
//   export function show() {}             whenever it is shown and whenever its part of the URL changes (read it from `state`)
//   export function tick(workspace) {}    after each poll while it is shown (optional)

import { pages, state } from "../shared/url_state.js";
import { endEndlessFrames } from "./idle_frames.js";

const parts = new Map(); // page -> {root, module}, module once it was shown

// Called by each gr.HTML when it is there (curation/ui/server/gradio_pages.py).
export async function mount(name, element, value) {
  await styles();
  const root = element.querySelector(".mb");
  root.style.removeProperty("visibility");
  if (name === "frame") {
    const frame = await import("./index.js");
    frame.start(root, value);
    state.on(present);
    endEndlessFrames();
  } else parts.set(name, { root });
  present();
}

// The page of the URL is shown, all others are hidden.
async function present() {
  const current = state.page();
  for (const [name, { root }] of parts) root.classList.toggle("on", name === current);
  const part = parts.get(current);
  if (!part) return;
  if (!part.module) {
    part.module = import(`../${pages.find((page) => page.name === current).folder}/index.js`);
    const module = await part.module;
    module.start(part.root);
    part.started = true;
  }
  if (!part.started || state.page() !== current) return;
  (await part.module).show?.();
}

document.addEventListener("mb:tick", async (event) => {
  const part = parts.get(state.page());
  if (part?.started) (await part.module).tick?.(event.detail);
});

// Waits until the style sheets that were linked are there: no flash of bare elements.
function styles() {
  const sheets = [...document.querySelectorAll('link[rel="stylesheet"][href^="ui/"]')].filter((link) => !link.sheet);
  return Promise.all(
    sheets.map(
      (link) =>
        new Promise((done) => {
          link.addEventListener("load", done);
          link.addEventListener("error", done);
        }),
    ),
  );
}
