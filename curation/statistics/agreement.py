"""How far the frontier model's error types agree with people's: Cohen's kappa with a 95 % interval."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from curation.statistics.intervals import CONFIDENCE, wilson
from data.records import Record


@dataclass(frozen=True)
class Kappa(Record):
    """`value` is None where chance alone explains all: everyone used one single type. `agreed` of `pairs` were alike."""

    value: float | None
    low: float | None
    high: float | None
    agreed: int
    pairs: int


def kappa(one: Sequence[Hashable], other: Sequence[Hashable], confidence: float = CONFIDENCE) -> Kappa:
    """Cohen's kappa of two raters of the same things (Cohen 1960, "A coefficient of agreement for nominal scales").

    The interval is that of the large-sample standard error (Fleiss, Cohen & Everitt 1969, "Large sample standard errors of kappa
    and weighted kappa"), widened to Wilson's limits of the observed agreement with the chance agreement as it is (Cohen 1960's
    own error took that as fixed): with few pairs, or where all agree, the large-sample error is far too small, or zero.

    Raises ValueError if the lengths differ.

    >>> found = kappa(["a"] * 20 + ["b"] * 20, ["a"] * 15 + ["b"] * 25)
    >>> round(found.value, 2), found.agreed, found.pairs
    (0.75, 35, 40)
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} and {len(other)} ratings: both raters must have rated the same things")
    n = len(one)
    names = {name: i for i, name in enumerate(dict.fromkeys([*one, *other]))}
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([names[x] for x in one], [names[x] for x in other]), 1)
    agreed = int(np.trace(table))
    if n == 0 or len(names) < 2:
        return Kappa(None, None, None, agreed, n)
    shares = table / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float(np.trace(shares)), float(rows @ columns)
    value = (observed - chance) / (1 - chance)
    reach = stats.norm.ppf((1 + confidence) / 2) * standard_error(shares, n)
    score = [(share - chance) / (1 - chance) for share in wilson(agreed, n, confidence)]
    low, high = min(value - reach, score[0]), max(value + reach, score[1])
    return Kappa(value, max(-1.0, float(low)), min(1.0, float(high)), agreed, n)


def standard_error(shares: np.ndarray, pairs: int) -> float:
    """Of kappa, from the shares (k, k) of so many pairs (Fleiss, Cohen & Everitt 1969; Fleiss, Levin & Paik 2003, formula 18.15)."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = np.trace(shares), rows @ columns
    value = (observed - chance) / (1 - chance)
    alike = np.sum(np.diag(shares) * (1 - (rows + columns) * (1 - value)) ** 2)
    weights = (columns[:, None] + rows[None, :]) ** 2  # column share of the row's type, row share of the column's
    np.fill_diagonal(weights, 0)
    different = (1 - value) ** 2 * np.sum(shares * weights)
    variance = alike + different - (value - chance * (1 - value)) ** 2
    return math.sqrt(max(0.0, variance) / pairs) / (1 - chance)
