// Right column of Settings: budget, people, backups, disk, workspaces, colours; and the keys of the keyboard.

import { api, ask, at, bar, chip, dialog, fill, fmt, h, keymap, keyName, pages, theme, toast } from "../shared/lib.js";

export function drawSide(root, overview, again) {
  budget(at(root, "budget"), overview);
  people(at(root, "people"), overview);
  backups(at(root, "backups"), overview, again);
  workspaces(at(root, "workspaces"), overview, again);
}

function budget(box, { budget: cap, spend }) {
  const input = h("input.in.short", {
    type: "number",
    min: 0,
    step: "any",
    value: cap ?? "",
    placeholder: "none",
    "aria-label": "Default budget, USD",
  });
  const save = async () => {
    const now = await api("settings/budget", { usd: input.value === "" ? null : Number(input.value) });
    toast(now.budget === null ? "New jobs start without a cap" : `New jobs start with a cap of ${fmt.usd(now.budget)}`, { kind: "good" });
  };
  fill(
    box,
    h("h4", "Budget"),
    h(
      "div.card",
      h("div.line", h("span", "Budget cap of new jobs, USD"), h("span.grow"), input, h("button.btn", { onclick: save }, "Set")),
      h(
        "div.line",
        h("span", "Spent in this workspace"),
        h("span.grow"),
        h("b", fmt.usd(spend.usd)),
        spend.unpriced > 0 && h("small.dim", `+ ${fmt.plural(spend.unpriced, "unpriced call")}`),
      ),
    ),
    h("p.hint", "A hard limit: calls in flight count at their worst-case cost. Each launch can set its own."),
  );
}

function people(box, { reviewer, login, reviewers }) {
  const row = (person) =>
    h(
      "div.line",
      h("span.clip", person.reviewer),
      person.reviewer === reviewer && chip("you", { kind: "on" }),
      h("span.grow"),
      h(
        "small.dim",
        `${fmt.plural(person.decisions, "decision")}, ${fmt.percent(person.decisions ? person.rejections / person.decisions : null)} rejected` +
          ` · ${fmt.ago(person.last_at)}`,
      ),
    );
  fill(
    box,
    h("h4", "Reviewers"),
    h("div.card", reviewers.length ? reviewers.map(row) : h("div.dim", `No reviews yet. You are ${reviewer}.`)),
    h(
      "p.hint",
      login
        ? `You are logged in as ${reviewer}.`
        : `Your decisions are stored under the name ${reviewer}. ` +
            "To change it, start the app with --reviewer NAME; for several people, with --auth FILE and a login each.",
    ),
  );
}

function backups(box, { backups: list, workspace }, again) {
  const button = h(
    "button.btn.p",
    {
      onclick: async () => {
        button.disabled = true;
        button.textContent = "Writing…";
        try {
          const made = await api("settings/backup", {});
          toast(`Backup ${made.name}: ${fmt.plural(made.rows, "row")}, verified`, { kind: "good" });
        } finally {
          again();
        }
      },
    },
    "Back up now",
  );
  const row = (backup) =>
    h(
      "div.line",
      h("span.clip", { title: backup.folder }, backup.name),
      !backup.whole && chip("tables only", { title: "Made before a migration" }),
      h("span.grow"),
      h("small.dim", `${fmt.number(backup.rows)} rows · ${fmt.bytes(backup.bytes)} · ${fmt.ago(backup.made_at)}`),
      h("button.btn", { onclick: () => restoring(backup, workspace) }, "Restore…"),
    );
  fill(
    box,
    h("h4", "Backups"),
    h(
      "div.card",
      h("div.line", h("span.dim", list.length ? fmt.plural(list.length, "backup") : "No backups yet"), h("span.grow"), button),
      list.slice(0, 12).map(row),
    ),
    h(
      "p.hint",
      "Tables, paid replies, images and checkpoints. Images are hard links where the file system allows, so they take no extra space.",
    ),
  );
}

const restoring = (backup, workspace) =>
  dialog(
    "Restore a backup",
    [
      h("p", "A backup is restored as a new workspace; nothing is overwritten. Run in a terminal:"),
      h(
        "pre.mono",
        { style: "margin:10px 0" },
        `mistakebook restore --workspace "${workspace.name} restored" ${backup.folder}\n` +
          `python app.py --workspace "${workspace.name} restored"`,
      ),
      h("p.dim", "To keep the same name, first stop this app and move its folder away."),
    ],
    [{ text: "Close" }],
  );

// What takes space; `again` draws it anew.
export function disk({ parts, freeable, free }, again) {
  const most = Math.max(...Object.values(parts), 1),
    total = Object.values(parts).reduce((sum, n) => sum + n, 0);
  const names = { thumbnails: "thumbnails", jobs: "jobs", uploads: "uploads" };
  const why = {
    thumbnails: "Recreated when needed.",
    jobs: "Inputs and results of jobs that finished over a week ago; all of it is in the store. Logs, events and settings are kept.",
    uploads: "Files uploaded for imports. Imported images and examples are kept in the workspace.",
  };
  const clean = async (what) => {
    if (!(await ask(`Free ${fmt.bytes(freeable[what])}?`, why[what], "Free"))) return;
    const { freed } = await api("settings/clean", { what });
    toast(`${fmt.bytes(freed)} freed`, { kind: "good" });
    again();
  };
  return [
    h("h4", "Disk"),
    h(
      "div.card",
      Object.entries(parts)
        .filter(([, n]) => n > 0)
        .map(([name, n]) =>
          h(
            "div.line",
            h("span", name),
            h("span.grow"),
            names[name] &&
              freeable[name] > 0 &&
              h("button.btn", { onclick: () => clean(name), title: why[name] }, `Free ${fmt.bytes(freeable[name])}`),
            bar(n / most),
            h("span.r", { style: "width:62px" }, fmt.bytes(n)),
          ),
        ),
      h(
        "div.line",
        h("b", "all"),
        h("span.grow"),
        h("small.dim", `${fmt.bytes(free)} free on the disk`),
        h("b.r", { style: "width:62px" }, fmt.bytes(total)),
      ),
    ),
  ];
}

function workspaces(box, { workspace }, again) {
  const input = h("input.in", { placeholder: "name of a new workspace", "aria-label": "New workspace" });
  const make = async () => {
    const made = await api("settings/new_workspace", { name: input.value });
    toast(`Workspace ${made.name} created`, { kind: "good" });
    again();
  };
  const archive = async (name) => {
    if (
      !(await ask(
        `Archive ${name}?`,
        "Moves its folder to archived/ next to the workspaces; nothing is deleted. To restore it, move the folder back.",
        "Archive",
      ))
    )
      return;
    const { folder } = await api("settings/archive", { name });
    toast(`Moved to ${folder}`, { kind: "good" });
    again();
  };
  const row = (name) =>
    h(
      "div.line",
      h("span.clip", name),
      h("span.grow"),
      name === workspace.name
        ? chip("open here", { kind: "on" })
        : [
            h(
              "button.btn",
              {
                onclick: () =>
                  dialog(
                    `Open ${name}`,
                    [
                      h("p", "Each app has one workspace open. Run in a terminal:"),
                      h("pre.mono", { style: "margin-top:10px" }, `python app.py --workspace "${name}" --port 0`),
                    ],
                    [{ text: "Close" }],
                  ),
              },
              "Open…",
            ),
            h("button.btn", { onclick: () => archive(name) }, "Archive"),
          ],
    );
  fill(
    box,
    h("h4", "Workspaces"),
    h(
      "div.card",
      [...new Set([workspace.name, ...workspace.all])].sort().map(row),
      h("div.line", input, h("button.btn", { onclick: make }, "Create")),
    ),
  );
}

export function drawLook(box) {
  const draw = () =>
    fill(
      box,
      h("h4", "Theme"),
      h(
        "div.row",
        theme.choices.map((choice) =>
          h(
            "button.btn",
            {
              class: theme.chosen() === choice ? "on" : "",
              onclick: () => {
                theme.choose(choice);
                draw();
              },
            },
            { system: "System", light: "Light", dark: "Dark" }[choice],
          ),
        ),
      ),
    );
  draw();
}

// Shortcuts of all pages; a click on one waits for another key. Kept in this browser.
export function drawKeymap(box) {
  const all = keymap.all();
  const again = () => drawKeymap(box);
  const listen = (entry, element) => {
    element.classList.add("listening");
    element.textContent = "press a key";
    const stop = () => {
      removeEventListener("keydown", assign, true);
      removeEventListener("pointerdown", stop, true);
      again();
    };
    const assign = (event) => {
      if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key !== "Escape") give(entry, event.key);
      stop();
    };
    addEventListener("keydown", assign, true);
    addEventListener("pointerdown", stop, true);
  };
  const give = (entry, key) => {
    const conflict = keymap.taken(entry.page, entry.name, key);
    if (!conflict) keymap.set(entry.page, entry.name, key);
    else if (conflict.name === null)
      toast(`${keyName(key)} is used by “${conflict.what}” and can't be reassigned: choose another key.`, { kind: "bad", seconds: 6 });
    else
      toast(`${keyName(key)} is already used by “${conflict.what}”.`, {
        seconds: 10,
        action: {
          text: `Swap: the other gets ${keyName(entry.key)}`,
          run: () => {
            keymap.swap(entry.page, entry.name, conflict.name);
            again();
          },
        },
      });
  };
  const line = (entry) => {
    const key = h(
      "button.key",
      { title: "Click, then press another key", onclick: () => listen(entry, key) },
      h("kbd", keyName(entry.key)),
    );
    return h(
      "div.line",
      key,
      h("span.clip", { title: entry.what }, entry.what),
      entry.key !== entry.standard &&
        h(
          "button.btn.bare",
          {
            onclick: () => {
              keymap.set(entry.page, entry.name, null);
              again();
            },
          },
          `reset to ${keyName(entry.standard)}`,
        ),
    );
  };
  const reset = h(
    "button.btn",
    {
      onclick: () => {
        keymap.reset();
        again();
      },
    },
    "Reset all",
  );
  fill(
    box,
    h("div.row", h("h4", "Keyboard shortcuts"), h("span.grow"), keymap.changed() && reset),
    h(
      "div.card.keys",
      pages
        .filter((page) => all.some((entry) => entry.page === page.name))
        .map((page) => [h("b.dim", page.title), h("div.keylist", all.filter((entry) => entry.page === page.name).map(line))]),
    ),
    h(
      "p.hint",
      "Click a key to change it, for this browser. On every page ",
      h("kbd", "/"),
      " searches, ",
      h("kbd", "?"),
      " lists the shortcuts, ",
      h("kbd", "Esc"),
      " closes.",
    ),
  );
}
