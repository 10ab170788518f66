"""How far reviewers agree: Krippendorff's alpha with an interval, and each two of them side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from curation.statistics.agreement import alpha, alpha_interval, kappa_of_table
from data.store import Store


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
    table = np.array([[row["both_approve"], row["only_one"]], [row["only_other"], row["both_reject"]]])
    result = kappa_of_table(table)
    return {**row, "samples": result.pairs, "agree": result.agreed / result.pairs, "kappa": result.value}
