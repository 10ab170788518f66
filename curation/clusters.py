"""Groups of failures, their map, and the group that any other example belongs to. Plain arrays in, plain arrays out.

A failure is described by the vector of its question and the vector of its picture. Failures are first told apart by error
type, which the diagnosis gives. A type is halved, and its halves again, only where the halves stand apart in their questions
*and* in their pictures, as the silhouette (Rousseeuw 1987) of each says: another wording of the same question, or another
background behind it, is no other failure. A type that is all of one kind stays one cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

MIN_SILHOUETTE = 0.14  # geometric mean over questions and pictures; below it a split cuts through one cloud (docs/log.md)
DIMENSIONS = 50  # of the PCA that comes before everything
PULL = 0.2  # of the error type on the map, beside question and picture
LOOKED_AT = 2_000  # points whose silhouette is computed: its cost grows with their square
EXACT_LIMIT = 20_000  # points up to which KMeans sees all at once, minibatches beyond
TSNE_LIMIT = 5_000  # points up to which t-SNE draws the map; PaCMAP compiles for 13 s but scales better


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
        blocks = (text_vectors, image_vectors)
        means = tuple(block.mean(axis=0) for block in blocks)
        spreads = [np.sum((block - mean) ** 2, axis=1).mean() for block, mean in zip(blocks, means)]
        return cls(means, tuple(float(np.sqrt(w / s)) if s > 1e-12 else 0.0 for w, s in zip(weights, spreads)))

    def of(self, text_vectors: np.ndarray, image_vectors: np.ndarray) -> np.ndarray:
        """(m, a + b) float32."""
        parts = [(block - mean) * scale for block, mean, scale in zip((text_vectors, image_vectors), self.means, self.scales)]
        return np.hstack(parts).astype(np.float32)


def group(
    error_types: Sequence[str],
    text_vectors: np.ndarray,
    image_vectors: np.ndarray,
    weights: tuple[float, float] = (1.0, 1.0),
    min_size: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """The cluster of each failure, (n,) int: 0 is the largest, and no cluster holds two error types.

    No part of a split type has fewer than `min_size` failures; a type that has fewer is one small cluster.
    """
    types = np.asarray(error_types)
    if not len(types):
        return np.zeros(0, int)
    labels, used = np.zeros(len(types), int), 0
    with _one_thread():
        for name in np.unique(types):
            for part in _parts(np.flatnonzero(types == name), text_vectors, image_vectors, weights, min_size, seed):
                labels[part] = used
                used += 1
    sizes = np.bincount(labels)
    rank = np.empty(used, int)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(used)
    return rank[labels]


def layout(vectors: np.ndarray, seed: int = 0, error_types: Sequence[str] = ()) -> np.ndarray:
    """A place on the map for each vector (n, d): (n, 2) float32 in [0, 1]. Near each other means alike; axes mean nothing.

    Where error types are given they count as PULL of the vectors' own spread: types become islands, and a failure that
    resembles another type's still lies on that side. PCA for a few points, t-SNE (van der Maaten and Hinton 2008) up to
    5,000, PaCMAP (Wang et al. 2021) beyond.
    """
    if len(vectors) < 3:
        return np.linspace(0.25, 0.75, 2 * len(vectors), dtype=np.float32).reshape(len(vectors), 2)
    with _one_thread():
        flat = _flat(_reduced(_pulled(vectors, error_types) if len(error_types) else vectors), seed)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return ((flat - low) / np.maximum(high - low, 1e-9)).astype(np.float32)


def nearest_centre(
    vectors: np.ndarray,
    labels: np.ndarray,
    error_types: Sequence[str],
    others: np.ndarray,
    other_types: Sequence[str | None],
) -> np.ndarray:
    """The cluster that each of the `others` (m, d) belongs to, (m,) int, given the failures' `vectors` (n, d) and `labels`.

    One whose error type is known goes to the nearest centre among that type's clusters, or to -1 if it has none; one whose
    type is None goes to the nearest of all. Both sets of vectors come from the same Space.
    """
    found = np.full(len(others), -1)
    if not len(labels):
        return found
    centres = np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    type_of = {int(label): name for label, name in zip(labels, error_types)}
    wanted = np.array([name or "" for name in other_types])
    for name in set(wanted.tolist()):
        rows = np.flatnonzero(wanted == name)
        candidates = np.array([label for label in range(len(centres)) if name in ("", type_of[label])], int)
        if len(candidates):
            chosen = centres[candidates]
            distances = (chosen**2).sum(axis=1) - 2 * others[rows] @ chosen.T  # squared, but for the vector's own length
            found[rows] = candidates[distances.argmin(axis=1)]
    return found


def _pulled(vectors: np.ndarray, error_types: Sequence[str]) -> np.ndarray:
    """The vectors with a block for the error type beside them, whose mean squared length is PULL of theirs."""
    names, index = np.unique(np.asarray(error_types), return_inverse=True)
    block = np.eye(len(names))[index]
    block -= block.mean(axis=0)
    own, types = (np.sum((x - x.mean(axis=0)) ** 2, axis=1).mean() for x in (vectors, block))
    return np.hstack([vectors, block * np.sqrt(PULL * own / max(types, 1e-12))]).astype(np.float32)


def _one_thread():
    """OpenMP's threads spin while they wait: on a busy machine two of them are fifty times slower than one."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _flat(points: np.ndarray, seed: int) -> np.ndarray:
    if len(points) < 20:
        return points[:, :2] if points.shape[1] > 1 else np.hstack([points, np.zeros_like(points)])
    if len(points) <= TSNE_LIMIT:
        from sklearn.manifold import TSNE

        return TSNE(perplexity=min(30, len(points) / 4), init="pca", random_state=seed, n_jobs=1).fit_transform(points)
    import pacmap

    return pacmap.PaCMAP(n_components=2, random_state=seed, apply_pca=False).fit_transform(points)


def _reduced(vectors: np.ndarray) -> np.ndarray:
    """The vectors (n, d) along their DIMENSIONS principal axes, from the covariance's eigenvectors: cheap while d is small."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return (centred @ axes[:, ::-1][:, :DIMENSIONS]).astype(np.float32)


def _parts(
    rows: np.ndarray, text_vectors: np.ndarray, image_vectors: np.ndarray, weights: tuple[float, float], min_size: int, seed: int
) -> list[np.ndarray]:
    """The rows of one error type, split as long as the halves stand apart."""
    if len(rows) < 2 * min_size or len(rows) < 4:
        return [rows]
    blocks = [block[rows] for block in (text_vectors, image_vectors)]
    half = _halves(_reduced(Space.fit(*blocks, weights).of(*blocks)), seed)
    if min(half.sum(), (~half).sum()) < max(min_size, 1) or _apart(blocks, weights, half, seed) < MIN_SILHOUETTE:
        return [rows]
    return [part for side in (rows[half], rows[~half]) for part in _parts(side, text_vectors, image_vectors, weights, min_size, seed)]


def _apart(blocks: list[np.ndarray], weights: tuple[float, float], half: np.ndarray, seed: int) -> float:
    """Geometric mean of the two halves' silhouettes in each block that has a weight."""
    from sklearn.metrics import silhouette_score

    looked_at = min(LOOKED_AT, len(half))
    scores = [
        silhouette_score(_reduced(block), half, sample_size=looked_at, random_state=seed)
        for block, weight in zip(blocks, weights)
        if weight
    ]
    return float(np.prod(np.maximum(scores, 0)) ** (1 / len(scores)))


def _halves(points: np.ndarray, seed: int) -> np.ndarray:
    """A mask (n,) of one of two halves by KMeans; all True where the points are all alike."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if np.ptp(points, axis=0).max(initial=0) < 1e-6:
        return np.ones(len(points), bool)
    method = KMeans if len(points) <= EXACT_LIMIT else MiniBatchKMeans
    return method(2, n_init=4, random_state=seed).fit_predict(points) == 0
