"""How sure a difference is: accuracies and paired differences with 95 % intervals, p-values, and what could be detected.

Two checkpoints answer the same questions, and several questions share a picture: differences are therefore paired and
clustered by picture (Miller 2024, "Adding error bars to evals", arXiv 2411.00640). Everything is deterministic.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats
from scipy.signal import fftconvolve

from data.records import Record

CONFIDENCE = 0.95
MARGIN = 0.01  # accuracy that a new checkpoint may lose at most to be called no worse
_GRID = 10  # 0/1 scores and VQA accuracies are multiples of 1/10
_DIRECT = 200_000  # products up to which sums of two variables are taken directly: above, a Fourier transform is quicker
_EXACT_CELLS = 2_000_000  # sums that the exact distribution may range over


@dataclass(frozen=True)
class Interval(Record):
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Record):
    """`value` is after minus before; `p` is two-sided."""

    value: float
    low: float
    high: float
    p: float


def accuracy(scores: Sequence[float]) -> Interval:
    """Mean of scores from 0 to 1 with Wilson's interval (for soft scores conservative: 0/1 scores of that mean vary the most)."""
    low, high = wilson(float(np.sum(scores)), len(scores))
    return Interval(float(np.mean(scores)) if len(scores) else math.nan, low, high)


def wilson(k: float, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Score interval of a proportion of k in n (Wilson 1927). With n = 0 nothing is known: (0, 1).

    >>> [round(limit, 3) for limit in wilson(9, 10)]
    [0.596, 0.982]
    """
    if n == 0:
        return 0.0, 1.0
    z2 = _normal_quantile((1 + confidence) / 2) ** 2
    share = k / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))


@cache
def _normal_quantile(p: float) -> float:
    return float(stats.norm.ppf(p))


def paired_difference(
    before: Sequence[float] | np.ndarray,
    after: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable] | np.ndarray | None = None,
    confidence: float = CONFIDENCE,
    weights: np.ndarray | None = None,
) -> Difference:
    """Mean of after - before over pairs of scores from 0 to 1, clustered (by picture); without clusters each pair is its own.

    `weights` (a number above 0 a pair, their mean 1) makes it a weighted mean; the variance is that of weighted least squares on a
    constant.

    Interval: cluster-robust variance of the mean with t on the number of clusters less one (Cameron & Miller 2015, "A
    practitioner's guide to cluster-robust inference", CR1), after adding half a pair each that was fixed and broken and
    one unchanged pair (Agresti & Min 2005, "Simple improved confidence intervals for comparing matched proportions"):
    without these a kind in which nothing changed would get an interval of width zero. It always holds the value itself.

    p: sign-flip test over clusters, exact for 0/1 scores and VQA accuracies (for clusters of one pair this is the exact
    McNemar test); for others, such as ANLS, and with weights, from the same t statistic without the added pairs.

    Raises ValueError if the lengths differ or there are no pairs.
    """
    differences = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    n = len(differences)
    if n == 0 or len(before) != len(after) or (clusters is not None and len(clusters) != n):
        raise ValueError(f"{len(before)} scores before and {len(after)} after: the same examples are needed in both, and at least one")
    members = np.arange(n) if clusters is None else codes(clusters)
    even = np.ones(n) if weights is None else weights
    sums, sizes = np.bincount(members, even * differences), np.bincount(members, even)
    value = float(np.average(differences, weights=even))
    low, high = _interval(sums, sizes, confidence)
    p = _sign_flip(sums, sizes) if weights is None else _t_test(sums, sizes)
    return Difference(value, max(-1.0, min(low, value)), min(1.0, max(high, value)), p)


def codes(values: Sequence[Hashable] | np.ndarray) -> np.ndarray:
    """Whole numbers from 0 for n values, one a different value: int64 of shape (n,)."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return np.unique(values, return_inverse=True)[1]
    index: dict[Hashable, int] = {}
    return np.fromiter((index.setdefault(value, len(index)) for value in values), dtype=np.int64, count=len(values))


def non_inferior(low: float, margin: float = MARGIN) -> bool:
    """Whether the lower bound of a difference shows that at most `margin` was lost; False means "not shown"."""
    return low > -margin


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for having made all these comparisons (Holm 1979), in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(order))
    steps = [(len(order) - rank) * p_values[i] for rank, i in enumerate(order)]
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if steps else []
    return adjusted.tolist()


def minimum_detectable_difference(
    n: int, discordant: float = 0.2, design_effect: float = 1.0, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest difference of paired accuracies that n pairs show with this power, 0 to 1.

    Connor 1987, "Sample size for testing differences in proportions for the paired-sample design". `discordant` is the
    share of pairs expected to be fixed or broken (it can't be below the difference); `design_effect` divides n, for
    clusters of m pairs with correlation r it is 1 + (m - 1) r (Kish 1965). 1 if not even the largest would be shown.
    """
    z_alpha, z_power = stats.norm.ppf(1 - alpha / 2), stats.norm.ppf(power)

    def shown(difference: float) -> bool:
        share = max(discordant, difference)
        needed = z_alpha * math.sqrt(share) + z_power * math.sqrt(share - difference**2)
        return n > 0 and difference * math.sqrt(n / design_effect) >= needed

    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def design_effect(before: np.ndarray, after: np.ndarray, clusters: Sequence[Hashable] | np.ndarray) -> float:
    """How many times the variance of the mean difference of n pairs is what it were if all pairs were independent; at least 1.

    Kish 1965, "Survey sampling": n pairs of a design effect d tell as much as n / d independent ones. 1 where nothing differs.
    """
    differences = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    residuals = differences - differences.mean() if len(differences) else differences
    alone = float((residuals**2).sum())
    return max(1.0, float((np.bincount(codes(clusters), residuals) ** 2).sum()) / alone) if alone > 0 else 1.0


def _interval(sums: np.ndarray, sizes: np.ndarray, confidence: float) -> tuple[float, float]:
    """Limits of the mean difference from each cluster's sum of differences and number of pairs, with the added pairs."""
    clusters = len(sums)
    if clusters < 2:
        return -1.0, 1.0
    n = sizes.sum() + 2
    middle = sums.sum() / n
    residuals = sums - sizes * middle
    added = 0.5 * (1 - middle) ** 2 + 0.5 * (1 + middle) ** 2 + middle**2
    deviation = math.sqrt((clusters / (clusters - 1) * (residuals**2).sum() + added) / n**2)
    reach = stats.t.ppf((1 + confidence) / 2, clusters - 1) * deviation
    return middle - reach, middle + reach


def _sign_flip(sums: np.ndarray, sizes: np.ndarray) -> float:
    """Two-sided p of the hypothesis that in each cluster before and after could be swapped."""
    scaled = np.rint(sums * _GRID)
    units = np.abs(scaled[scaled != 0]).astype(np.int64)
    if len(units) == 0 and np.allclose(sums, 0):
        return 1.0
    if not np.allclose(scaled, sums * _GRID, atol=1e-6) or units.sum() > _EXACT_CELLS:
        return _t_test(sums, sizes)
    units //= np.gcd.reduce(units)
    chances = _chances_of_sums(units)
    total = abs(int((np.sign(scaled[scaled != 0]) * units).sum()))
    distances = np.abs(2 * np.arange(len(chances)) - int(units.sum()))
    return float(min(1.0, chances[distances >= total].sum()))


def _chances_of_sums(units: np.ndarray) -> np.ndarray:
    """Chance of each sum that a random half of the units can have: entry i is P(sum of those kept = i)."""
    chances = np.ones(1)
    for unit, count in zip(*np.unique(units, return_counts=True)):
        spread = np.zeros(unit * count + 1)
        spread[::unit] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        chances = _convolved(chances, spread)
    return chances


def _convolved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sums of two independent variables; directly where this is small, so that tiny chances stay exact."""
    few, many = sorted((first, second), key=np.count_nonzero)
    if np.count_nonzero(few) * len(many) <= _DIRECT:
        result = np.zeros(len(first) + len(second) - 1)
        for at in np.flatnonzero(few):
            result[at : at + len(many)] += few[at] * many
        return result
    sums: np.ndarray = np.maximum(fftconvolve(first, second), 0.0)
    return sums


def _t_test(sums: np.ndarray, sizes: np.ndarray) -> float:
    clusters = len(sums)
    if clusters < 2:
        return 1.0
    middle = sums.sum() / sizes.sum()
    deviation = math.sqrt(clusters / (clusters - 1) * ((sums - sizes * middle) ** 2).sum()) / sizes.sum()
    return float(2 * stats.t.sf(abs(middle) / deviation, clusters - 1)) if deviation > 0 else 0.0
