// The frame: header, rail, and the one place that polls.

import { api } from "../shared/api.js";
import { at, fillOnce, h } from "../shared/dom.js";
import * as fmt from "../shared/format.js";
import { learnStatuses } from "../shared/job_status.js";
import { ask, toast } from "../shared/overlays.js";
import { help } from "../shared/shortcuts.js";
import { themeToggle } from "../shared/theme.js";
import { leave, settled } from "../shared/unsaved.js";
import { pages, state } from "../shared/url_state.js";
import { bar, learnTypes, relearnTypes } from "../shared/widgets.js";

const EVERY = 1500; // milliseconds between two looks at the workspace

let root;
let workspace = null;
let timer;

export function start(element, about) {
  root = element;
  pages.push(...about.pages);
  learnStatuses(about.statuses);
  learnTypes(about.error_types, about.unknown_colour);
  themeToggle(at(root, "theme-toggle"));
  at(root, "help").addEventListener("click", help);
  root.addEventListener("click", follow);
  state.on(drawRail);
  drawRail();
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  document.addEventListener("mb:poll", poll);
  poll();
}

// Links within the app change the page without loading it anew.
function follow(event) {
  const link = event.target.closest("a[data-page]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  state.go(link.dataset.page);
}

async function poll() {
  clearTimeout(timer);
  try {
    workspace = await api("workspace", undefined, { quiet: true });
    root.classList.remove("lost");
    await learnTaxonomy(workspace.taxonomy);
    drawHeader();
    drawRail();
    document.dispatchEvent(new CustomEvent("mb:tick", { detail: workspace }));
  } catch (error) {
    fillOnce(at(root, "job"), [error.message, error.status], () =>
      h("span.pill.err", { title: error.message }, error.status ? "The app reports an error" : "The app does not respond"),
    );
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(poll, EVERY);
}

// The session ends once all decisions are saved: without it none could be. What can't be saved now stays in this browser.
async function logOut() {
  const button = at(root, "logout");
  button.disabled = true;
  const late = setTimeout(() => {
    button.textContent = "Saving decisions …";
  }, 300);
  try {
    const unsaved = await settled();
    if (unsaved && !(await ask("Log out now?", `${unsaved} ${KEPT}`, "Log out without saving"))) return;
    const answer = await fetch(new URL("logout", document.baseURI), { method: "POST" });
    if (!answer.ok) throw new Error(`the app answered ${answer.status}`);
    leave();
    location.assign(new URL("login", document.baseURI));
  } catch (error) {
    toast(`You are still logged in: ${error.message}`, { kind: "bad" });
  } finally {
    clearTimeout(late);
    button.textContent = "Log out";
    button.disabled = false;
  }
}
const KEPT = "It stays in this browser and is sent when you log in here again; on another machine it would be missing.";

// The workspace's own error types, asked for whenever they are of another version: 1 is what the pages were built with.
let taxonomy = 1;
async function learnTaxonomy(version) {
  if (version === taxonomy) return;
  const found = await api("error_types", {}, { quiet: true });
  relearnTypes(found.error_types);
  taxonomy = version;
  document.dispatchEvent(new Event("mb:types"));
}

const slash = () => h("i", "/");

function drawHeader() {
  const { name, round, checkpoint, reviewer, role, login } = workspace;
  fillOnce(at(root, "crumbs"), [name, round, checkpoint], () => [
    h("span", "workspace ", h("b", name)),
    round > 0 && [slash(), h("span", "round ", h("b", round))],
    checkpoint && [slash(), h("span", h("b", checkpoint.name ?? checkpoint))],
  ]);
  const who = at(root, "reviewer");
  who.hidden = !reviewer;
  who.textContent = login && role !== "admin" ? `${reviewer} · ${role}` : reviewer;
  const out = at(root, "logout");
  out.hidden = !login;
  out.onclick = logOut;
  drawDamage();
  const { gate, running } = workspace;
  fillOnce(at(root, "job"), [gate, running], () => [gatePill(gate), pill(running.find((job) => job.status === "running") ?? running[0])]);
}

// A damaged log of the store: told on every page until somebody says that it was read.
function drawDamage() {
  const [damage] = workspace.damages;
  const place = at(root, "damage");
  place.hidden = !damage;
  fillOnce(
    place,
    damage?.name,
    () => damage && [h("p", damage.text), h("button.btn", { onclick: () => damageRead(damage.name) }, "I have read this")],
  );
}

async function damageRead(name) {
  workspace.damages = await api("damage/read", { name });
  drawDamage();
}

// What had approved by itself was stopped by its audit: told on every page until somebody looks.
const gatePill = (gate) =>
  gate.state === "stopped" &&
  h(
    "a.pill.err",
    { href: state.href("calibration"), dataset: { page: "calibration" }, title: gate.why, style: "margin-right:8px" },
    "Auto-approval was stopped by its audit",
  );

function pill(job) {
  if (!job) return null;
  const more = workspace.running.length - 1;
  const facts = [
    job.spend_usd ? fmt.usd(job.spend_usd) : null,
    job.seconds_left ? `${fmt.duration(job.seconds_left)} left` : null,
    more > 0 ? `+${more}` : null,
  ].filter(Boolean);
  return h(
    "a.pill",
    { href: state.href("jobs"), dataset: { page: "jobs" }, title: "Running job; click for all jobs" },
    h("span.dot.live"),
    job.status === "queued" ? `${title(job.stage)} · queued` : `${title(job.stage)} · ${fmt.number(job.done)}/${fmt.number(job.total)}`,
    bar(job.total ? job.done / job.total : 0),
    facts.join(" · "),
  );
}

const title = (stage) => stage[0].toUpperCase() + stage.slice(1).replaceAll("_", " ");

function drawRail() {
  const counts = workspace?.counts ?? {};
  const link = (page) =>
    h(
      "a",
      {
        href: state.href(page.name),
        class: page.name === state.page() ? "on" : "",
        dataset: { page: page.name },
        "aria-current": page.name === state.page() ? "page" : null,
      },
      page.title,
      h("span", label(counts[page.name])),
    );
  const group = (name) => pages.filter((page) => page.group === name).map(link);
  fillOnce(at(root, "rail"), [state.page(), counts], () => [
    group("loop"),
    group("workspace").length > 0 && [h("div.sep", "Workspace"), group("workspace")],
  ]);
  document.title = `${pages.find((page) => page.name === state.page())?.title ?? ""} · ${workspace?.name ?? "Mistakebook"}`;
}

// A count beside a page's name: a number, or a text such as "294 left" as it is.
const label = (count) => (typeof count === "number" ? (count ? fmt.number(count) : "") : (count ?? ""));
