"""The release gate: a checkpoint passes if it is shown to lose at most a margin, overall and in the groups that a person chose.

Non-inferiority: the lower bound of the 95 % interval of the paired difference must be above -margin; else the group is "not shown".
The rule is a setting of the workspace; a verdict keeps the rule that it was given by.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from curation.results.lines import Line
from curation.statistics import intervals
from data.records import Record
from data.store import Store

SETTING = "release gate"
GateGroup = Literal["overall", "dataset", "error_type", "kind", "cluster"]


class GateRule(BaseModel):
    """What a checkpoint must be shown not to lose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    margin: float = Field(default=intervals.MARGIN, gt=0, le=0.5, description="Accuracy that may be lost at most, 0.01 is one point.")
    groups: tuple[GateGroup, ...] = Field(
        default=("overall", "dataset"), min_length=1, description="Where: overall, every dataset, error type, kind or cluster."
    )
    balanced: bool = Field(default=False, description="Also by accuracy balanced by answer.")
    least: int = Field(default=1, ge=1, description="Groups with fewer examples are not looked at (they are counted).")


@dataclass(frozen=True)
class Gate(Record):
    """The verdict on one comparison, with the rule it was given by. `too_small`: groups that the rule's `least` leaves out."""

    passed: bool
    not_shown: list[str]
    margin: float
    groups: tuple[GateGroup, ...]
    balanced: bool
    least: int
    looked_at: int
    too_small: int


def rule(store: Store) -> GateRule:
    """The rule in force: the default where nobody has set one."""
    value = store.value("setting_latest", str, name=SETTING)
    return GateRule(**json.loads(value)) if value else GateRule()


def set_rule(store: Store, wanted: GateRule, author: str) -> None:
    """Puts a rule in force from now on; verdicts that were stored keep theirs."""
    with store.write() as write:
        write.insert("setting", [{"name": SETTING, "value": wanted.model_dump_json(), "author": author}])


def verdict(wanted: GateRule, tables: Mapping[GateGroup, Sequence[Line]]) -> Gate:
    """The gate over the lines of a comparison, by group."""
    lines = [(group, line) for group in wanted.groups for line in tables[group]]
    large = [(group, one) for group, one in lines if group == "overall" or one.items >= wanted.least]
    not_shown = []
    for group, one in large:
        name = one.name if group in ("overall", "dataset", "error_type") else f"{group} {one.name}"
        if not intervals.non_inferior(one.low, wanted.margin):
            not_shown.append(name)
        elif wanted.balanced and not intervals.non_inferior(one.balanced_low, wanted.margin):
            not_shown.append(f"{name} (balanced by answer)")
    return Gate(not not_shown, not_shown, wanted.margin, wanted.groups, wanted.balanced, wanted.least, len(large), len(lines) - len(large))


@dataclass(frozen=True)
class StoredVerdict(Record):
    """A verdict of the release gate as it was given; `rule` is the one in force then."""

    verdict_id: int
    before: str
    after: str
    score: str
    examples: int
    rule: dict[str, Any]
    passed: bool
    not_shown: tuple[str, ...]
    author: str
    created_at: datetime


def record(store: Store, before: str, after: str, score: str, examples: int, given: Gate, author: str) -> StoredVerdict:
    """Keeps a verdict with the rule that it was given by."""
    row = {
        "before": before,
        "after": after,
        "score": score,
        "examples": examples,
        "rule": json.dumps({name: getattr(given, name) for name in GateRule.model_fields}),
        "passed": given.passed,
        "not_shown": given.not_shown,
        "author": author,
    }
    with store.write() as write:
        write.insert("release_verdict", [row])
    return verdicts(store, 1)[0]


def verdicts(store: Store, limit: int = 20) -> list[StoredVerdict]:
    """The verdicts that were kept, latest first."""
    return store.rows("release_verdicts", StoredVerdict, limit=limit)
