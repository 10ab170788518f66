"""`mistakebook calibrate`: filters against reviews, the proposed rule of auto-approval, and its gate."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from curation.calibration.approval_rules import TARGET
from curation.calibration.records import Agreements, CheckedRule, FilterAgreement, PeopleAgreement, RuleEvidence, TurnedOff
from curation.commands.app_client import App
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table
from data.records import Condition

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
    switches = made.add_mutually_exclusive_group()
    switches.add_argument("--on", action="store_true", help="turn the proposed rule on, if it reaches the target")
    switches.add_argument("--off", action="store_true", help="turn auto-approval off")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.off:
        done = app.post("/api/calibration/off", {"reason": "turned off on the command line"}, TurnedOff)
        show(done, given.json, lambda: "auto-approval is off" if done.done else "auto-approval was already off")
        return 0
    overview = app.post("/api/calibration/overview", {"error_type": given.error_type}, Agreements)
    proposal, turned_on = None, None
    if overview.labels.inside:
        proposal = app.post("/api/calibration/propose", {"target": given.target}, CheckedRule)
    if given.on and proposal:
        asked = {"conditions": [condition.to_row() for condition in proposal.conditions], "target": given.target}
        turned_on = app.post("/api/calibration/on", asked, RuleEvidence)
    results = {"proposal": proposal, "turned_on": turned_on}
    shown = vars(overview) | {name: value for name, value in results.items() if value}
    show(shown, given.json, lambda: _in_words(overview, proposal, turned_on))
    return 0


def _in_words(overview: Agreements, proposal: CheckedRule | None, turned_on: RuleEvidence | None) -> "list[str | Table]":
    labels = overview.labels
    settings = [_setting(row) + ("" if row.enabled else " (off)") for row in overview.filters]
    rows = [_line("all enabled", "", overview.together), *(_line(row.filter, at, row) for row, at in zip(overview.filters, settings))]
    text: list[str | Table] = [
        f"{labels.approved:,} approved and {labels.rejected:,} rejected one by one; not counted: {labels.bulk:,} decided in bulk, "
        f"{labels.disputed:,} disputed",
        table(rows, list(rows[0])),
    ]
    if proposal:
        text.append(_gate(proposal))
    if turned_on:
        text.append(f"turned on: {turned_on.becomes:,} samples auto-approved, {turned_on.left:,} left for review")
    elif overview.rule and overview.audit:
        text.append(f"a rule turned on by {overview.rule.author} is in effect: {overview.audit.approves:,} samples auto-approved")
    return text


def _line(name: str, setting: str, row: PeopleAgreement) -> dict[str, Any]:
    line: dict[str, Any] = {"filter": name, "passes at": setting, "labels": row.labels}
    for column, share in (("precision", row.precision), ("false_negative_rate", row.false_negative_rate)):
        line |= {column: share.value, f"{column} 95 %": f"{share.low:.3f}-{share.high:.3f}"}
    return line


def _rule(conditions: Iterable[Condition]) -> str:
    return " and ".join(f"{condition.filter} {_setting(condition)}" for condition in conditions)


def _setting(condition: Condition | FilterAgreement) -> str:
    return f"{SIGNS[condition.comparison]} {condition.threshold:g}"


def _gate(proposal: CheckedRule) -> str:
    held = proposal.held
    evidence = f"held-out half: {held.approved:,} of {held.labels:,} approved, lower limit {held.low:.3f}, target {proposal.target:g}"
    if proposal.reached:
        verdict = f"target reached: {proposal.becomes:,} samples would be auto-approved, {proposal.left:,} left for review (--on)"
    elif proposal.further is None:
        verdict = "the target is not reachable at this precision"
    else:
        verdict = f"about {proposal.further:,} more held-out labels that match the rule are needed"
    return f"proposed: {_rule(proposal.conditions)}\n{evidence}\n{verdict}"
