// Light, dark, or as the system has it; kept in localStorage.

import { fill, icon } from "./dom.js";

const KEY = "mistakebook.theme";
const CHOICES = /** @type {const} */ (["system", "light", "dark"]);
const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = () => CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? "system";

const isDark = () => document.documentElement.dataset.theme === "dark";

function apply() {
  const dark = chosen() === "dark" || (chosen() === "system" && system.matches);
  if (isDark() === dark && document.documentElement.dataset.theme) return;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.body.classList.toggle("dark", dark); // Gradio's own mark
  document.dispatchEvent(new CustomEvent("mb:theme"));
}

/**
 * Makes a button go through the three choices.
 * @param {HTMLElement} button
 */
export function themeToggle(button) {
  const show = () => {
    fill(button, icon(chosen()));
    button.title = `Theme: ${chosen()}`;
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => theme.choose(CHOICES[(CHOICES.indexOf(chosen()) + 1) % 3]));
  document.addEventListener("mb:theme-choice", show);
  show();
}

// The choice between system, light and dark, for Settings.
export const theme = {
  choices: CHOICES,
  chosen,
  /** @param {string} choice */
  choose(choice) {
    localStorage.setItem(KEY, choice);
    document.dispatchEvent(new CustomEvent("mb:theme-choice"));
    apply();
  },
};

/**
 * A colour of tokens.css as it stands now, for drawing on a canvas: token("--line").
 * @param {string} name
 */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

system.addEventListener("change", apply);
apply();
