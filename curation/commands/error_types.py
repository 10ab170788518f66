"""`mistakebook error-types`: the workspace's error types, listed and edited."""

import argparse
from typing import TYPE_CHECKING, Any

from curation.commands.app_client import App
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table
from curation.taxonomy import Edited
from curation.taxonomy.shown import TaxonomyShown

if TYPE_CHECKING:
    from rich.table import Table

DESCRIPTION = """Lists the error types of the workspace, or edits them. Each edit makes a new version. What bears an error type that is
renamed or merged follows: failures, corrections, samples, clusters, results."""


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    edits = made.add_subparsers(dest="edit", metavar="EDIT", title="edits (each has --help)")
    for edit, about in (("add", "add an error type"), ("change", "change definition, example or colour")):
        command = edits.add_parser(edit, help=about, description=about)
        command.add_argument("name")
        for field in ("definition", "example"):
            command.add_argument(f"--{field}", required=edit == "add")
        command.add_argument("--colour", metavar="#RRGGBB")
    command = edits.add_parser("rename", help="give another name; what bears the old one follows")
    command.add_argument("name")
    command.add_argument("to")
    command = edits.add_parser("merge", help="join error types into one; what bears the others follows")
    command.add_argument("names", nargs="+", metavar="name")
    command.add_argument("--into", required=True, metavar="NAME")
    command = edits.add_parser("hide", help="offer an error type no more; refused where people's corrections name it")
    command.add_argument("name")
    command.add_argument("--keep", action="store_true", help="hide it all the same; the corrections keep it")
    command = edits.add_parser("show", help="offer a hidden error type again")
    command.add_argument("name")
    command = edits.add_parser("order", help="put these first, in this order")
    command.add_argument("names", nargs="+", metavar="name")
    edits.add_parser("history", help="list the versions")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.edit in (None, "history"):
        taxonomy = app.post("/api/error_types", {}, TaxonomyShown)
        show(taxonomy, given.json, lambda: _history(taxonomy) if given.edit else _in_words(taxonomy))
        return 0
    edited = app.post(f"/api/error_types/{given.edit}", _body(given), Edited)
    show(edited, given.json, lambda: f"version {edited.version}: {edited.text}")
    return 0


def _body(given: argparse.Namespace) -> dict[str, Any]:
    fields = ("name", "definition", "example", "colour", "to", "names", "into", "keep")
    return {field: value for field in fields if (value := getattr(given, field, None)) not in (None, False)}


def _in_words(found: TaxonomyShown) -> "list[str | Table]":
    rows = [
        {
            **vars(error_type.used),
            "name": error_type.name + " (hidden)" * error_type.hidden,
            "definition": error_type.definition,
            "example": error_type.example,
        }
        for error_type in found.error_types
    ]
    columns = ["name", "failures", "corrections", "samples", "clusters", "definition", "example"]
    gone = ", ".join(f"{name} → {now}" for name, now in found.aliases.items())
    return [f"version {found.version}", table(rows, columns), *([f"renamed or merged: {gone}"] if gone else [])]


def _history(found: TaxonomyShown) -> "str | Table":
    columns = ["version", "created_at", "author", "text"]
    return table(found.history, columns) if found.history else "version 1: the error types that the program comes with; never edited"
