// Backups: writing one, the list, and how one is restored.

import { api, chip, dialog, fill, fmt, h, toast } from "../shared/lib.js";

export function drawBackups(box, { backups: list, workspace }, again) {
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
