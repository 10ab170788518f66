"""How far reviewers agree: Krippendorff's alpha with an interval, and each two of them side by side."""

import math
from dataclasses import dataclass

import numpy as np

from curation.statistics.agreement import alpha, alpha_interval, kappa_of_table
from data.records import Record
from data.store import Store


@dataclass(frozen=True)
class Pattern(Record):
    """`units` revisions were approved by `yes` and rejected by `no` reviewers."""

    yes: int
    no: int
    units: int


@dataclass(frozen=True)
class PairCounts(Record):
    """What two reviewers both decided, and how."""

    one: str
    other: str
    both_approve: int
    only_one: int
    only_other: int
    both_reject: int


@dataclass(frozen=True)
class Pair(PairCounts):
    """Two reviewers side by side: `agree` is a share of the samples, `kappa` None where it is not defined."""

    samples: int
    agree: float
    kappa: float | None


@dataclass(frozen=True)
class Agreement(Record):
    """Of all who decided the same revisions, each alone; alpha and its interval are None where they are not defined."""

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    decisions: int
    pairs: list[Pair]


def of_workspace(store: Store) -> Agreement:
    """How far the reviewers of a workspace agree."""
    patterns = store.rows("agreement_patterns", Pattern)
    counts = np.array([[pattern.yes, pattern.no] for pattern in patterns]).reshape(-1, 2)
    weights = np.array([pattern.units for pattern in patterns], dtype=np.int64)
    value = alpha(counts, weights) if len(counts) else math.nan
    interval = None if math.isnan(value) else alpha_interval(counts, weights)
    low, high = interval or (None, None)
    units, decisions = int(weights.sum()), int((counts.sum(axis=1) * weights).sum())
    pairs = [_pair(row) for row in store.rows("agreement_pairs", PairCounts)]
    return Agreement(None if math.isnan(value) else value, low, high, units, decisions, pairs)


def _pair(row: PairCounts) -> Pair:
    result = kappa_of_table(np.array([[row.both_approve, row.only_one], [row.only_other, row.both_reject]]))
    return Pair(**vars(row), samples=result.pairs, agree=result.agreed / result.pairs, kappa=result.value)
