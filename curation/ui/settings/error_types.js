// Error types on Settings: what they are called, what they mean, what bears them; add, edit, merge, hide, order, and the versions.

import { api, ask, chip, dialog, fill, fmt, h, toast } from "../shared/lib.js";

let box;

export async function drawErrorTypes(element) {
  box = element;
  draw(await api("error_types", {}));
}

function draw(found) {
  fill(
    box,
    h("h4", "Error types ", h("small.dim", `version ${found.version}`)),
    h(
      "div.card.rows",
      h(
        "table.types",
        h(
          "thead",
          h(
            "tr",
            ["", "name", "definition and example", "used by", ""].map((name) => h("th", name)),
          ),
        ),
        h(
          "tbody",
          found.error_types.map((type, i) => row(found, type, i)),
        ),
      ),
    ),
    h(
      "div.row.wrap.under",
      h("button.btn", { onclick: () => edit(null) }, "Add an error type"),
      h("span.grow"),
      h("small.dim", "Prompts, pages and results go by these. What bears a renamed or merged type follows."),
    ),
    found.history.length > 0 &&
      h(
        "details.past",
        h("summary", "Versions"),
        h(
          "ul",
          found.history.map((one) =>
            h("li", h("b", one.version), ` ${one.text} `, h("small.dim", `${one.author}, ${fmt.ago(one.created_at)}`)),
          ),
        ),
      ),
  );
}

const row = (found, type, i) =>
  h(
    "tr",
    { class: type.hidden ? "off" : "" },
    h(
      "td.arrows",
      h(
        "button.btn.icon.bare",
        { disabled: i === 0, onclick: () => move(found, i, -1), title: "Up", "aria-label": `${type.name} up` },
        "↑",
      ),
      h(
        "button.btn.icon.bare",
        {
          disabled: i === found.error_types.length - 1,
          onclick: () => move(found, i, 1),
          title: "Down",
          "aria-label": `${type.name} down`,
        },
        "↓",
      ),
    ),
    h("td", h("span.dot", { style: { background: type.colour } }), " ", h("b", type.name), type.hidden && [" ", chip("hidden")]),
    h("td.text", type.definition, h("small.dim.below", type.example)),
    h("td.dim.text.few", bears(type) || "–"),
    h(
      "td.r.acts",
      h("button.btn", { onclick: () => edit(type) }, "Edit"),
      !type.fixed && h("button.btn", { onclick: () => merge(found, type) }, "Merge"),
      !type.fixed &&
        h("button.btn", { onclick: () => (type.hidden ? send("show", { name: type.name }) : hide(type)) }, type.hidden ? "Show" : "Hide"),
    ),
  );

// Sends an edit; the pages learn of it with the next poll, which is asked for at once.
async function send(what, body) {
  const edited = await api(`error_types/${what}`, body);
  toast(`Version ${edited.version}: ${edited.text}`, { kind: "good" });
  draw(await api("error_types", {}));
  document.dispatchEvent(new CustomEvent("mb:poll"));
}

function move(found, i, by) {
  const names = found.error_types.map((type) => type.name);
  [names[i], names[i + by]] = [names[i + by], names[i]];
  send("order", { names });
}

function edit(type) {
  const name = h("input.in", {
    id: "type-name",
    value: type?.name ?? "",
    maxlength: 40,
    spellcheck: "false",
    disabled: Boolean(type?.fixed),
  });
  const definition = h("textarea.in", { id: "type-definition", rows: 2, maxlength: 300 }, type?.definition ?? "");
  const example = h("input.in", { id: "type-example", value: type?.example ?? "", maxlength: 300 });
  const colour = h("input", { id: "type-colour", type: "color", value: type?.colour ?? "#7d8590" });
  const field = (label, input, hint = "") => h("div.field", h("label", { for: input.id }, label), input, hint && h("div.hint", hint));
  const save = async () => {
    const texts = { definition: definition.value.replaceAll("\n", " "), example: example.value, colour: colour.value };
    if (!type) return send("add", { name: name.value.trim(), ...texts });
    const to = name.value.trim();
    if (Object.entries(texts).some(([key, value]) => value !== type[key])) await send("change", { name: type.name, ...texts });
    if (to !== type.name) await send("rename", { name: type.name, to });
  };
  dialog(
    type ? `Edit ${type.name}` : "Add an error type",
    h(
      "div.form",
      field(
        "Name",
        name,
        type?.fixed ? "The program goes by this name; it stays." : "small letters, digits and hyphens, as in text-reading",
      ),
      field("Definition", definition, "One sentence; the frontier model is given it."),
      field("Example", example),
      field("Colour", colour),
      type && bears(type) && h("p.dim", `${bears(type)} bear this type and follow a new name.`),
    ),
    [{ text: "Cancel" }, { text: type ? "Save" : "Add", kind: "p", run: () => save().catch(() => false) }],
  );
}

// "12 failures, 3 corrections": what bears a type; "" where nothing does.
const bears = ({ used }) =>
  Object.entries(used)
    .filter(([, count]) => count)
    .map(([what, count]) => fmt.plural(count, what.slice(0, -1)))
    .join(", ");

function merge(found, type) {
  const others = found.error_types.filter((one) => one.name !== type.name);
  const into = h(
    "select.in",
    { id: "type-into" },
    others.map((one) => h("option", { value: one.name }, one.name)),
  );
  dialog(
    `Merge ${type.name}`,
    h(
      "div.form",
      h("div.field", h("label", { for: "type-into" }, "Into"), into),
      h("p", bears(type) ? `${bears(type)} follow.` : "Nothing bears it yet."),
      h("p.dim", "Logs keep what was said; pages and results show the type that it is now."),
    ),
    [
      { text: "Cancel" },
      { text: "Merge", kind: "p", run: () => send("merge", { names: [type.name], into: into.value }).catch(() => false) },
    ],
  );
}

async function hide(type) {
  const { corrections } = type.used;
  if (!corrections) return send("hide", { name: type.name });
  const text = [
    h("p", `${fmt.plural(corrections, "correction")} of people name it. Hidden, it is offered no more; the corrections keep it.`),
    h("p.dim", { style: "margin-top:8px" }, "To let them follow into another error type, merge it instead."),
  ];
  if (await ask(`Hide ${type.name}?`, text, "Hide and keep them")) await send("hide", { name: type.name, keep: true });
}
