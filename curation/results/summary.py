"""The loop in numbers: what `mistakebook demo` prints as its last line, and what a workspace can tell of a round."""

from dataclasses import dataclass

from curation import checkpoints
from curation.results import comparison
from curation.results.comparison import Accuracies
from curation.results.lines import Line
from data.records import Record
from data.store import Store


@dataclass(frozen=True)
class Examples(Record):
    """Examples that a checkpoint has answered, by split."""

    train: int
    eval: int


@dataclass(frozen=True)
class DifferenceShown(Record):
    """A paired difference with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AdjustedDifference(DifferenceShown):
    """One of several, with its p-value adjusted by Holm's method."""

    p_holm: float | None


@dataclass(frozen=True)
class Differences(Record):
    overall: DifferenceShown
    by_dataset: dict[str, DifferenceShown]
    by_error_type: dict[str, AdjustedDifference]


@dataclass(frozen=True)
class Summary(Record):
    """A round: counts, spend (None: unpriced), seconds by stage, accuracies before and after, paired differences."""

    examples: Examples
    failures: int
    diagnosed: int
    clusters: int
    samples: int
    passed: int
    approved: int
    spend_usd: float | None
    seconds: dict[str, float]
    before: Accuracies
    after: Accuracies
    difference: Differences
    fixed: int
    broken: int


@dataclass(frozen=True)
class _Counts:
    train: int
    eval: int
    failures: int
    diagnosed: int
    clusters: int
    samples: int
    passed: int
    approved: int


@dataclass(frozen=True)
class _StageSeconds:
    stage: str
    seconds: float


def of_round(store: Store, before_name: str, after_name: str) -> Summary:
    """The round between two checkpoints. Raises NothingToDo, ValueError."""
    before, after = checkpoints.find(store, before_name), checkpoints.find(store, after_name)
    compared = comparison.compare(store, before, after)
    counts = store.one("loop_counts", _Counts, checkpoint_id=before.checkpoint_id)
    seconds = {row.stage: row.seconds for row in store.rows("seconds_by_stage", _StageSeconds)}
    return Summary(
        examples=Examples(counts.train, counts.eval),
        failures=counts.failures,
        diagnosed=counts.diagnosed,
        clusters=counts.clusters,
        samples=counts.samples,
        passed=counts.passed,
        approved=counts.approved,
        spend_usd=store.value("spend_total", float),
        seconds={**seconds, "total": sum(seconds.values())},
        before=comparison.accuracies(store, before),
        after=comparison.accuracies(store, after),
        difference=Differences(
            overall=_difference(compared.overall),
            by_dataset={line.name: _difference(line) for line in compared.by_dataset},
            by_error_type={
                line.name: AdjustedDifference(line.difference, line.low, line.high, line.p_holm) for line in compared.by_error_type
            },
        ),
        fixed=compared.fixed,
        broken=compared.broken,
    )


def _difference(line: Line) -> DifferenceShown:
    return DifferenceShown(line.difference, line.low, line.high)
