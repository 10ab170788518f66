// Who may log in and as what, and the audit log; for admins.

import { ApiError, api, chip, fill, fmt, h, toast } from "../shared/lib.js";

export async function drawAccess(box) {
  let access, events;
  try {
    [access, events] = await Promise.all([api("access/users", {}, { quiet: true }), api("access/events", {}, { quiet: true })]);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    fill(box); // not for this role
    return;
  }
  fill(box, drawUsers(access, box), drawEvents(events));
}

function drawUsers({ asks_login: asks, users, roles, file }, box) {
  const row = (user) =>
    h(
      "div.line",
      h("span.clip", user.name),
      !user.password && chip("by proxy", { title: "Has no password here" }),
      h("span.grow"),
      h("small.dim", user.sessions.length ? `${fmt.plural(user.sessions.length, "session")}` : "not logged in"),
      h(
        "select",
        {
          "aria-label": `Role of ${user.name}`,
          onchange: async (event) => {
            try {
              await api("access/role", { name: user.name, role: event.target.value });
              toast(`${user.name} is ${event.target.value} now`, { kind: "good" });
            } finally {
              drawAccess(box);
            }
          },
        },
        roles.map((role) => h("option", { value: role, selected: role === user.role }, role)),
      ),
      h(
        "button.btn",
        {
          disabled: !user.sessions.length,
          onclick: async () => {
            await api("access/revoke", { name: user.name });
            toast(`${user.name} is logged out everywhere`, { kind: "good" });
            drawAccess(box);
          },
        },
        "Log out",
      ),
    );
  return [
    h("h4", "Users"),
    h(
      "div.card",
      users.length ? users.map(row) : h("div.dim", asks ? "A proxy says who comes." : "No users: this machine alone, without a login."),
    ),
    h("p.hint", "Added and removed by ", h("code", "mistakebook users"), `; kept in ${file}.`),
  ];
}

function drawEvents(events) {
  const row = (event) =>
    h(
      "tr",
      h("td.dim", { title: event.created_at }, fmt.ago(event.created_at)),
      h("td", event.who || "this account"),
      h(
        "td",
        { title: event.asked },
        event.what.replace(/^POST \/api\//, ""),
        event.status >= 400 && chip(String(event.status), { kind: "bad" }),
      ),
    );
  return [
    h("h4", "Audit log"),
    h(
      "div.card",
      events.length
        ? h(
            "div.scroll",
            h(
              "table.small",
              h("thead", h("tr", h("th", "When"), h("th", "Who"), h("th", "What"))),
              h("tbody", events.slice(0, 30).map(row)),
            ),
          )
        : h("div.dim", "Nothing was changed yet."),
      h(
        "div.line",
        h("span.grow"),
        h("a.btn", { href: "api/access/events.csv", download: "" }, "CSV"),
        h("a.btn", { href: "api/access/events.jsonl", download: "" }, "JSON lines"),
      ),
    ),
    h(
      "p.hint",
      "What was changed and refused, and logins; decisions have a log of their own. " +
        "In CSV a cell that looks like a formula begins with an apostrophe.",
    ),
  ];
}
