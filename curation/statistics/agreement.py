"""How far raters agree: Cohen's kappa of two and Krippendorff's alpha of any number, each with a 95 % interval."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from curation.statistics.intervals import CONFIDENCE, wilson
from data.records import Record

DRAWS = 2000  # of the bootstrap behind alpha's interval


@dataclass(frozen=True)
class Kappa(Record):
    """`value` is None where chance alone explains all: everyone used one single type. `agreed` of `pairs` were alike."""

    value: float | None
    low: float | None
    high: float | None
    agreed: int
    pairs: int


def kappa(first: Sequence[Hashable], second: Sequence[Hashable], confidence: float = CONFIDENCE) -> Kappa:
    """Cohen's kappa of two raters of the same things, from their ratings (`kappa_of_table`). Raises ValueError if the lengths differ.

    >>> result = kappa(["a"] * 20 + ["b"] * 20, ["a"] * 15 + ["b"] * 25)
    >>> round(result.value, 2), result.agreed, result.pairs
    (0.75, 35, 40)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} ratings: both raters must have rated the same things")
    names = {name: i for i, name in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(names), len(names)), np.int64)
    np.add.at(table, ([names[x] for x in first], [names[x] for x in second]), 1)
    return kappa_of_table(table, confidence)


def kappa_of_table(table: np.ndarray, confidence: float = CONFIDENCE) -> Kappa:
    """Cohen's kappa from the contingency table (k, k) of two raters (Cohen 1960, "A coefficient of agreement for nominal scales").

    The interval is that of the large-sample standard error (Fleiss, Cohen & Everitt 1969, "Large sample standard errors of kappa
    and weighted kappa"), widened to Wilson's limits of the observed agreement with the chance agreement as it is (Cohen 1960's
    own error took that as fixed): with few pairs, or where all agree, the large-sample error is far too small, or zero.

    >>> kappa_of_table(np.array([[20, 5], [10, 15]])).value
    0.4
    """
    n, agreed = int(table.sum()), int(np.trace(table))
    if n == 0 or np.diag(table).max() == n:  # nothing rated, or one single type
        return Kappa(None, None, None, agreed, n)
    shares = table / n
    observed, chance = float(np.trace(shares)), float(shares.sum(axis=1) @ shares.sum(axis=0))
    value = round((observed - chance) / (1 - chance), 12)
    reach = float(stats.norm.ppf((1 + confidence) / 2)) * standard_error(shares, n)
    score = [(share - chance) / (1 - chance) for share in wilson(agreed, n, confidence)]
    low, high = min(value - reach, score[0]), max(value + reach, score[1])
    return Kappa(value, max(-1.0, low), min(1.0, high), agreed, n)


def standard_error(shares: np.ndarray, pairs: int) -> float:
    """Of kappa, from the shares (k, k) of so many pairs (Fleiss, Cohen & Everitt 1969; Fleiss, Levin & Paik 2003, formula 18.15)."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float(np.trace(shares)), float(rows @ columns)
    value = (observed - chance) / (1 - chance)
    alike = float(np.sum(np.diag(shares) * (1 - (rows + columns) * (1 - value)) ** 2))
    weights = (columns[:, None] + rows[None, :]) ** 2  # column share of the row's type, row share of the column's
    np.fill_diagonal(weights, 0)
    different = (1 - value) ** 2 * float(np.sum(shares * weights))
    variance = alike + different - (value - chance * (1 - value)) ** 2
    return math.sqrt(max(0.0, variance) / pairs) / (1 - chance)


def alpha(counts: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Krippendorff's alpha for nominal data, nan where it is not defined (nothing paired, or only one value was ever given).

    `counts` (units, values): how many coders gave a unit each value; missing data are simply not counted. `weights` (units,):
    how often each row occurs. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section E.

    >>> round(alpha(np.array([[2, 0], [0, 2], [1, 1], [2, 0]])), 3)
    0.533
    """
    return float(_alphas(counts, (np.ones(len(counts)) if weights is None else weights)[None])[0])


def alpha_interval(counts: np.ndarray, weights: np.ndarray, draws: int = DRAWS, seed: int = 0) -> tuple[float, float] | None:
    """Percentile interval of alpha from drawing the paired units again with replacement; None with fewer than two of them."""
    paired = counts.sum(axis=1) >= 2
    counts, weights = counts[paired], np.asarray(weights, dtype=np.int64)[paired]
    total = int(weights.sum())
    if total < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(total, weights / total, size=draws)
    values = _alphas(counts, drawn.astype(np.float64))
    values = np.where(np.isnan(values), 1.0, values)  # only one value was drawn: nobody disagreed
    edge = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values, [edge, 100 - edge])
    return float(low), float(high)


def _alphas(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Alpha for each row of weights (draws, units); nan where it is not defined."""
    counts = np.asarray(counts, dtype=np.float64)
    coders = counts.sum(axis=1)
    counts, coders, weights = counts[coders >= 2], coders[coders >= 2], weights[:, coders >= 2].astype(np.float64)
    unlike = (coders**2 - (counts**2).sum(axis=1)) / (coders - 1)  # pairs within a unit that differ, each value in 1/(m-1) of its pairs
    totals = weights @ counts
    n = totals.sum(axis=1)
    expected = n**2 - (totals**2).sum(axis=1)
    observed = (weights @ unlike) * (n - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan)
