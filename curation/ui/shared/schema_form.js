// A form from a pydantic JSON schema: text, number, boolean, choice, list, each of them optional. Descriptions become hints.

import { h } from "./dom.js";

/** @import { Field, Schema, Values } from "./types.js" */

/**
 * What a field really is: references followed, "or null" taken off.
 * @param {Field} field
 * @param {Schema} schema
 * @returns {Field}
 */
function plain(field, schema) {
  if (field.$ref) return { ...schema.$defs?.[field.$ref.split("/").at(-1) ?? ""], ...field, $ref: undefined };
  if (field.allOf?.length === 1) return { ...plain(field.allOf[0], schema), ...field, allOf: undefined };
  const real = field.anyOf?.filter((type) => type.type !== "null");
  if (real?.length)
    return {
      ...plain(real.find((type) => type.type !== "string") ?? real[0], schema),
      ...field,
      anyOf: undefined,
      optional: real.length < (field.anyOf?.length ?? 0),
    };
  return field;
}

/**
 * "budget_usd" → "Budget, USD"
 * @param {string} name
 */
function title(name) {
  const words = name
    .replaceAll("_", " ")
    .replace(/ usd$/, ", USD")
    .replace(/\bapi key env\b/, "API key variable")
    .replace(/\bid(s?)\b/, "ID$1");
  return words[0].toUpperCase() + words.slice(1);
}

/**
 * @param {Field} field
 * @param {any} value
 * @returns {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement}
 */
function control(field, value) {
  const given = value ?? field.default;
  if (field.enum)
    return h(
      "select.in",
      [...(field.optional ? [""] : []), ...field.enum].map((choice) =>
        h("option", { value: choice, selected: choice === given }, choice === "" ? "–" : String(choice).replaceAll("_", " ")),
      ),
    );
  if (field.const !== undefined) return h("input.in", { value: field.const, disabled: true });
  if (field.widget === "slider")
    return h("input", { type: "range", min: field.minimum, max: field.maximum, step: field.step, value: given });
  if (field.type === "boolean") return h("input", { type: "checkbox", checked: Boolean(given) });
  if (field.type === "integer" || field.type === "number")
    return h("input.in.short", {
      type: "number",
      value: given ?? "",
      step: field.type === "integer" ? 1 : "any",
      min: field.minimum,
      max: field.maximum,
      placeholder: field.optional ? "none" : "",
    });
  if (field.type === "array")
    return h("input.in", { value: (given ?? []).join(", "), placeholder: field.optional ? "all" : "one, two, …" });
  if (field.type === "object") return h("textarea.in.mono", { rows: 3 }, JSON.stringify(given ?? {}, null, 1));
  return h("input.in", { value: given ?? "", placeholder: field.optional ? "none" : "" });
}

/**
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input
 * @param {Field} field
 * @returns {unknown}
 */
function read(input, field) {
  if (field.type === "boolean") return /** @type {HTMLInputElement} */ (input).checked;
  const text = input.value.trim();
  if (text === "" && field.optional) return null;
  if (text === "" && field.default === undefined) return undefined; // left out: the server's own default, or its word that it is needed
  if (field.type === "integer" || field.type === "number") return text === "" ? null : Number(text);
  if (field.type === "array") {
    const parts = text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean);
    return ["integer", "number"].includes(field.items?.type ?? "") ? parts.map(Number) : parts;
  }
  if (field.type === "object") return JSON.parse(text || "{}");
  if (field.enum) return field.enum.find((choice) => String(choice) === text) ?? null;
  return text;
}

/**
 * form(schema, values, onChange, {only, except, advanced}) → {element, values(), errors({field: text})}.
 * `advanced` fields are folded away; fields of the widget "none" are never shown and keep their values.
 * @param {Schema} schema
 * @param {Values} [values]
 * @param {(values: Values, name: string) => unknown} [onChange]
 * @param {{only?: string[] | null, except?: string[], advanced?: string[]}} [options]
 */
export function form(schema, values = {}, onChange = () => {}, { only = null, except = [], advanced = [] } = {}) {
  const fields = Object.entries(schema.properties ?? {})
    .filter(([name, raw]) => (!only || only.includes(name)) && !except.includes(name) && raw.widget !== "none")
    .map(([name, raw]) => ({ name, field: plain(raw, schema) }));
  const rows = new Map();
  for (const { name, field } of fields) {
    const input = control(field, values[name]);
    input.id = `field-${name}-${Math.random().toString(36).slice(2, 8)}`;
    const hint = h("div.hint", field.description ?? "");
    input.addEventListener(input.type === "checkbox" || input.tagName === "SELECT" ? "change" : "input", () => onChange(all(), name));
    const readout = field.widget === "slider" && h("output.dim", { for: input.id }, input.value);
    if (readout)
      input.addEventListener("input", () => {
        readout.textContent = input.value;
      });
    rows.set(name, {
      field,
      input,
      hint,
      element: h("div.field", h("label", { for: input.id }, title(name)), h("div", { class: readout ? "row" : "" }, input, readout), hint),
    });
  }
  const all = () => ({
    ...Object.fromEntries(Object.entries(values)),
    ...Object.fromEntries([...rows].map(([name, row]) => [name, read(row.input, row.field)]).filter(([, value]) => value !== undefined)),
  });
  /** @param {boolean} folded */
  const shown = (folded) => [...rows].filter(([name]) => advanced.includes(name) === folded).map(([, row]) => row.element);
  const element = h(
    "div.form",
    shown(false),
    shown(true).length > 0 && h("details", h("summary", "More options"), h("div.form", shown(true))),
  );
  return {
    element,
    values: all,
    /** @param {Record<string, string>} texts */
    errors(texts) {
      for (const [name, { field, input, hint }] of rows) {
        hint.textContent = texts[name] ?? field.description ?? "";
        hint.classList.toggle("err", name in texts);
        input.setAttribute("aria-invalid", String(name in texts));
      }
    },
  };
}
