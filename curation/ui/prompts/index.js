// The Prompts page: the prompts and their versions, an editor, and beside it a failure to try them on or two versions side by side.
//
// In the URL: prompt, version (none: the one in use), tab (compare), failure, job (a comparison that is looked at).

import { api, at, chip, drawer, fillOnce, fmt, h, keys, state, toast, toButton } from "../shared/lib.js";
import { drawCompare, tickCompare } from "./comparison.js";
import { draft, drawEditor, isEdited, startEditor } from "./editor.js";
import { drawPreview, step } from "./preview.js";
import { chosen, load, loaded, previewChanged, view } from "./state.js";

let root;
let side = null;

keys("prompts", [
  { name: "next", key: "j", what: "next failure", run: () => step(1), repeat: true },
  { name: "previous", key: "k", what: "previous failure", run: () => step(-1), repeat: true },
  toButton("#page-prompts .ask", "go to the button that sends the request for this failure"),
  { name: "compare", key: "c", what: "preview, or compare versions", run: () => toTab(state.one("tab") ? null : "compare") },
]);

export function start(element) {
  root = element;
  startEditor(at(root, "editor"), changed);
  side = drawer(root.querySelector(".cols"), "Preview and comparison");
  root.querySelector("[data-editor-col] .hd").append(side.button);
}

loaded.on(() => {
  drawList();
  drawAll();
});
previewChanged.on(() => view.prompt && drawSide());

export async function show() {
  view.list ??= await api("prompts/list", {});
  drawList();
  const mark = [chosen(), state.one("version")];
  if (!view.prompt || view.prompt.name !== mark[0] || view.version !== mark[1]) await load();
  else drawAll();
}

export function tick() {
  if (state.one("tab") === "compare" && view.prompt) tickCompare();
}

function drawAll() {
  drawVersions();
  drawEditor(view.prompt);
  drawHead();
  drawSide();
}

// After each change of the draft that has been checked.
function changed() {
  drawHead();
  drawSide();
}

const toTab = (tab) => state.set({ tab, job: null }, { replace: true });

function drawSide() {
  const comparing = state.one("tab") === "compare";
  const wide = comparing && Boolean(state.one("job"));
  root.querySelector(".cols").classList.toggle("wide", wide);
  fillOnce(at(root, "tabs"), [comparing, wide], () =>
    [
      ["Preview", null, "The exact request for one failure"],
      ["Compare", "compare", "Two versions on the same failures"],
    ].map(([text, tab, title]) =>
      h("button.btn", { class: (tab === "compare") === comparing ? "on" : "", title, onclick: () => toTab(tab) }, text),
    ),
  );
  const parts = { note: at(root, "side-note"), actions: at(root, "side-actions"), body: at(root, "side"), foot: at(root, "side-foot") };
  if (comparing) drawCompare(parts, view.prompt);
  else drawPreview(parts, view.prompt, draft());
  if (wide) side.open();
}

function drawList() {
  fillOnce(at(root, "list"), [view.list, chosen()], () =>
    view.list.map((prompt) =>
      h(
        "button.prompt-row",
        {
          class: prompt.name === chosen() ? "on" : "",
          dataset: { prompt: prompt.name },
          onclick: () => state.set({ prompt: prompt.name, version: null, job: null, failure: null }),
        },
        h("b.clip", prompt.title.split(":")[0]),
        prompt.in_use !== prompt.shipped && chip("edited", { kind: "wa", title: "The version in use differs from the shipped prompt" }),
        h("small", `${prompt.used_by.map((name) => name.replaceAll("_", " ")).join(", ")} · ${prompt.name}.md`),
      ),
    ),
  );
}

function drawVersions() {
  const { prompt } = view;
  fillOnce(at(root, "versions"), [prompt.versions, prompt.version], () => [
    h("h4", `Versions of ${prompt.name}.md`),
    prompt.versions.map((version) =>
      h(
        "button.prompt-row",
        {
          class: version.version === prompt.version ? "on" : "",
          dataset: { version: version.version },
          title: version.note || null,
          onclick: () => state.set({ version: version.in_use ? null : version.version }),
        },
        h("span.mono", version.version),
        h("span.row", version.shipped && chip("shipped"), version.in_use && chip("in use", { kind: "ok" })),
        h(
          "small",
          [
            version.note,
            version.author === "shipped"
              ? version.shipped
                ? "shipped with this version"
                : "shipped earlier"
              : `${version.author}, ${fmt.ago(version.created_at)}`,
            version.jobs ? fmt.plural(version.jobs, "job") : null,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
    ),
  ]);
}

function drawHead() {
  const { prompt } = view;
  const edited = isEdited();
  at(root, "title").textContent = prompt.title;
  fillOnce(at(root, "state"), [edited, prompt.version, prompt.in_use], () =>
    edited ? chip("not saved", { kind: "wa" }) : prompt.version === prompt.in_use ? chip("in use", { kind: "ok" }) : chip("not in use"),
  );
  fillOnce(at(root, "actions"), [edited, prompt.version, prompt.in_use, prompt.shipped], () => [
    !edited && prompt.version !== prompt.in_use && h("button.btn.p", { onclick: () => use(prompt.version) }, "Use this version"),
    prompt.in_use !== prompt.shipped &&
      h(
        "button.btn",
        { onclick: () => use(null), title: "New jobs use the shipped prompt; your versions stay in the list" },
        "Use the shipped version",
      ),
  ]);
}

async function use(version) {
  await api("prompts/use", { name: chosen(), version });
  toast(version ? `New jobs use version ${version}` : "New jobs use the shipped prompt", { kind: "good" });
  if (state.one("version")) state.set({ version: null }, { replace: true });
  await load(true);
}
