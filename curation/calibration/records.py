"""What is known of filters and rules: how they agree with people, what a rule was turned on by, what its audit found.

Types alone: the command line reads them without the store and without arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from data.records import Comparison, Condition, Record
from data.statuses import SampleStatus


@dataclass(frozen=True)
class Labelled(Record):
    """Labels among some samples, how many of them people approved, and that share with its interval (`precision` None: no label)."""

    labels: int
    approved: int
    precision: float | None
    low: float
    high: float


@dataclass(frozen=True)
class RuleCheck(Record):
    """How a rule stands: what it would approve, how it did on both halves of the labels, and whether it may be turned on."""

    conditions: tuple[Condition, ...]
    target: float
    held: Labelled
    searched: Labelled
    rank: int  # it is the rank-th different rule that is checked on these labels
    reached: bool
    further: int | None  # held-back labels still needed; None: the target is not reachable at this precision
    becomes: int  # samples that would be approved
    left: int  # undecided samples that would not
    to_label: int  # undecided samples inside, of the held-back half


@dataclass(frozen=True)
class LeftOut(Record):
    """Decided samples that are no labels."""

    bulk: int
    disputed: int


@dataclass(frozen=True)
class RuleEvidence(Record):
    """What a rule was turned on by, as it is kept with the rule."""

    target: float
    held: Labelled
    searched: Labelled
    rank: int
    becomes: int
    left: int
    interval: str
    left_out: LeftOut
    rules_checked: int


@dataclass(frozen=True)
class OpenRule(Record):
    """A rule that approves now."""

    rule_id: int
    conditions: tuple[Condition, ...]
    author: str
    reason: str | None
    evidence: dict[str, Any]  # RuleEvidence, of this or an earlier version
    created_at: datetime
    review_mark: int

    @property
    def target(self) -> float:
        target: float = self.evidence["target"]
        return target


@dataclass(frozen=True)
class GateState(Record):
    """Where the gate stands: on, off, or stopped (by its audit); why and since when."""

    state: Literal["on", "off", "stopped"]
    why: str | None
    since: datetime | None


@dataclass(frozen=True)
class AuditLane(Labelled):
    """Audited samples that people decided, and how many wait for that."""

    waiting: int


@dataclass(frozen=True)
class Audit(Record):
    """What the audit of an open rule has found. Precision is that of people's decisions on samples drawn by their number."""

    approvals: AuditLane
    rejections: AuditLane
    together: Labelled  # held-back and audited labels inside the rule
    approves: int  # samples, now
    stands: bool
    why: str | None  # it doesn't


@dataclass(frozen=True)
class StatusMove(Record):
    """Undecided samples that would get another status."""

    before: SampleStatus
    after: SampleStatus
    samples: int


class LabelCounts(BaseModel):
    """What people decided one by one, and what is no label."""

    approved: int
    rejected: int
    disputed: int
    bulk: int
    reviewers: int
    inside: int = Field(description="labels of samples that pass the filters: those that rules are searched and judged on")


class Share(BaseModel):
    """A share with its 95 % interval; a share of nothing has no value."""

    value: float | None
    low: float
    high: float


class PeopleAgreement(BaseModel):
    """How a filter, or all that are enabled together, stands to people's decisions (curation/calibration/approval_rules.py: Agreement)."""

    labels: int
    approved: int
    passing: int
    passing_approved: int
    precision: Share
    false_negative_rate: Share
    specificity: Share


class FilterAgreement(PeopleAgreement):
    """A filter at its setting against people, and how scores and decisions are spread over its thresholds."""

    filter: str
    enabled: bool
    threshold: float
    comparison: Comparison
    title: str
    cuts: list[float] = Field(description="thresholds, the loosest first")
    scored: list[int] = Field(description="samples with a score, by how many of the thresholds it meets")
    approved_at: list[int] = Field(description="of these, approved by people")
    rejected_at: list[int]


class ListedRule(BaseModel):
    """A rule that was turned on, or (without conditions) the turning off of one."""

    rule_id: int
    author: str
    reason: str | None
    conditions: list[Condition] | None
    evidence: dict[str, Any] | None = Field(description="as it was kept then")
    created_at: datetime


class Agreements(BaseModel):
    """Labels, filters against people, the rule that stands and its audit."""

    labels: LabelCounts
    filters: Sequence[FilterAgreement]
    together: PeopleAgreement
    rule: ListedRule | None
    audit: Audit | None


@dataclass(frozen=True)
class CheckedRule(RuleCheck):
    rules_checked: int  # different ones, on the held-back labels, by now


class TurnedOff(BaseModel):
    done: bool = Field(description="false where it was off already")
