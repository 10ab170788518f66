"""`mistakebook rounds` and `export`."""

from pathlib import Path

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table
from data.records import Exported, Round
from data.registry import EXPORTS


def run(name: str, arguments: list[str]) -> int:
    return {"rounds": _rounds, "export": _export}[name](name, arguments)


def _rounds(name: str, arguments: list[str]) -> int:
    made = parser(name, "Lists the rounds, or begins the next one from a checkpoint.")
    add_reviewer(made)
    made.add_argument("--begin", metavar="CHECKPOINT", help="begin the next round from this checkpoint")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    path, as_ = "/api/command/rounds", list[Round]
    rounds = app.post(path, {"checkpoint": given.begin}, as_) if given.begin else app.get(path, as_)
    show(rounds, given.json, lambda: table(rounds, ["round", "checkpoint", "created_at"]) if rounds else "no round has started yet")
    return 0


def _export(name: str, arguments: list[str]) -> int:
    made = parser(name, "Writes the approved samples, with their images, into a folder.")
    made.add_argument("format", choices=EXPORTS.names(), help="export format")
    made.add_argument("folder", type=Path, help="folder to write to; made if it is missing")
    made.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="options of the export format")
    given = made.parse_args(arguments)
    pairs = [text.partition("=") for text in given.set]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise CommandFailed(f"--set {bad[0]!r}: expected NAME=VALUE")
    options = {name: value for name, _, value in pairs}
    app = App(given.workspace)
    body = {"format": given.format, "folder": str(given.folder.resolve()), "options": options}
    done = app.post("/api/command/export", body, Exported)
    show(done, given.json, lambda: f"{done.samples:,} samples written to {done.path}")
    return 0
