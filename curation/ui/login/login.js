// Sends name and password; what the server refuses stands below them.

import "../shared/theme.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const error = /** @type {HTMLElement} */ (form.querySelector("[data-error]"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  button.disabled = true;
  error.hidden = true;
  try {
    const body = JSON.stringify(Object.fromEntries(new FormData(form)));
    const answer = await fetch("login", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (answer.ok) {
      const next = new URLSearchParams(location.search).get("next") ?? "";
      location.assign(next.startsWith("?") ? `./${next}` : "./"); // nothing but a page of this app
      return;
    }
    error.textContent = (await answer.json()).error ?? `The server answered ${answer.status}`;
  } catch {
    error.textContent = "The app does not respond. It may have been stopped.";
  }
  error.hidden = false;
  button.disabled = false;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("password")).select();
});
