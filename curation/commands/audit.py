"""`mistakebook audit`: who did what, from the workspace's audit log."""

from curation.access.audit import LoggedEvent
from curation.commands.app_client import App
from curation.commands.flags import parser
from curation.commands.output import show, table

COLUMNS = ["number", "created_at", "who", "role", "address", "what", "status", "asked"]


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Lists who changed what and when, logins, and what was refused; newest first. Decisions are in the log of reviews.")
    made.add_argument("--user", help="only what this person did")
    made.add_argument("--refused", action="store_true", help="only what was refused or failed")
    made.add_argument("--limit", type=int, default=50, help="lines, at most 1000 (default: %(default)s)")
    given = made.parse_args(arguments)
    asked = {"who": given.user, "refused": given.refused, "limit": given.limit}
    found = App(given.workspace).post("/api/access/events", asked, list[LoggedEvent])
    rows = [vars(event) for event in found]
    show(rows, given.json, lambda: table(rows, COLUMNS) if rows else "nothing was changed yet")
    return 0
