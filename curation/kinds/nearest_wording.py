"""Wordings that are not asked about get the kind of the one that is worded most like them, where one is like enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

ALIKE = 0.6  # likeness from which a wording is taken to ask the same
PORTION = 2_048  # wordings compared at once
_NEGATING = frozenset({"not", "no", "never", "without", "none", "cannot", "isn't", "aren't", "doesn't", "don't"})


@dataclass(frozen=True)
class Nearest:
    """For wording `wording` the one asked about that is most like it, and how much, from 0 to 1."""

    wording: int
    asked: int
    likeness: float


def nearest(wordings: Sequence[str], asked: Sequence[int], embed: Callable[[Sequence[str]], np.ndarray]) -> list[Nearest]:
    """One for each wording that is not among `asked` and is like one of them; `embed` gives a vector of length 1 a text, (n, d).

    Likeness is the mean of the vectors' cosine and the words' Jaccard index: vectors alone hardly tell a question from its negation
    (docs/log.md), so that a wording with a negation is never like one without.
    """
    others = [i for i in range(len(wordings)) if i not in set(asked)]
    if not others or not asked:
        return []
    bags = [frozenset(text.split()) for text in wordings]
    negated = np.array([bool(bag & _NEGATING) for bag in bags])
    known = embed([wordings[i] for i in asked])
    results: list[Nearest] = []
    for start in range(0, len(others), PORTION):
        part = others[start : start + PORTION]
        cosine = embed([wordings[i] for i in part]) @ known.T
        words = np.array([[len(bags[i] & bags[j]) / max(1, len(bags[i] | bags[j])) for j in asked] for i in part])
        likeness = np.where(negated[part][:, None] == negated[list(asked)][None], (cosine + words) / 2, 0.0)
        best = likeness.argmax(axis=1)
        for row, (i, k) in enumerate(zip(part, best)):
            if likeness[row, k] >= ALIKE:
                results.append(Nearest(i, asked[int(k)], round(float(likeness[row, k]), 3)))
    return results
