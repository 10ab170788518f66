"""How far reviewers agree: Krippendorff's alpha with an interval, and each two of them side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from curation.statistics.intervals import CONFIDENCE
from data.store import Store

DRAWS = 2000


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
    found = _alphas(counts, drawn.astype(np.float64))
    found = np.where(np.isnan(found), 1.0, found)  # only one value was drawn: nobody disagreed
    edge = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(found, [edge, 100 - edge])
    return float(low), float(high)


def kappa(both_yes: int, only_one: int, only_other: int, both_no: int) -> float | None:
    """Cohen's kappa of two reviewers (Cohen 1960); None where it is not defined.

    >>> kappa(20, 5, 10, 15)
    0.4
    """
    n = both_yes + only_one + only_other + both_no
    if not n:
        return None
    yes_one, yes_other = (both_yes + only_one) / n, (both_yes + only_other) / n
    by_chance = yes_one * yes_other + (1 - yes_one) * (1 - yes_other)
    return None if by_chance == 1 else round(((both_yes + both_no) / n - by_chance) / (1 - by_chance), 12)


def of_workspace(store: Store) -> dict[str, Any]:
    """Agreement of all who decided the same revisions, each alone: {"alpha", "low", "high", "units", "decisions", "pairs"}."""
    patterns = store.rows("agreement_patterns")
    counts = np.array([[row["yes"], row["no"]] for row in patterns]).reshape(-1, 2)
    weights = np.array([row["units"] for row in patterns], dtype=np.int64)
    value = alpha(counts, weights) if len(counts) else float("nan")
    interval = None if np.isnan(value) else alpha_interval(counts, weights)
    low, high = interval or (None, None)
    units, decisions = int(weights.sum()), int((counts.sum(axis=1) * weights).sum())
    pairs = [_pair(row) for row in store.rows("agreement_pairs")]
    return {"alpha": None if np.isnan(value) else value, "low": low, "high": high, "units": units, "decisions": decisions, "pairs": pairs}


def _pair(row: Mapping[str, Any]) -> dict[str, Any]:
    cells = [row["both_approve"], row["only_one"], row["only_other"], row["both_reject"]]
    return {**row, "samples": sum(cells), "agree": (cells[0] + cells[3]) / sum(cells), "kappa": kappa(*cells)}


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
