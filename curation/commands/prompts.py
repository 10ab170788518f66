"""`mistakebook prompts`: lists prompts, shows and saves versions, sets the version in use, compares two versions."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_flags, add_reviewer, parser, validated
from curation.commands.follow import follow
from curation.commands.output import drawn, show, table
from curation.frontier.options import FrontierOptions
from curation.jobs.views import JobView
from curation.prompt_lab.records import ComparisonView, ListedPrompt, PromptSaved, PromptShown, Result, SideCost, VersionUsed
from curation.prompts.templates import parts

if TYPE_CHECKING:
    from rich.table import Table

DESCRIPTION = """Lists, edits and compares the prompts of the frontier model. Example, from an edit to a comparison:
mistakebook prompts show judge > judge.md; (edit it); mistakebook prompts save judge judge.md --note stricter;
mistakebook prompts compare judge shipped; mistakebook prompts use judge shipped"""
ACTIONS = ("list", "show", "save", "use", "compare")


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    made.add_argument("action", nargs="?", default="list", choices=ACTIONS, help="default: list")
    made.add_argument("prompt", nargs="?", help="name of a prompt, as listed")
    made.add_argument("what", nargs="*", help="save: a file; show, use, compare: versions, by their first characters, or shipped")
    made.add_argument("--note", default="", help="what was changed; kept with the saved version")
    made.add_argument("--only-save", action="store_true", help="save the version, but keep using the present one")
    made.add_argument("--estimate", action="store_true", help="print calls, cost and time of a comparison; launch nothing")
    made.add_argument("--limit", type=int, default=20, help="number of failures to compare on (default: %(default)s)")
    add_flags(made.add_argument_group("frontier model of a comparison"), FrontierOptions)
    given = made.parse_args(arguments)
    if given.action != "list" and not given.prompt:
        raise CommandFailed(f"prompts {given.action}: name a prompt; mistakebook prompts lists them")
    app = App(given.workspace, given.reviewer)
    return {"list": _list, "show": _show, "save": _save, "use": _use, "compare": _compare}[given.action](app, given)


def _list(app: App, given: argparse.Namespace) -> int:
    listed = app.post("/api/prompts/list", {}, list[ListedPrompt])
    prompts = [vars(row) | {"state": "shipped" if row.in_use == row.shipped else "edited"} for row in listed]
    rows = [row | {"used_by": ", ".join(row["used_by"])} for row in prompts]
    show(prompts, given.json, lambda: table(rows, ["name", "in_use", "state", "used_by", "title"]))
    return 0


def _show(app: App, given: argparse.Namespace) -> int:
    prompt = _of(app, given.prompt, given.what[0] if given.what else None)
    show(prompt, given.json, lambda: f"# system\n{prompt.system}\n\n# user\n{prompt.user}")
    return 0


def _save(app: App, given: argparse.Namespace) -> int:
    if len(given.what) != 1:
        raise CommandFailed(f"prompts save {given.prompt}: name the file with the new text, as `prompts show` prints it")
    try:
        text = Path(given.what[0]).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandFailed(str(error)) from error
    system, user = parts(text)
    body = {"name": given.prompt, "system": system, "user": user, "note": given.note, "use": not given.only_save}
    saved = app.post("/api/prompts/save", body, PromptSaved)
    if saved.flaws:
        flaws = "\n  ".join(map(str, saved.flaws))
        raise CommandFailed(f"{given.what[0]} is not saved:\n  {flaws}")
    show(saved, given.json, lambda: f"saved as version {saved.version}" + ("" if given.only_save else "; new jobs use it"))
    return 0


def _use(app: App, given: argparse.Namespace) -> int:
    if len(given.what) != 1:
        columns = ["version", "in_use", "shipped", "jobs", "author", "created_at", "note"]
        versions = table(_of(app, given.prompt, None).versions, columns)
        raise CommandFailed(f"prompts use {given.prompt}: which version? There are:\n{drawn(versions, sys.stderr)}")
    used = app.post("/api/prompts/use", {"name": given.prompt, "version": given.what[0]}, VersionUsed)
    show(used, given.json, lambda: f"new jobs use version {used.version} of {given.prompt}")
    return 0


def _compare(app: App, given: argparse.Namespace) -> int:
    """Launches the comparison with full version names, so that the job states what it compared."""
    if len(given.what) not in (1, 2):
        raise CommandFailed(f"prompts compare {given.prompt}: name one version (against the one in use) or two")
    a, b = (_of(app, given.prompt, version).version for version in (*given.what, None)[:2])
    asked = {name: value for name, value in validated(FrontierOptions, given).items() if getattr(given, name) is not None}
    body = {"stage": "compare_prompts", "options": {**asked, "prompt": given.prompt, "a": a, "b": b, "limit": given.limit}}
    if given.estimate:
        from curation.commands.stages import estimate_in_words
        from curation.jobs.estimates import EstimateView

        estimate = app.post("/api/estimate", body, EstimateView)
        show(estimate, given.json, lambda: estimate_in_words(estimate))
        return 0
    job, status = follow(app, app.post("/api/jobs", body, JobView))
    comparison = app.post("/api/prompts/comparison", {"job_id": job.job_id}, ComparisonView)
    show(comparison, given.json, lambda: _in_words(comparison))
    return status


def _of(app: App, name: str, version: str | None) -> PromptShown:
    return app.post("/api/prompts/show", {"name": name, "version": version}, PromptShown)


def _in_words(comparison: ComparisonView) -> "list[str | Table]":
    counts, costs = comparison.counts, comparison.costs
    rows = [{"": name, "A": value, "B": counts.b[name]} for name, value in counts.a.items() if not isinstance(value, dict)]
    prices: list[tuple[str, Callable[[SideCost], object]]] = [
        ("calls", lambda cost: cost.calls),
        ("usd", lambda cost: cost.usd),
        ("usd_a_failure", lambda cost: cost.usd_a_failure),
    ]
    rows += [{"": name, "A": of(costs["a"]), "B": of(costs["b"])} for name, of in prices]
    lines = [f"A {comparison.versions['a']}, B {comparison.versions['b']}: {counts.compared} failures with both replies"]
    lines += [f"same result: {counts.same}"] * (counts.same is not None)
    lines += [f"failure {row.failure_id}: {_short(row.a)} | {_short(row.b)}" for row in comparison.failures if row.differs]
    return [*lines, table(rows, ["", "A", "B"])]


def _short(result: Result | None) -> str:
    return "" if result is None else str(result.get("error_type") or result.get("answer") or result.get("score"))
