"""Places on the map: of all failures at once, and of new ones beside those that have one. Plain arrays in, plain arrays out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from curation.clusters.grouping import Principal, one_thread

PULL = 0.2  # of the error type on the map, beside question and picture
TSNE_LIMIT = 5_000  # points up to which t-SNE draws the map; PaCMAP compiles for 13 s but scales better
NEIGHBOURS = 10  # whose places say where a new failure lies
AT_ONCE = 128  # new failures compared with all others at once


def layout(vectors: np.ndarray, seed: int = 0, error_types: Sequence[str] | np.ndarray = ()) -> np.ndarray:
    """A place on the map for each vector (n, d): (n, 2) float32 in [0, 1]. Near each other means alike; axes mean nothing.

    Where error types are given they count as PULL of the vectors' own spread: types become islands, and a failure that
    resembles another type's still lies on that side. PCA for a few points, t-SNE (van der Maaten and Hinton 2008) up to
    5,000, PaCMAP (Wang et al. 2021) beyond.
    """
    if len(vectors) < 3:
        return np.linspace(0.25, 0.75, 2 * len(vectors), dtype=np.float32).reshape(len(vectors), 2)
    with one_thread():
        pulled = _pulled(vectors, error_types) if len(error_types) else vectors
        flat = _flat(Principal.fit(pulled).of(pulled), seed)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return ((flat - low) / np.maximum(high - low, 1e-9)).astype(np.float32)


@dataclass(frozen=True)
class Known:
    """What is on the map already: rows of `places` (n, 2), `types` and `labels` (n,)."""

    places: np.ndarray
    types: np.ndarray
    labels: np.ndarray


def beside(
    known: Known, portions: Iterable[tuple[np.ndarray, np.ndarray]], new: np.ndarray, new_types: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Places (m, 2) and labels (m,) of new vectors (m, d) among those that are known; the old points don't move.

    `portions` are the known vectors: the rows of `known` that they stand for, and the vectors themselves. A new failure lies among
    its NEIGHBOURS nearest of the same error type (of any, where that type is new to the map), the nearer the closer, and has the
    label that most of them have: k-nearest-neighbour regression and vote with weights of 1 / distance.
    """
    best = np.full((len(new), NEIGHBOURS), np.inf)
    rows = np.zeros((len(new), NEIGHBOURS), int)
    types = np.asarray(new_types, dtype=object)
    lonely = ~np.isin(types, known.types)
    for numbers, vectors in portions:
        lengths = (vectors**2).sum(axis=1)
        for start in range(0, len(new), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            distances = lengths - 2 * new[part] @ vectors.T + (new[part] ** 2).sum(axis=1)[:, None]
            distances[(types[part, None] != known.types[numbers][None]) & ~lonely[part, None]] = np.inf
            both = np.hstack([best[part], np.maximum(distances, 0)])
            candidates = np.hstack([rows[part], np.broadcast_to(numbers, distances.shape)])
            order = np.argpartition(both, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
            best[part], rows[part] = np.take_along_axis(both, order, 1), np.take_along_axis(candidates, order, 1)
    weights = np.where(np.isfinite(best), 1 / np.maximum(np.sqrt(best), 1e-6), 0)
    places = (known.places[rows] * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    names, index = np.unique(known.labels, return_inverse=True)
    votes = np.zeros((len(new), len(names)))
    np.add.at(votes, (np.arange(len(new))[:, None], index[rows]), weights)
    return places.astype(np.float32), names[votes.argmax(axis=1)]


def _pulled(vectors: np.ndarray, error_types: Sequence[str] | np.ndarray) -> np.ndarray:
    """The vectors with a block for the error type beside them, whose mean squared length is PULL of theirs."""
    names, index = np.unique(np.asarray(error_types), return_inverse=True)
    block = np.eye(len(names), dtype=np.float32)[index]
    block -= block.mean(axis=0)
    own, types = (np.sum((x - x.mean(axis=0)) ** 2, axis=1).mean() for x in (vectors, block))
    return np.hstack([vectors, block * np.sqrt(PULL * own / max(types, 1e-12))]).astype(np.float32)


def _flat(points: np.ndarray, seed: int) -> np.ndarray:
    if len(points) < 20:
        return points[:, :2] if points.shape[1] > 1 else np.hstack([points, np.zeros_like(points)])
    if len(points) <= TSNE_LIMIT:
        from sklearn.manifold import TSNE

        return TSNE(perplexity=min(30, len(points) / 4), init="pca", random_state=seed, n_jobs=1).fit_transform(points)
    import pacmap

    return pacmap.PaCMAP(n_components=2, random_state=seed, apply_pca=False).fit_transform(points)
