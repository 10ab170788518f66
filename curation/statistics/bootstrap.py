"""Cluster bootstrap of sums by group: whole images are drawn with replacement, so that what belongs together stays together."""

import numpy as np
from scipy import sparse

REPLICATES = 1000
_AT_ONCE = 100  # replicates whose weights are in memory at a time


def group_sums(values: np.ndarray, groups: np.ndarray, clusters: np.ndarray, replicates: int = REPLICATES, seed: int = 0) -> np.ndarray:
    """Sums of n values by group, in each replicate: float64 of shape (replicates, groups).

    `groups` and `clusters` are codes from 0, (n,). Each replicate draws as many clusters as there are, with replacement (Davison &
    Hinkley 1997, "Bootstrap methods and their application", 3.8: whole clusters). The same seed draws the same clusters, so that two
    calls (numerator and denominator of a ratio, say) belong together replicate by replicate.
    """
    if not len(values):
        return np.zeros((replicates, 0))
    count = int(clusters.max()) + 1
    shape = (count, int(groups.max()) + 1)
    sums = sparse.coo_matrix((values.astype(np.float64), (clusters, groups)), shape=shape).tocsr()
    rng = np.random.default_rng(seed)
    replicated = np.empty((replicates, shape[1]))
    for start in range(0, replicates, _AT_ONCE):
        rows = min(_AT_ONCE, replicates - start)
        drawn = rng.integers(0, count, (rows, count))
        weights = np.stack([np.bincount(clusters, minlength=count) for clusters in drawn]).astype(np.float64)
        replicated[start : start + rows] = weights @ sums
    return replicated


def percentile_interval(replicates: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit of each column: percentiles of the replicates (Efron & Tibshirani 1993, 13.3). NaN replicates are left out."""
    tail = 50 * (1 - confidence)
    if not replicates.size:
        return np.zeros(replicates.shape[1:]), np.zeros(replicates.shape[1:])
    low, high = np.nanpercentile(replicates, [tail, 100 - tail], axis=0)
    return low, high
