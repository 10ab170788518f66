"""How stable a cluster is: does it come back when the failures are drawn again? Plain arrays in, plain arrays out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from curation.clusters.grouping import group

MOST = 10_000  # failures drawn at once
FEWEST = 1_000  # of an error type that has so many
LOOKED_AT = 800  # as in curation.clusters.grouping: each draw is judged by fewer distances
DISSOLVED = 0.5  # a Jaccard likeness below it: the cluster did not come back


@dataclass(frozen=True)
class Stability:
    """By cluster: `mean` Jaccard likeness to the most similar cluster of a draw, and the share of draws in which it `dissolved`.

    NaN for a cluster of which no draw had two failures: too small to tell.
    """

    mean: np.ndarray
    dissolved: np.ndarray
    resamples: int


def stability(
    error_types: Sequence[str] | np.ndarray,
    labels: np.ndarray,
    text_vectors: np.ndarray,
    image_vectors: np.ndarray,
    weights: tuple[float, float] = (1.0, 1.0),
    min_size: int = 20,
    seed: int = 0,
    resamples: int = 20,
    should_stop: Callable[[], bool | str] = lambda: False,
) -> Stability | None:
    """The clusterwise stability of `labels` (n,) by the bootstrap (Hennig 2007, "Cluster-wise assessment of cluster stability").

    Each draw takes failures with replacement, groups the distinct ones as the labels were found, and looks for the cluster most
    like each of the labels' own among those drawn. Above 0.85 a cluster is highly stable, below 0.6 it should not be trusted
    (Hennig 2007). Where there are more than MOST failures a draw has fewer, of each error type in proportion but at least FEWEST.
    None if asked to stop.
    """
    types = np.asarray(error_types)
    rng = np.random.default_rng(seed)
    likeness = np.full((resamples, labels.max() + 1), np.nan)
    for draw in range(resamples):
        if should_stop():
            return None
        rows = _drawn(types, rng)
        smaller = max(2, round(min_size * len(rows) / len(types)))
        regrouped = group(types[rows], text_vectors[rows], image_vectors[rows], weights, smaller, seed + draw, LOOKED_AT)
        likeness[draw] = _most_alike(labels[rows], regrouped, likeness.shape[1])
    seen = np.isfinite(likeness)
    count = np.where(seen.any(axis=0), seen.sum(axis=0), np.nan)
    mean = np.where(seen, likeness, 0).sum(axis=0) / count
    return Stability(mean, (seen & (likeness < DISSOLVED)).sum(axis=0) / count, resamples)


def _drawn(types: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The distinct rows of one draw with replacement, ascending."""
    share = min(1.0, MOST / len(types))
    parts = []
    for name in np.unique(types):
        rows = np.flatnonzero(types == name)
        parts.append(rng.choice(rows, min(len(rows), max(FEWEST, round(share * len(rows))))))
    return np.unique(np.concatenate(parts))


def _most_alike(own: np.ndarray, regrouped: np.ndarray, clusters: int) -> np.ndarray:
    """Of each of the clusters the largest Jaccard likeness to a found one; NaN where fewer than two of it were drawn."""
    both = np.zeros((clusters, regrouped.max() + 1))
    np.add.at(both, (own, regrouped), 1)
    sizes, others = both.sum(axis=1), both.sum(axis=0)
    likeness = (both / np.maximum(sizes[:, None] + others[None] - both, 1)).max(axis=1)
    return np.where(sizes >= 2, likeness, np.nan)
