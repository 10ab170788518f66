// What the Prompts page shows: the list of prompts, and the chosen one with its versions.

import { api, listeners, onlyLatest, state, toast } from "../shared/lib.js";

export const view = { list: null, prompt: null };
export const loaded = listeners(); // the chosen prompt is there anew
export const previewChanged = listeners();

export const chosen = () => state.one("prompt") ?? "diagnosis";
const newest = onlyLatest();

// Everything about the chosen prompt anew; `list` too where versions in use have changed.
export async function load(list = false) {
  const version = state.one("version");
  try {
    const found = await newest(api("prompts/show", { name: chosen(), version }, { quiet: true }));
    if (!found) return;
    [view.prompt, view.mark] = [found, version];
  } catch (error) {
    if (error.status !== 404) throw error;
    toast(error.message, { kind: "bad" });
    return state.set({ prompt: null, version: null }, { replace: true });
  }
  if (list) view.list = await api("prompts/list", {});
  loaded.tell();
}
