// The plugins with the schemas of their options: asked for once.

import { api } from "../shared/lib.js";

let known; // plugins with their options' schemas
export const plugins = () =>
  (known ??= api("data/plugins", {}).catch((error) => {
    known = undefined;
    throw error;
  }));
