"""`mistakebook results`, `rounds` and `export`."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from curation.commands.answers import Comparison
from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table
from data.registry import EXPORTS

if TYPE_CHECKING:
    from rich.table import Table


def run(name: str, arguments: list[str]) -> int:
    return {"results": _results, "rounds": _rounds, "export": _export}[name](name, arguments)


def _results(name: str, arguments: list[str]) -> int:
    made = parser(name, "Compares two checkpoints on the eval examples that both have answered, with 95 % paired intervals.")
    made.add_argument("before", nargs="?", help="name of a checkpoint (default: the parent of AFTER)")
    made.add_argument("after", nargs="?", help="name of a checkpoint (default: the newest)")
    made.add_argument("--score", choices=("strict", "lenient"), default="strict", help="score to compare (default: %(default)s)")
    given = made.parse_args(arguments)
    app = App(given.workspace)
    asked = {name: value for name in ("before", "after", "score") if (value := getattr(given, name))}
    comparison: Comparison = app.get(f"/api/command/results?{urlencode(asked)}")
    show(comparison, given.json, lambda: _in_words(comparison))
    return 0


def _in_words(comparison: Comparison) -> "list[str | Table]":
    lines = [comparison["overall"], *comparison["by_dataset"], *comparison["by_error_type"]]
    columns = [name for name, value in lines[0].items() if not isinstance(value, dict | list)]
    title = f"{comparison['before']} → {comparison['after']}: {comparison['examples']:,} eval examples, "
    title += f"{comparison['fixed']:,} fixed, {comparison['broken']:,} broken"
    return [title, table(lines, columns)]


def _rounds(name: str, arguments: list[str]) -> int:
    made = parser(name, "Lists the rounds, or begins the next one from a checkpoint.")
    add_reviewer(made)
    made.add_argument("--begin", metavar="CHECKPOINT", help="begin the next round from this checkpoint")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    rounds = app.post("/api/command/rounds", {"checkpoint": given.begin}) if given.begin else app.get("/api/command/rounds")
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
    done = app.post("/api/command/export", body)
    show(done, given.json, lambda: f"{done['samples']:,} samples written to {done['path']}")
    return 0
