// Backups: writing one, the list, and how one is restored.

import { api, chip, dialog, fill, fmt, h, toast } from "../shared/lib.js";

const TIMES = [
  [0, "off"],
  [1, "every hour"],
  [6, "every 6 hours"],
  [24, "every day"],
  [168, "every week"],
];

// How often a backup is made by itself.
function schedule(hours) {
  const known = TIMES.some(([each]) => each === hours) ? TIMES : [...TIMES, [hours, `every ${fmt.plural(hours, "hour")}`]];
  const save = async (event) => {
    const now = await api("settings/backup_hours", { hours: Number(event.currentTarget.value) });
    toast(now.hours ? `A backup is made every ${fmt.plural(now.hours, "hour")}` : "No backup is made by itself", {
      kind: now.hours ? "good" : "bad",
    });
  };
  return h(
    "select.in",
    { "aria-label": "Automatic backups", onchange: save },
    known.map(([each, text]) => h("option", { value: each, selected: each === hours }, text)),
  );
}

export function drawBackups(box, { backups: list, backup_hours: hours, workspace }, again) {
  const button = h(
    "button.btn.p",
    {
      onclick: async () => {
        button.disabled = true;
        button.textContent = "Writing…";
        try {
          const made = await api("settings/backup", {});
          const lacks = made.referenced ? `. ${fmt.plural(made.referenced, "picture")} referenced elsewhere: not in it` : "";
          toast(`Backup ${made.name}: ${fmt.plural(made.rows, "row")}, verified${lacks}`, { kind: "good" });
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
      h("div.line", h("span", "Automatic, while the app runs and something has changed"), h("span.grow"), schedule(hours)),
      h("div.line", h("span.dim", list.length ? fmt.plural(list.length, "backup") : "No backups yet"), h("span.grow"), button),
      list.slice(0, 12).map(row),
    ),
    h(
      "p.hint",
      "Tables, paid replies, images and checkpoints. Images are hard links where the file system allows, so they take no extra space. " +
        "Of automatic backups the latest of the last 7 days and of the last 4 weeks are kept.",
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
