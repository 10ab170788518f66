// What the Results page shows: the answers of the server, and what the URL chooses.

import { state } from "../shared/lib.js";

/** @type {{ summary: any, ledger: any, returns: any, split: any }} */
export const view = { summary: null, ledger: null, returns: null, split: null };

export const TABLES = [
  { value: "error_type", text: "error type" },
  { value: "dataset", text: "dataset" },
  { value: "kind", text: "kind" },
  { value: "cluster", text: "cluster" },
  { value: "slice", text: "slice" },
];

/** The two checkpoints and the score, as the routes take them. */
export const pair = () => ({ before: state.one("before"), after: state.one("after"), score: state.one("score") ?? "strict" });

/** The table that charts, rows and the ledger are grouped by. */
export const by = () => TABLES.find((table) => table.value === state.one("by"))?.value ?? "error_type";
export const tableTitle = () => TABLES.find((table) => table.value === by())?.text ?? "error type";

/** The group whose examples the ledger shows, by its name in the table; null: all. */
export const group = () => state.one("group");
/** @param {string} name */
export const chooseGroup = (name) => state.set({ group: name === "overall" || name === group() ? null : name, offset: null });

/** The lines of the chosen table. */
export const lines = () => view.summary?.found?.[`by_${by()}`] ?? [];
