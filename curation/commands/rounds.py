"""`mistakebook rounds`."""

from curation.commands.app_client import App
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table
from data.records import Round


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Lists the rounds, or begins the next one from a checkpoint.")
    add_reviewer(made)
    made.add_argument("--begin", metavar="CHECKPOINT", help="begin the next round from this checkpoint")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    path, as_ = "/api/command/rounds", list[Round]
    rounds = app.post(path, {"checkpoint": given.begin}, as_) if given.begin else app.get(path, as_)
    show(rounds, given.json, lambda: table(rounds, ["round", "checkpoint", "created_at"]) if rounds else "no round has started yet")
    return 0
