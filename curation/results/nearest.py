"""The training samples most like an eval example: what it may have been fixed, or broken, by. Pure; the stage nearest_samples embeds.

Likeness is the mean of two cosines, of question with answer and of image, each after subtracting the mean of the training samples:
vectors of one domain share a large common part, without which everything is alike.
"""

from dataclasses import dataclass

import numpy as np

KEPT = 5  # samples kept for each example
_AT_ONCE = 1_024  # examples held against all samples at a time


@dataclass(frozen=True, eq=False)
class Nearest:
    """For n examples the k nearest samples, best first: positions (n, k), cosines of text and image and their mean (n, k)."""

    places: np.ndarray
    text: np.ndarray
    image: np.ndarray
    score: np.ndarray


def nearest(examples: tuple[np.ndarray, np.ndarray], samples: tuple[np.ndarray, np.ndarray], kept: int = KEPT) -> Nearest:
    """Text vectors (n, a) and image vectors (n, b) of examples, the same of m samples. k is the smaller of `kept` and m."""
    pairs = [_centred(*both) for both in zip(examples, samples)]
    n, k = len(examples[0]), min(kept, len(samples[0]))
    neighbours = Nearest(np.zeros((n, k), np.int64), *(np.zeros((n, k), np.float32) for _ in range(3)))
    for start in range(0, n, _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        text, image = (own[rows] @ theirs.T for own, theirs in pairs)
        score = (text + image) / 2
        best = np.argsort(-score, axis=1, kind="stable")[:, :k]
        neighbours.places[rows] = best
        for into, values in ((neighbours.text, text), (neighbours.image, image), (neighbours.score, score)):
            into[rows] = np.take_along_axis(values, best, axis=1)
    return neighbours


def _centred(own: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = theirs.mean(axis=0) if len(theirs) > 1 else np.zeros(theirs.shape[1])
    return _unit(own - middle), _unit(theirs - middle)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: np.ndarray = np.divide(vectors, lengths, out=np.zeros_like(vectors, dtype=np.float32), where=lengths > 1e-9)
    return unit
