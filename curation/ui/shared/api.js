// Talking to our own routes. Errors become a toast with what failed and what to do, and an exception that ends the caller.

import { toast } from "./overlays.js";

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

let notLost = () => {}; // takes the message away that the app does not answer

/**
 * POSTs `body` as JSON to api/<path> (GETs where there is none) and gives back the JSON answer. `quiet` leaves the toast to the caller.
 * @param {string} path
 * @param {unknown} [body]
 * @param {{quiet?: boolean, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function api(path, body, { quiet = false, signal } = {}) {
  /** @type {RequestInit} */
  const options =
    body === undefined
      ? { signal }
      : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
  let response;
  try {
    response = await fetch(new URL(`api/${path}`, document.baseURI), options);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw failed("The app does not respond. It may have been stopped: restart it (python app.py), then continue here.", 0, quiet);
  }
  notLost();
  if (response.status === 401) location.assign(new URL(`login?next=${encodeURIComponent(location.search)}`, document.baseURI));
  if (response.ok) return response.json();
  const text = await response.text();
  let message = text;
  try {
    const answer = JSON.parse(text);
    message = answer.error ?? JSON.stringify(answer.detail ?? answer);
  } catch {
    /* not JSON: the text itself is the message */
  }
  throw failed(message || `${path}: ${response.status} ${response.statusText}`, response.status, quiet);
}

/**
 * @param {string} message
 * @param {number} status
 * @param {boolean} quiet
 */
function failed(message, status, quiet) {
  if (!quiet) {
    const close = toast(message, { kind: "bad" });
    if (!status) notLost = close;
  }
  return new ApiError(message, status);
}

/**
 * A name for an event that may be sent twice but must count once.
 * @returns {string}
 */
export const eventId = () =>
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (Number(c) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(c) / 4)))).toString(16),
  );
