"""How far filters and rules agree with people, and when a rule may approve by itself.

A *rule* is all of some conditions (filter, comparison, threshold). Its precision is the share of human-approved among the
labelled samples that meet it; its false-negative rate the share of human-approved samples that do not. Intervals that are shown are
Wilson's (Wilson 1927, "Probable inference, the law of succession, and statistical inference"), two-sided at 95 %.

A rule is searched on one half of the labels and judged on the other (`held`), so that luck in the search can't vouch for it. People label
until a rule passes and try rule after rule, so the bound that a rule has to reach holds for any number of looks and of rules together
with a chance of 97.5 % (curation/statistics/sequential.py); Wilson's, which is for one look at one rule, would let through several
times as many as it says (docs/auto_approval.md). Pure: arrays in, numbers out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from curation.statistics import sequential
from curation.statistics.intervals import Interval, wilson
from data.records import Comparison, Condition, Record

TARGET = 0.95
MOST_LEVELS = 48  # thresholds a filter's slider has at most
MOST_CONDITIONS = 3  # that the search adds to the filters' own settings
_WIDTH = 12  # rules that the search follows at a time
_ROWS = 40_000  # unlabelled rows that the search looks at


@dataclass(frozen=True)
class Levels:
    """The thresholds that a filter's slider stops at, the loosest first. Position 0 asks nothing; position p asks for cuts[p - 1]."""

    filter: str
    comparison: Comparison
    cuts: np.ndarray

    def index_of(self, scores: np.ndarray) -> np.ndarray:
        """For each score the number of cuts that it meets, uint8: it passes position p if and only if this is at least p. No score: 0."""
        if self.comparison == "at_least":
            index = np.searchsorted(self.cuts, scores, side="right")
        else:
            index = len(self.cuts) - np.searchsorted(self.cuts[::-1], scores, side="left")
        return np.where(np.isnan(scores), 0, index).astype(np.uint8)

    def position(self, threshold: float) -> int:
        """The loosest position that is no looser than a threshold; the strictest one where none is."""
        strict_enough = self.cuts >= threshold if self.comparison == "at_least" else self.cuts <= threshold
        return int(np.argmax(strict_enough)) + 1 if strict_enough.any() else len(self.cuts)

    def condition(self, position: int) -> Condition | None:
        return Condition(self.filter, self.comparison, float(self.cuts[position - 1])) if position else None


def levels(filter: str, comparison: Comparison, scores: np.ndarray, keep: Sequence[float] = (), most: int = MOST_LEVELS) -> Levels:
    """Thresholds for the scores there are: every score where they are few, else quantiles in three decimals; and those of `keep`."""
    known = scores[~np.isnan(scores)]
    values = np.unique(known)
    room = max(most - len(keep), 1)
    if len(values) > room:
        values = np.unique(np.round(np.quantile(known, np.linspace(0, 1, room)), 3))
    cuts = np.union1d(values, np.asarray(keep, dtype=np.float64))
    return Levels(filter, comparison, cuts if comparison == "at_least" else cuts[::-1])


@dataclass(frozen=True)
class Joint:
    """Samples counted by their codes in all filters: (rows, filters) uint8, and counts a row."""

    levels: tuple[Levels, ...]
    threshold_index: np.ndarray
    open: np.ndarray  # undecided samples, that a rule would approve
    labels: np.ndarray  # labelled samples of the half that rules are searched on
    approved: np.ndarray  # of those, approved by people
    held: np.ndarray  # labelled samples of the half held back; how people decided isn't here

    def inside(self, positions: Sequence[int]) -> np.ndarray:
        """Which rows meet a rule."""
        met = np.asarray(self.threshold_index >= np.asarray(positions, dtype=np.uint8))
        return np.asarray(met.all(axis=1))


def joint(levels: Sequence[Levels], codes: np.ndarray, open: np.ndarray, label: np.ndarray, held: np.ndarray) -> Joint:
    """Counts samples with equal codes together.

    codes: (n, filters); open: (n,) bool; label: (n,) 1 approved, 0 rejected, -1 none; held: (n,) bool, the half held back.
    """
    keys = np.zeros(len(codes), dtype=np.uint64)
    for column, level in enumerate(levels):
        radix = np.uint64(len(level.cuts) + 1)
        if int(keys.max(initial=0)) >= 2**63 // int(radix):
            keys = np.unique(keys, return_inverse=True)[1].astype(np.uint64)
        keys = keys * radix + codes[:, column]
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    searched = (label >= 0) & ~held

    def count(which: np.ndarray) -> np.ndarray:
        return np.bincount(group[which], minlength=len(first))

    return Joint(tuple(levels), codes[first], count(open), count(searched), count(searched & (label == 1)), count((label >= 0) & held))


@dataclass(frozen=True)
class Agreement(Record):
    """How a filter or a rule stands to people's decisions. A share of nothing has the interval (0, 1) and a value of NaN."""

    labels: int  # labelled samples that it could judge
    approved: int
    passing: int  # labelled samples that pass
    passing_approved: int
    precision: Interval
    false_negative_rate: Interval  # of approved samples, those it rejects
    specificity: Interval  # of rejected samples, those it rejects too: the true-negative rate


def agreement(passes: np.ndarray, label: np.ndarray) -> Agreement:
    """Precision, false-negative rate and specificity of `passes` (bool) against `label` (1 approved, 0 rejected, -1 none: left out)."""
    known = label >= 0
    passes, approved = passes[known], label[known] == 1
    both = int((passes & approved).sum())
    missed = int(approved.sum()) - both
    counts = (len(approved), int(approved.sum()), int(passes.sum()), both)
    caught = int((~passes & ~approved).sum())
    return Agreement(*counts, proportion(both, counts[2]), proportion(missed, counts[1]), proportion(caught, counts[0] - counts[1]))


def murmur3_finalizer(numbers: np.ndarray) -> np.ndarray:
    """Numbers below 2**32 scattered over 0 to 2**32 - 1: the finaliser of MurmurHash3, as the macro of migration 0006."""
    x = np.asarray(numbers).astype(np.uint64) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 2246822507), (13, 3266489909)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(16))


def proportion(k: int, n: int) -> Interval:
    return Interval(k / n if n else math.nan, *wilson(k, n))


def labels_still_needed(approved: int, labels: int, target: float = TARGET, rank: int = 1) -> int | None:
    """How many more labels, at the precision observed, bring the lower bound to the target: 0 if it is there.

    None: not reachable at this precision (it is no higher than the target). Without labels: how many it takes if all are approved.
    `rank`: the rule is the rank-th different one that is checked on these labels.

    >>> labels_still_needed(50, 50), labels_still_needed(200, 200), labels_still_needed(9, 10)
    (71, 0, None)
    """
    share = approved / labels if labels else 1.0
    return sequential.trials_needed(share, labels, target, sequential.alpha_of(rank))


def lower_bound(approved: int, labels: int, rank: int = 1) -> float:
    """The precision that so many labels show for the rank-th rule, however often one has looked; 0 without labels."""
    return sequential.lower_bound(approved, labels, sequential.alpha_of(rank))


def lower_bound_reaches(approved: int, labels: int, target: float, rank: int = 1) -> bool:
    """Whether that lower bound of the precision is at the target or above."""
    return labels > 0 and bool(sequential.reaches(approved, labels, target, sequential.alpha_of(rank)))


@lru_cache(maxsize=100_000)
def _share_needed(labels: int, target: float, rank: int) -> float:
    """The share of so many labels with which the bound reaches the target; infinite if even all would not do."""
    return sequential.successes_needed(labels, target, sequential.alpha_of(rank)) / max(labels, 1)


def search(joint: Joint, target: float = TARGET, start: Sequence[int] | None = None, rank: int = 1) -> tuple[int, ...]:
    """Positions of the rule that is expected to approve most: samples inside, times the chance that it will hold.

    Looks at one half of the labels only. That chance is that the other half's bound reaches the target, given how many labels
    of that half the rule has inside; where no rule has an even chance of it yet, that its precision is above the target.
    Up to MOST_CONDITIONS are added to `start` (the filters' own settings), by beam search; a condition has to gain 1 %.
    """
    first = tuple(start or [0] * len(joint.levels))
    joint = _thinned(joint)
    best = _beam(joint, target, first, rank)
    return best[1] if best[0] > 0 else _beam(joint, target, first, None)[1]


def _thinned(joint: Joint) -> Joint:
    """All rows with labels, and of the others as many as tell shares well enough: the search takes a second at any size."""
    unlabelled = np.flatnonzero(joint.labels + joint.held == 0)
    if len(unlabelled) <= _ROWS:
        return joint
    keep = np.random.default_rng(0).choice(unlabelled, _ROWS, replace=False)
    rows = np.union1d(np.flatnonzero(joint.labels + joint.held), keep)
    open = joint.open.astype(np.float64)
    open[keep] *= open[unlabelled].sum() / max(open[keep].sum(), 1)
    return Joint(joint.levels, *(counts[rows] for counts in (joint.threshold_index, open, joint.labels, joint.approved, joint.held)))


def _beam(joint: Joint, target: float, start: tuple[int, ...], rank: int | None) -> tuple[float, tuple[int, ...]]:
    """The best rule and its worth; `rank` None: whatever the other half could show of it."""
    weights = np.stack([joint.open, joint.labels, joint.approved, joint.held])
    totals = weights[:, joint.inside(start)].sum(axis=1, keepdims=True)
    best = (float(_worth(totals, target, rank)[0]), start)
    beam = [start]
    for _ in range(MOST_CONDITIONS):
        grown: dict[tuple[int, ...], float] = {}
        for rule in beam:
            grown.update(_extended(joint, weights, rule, start, target, rank))
        ranked = sorted(((worth, rule) for rule, worth in grown.items()), key=lambda scored: (-scored[0], scored[1]))[:_WIDTH]
        if not ranked:
            break
        beam = [rule for _, rule in ranked]
        if ranked[0][0] > best[0] * 1.01:
            best = ranked[0]
    return best


def _extended(joint: Joint, weights: np.ndarray, rule: tuple[int, ...], start: tuple[int, ...], target: float, rank: int | None):
    """(rule, worth) of all rules with one condition more; of thresholds that let the same through, the loosest."""
    inside = joint.inside(rule)
    for column, level in enumerate(joint.levels):
        if rule[column] != start[column]:
            continue
        codes = joint.threshold_index[inside, column]
        binned = np.stack([np.bincount(codes, row, minlength=len(level.cuts) + 1) for row in weights[:, inside]])
        passing = binned[:, ::-1].cumsum(axis=1)[:, ::-1]  # passing[:, p]: counts that pass position p
        for position in np.flatnonzero((passing[:, 1:] != passing[:, :-1]).any(axis=0)) + 1:
            if position > rule[column]:
                worth = float(_worth(passing[:, position : position + 1], target, rank)[0])
                yield (*rule[:column], int(position), *rule[column + 1 :]), worth


def _worth(counts: np.ndarray, target: float, rank: int | None) -> np.ndarray:
    """Samples that a rule lets through times the chance that it holds; counts: (4, rules) open, labels, approved, held."""
    open, labels, approved, held = counts.astype(np.float64)
    a, b = approved + 0.5, labels - approved + 0.5  # Jeffreys' prior
    if rank is not None:
        middle, n = a / (a + b), np.maximum(held, 1)
        wanted = np.array([_share_needed(int(count), target, rank) for count in held])
        deviation = np.sqrt(middle * (1 - middle) * (1 / n + 1 / (a + b + 1)))  # beta-binomial
        chance = np.where(wanted <= 1, special.ndtr((middle - wanted) / deviation), 0)
        chance = np.where((held > 0) & (labels > 0) & (chance >= 0.5), chance, 0)
    else:
        chance = 1 - special.betainc(a, b, target)
    return (open + 1e-3 * labels) * chance
