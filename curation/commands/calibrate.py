"""`mistakebook calibrate`: filters against reviews, the proposed rule of auto-approval, and its gate."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from curation.calibration.approval_rules import TARGET
from curation.commands.answers import Condition, FilterAgreement, FilterLine, Proposal
from curation.commands.app_client import App
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table

if TYPE_CHECKING:
    from rich.table import Table

DESCRIPTION = """Compares each filter with the reviews that people made one by one, and proposes a rule for auto-approval. The rule is
searched on one half of these labels; on the held-out half, the lower bound of its precision (97.5 %, for any number of looks
and rules) has to reach the target."""
SIGNS = {"at_least": ">=", "at_most": "<="}


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    made.add_argument("--target", type=float, default=TARGET, help="precision that the lower limit has to reach (default: %(default)s)")
    made.add_argument("--error-type", help="in the table of filters, count only labels of this error type")
    which = made.add_mutually_exclusive_group()
    which.add_argument("--on", action="store_true", help="turn the proposed rule on, if it reaches the target")
    which.add_argument("--off", action="store_true", help="turn auto-approval off")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.off:
        done = app.post("/api/calibration/off", {"reason": "turned off on the command line"})
        show(done, given.json, lambda: "auto-approval is off" if done["done"] else "auto-approval was already off")
        return 0
    overview = app.post("/api/calibration/overview", {"error_type": given.error_type})
    shown = {name: overview[name] for name in ("labels", "together", "filters", "rule", "audit")}
    if overview["labels"]["inside"]:
        shown["proposal"] = app.post("/api/calibration/propose", {"target": given.target})
    if given.on and "proposal" in shown:
        asked = {"conditions": shown["proposal"]["conditions"], "target": given.target}
        shown["turned_on"] = app.post("/api/calibration/on", asked)
    show(shown, given.json, lambda: _in_words(shown))
    return 0


def _in_words(overview: dict[str, Any]) -> "list[str | Table]":
    labels = overview["labels"]
    filters: list[FilterLine] = overview["filters"]
    settings = [_setting(row) + ("" if row["enabled"] else " (off)") for row in filters]
    rows = [_line("all enabled", "", overview["together"]), *(_line(row["filter"], at, row) for row, at in zip(filters, settings))]
    text: list[str | Table] = [
        f"{labels['approved']:,} approved and {labels['rejected']:,} rejected one by one; not counted: {labels['bulk']:,} decided in bulk, "
        f"{labels['disputed']:,} disputed",
        table(rows, list(rows[0])),
    ]
    if proposal := overview.get("proposal"):
        text.append(_gate(proposal))
    if on := overview.get("turned_on"):
        text.append(f"turned on: {on['becomes']:,} samples auto-approved, {on['left']:,} left for review")
    elif rule := overview["rule"]:
        text.append(f"a rule turned on by {rule['author']} is in effect: {overview['audit']['approves']:,} samples auto-approved")
    return text


def _line(name: str, setting: str, row: FilterAgreement) -> dict[str, Any]:
    line: dict[str, Any] = {"filter": name, "passes at": setting, "labels": row["labels"]}
    column: Literal["precision", "false_negative_rate"]
    for column in ("precision", "false_negative_rate"):
        interval = row[column]
        line |= {column: interval["value"], f"{column} 95 %": f"{interval['low']:.3f}-{interval['high']:.3f}"}
    return line


def _rule(conditions: Iterable[Condition]) -> str:
    return " and ".join(f"{condition['filter']} {_setting(condition)}" for condition in conditions)


def _setting(condition: Condition) -> str:
    return f"{SIGNS[condition['comparison']]} {condition['threshold']:g}"


def _gate(proposal: Proposal) -> str:
    held = proposal["held"]
    evidence = (
        f"held-out half: {held['approved']:,} of {held['labels']:,} approved, lower limit {held['low']:.3f}, target {proposal['target']:g}"
    )
    if proposal["reached"]:
        verdict = f"target reached: {proposal['becomes']:,} samples would be auto-approved, {proposal['left']:,} left for review (--on)"
    elif proposal["further"] is None:
        verdict = "the target is not reachable at this precision"
    else:
        verdict = f"about {proposal['further']:,} more held-out labels that match the rule are needed"
    return f"proposed: {_rule(proposal['conditions'])}\n{evidence}\n{verdict}"
