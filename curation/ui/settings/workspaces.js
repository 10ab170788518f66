// Workspaces: creating, opening and archiving one.

import { api, ask, chip, dialog, fill, h, toast } from "../shared/lib.js";

export function drawWorkspaces(box, { workspace }, again) {
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
