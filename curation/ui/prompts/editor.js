// The editor of a prompt: both parts, the fields that they may have, what is wrong line by line, how it differs from the shipped text.

import { api, fill, fillOnce, h, later, onlyLatest, state, toast } from "../shared/lib.js";
import { chosen, load } from "./state.js";

const KEPT = "mistakebook.prompts"; // drafts, so that another page may be looked at meanwhile
const PARTS = { system: "System", user: "User" };

let onChange = () => {};
let prompt = null; // as it is saved
let checked = { flaws: [], difference: [] }; // what the server says of the draft
let focused = "user"; // the part that a field goes into
const box = {};

export const isEdited = () => Boolean(prompt) && Object.keys(PARTS).some((part) => box[part].value.trim() !== prompt[part]);
// The draft that can be tried: null while it has flaws.
export const draft = () => (prompt && !checked.flaws.length ? { name: prompt.name, system: box.system.value, user: box.user.value } : null);

export function startEditor(element, changed) {
  onChange = changed;
  for (const part of Object.keys(PARTS)) {
    box[part] = h("textarea.in.text", {
      id: `prompt-${part}`,
      spellcheck: "false",
      "aria-label": `${PARTS[part]} message`,
      onfocus: () => {
        focused = part;
      },
      oninput: () => {
        grow(box[part]);
        keep();
        check();
        drawNote();
      },
    });
    box[`${part}-flaws`] = h("div.flaws");
  }
  box.fields = h("div.fields");
  box.note = h("input.in", { id: "prompt-note", placeholder: "What you changed (shown in the list of versions)", maxlength: 500 });
  box.save = h("button.btn.p", { onclick: save }, "Save and use");
  box.revert = h("button.btn", { onclick: revert }, "Discard");
  box.diff = h("div");
  box.saver = h("div.save", box.note, box.save, box.revert);
  fill(
    element,
    h("h4", "Fields"),
    box.fields,
    Object.entries(PARTS).map(([part, title]) => [h("h4", `${title} message`), box[part], box[`${part}-flaws`]]),
    box.saver,
    box.diff,
  );
  addEventListener(
    "resize",
    later(() => {
      for (const part of Object.keys(PARTS)) grow(box[part]);
    }, 150),
  );
}

export function drawEditor(shown) {
  const isNew = !prompt || prompt.name !== shown.name || prompt.version !== shown.version;
  prompt = shown;
  if (isNew) {
    const kept = drafts()[mark()];
    for (const part of Object.keys(PARTS)) box[part].value = kept?.[part] ?? shown[part];
    box.note.value = "";
    checked = { flaws: [], difference: shown.difference };
    if (kept) check();
  }
  for (const part of Object.keys(PARTS)) grow(box[part]);
  drawNote();
}

const mark = () => `${prompt.name} ${prompt.version}`;
const drafts = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");

function keep() {
  const now = drafts();
  if (isEdited()) now[mark()] = { system: box.system.value, user: box.user.value };
  else delete now[mark()];
  sessionStorage.setItem(KEPT, JSON.stringify(now));
}

function grow(area) {
  area.style.height = "0";
  area.style.height = `${area.scrollHeight + 2}px`;
}

const newest = onlyLatest();
const check = later(async () => {
  const answer = await newest(api("prompts/check", { name: prompt.name, system: box.system.value, user: box.user.value }));
  if (!answer) return;
  checked = answer;
  drawNote();
  onChange();
}, 250);

function drawNote() {
  const texts = `${box.system.value}\n${box.user.value}`;
  fillOnce(box.fields, [prompt.fields, prompt.fields.map(({ name }) => named(texts, name))], () =>
    prompt.fields.map((field) =>
      h(
        "button.chip",
        {
          class: field.required && !named(texts, field.name) ? "missing" : "",
          title: `${field.about}${field.required ? "" : " (optional)"}. Click to insert it.`,
          onclick: () => insert(`{{ ${field.name} }}`),
        },
        field.name,
        !field.required && h("span.faint", "?"),
      ),
    ),
  );
  for (const part of Object.keys(PARTS)) {
    const flaws = checked.flaws.filter((flaw) => flaw.part === part);
    box[part].setAttribute("aria-invalid", String(flaws.length > 0));
    fillOnce(box[`${part}-flaws`], flaws, () =>
      flaws.map((flaw) => h("button", { onclick: () => goToLine(box[part], flaw.line) }, `Line ${flaw.line}: ${flaw.problem}`)),
    );
  }
  box.saver.hidden = !isEdited();
  box.saver.style.display = isEdited() ? "" : "none";
  fillOnce(box.diff, checked.difference ?? null, () => checked.difference && difference(checked.difference));
}

const named = (text, field) => new RegExp(`\\{[{%][^}]*\\b${field}\\b`).test(text);

function insert(text) {
  const area = box[focused];
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  area.dispatchEvent(new Event("input"));
}

function goToLine(area, line) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
}

function revert() {
  for (const part of Object.keys(PARTS)) box[part].value = prompt[part];
  checked = { flaws: [], difference: prompt.difference };
  keep();
  for (const part of Object.keys(PARTS)) grow(box[part]);
  drawNote();
  onChange();
}

async function save() {
  const saved = await api("prompts/save", { name: prompt.name, system: box.system.value, user: box.user.value, note: box.note.value });
  if (saved.flaws.length) {
    checked = saved;
    drawNote();
    onChange();
    return goToLine(box[saved.flaws[0].part], saved.flaws[0].line); // what is wrong stands below it
  }
  const now = drafts();
  delete now[mark()];
  sessionStorage.setItem(KEPT, JSON.stringify(now));
  toast(`Saved as version ${saved.version}: used by new jobs`, { kind: "good" });
  if (state.one("version")) state.set({ version: null }, { replace: true });
  if (chosen() === prompt.name) await load(true);
}

const AROUND = 1; // unchanged lines shown beside changed ones

// Lines of a text against the shipped one; what is the same is folded.
function difference(lines) {
  if (lines.every((line) => line.kind === "same")) return h("p.small.faint", { style: "margin-top:10px" }, "This is the shipped prompt.");
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((line) => line.kind !== "same"));
  const shown = [];
  for (let i = 0; i < lines.length; i += 1) {
    if (near[i]) shown.push(h("div", { class: lines[i].kind }, lines[i].text));
    else if (i === 0 || near[i - 1]) shown.push(h("div.skip", "…"));
  }
  return [h("h4", "Diff against the shipped prompt"), h("div.diff", shown)];
}
