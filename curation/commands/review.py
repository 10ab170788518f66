"""`mistakebook review`: bulk decisions, by a rule or by sample ids."""

import argparse
import json
from typing import Any

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show
from curation.review.bulk_records import BulkPreview, BulkResult, UndoResult

RULES = {"passing": ["pending"], "failed": ["failed"], "rejected": ["rejected"], "approved": ["approved"], "disputed": ["disputed"]}
FIELDS = {"status": "statuses", "error_type": "error_types", "dataset": "datasets", "route": "routes", "round": "rounds"}
DESCRIPTION = """Approves, rejects or resets all samples that match a rule, or a list of ids. Samples without their image are left out;
samples that leak from an eval split (or were not checked for it yet) are never approved in bulk.
Example: mistakebook review --approve passing --filter error_type=counting"""


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    actions = made.add_mutually_exclusive_group(required=True)
    what = f"samples by rule ({', '.join(RULES)}, all) or by ids such as 12,13"
    for action in ("approve", "reject", "reset"):
        actions.add_argument(f"--{action}", metavar="WHICH", help=f"{action} {what}")
    actions.add_argument("--undo", type=int, metavar="BATCH", help="undo a bulk decision, by the number that it printed")
    made.add_argument("--filter", nargs="*", default=[], type=_pair, metavar="FIELD=VALUE", help=f"only samples with: {', '.join(FIELDS)}")
    made.add_argument("--reason", help="reason, stored with the decision")
    made.add_argument("--preview", action="store_true", help="count the samples that match; decide nothing")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.undo is not None:
        undone = app.post("/api/command/undo", {"batch_id": given.undo}, UndoResult)
        show(undone, given.json, lambda: f"{undone.count:,} decisions undone")
        return 0
    action = next(action for action in ("approve", "reject", "reset") if getattr(given, action) is not None)
    body = {"action": action, "reason": given.reason, "matching": _matching(getattr(given, action), given.filter)}
    if given.preview:
        preview = app.post("/api/command/review/preview", body, BulkPreview)
        show(preview, given.json, lambda: f"{preview.total:,} samples: {json.dumps(preview.by_status)}")
    else:
        result = app.post("/api/command/review", body, BulkResult)
        show(result, given.json, lambda: _in_words(action, result))
    return 0


def _in_words(action: str, result: BulkResult) -> str:
    why = "no image yet, leaking from an eval split, or not checked for leakage yet"
    left_out = f", {result.left_out:,} left out ({why})" if result.left_out else ""
    back = f"; undo it with: mistakebook review --undo {result.batch_id}" if result.count else ""
    return f"{action}: {result.count:,} samples{left_out}{back}"


def _matching(which: str, filters: list[tuple[str, Any]]) -> dict[str, Any]:
    matching: dict[str, Any] = {}
    for field, value in filters:
        matching.setdefault(field, []).append(value)
    if which in RULES:
        matching["statuses"] = RULES[which]
    elif which != "all":
        try:
            matching["sample_ids"] = [int(number) for number in which.split(",")]
        except ValueError as error:
            raise CommandFailed(f"{which!r} is neither a rule ({', '.join(RULES)}, all) nor a list of ids such as 12,13") from error
    return matching


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected one of {', '.join(f'{field}=…' for field in FIELDS)}")
    return FIELDS[name], int(value) if name == "round" else value
