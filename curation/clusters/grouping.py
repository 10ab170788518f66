"""Groups of failures, and the group that any other example belongs to. Plain arrays in, plain arrays out.

A failure is described by the vector of its question and the vector of its picture. Failures are first told apart by error
type, which the diagnosis gives. A type is halved, and its halves again, only where the halves stand apart in their questions
*and* in their pictures, as the silhouette (Rousseeuw 1987) of each says: another wording of the same question, or another
background behind it, is no other failure. A type that is all of one kind stays one cluster.
Where a dataset states no kinds and a frontier model named them, failures are told apart by these first (`keys_of`).
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

import numpy as np

MIN_SILHOUETTE = 0.14  # geometric mean over questions and pictures; below it a split cuts through one cloud (docs/log.md)
DIMENSIONS = 50  # of the PCA that comes before everything
LOOKED_AT = 2_000  # points whose silhouette is computed: its cost grows with their square
EXACT_LIMIT = 20_000  # points up to which KMeans sees all at once, minibatches beyond
PORTION = 8_192  # rows at once, where float64 or distances of all would take too much memory


@dataclass(frozen=True)
class Principal:
    """The principal axes of some vectors: what further vectors are reduced along, to at most DIMENSIONS numbers each."""

    mean: np.ndarray
    axes: np.ndarray  # (d, k)

    @classmethod
    def fit(cls, vectors: np.ndarray) -> Self:
        """Of vectors (n > 0, d), from the eigenvectors of their covariance: no second copy of 100,000 vectors is made."""
        from sklearn.decomposition import PCA

        n, d = vectors.shape
        if n < 2:
            return cls(vectors.mean(axis=0).astype(np.float32), np.eye(d, min(d, DIMENSIONS), dtype=np.float32))
        pca = PCA(min(n, d, DIMENSIONS), svd_solver="covariance_eigh").fit(vectors)
        return cls(pca.mean_.astype(np.float32), pca.components_.T.astype(np.float32))

    def of(self, vectors: np.ndarray) -> np.ndarray:
        """(m, k) float32."""
        if not len(vectors):
            return np.zeros((0, self.axes.shape[1]), np.float32)
        portions = (vectors[start : start + PORTION] for start in range(0, len(vectors), PORTION))
        return np.concatenate([(part - self.mean) @ self.axes for part in portions]).astype(np.float32)


@dataclass(frozen=True)
class Space:
    """Where failures are compared: text and image vectors side by side, each block scaled to its weight.

    An embedder spreads its vectors as it happens to; scaling to a mean squared length keeps one block from outvoting the
    other. The scaling is taken from the failures and used for whatever is compared with them.
    """

    means: tuple[np.ndarray, np.ndarray]
    scales: tuple[float, float]

    @classmethod
    def fit(cls, text_vectors: np.ndarray, image_vectors: np.ndarray, weights: tuple[float, float] = (1.0, 1.0)) -> Self:
        """`weights` are those of text and image; text (n, a) and image vectors (n, b) are of the same n > 0 failures."""
        means = text_vectors.mean(axis=0), image_vectors.mean(axis=0)

        def scale(block: np.ndarray, mean: np.ndarray, weight: float) -> float:
            spread = np.sum((block - mean) ** 2, axis=1).mean()
            return float(np.sqrt(weight / spread)) if spread > 1e-12 else 0.0

        return cls(means, (scale(text_vectors, means[0], weights[0]), scale(image_vectors, means[1], weights[1])))

    def of(self, text_vectors: np.ndarray, image_vectors: np.ndarray) -> np.ndarray:
        """(m, a + b) float32."""
        parts = [(block - mean) * scale for block, mean, scale in zip((text_vectors, image_vectors), self.means, self.scales)]
        return np.hstack(parts).astype(np.float32)


def group(
    error_types: Sequence[str] | np.ndarray,
    text_vectors: np.ndarray,
    image_vectors: np.ndarray,
    weights: tuple[float, float] = (1.0, 1.0),
    min_size: int = 20,
    seed: int = 0,
    looked_at: int = LOOKED_AT,
) -> np.ndarray:
    """The cluster of each failure, (n,) int: 0 is the largest, and no cluster holds two error types.

    No part of a split type has fewer than `min_size` failures; a type that has fewer is one small cluster. `looked_at` is the
    number of failures from whose distances it is judged whether two halves stand apart.
    """
    types = np.asarray(error_types)
    if not len(types):
        return np.zeros(0, int)
    how = _How(weights, min_size, seed, looked_at)
    labels, used = np.zeros(len(types), int), 0
    with one_thread():
        for name in np.unique(types):
            for part in _parts(np.flatnonzero(types == name), text_vectors, image_vectors, how):
                labels[part] = used
                used += 1
    sizes = np.bincount(labels)
    rank = np.empty(used, int)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(used)
    return rank[labels]


def keys_of(error_types: Sequence[str], kinds: Sequence[str | None], min_size: int) -> np.ndarray:
    """What `group` keeps apart: error types, and among failures whose kind of question was named, these kinds; (n,) text.

    Where a dataset states no kinds, questions of all sorts share pictures, and an answer of the wrong form gives all of them one error
    type: what was asked tells them apart. Fewer than `min_size` failures of a kind stay with their error type.

    >>> keys_of(["spatial"] * 3, ["nearest", "nearest", None], 2).tolist()
    ['spatial\nnearest', 'spatial\nnearest', 'spatial']
    """
    counts = Counter(zip(error_types, kinds))
    pairs = zip(error_types, kinds)
    return np.array([f"{name}\n{kind}" if kind and counts[name, kind] >= min_size else name for name, kind in pairs], dtype=object)


def centres_of(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean of each cluster's vectors, (clusters, d) float32."""
    return np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)]).astype(np.float32)


def nearest_centre(
    centres: np.ndarray, types_of_clusters: Sequence[str], others: np.ndarray, other_types: Sequence[str | None]
) -> np.ndarray:
    """The cluster that each of the `others` (m, d) belongs to, (m,) int, given the clusters' centres and error types.

    One whose error type is known goes to the nearest centre among that type's clusters, or to -1 if it has none; one whose
    type is None goes to the nearest of all. Both sets of vectors come from the same Space.
    """
    nearest = np.full(len(others), -1)
    if not len(centres):
        return nearest
    wanted = np.array([name or "" for name in other_types], dtype=object)
    for name in set(wanted.tolist()):
        rows = np.flatnonzero(wanted == name)
        candidates = np.array([label for label, own in enumerate(types_of_clusters) if name in ("", own)], int)
        if len(candidates):
            chosen = centres[candidates]
            distances = (chosen**2).sum(axis=1) - 2 * others[rows] @ chosen.T  # squared, but for the vector's own length
            nearest[rows] = candidates[distances.argmin(axis=1)]
    return nearest


def halves(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """A mask (n,) of one of two halves of the points (n, d) by 2-means; all True where the points are all alike."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if np.ptp(points, axis=0).max(initial=0) < 1e-6:
        return np.ones(len(points), bool)
    method = KMeans if len(points) <= EXACT_LIMIT else MiniBatchKMeans
    with one_thread():
        side: np.ndarray = method(2, n_init=4, random_state=seed).fit_predict(points) == 0
    return side


def one_thread() -> AbstractContextManager[object]:
    """OpenMP's threads spin while they wait: on a busy machine two of them are fifty times slower than one."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


@dataclass(frozen=True)
class _How:
    weights: tuple[float, float]
    min_size: int
    seed: int
    looked_at: int


def _parts(rows: np.ndarray, text_vectors: np.ndarray, image_vectors: np.ndarray, how: _How) -> list[np.ndarray]:
    """The rows of one error type, split as long as the halves stand apart."""
    if len(rows) < 2 * how.min_size or len(rows) < 4:
        return [rows]
    texts, images = text_vectors[rows], image_vectors[rows]
    points = Space.fit(texts, images, how.weights).of(texts, images)
    half = halves(Principal.fit(points).of(points), how.seed)
    if min(half.sum(), (~half).sum()) < max(how.min_size, 1) or _apart([texts, images], half, how) < MIN_SILHOUETTE:
        return [rows]
    return [part for side in (rows[half], rows[~half]) for part in _parts(side, text_vectors, image_vectors, how)]


def _apart(blocks: list[np.ndarray], half: np.ndarray, how: _How) -> float:
    """Geometric mean of the two halves' silhouettes in each block that has a weight."""
    from sklearn.metrics import silhouette_score

    rows = np.arange(len(half))
    if len(rows) > how.looked_at:
        rows = np.random.default_rng(how.seed).choice(rows, how.looked_at, replace=False)
    if min(half[rows].sum(), (~half[rows]).sum()) < 2:
        return 0.0
    scores = [silhouette_score(block[rows], half[rows]) for block, weight in zip(blocks, how.weights) if weight]
    return float(np.prod(np.maximum(scores, 0)) ** (1 / len(scores)))
