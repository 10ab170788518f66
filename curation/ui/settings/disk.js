// Disk space: what takes it and what can be freed.

import { api, ask, bar, fill, fmt, h, toast } from "../shared/lib.js";

// `again` is called when something was freed.
export function drawDisk(box, { parts, freeable, free }, again) {
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
  fill(
    box,
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
  );
}
