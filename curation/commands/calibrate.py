"""`mistakebook calibrate`: filters against reviews, the proposed rule of auto-approval, and its gate."""

from typing import TYPE_CHECKING, Any

from curation.calibration.rules import TARGET
from curation.commands.app_client import App
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table

if TYPE_CHECKING:
    from rich.table import Table

DESCRIPTION = """Compares each filter with the reviews that people made one by one, and proposes a rule for auto-approval. The rule is
searched on one half of these labels; on the held-back half, the lower Wilson limit (two-sided 95 %) of its precision has to
reach the target."""
SIGNS = {"at_least": ">=", "at_most": "<="}


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    made.add_argument("--target", type=float, default=TARGET, help="precision that the lower limit has to reach (default: %(default)s)")
    made.add_argument("--error-type", help="in the table of filters, count only labels of this error type")
    which = made.add_mutually_exclusive_group()
    which.add_argument("--on", action="store_true", help="turn the proposed rule on, if its gate opens")
    which.add_argument("--off", action="store_true", help="turn auto-approval off")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.off:
        done = app.post("/api/calibration/off", {"reason": "turned off on the command line"})
        show(done, given.json, lambda: "auto-approval is off" if done["done"] else "auto-approval was already off")
        return 0
    found = app.post("/api/calibration/overview", {"error_type": given.error_type})
    shown = {name: found[name] for name in ("labels", "together", "filters", "rule", "audit")}
    if found["labels"]["inside"]:
        shown["proposal"] = app.post("/api/calibration/propose", {"target": given.target})
    if given.on and "proposal" in shown:
        asked = {"conditions": shown["proposal"]["conditions"], "target": given.target}
        shown["turned_on"] = app.post("/api/calibration/on", asked)
    show(shown, given.json, lambda: _in_words(shown))
    return 0


def _in_words(found: dict[str, Any]) -> "list[str | Table]":
    labels = found["labels"]
    rows = [_line("all enabled", found["together"]), *(_line(row["filter"], row) for row in found["filters"])]
    text: list[str | Table] = [
        f"{labels['approved']:,} approved and {labels['rejected']:,} rejected one by one; not counted: {labels['bulk']:,} decided in bulk, "
        f"{labels['disputed']:,} disputed",
        table(rows, list(rows[0])),
    ]
    if proposal := found.get("proposal"):
        text.append(_gate(proposal))
    if on := found.get("turned_on"):
        text.append(f"turned on: {on['becomes']:,} samples auto-approved, {on['left']:,} left for review")
    elif found["rule"]:
        text.append(f"a rule that {found['rule']['author']} turned on is in effect: {found['audit']['approves']:,} samples auto-approved")
    return text


def _line(name: str, row: dict[str, Any]) -> dict[str, Any]:
    setting = f"{SIGNS[row['comparison']]} {row['threshold']:g}" if "threshold" in row else ""
    line = {"filter": name, "passes at": setting if row.get("enabled", True) else f"{setting} (off)", "labels": row["labels"]}
    for column in ("precision", "false_negative_rate"):
        line |= {column: row[column]["value"], f"{column} 95 %": f"{row[column]['low']:.3f}-{row[column]['high']:.3f}"}
    return line


def _gate(found: dict[str, Any]) -> str:
    rule = " and ".join(
        f"{one['filter']} {'>=' if one['comparison'] == 'at_least' else '<='} {one['threshold']:g}" for one in found["conditions"]
    )
    held = found["held"]
    evidence = (
        f"held-back half: {held['approved']:,} of {held['labels']:,} approved, lower limit {held['low']:.3f}, target {found['target']:g}"
    )
    if found["reached"]:
        verdict = f"the gate opens: {found['becomes']:,} samples would be auto-approved, {found['left']:,} left for review (--on)"
    elif found["further"] is None:
        verdict = "the target is not reachable at this precision"
    else:
        verdict = f"about {found['further']:,} more held-back labels inside the rule are needed"
    return f"proposed: {rule}\n{evidence}\n{verdict}"
