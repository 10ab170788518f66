// What the Prompts page shows: the list of prompts, and the chosen one with its versions.

import { ApiError, api, listeners, onlyLatest, state, toast } from "../shared/lib.js";

/** @type {{list: object[] | null, prompt: any, version: string | null}} */
export const view = { list: null, prompt: null, version: null }; // version: of the prompt that is shown; null: the one in use
export const loaded = listeners(); // the chosen prompt is there anew
export const previewChanged = listeners();

export const chosen = () => state.one("prompt") ?? "diagnosis";
const newest = onlyLatest();

// Everything about the chosen prompt anew; `list` too where versions in use have changed.
export async function load(list = false) {
  const version = state.one("version");
  try {
    const prompt = await newest(api("prompts/show", { name: chosen(), version }, { quiet: true }));
    if (!prompt) return;
    [view.prompt, view.version] = [prompt, version];
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    toast(error.message, { kind: "bad" });
    return state.set({ prompt: null, version: null }, { replace: true });
  }
  if (list) view.list = await api("prompts/list", {});
  loaded.tell();
}
