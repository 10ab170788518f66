// Grid: sixty samples at once, chosen by click, shift-click or keys, for decisions on many.

import { at, chip, dot, emptyState, fill, fillList, fmt, h, icon, keyCap, picture } from "../shared/lib.js";
import { openSample, undo } from "./actions.js";
import { openBulk } from "./bulk.js";
import { saved } from "./buttons.js";
import { changed, clearFacets, matching, mode, outbox, page, statusText, words } from "./state.js";

const cells = h("div.grid", { role: "listbox", "aria-multiselectable": "true" });
const idOf = (event) => Number(event.target.closest("[data-id]")?.dataset.id) || null;

export function start(root) {
  const [box, foot] = ["grid", "bulk"].map((name) => at(root, name));
  cells.addEventListener("click", (event) => idOf(event) && page.click(idOf(event), event.shiftKey));
  cells.addEventListener("dblclick", (event) => idOf(event) && openSample(idOf(event)));
  changed.on(() => {
    if (mode().shown !== "grid") return;
    draw(box);
    drawFoot(foot);
  });
  outbox.changed.on(() => mode().shown === "grid" && drawFoot(foot));
}

let drawn = { rows: null, current: null };

function draw(box) {
  if (!page.rows.length)
    fill(
      box,
      emptyState("No matching samples", "Change the facets or the search.", {
        text: "Show all samples",
        run: () => clearFacets({ status: "all" }),
      }),
    );
  else {
    if (!cells.isConnected) fill(box, cells);
    fillList(cells, page.rows, cell);
    mark();
  }
  drawn = { rows: page.rows, current: page.current };
}

// Which cells are selected, and where the cursor is: where it has moved it comes into view.
function mark() {
  for (const element of cells.children) {
    const id = Number(element.dataset.id);
    element.classList.toggle("sel", page.selected.has(id));
    element.classList.toggle("here", id === page.current);
    element.setAttribute("aria-selected", String(page.selected.has(id)));
  }
  if (drawn.rows === page.rows && drawn.current !== page.current)
    cells.querySelector(`[data-id="${page.current}"]`)?.scrollIntoView({ block: "nearest" });
}

export const columns = () => getComputedStyle(cells).gridTemplateColumns.split(" ").length;

export function openCurrent() {
  if (page.current !== null) openSample(page.current);
}

// Approve, reject or clear what is selected; without a selection the sample under the cursor.
export async function act(action) {
  const ids = page.meant;
  if (ids.length && (await openBulk({ sample_ids: ids }, action))) page.selectNone();
}

export const summary = () => (page.total ? `${fmt.number(page.total)} in this queue` : "");

export function pager() {
  const { number, pages } = page;
  const jump = h("input.in.rev-jump", {
    type: "number",
    min: 1,
    max: pages,
    value: number,
    title: "Go to page",
    "aria-label": "Page",
    onchange: () => page.jump(Number(jump.value)),
  });
  const turn = (title, name, by, end) =>
    h("button.btn.icon", { onclick: () => page.turn(by), disabled: end, title, "aria-label": title }, icon(name));
  return [
    turn("Previous page", "left", -1, number <= 1),
    jump,
    h("small.dim", `of ${fmt.number(pages)}`),
    turn("Next page", "right", 1, number >= pages),
  ];
}

function drawFoot(box) {
  const n = page.selected.size;
  const button = (text, kind, key, run, title) => h("button.btn", { class: kind, onclick: run, title }, text, key && keyCap("review", key));
  const acts = (run, keyed) => [
    button("Approve", "g", keyed && "approve", () => run("approve")),
    button("Reject", "b", keyed && "reject", () => run("reject")),
    button("Clear", "", keyed && "reset", () => run("reset"), "Remove decisions; the status from the filters applies again"),
  ];
  const all = page.total === 1 ? "The 1 matching" : `All ${fmt.number(page.total)} matching`;
  fill(
    box,
    n > 0 && [h("b", `${fmt.number(n)} selected`), acts(act, true), button("Select none", "bare", null, () => page.selectNone())],
    !n &&
      page.total > 0 && [
        h("b", { title: "Or select some: click, shift-click or x" }, all),
        acts((action) => openBulk(matching(), action), false),
      ],
    h("span.grow"),
    page.rows.length > 0 && !n && button("Select page", "", "all", () => page.selectPage()),
    button("Undo", "", "undo", () => undo()),
    saved(),
  );
}

function cell(row) {
  const tip =
    `Sample ${row.sample_id}, ${statusText[row.status].toLowerCase()}` +
    `${row.failing.length ? `; fails ${row.failing.map(words).join(", ")}` : ""}` +
    `\n${row.question}\n${row.answer}`;
  const stands = row.choices.length ? row.choices[row.answer.charCodeAt(0) - 65] : null;
  return h(
    "button.th",
    { dataset: { id: row.sample_id }, title: tip, role: "option" },
    h(
      "span.rev-thumb",
      picture(row.image),
      h("i.rev-mark", { class: row.status }),
      row.failing.length > 0 && chip(row.failing.length === 1 ? words(row.failing[0]) : `fails ${row.failing.length}`, { kind: "no" }),
    ),
    h("p", h("span.q", dot(row.error_type), " ", row.question), h("span.a.right", stands ? `${row.answer}. ${stands}` : row.answer)),
  );
}
