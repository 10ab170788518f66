"""Calibration curves of one filter, from labels by people: approval by score, and precision and miss rate by threshold.

A filter's scores are counted by code: the number of its thresholds (`cuts`, the loosest first) that a score meets. A sample passes
the threshold cuts[p - 1] if and only if its code is at least p.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.statistics.intervals import Interval, wilson
from data.records import Comparison

BINS = 8
POINTS = 60  # of a curve at most


@dataclass(frozen=True)
class Tally:
    """Samples of one filter by code 0 … len(cuts): all with a score, and those that people approved and rejected."""

    comparison: Comparison
    threshold: float  # as the filter is set
    cuts: Sequence[float]
    scored: Sequence[int]
    approved: Sequence[int]
    rejected: Sequence[int]

    def passes(self, code: int) -> bool:
        """Whether scores of that code pass the filter as it is set."""
        return code > 0 and (
            self.cuts[code - 1] >= self.threshold if self.comparison == "at_least" else self.cuts[code - 1] <= self.threshold
        )


@dataclass(frozen=True)
class Bin:
    """Neighbouring scores. `approval` is the share that people approve, None without a label."""

    name: str
    scored: int
    approved: int
    labels: int
    passes: bool
    approval: Interval | None


@dataclass(frozen=True)
class Point:
    """A threshold. `precision`: of the labelled samples that would pass, the share people approve; `miss_rate`: of those that people
    approve, the share it would reject. None where no label tells."""

    threshold: float
    precision: Interval | None
    miss_rate: Interval | None


def approval_by_score(tally: Tally, bins: int = BINS) -> list[Bin]:
    """Scores in ascending order, put together until a bin has its share of the labels, never across the threshold.

    Few levels (as many as bins, or less) stay as they are. Intervals are Wilson's, two-sided 95 %.
    """
    codes = [code for code, count in enumerate(tally.scored) if count]
    groups: list[list[int]] = []
    labels = sum(tally.approved) + sum(tally.rejected)
    for code in codes:
        last = groups[-1] if groups else None
        if len(codes) > bins and last and tally.passes(last[0]) == tally.passes(code) and _labels(tally, last) < labels / bins:
            last.append(code)
        else:
            groups.append([code])
    if len(codes) > bins and len(groups) > 1:
        before, rest = groups[-2:]
        if tally.passes(before[0]) == tally.passes(rest[0]) and _labels(tally, rest) < labels / (2 * bins):
            groups[-2:] = [before + rest]
    binned = [_bin(tally, group) for group in groups]
    return binned if tally.comparison == "at_least" else binned[::-1]


def rates_by_threshold(tally: Tally, most: int = POINTS) -> list[Point]:
    """Precision and miss rate of the filter at each of its thresholds, the loosest first; at most about `most` of them, evenly chosen."""
    chosen = np.unique(np.linspace(1, len(tally.cuts), most).astype(int)) if len(tally.cuts) > most else range(1, len(tally.cuts) + 1)
    approved, rejected = np.asarray(tally.approved), np.asarray(tally.rejected)
    points = []
    for position in map(int, chosen):
        good, bad = int(approved[position:].sum()), int(rejected[position:].sum())
        points.append(
            Point(float(tally.cuts[position - 1]), _share(good, good + bad), _share(int(approved[:position].sum()), int(approved.sum())))
        )
    return points


def _share(k: int, n: int) -> Interval | None:
    return Interval(k / n, *wilson(k, n)) if n else None


def _labels(tally: Tally, codes: Sequence[int]) -> int:
    return sum(tally.approved[code] + tally.rejected[code] for code in codes)


def _bin(tally: Tally, codes: Sequence[int]) -> Bin:
    approved, labels = sum(tally.approved[code] for code in codes), _labels(tally, codes)
    up = tally.comparison == "at_least"
    ends = [codes[0], codes[-1]] if up else [codes[-1], codes[0]]
    texts = [f"{tally.cuts[code - 1]:.3g}" if code else ("less" if up else "more") for code in ends]
    return Bin(
        name=texts[0] if texts[0] == texts[1] else "–".join(texts),
        scored=sum(tally.scored[code] for code in codes),
        approved=approved,
        labels=labels,
        passes=tally.passes(codes[0]),
        approval=_share(approved, labels),
    )
