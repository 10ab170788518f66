"""`mistakebook results`: checkpoints compared; what could be shown at all; the release gate; gain per dollar and the next split."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_reviewer, parser
from curation.commands.output import show, table

if TYPE_CHECKING:
    from rich.table import Table

    from curation.results.budget_split import SplitShown
    from curation.results.comparison import Comparison
    from curation.results.side_by_side import GroupRow, SideBySide

TABLES = ("dataset", "error_type", "kind", "cluster", "slice")
GATED = ("overall", "dataset", "error_type", "kind", "cluster")
LINE = [
    "name",
    "items",
    "before",
    "after",
    "difference",
    "low",
    "high",
    "p_holm",
    "balanced_before",
    "balanced_after",
    "majority",
    "learnt",
]


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Compares checkpoints on the eval examples that all of them have answered, with 95 % paired intervals.")
    add_reviewer(made)
    made.add_argument("checkpoint", nargs="*", help="names: before and after, or more side by side (default: the newest and its parent)")
    made.add_argument("--score", choices=("strict", "lenient"), default="strict", help="score to compare (default: %(default)s)")
    made.add_argument("--by", nargs="+", choices=TABLES, default=["dataset", "error_type"], help="tables to print (default: %(default)s)")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--mdd", action="store_true", help="minimum detectable differences of the eval splits, before anything is spent")
    what.add_argument("--gate", action="store_true", help="keep the release gate's verdict; exit status 1 where it is not shown")
    what.add_argument("--returns", action="store_true", help="points gained for each dollar, by cluster")
    what.add_argument("--split", type=int, metavar="SAMPLES", help="recommended split of the next samples over the error types")
    what.add_argument("--clear-split", action="store_true", help="generate without quotas again")
    made.add_argument("--margin", type=float, help="with --gate: accuracy that may be lost at most, from now on (0.01 is one point)")
    made.add_argument("--groups", nargs="+", choices=GATED, help="with --gate: where nothing may be lost, from now on")
    made.add_argument("--accept", action="store_true", help="with --split: use the recommended split for launches of generate")
    made.add_argument("--quota", nargs="+", default=[], metavar="TYPE=SAMPLES", help="with --split: accept it with these quotas instead")
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.mdd:
        return _detectable(app, given)
    if given.gate:
        return _gate(app, given)
    if given.returns:
        return _returns(app, given)
    if given.split is not None or given.clear_split:
        return _split(app, given)
    if len(given.checkpoint) > 2:
        from curation.results.side_by_side import SideBySide  # not at the top: scipy takes as long as the rest of a command

        asked = urlencode({"name": given.checkpoint, "score": given.score}, doseq=True)
        many = app.get(f"/api/command/side_by_side?{asked}", SideBySide)
        show(many, given.json, lambda: _many_in_words(many, given.by))
        return 0
    from curation.results.comparison import Comparison  # not at the top: scipy takes as long as the rest of a command

    comparison = app.get(f"/api/command/results?{urlencode(_pair(given))}", Comparison)
    show(comparison, given.json, lambda: _in_words(comparison, given.by))
    return 0


def _pair(given: argparse.Namespace) -> dict[str, Any]:
    """The two that are named. Raises CommandFailed where more are, for they can only be compared side by side."""
    if len(given.checkpoint) > 2:
        raise CommandFailed(f"{len(given.checkpoint)} checkpoints are named; this compares two: before and after")
    return {**dict(zip(("before", "after"), given.checkpoint)), "score": given.score}


def _in_words(found: "Comparison", tables: Sequence[str]) -> "list[str | Table]":
    title = f"{found.before} → {found.after}: {found.coverage.text}, {found.fixed:,} fixed, {found.broken:,} broken"
    parts: list[str | Table] = [title, table([found.overall], LINE)]
    for by in tables:
        lines = getattr(found, f"by_{by}")
        parts += [f"\nby {by.replace('_', ' ')}{_left_out(found.left_out.get(by, 0))}", table(lines, LINE)]
        parts += [found.kinds_note] if by == "kind" and found.kinds_note else []
    gate = found.gate
    lost = f"a loss of more than {100 * gate.margin:g} points can't be ruled out for {', '.join(gate.not_shown)}"
    parts.append("\nrelease gate: pass" if gate.passed else f"\nrelease gate: not shown: {lost}")
    form = [line.name for line in [found.overall, *found.by_error_type, *found.by_kind] if line.learnt == "form"]
    if form := list(dict.fromkeys(form)):
        parts.append(f"gained in form only (balanced by answer, no more than always giving the most frequent answer): {', '.join(form)}")
    return parts


def _many_in_words(found: "SideBySide", tables: Sequence[str]) -> "list[str | Table]":
    names = found.checkpoints
    parts: list[str | Table] = [f"{', '.join(names)}: {found.coverage.text}; differences are to {names[0]}"]
    for by in ("overall", *tables):
        rows = [found.overall] if by == "overall" else found.tables[by]
        left = "" if by == "overall" else f"\nby {by.replace('_', ' ')}{_left_out(found.left_out.get(by, 0))}"
        parts += [left] * bool(left) + [table([_flat(row, names) for row in rows], ["name", "items", "majority", *_columns(names)])]
    return parts


def _columns(names: Sequence[str]) -> list[str]:
    return [column for i, name in enumerate(names) for column in ([name, f"{name} balanced"] + [f"{name} difference"] * (i > 0))]


def _flat(row: "GroupRow", names: Sequence[str]) -> dict[str, Any]:
    flat: dict[str, Any] = {"name": row.name, "items": row.items, "majority": row.majority}
    for name, cell in zip(names, row.cells):
        flat |= {name: cell.accuracy, f"{name} balanced": cell.balanced}
        if cell.difference is not None:
            flat[f"{name} difference"] = f"{cell.difference:+.3f} [{cell.low:+.3f}, {cell.high:+.3f}]"
    return flat


def _left_out(count: int) -> str:
    return f" ({count:,} groups left out: too few examples, or not answered by all)" if count else ""


def _detectable(app: App, given: argparse.Namespace) -> int:
    from curation.results.detectable import Ahead

    ahead = app.post("/api/results/detectable", {}, cast("type[Ahead | None]", Ahead | None))
    if ahead is None:
        raise CommandFailed("the workspace has no eval examples; import a dataset with an eval split: mistakebook import --help")
    columns = ["name", "items", "images", "discordant", "design_effect", "detectable"]
    rows = [ahead.overall, *ahead.by_dataset, *ahead.by_error_type]
    show(ahead, given.json, lambda: [ahead.text, f"share of answers that change, {ahead.source}", table(rows, columns)])
    return 0


def _gate(app: App, given: argparse.Namespace) -> int:
    from curation.results.gate import GateRule, StoredVerdict

    wanted = {name: value for name in ("margin", "groups") if (value := getattr(given, name)) is not None}
    if wanted:
        app.post("/api/results/gate", wanted, GateRule)
    verdict = app.post("/api/results/verdict", _pair(given), StoredVerdict)
    rule = verdict.rule
    about = f"at most {100 * rule['margin']:g} points lost, {', '.join(rule['groups'])}, on {verdict.examples:,} examples"
    text = "pass" if verdict.passed else f"not shown for {', '.join(verdict.not_shown)}"
    show(verdict, given.json, lambda: f"{verdict.before} → {verdict.after}: release gate {text} ({about})")
    return 0 if verdict.passed else 1


def _returns(app: App, given: argparse.Namespace) -> int:
    from curation.results.gain_per_dollar import Returns

    returns = app.post("/api/results/returns", _pair(given), Returns)
    columns = ["name", "items", "gain", "gain_low", "gain_high", "approved", "usd", "per_dollar", "per_dollar_low", "per_dollar_high"]
    title = f"{returns.before} → {returns.after}: points of all accuracy gained on {returns.examples:,} examples, and for each dollar"
    left = [f"{returns.unassigned:,} examples are in no cluster"] * bool(returns.unassigned)
    left += [f"{returns.unpriced:,} clusters have no price"] * bool(returns.unpriced)
    show(returns, given.json, lambda: [title, table([returns.total, *returns.clusters], columns), *left])
    return 0


def _split(app: App, given: argparse.Namespace) -> int:
    from curation.results.budget_split import AcceptedSplit, SplitShown

    if given.clear_split:
        cleared = app.post("/api/results/split/clear", {}, SplitShown)
        show(cleared, given.json, lambda: "generate goes without quotas")
        return 0
    body = {**_pair(given), "total": given.split}
    split = app.post("/api/results/split", body, SplitShown)
    wanted = _quotas(given.quota)
    if given.accept or wanted:
        if split.recommended is None and not wanted:
            raise CommandFailed(f"there is no split to accept: {split.reason}")
        quotas = wanted or {quota.name: quota.samples for quota in (split.recommended.quotas if split.recommended else ())}
        split = replace(split, accepted=app.post("/api/results/split/accept", {**body, "quotas": quotas}, AcceptedSplit))
    show(split, given.json, lambda: _split_in_words(split))
    return 0


def _split_in_words(found: "SplitShown") -> "list[str | Table]":
    parts: list[str | Table] = []
    recommended, accepted = found.recommended, found.accepted
    if recommended is None:
        parts.append(f"no recommendation: {found.reason}")
    else:
        columns = ["name", "samples", "low", "high", "accuracy", "missing", "taught", "solved", "teachable"]
        parts += [f"recommended split of {recommended.total:,} samples", table(recommended.quotas, columns)]
        parts += [f"{name}: none, {why}" for name, why in recommended.left_out.items()]
    if accepted:
        quotas = ", ".join(f"{name} {samples:,}" for name, samples in accepted.quotas.items())
        parts.append(f"accepted by {accepted.author}, for launches of generate: {quotas}")
    else:
        parts.append("no split is accepted: generate goes without quotas (--accept, or --quota TYPE=SAMPLES)")
    return parts


def _quotas(texts: Sequence[str]) -> dict[str, int]:
    quotas = {}
    for text in texts:
        name, equals, samples = text.partition("=")
        if not equals or not samples.isdigit():
            raise CommandFailed(f"--quota {text!r}: expected TYPE=SAMPLES, as in counting=40")
        quotas[name] = int(samples)
    return quotas
