"""Accuracy balanced by answer, and what always giving the most frequent answer would reach.

Where 84 % of a kind's gold answers are "yes", a checkpoint that learns to say "yes" looks as if it had learnt the kind. Balanced by
answer, each gold answer counts the same however often it occurs; the majority answer's rate is what the form of answers alone gives.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from curation.statistics.intervals import Difference, codes, paired_difference
from data.metrics import normalise


def gold_answer(golds: Sequence[str]) -> str:
    """The answer that an example stands for: its most frequent gold after normalisation, the earlier one of a tie.

    >>> gold_answer(["Two", "three", "2"])
    '2'
    """
    if len(golds) == 1 or all(gold == golds[0] for gold in golds):
        return normalise(golds[0])
    return Counter(map(normalise, golds)).most_common(1)[0][0]


def balanced_accuracy(scores: Sequence[float] | np.ndarray, answers: Sequence[Hashable] | np.ndarray) -> float:
    """Mean over the gold answers of the mean score of their items: n scores from 0 to 1, n answers. NaN without items.

    For 0/1 scores this is the mean recall of the answers (Brodersen et al. 2010, "The balanced accuracy and its posterior distribution").

    >>> balanced_accuracy([1, 1, 1, 0], ["yes", "yes", "yes", "no"])
    0.5
    """
    members = codes(answers)
    if len(members) != len(scores):
        raise ValueError(f"{len(scores)} scores and {len(members)} answers: one answer a score is needed")
    if not len(members):
        return float("nan")
    return float(np.mean(np.bincount(members, np.asarray(scores, dtype=np.float64)) / np.bincount(members)))


def majority_hits(answers: Sequence[Hashable] | np.ndarray, strata: Sequence[Hashable] | np.ndarray | None = None) -> np.ndarray:
    """Which of n items always giving the most frequent gold answer of their stratum gets right: bool of shape (n,).

    Strata are what a checkpoint can tell apart without looking at the image (dataset and error type, say); None: all items are one.
    Of answers that are equally frequent the one that occurs first counts.
    """
    members = codes(answers)
    groups = np.zeros(len(members), dtype=np.int64) if strata is None else codes(strata)
    if len(groups) != len(members):
        raise ValueError(f"{len(members)} answers and {len(groups)} strata: one stratum an answer is needed")
    if not len(members):
        return np.zeros(0, dtype=bool)
    width = int(members.max()) + 1
    cells, first, counts = np.unique(groups * width + members, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts, cells // width))  # of each stratum the most frequent answer first
    _, leading = np.unique((cells // width)[order], return_index=True)
    majority = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    majority[(cells // width)[order][leading]] = (cells % width)[order][leading]
    hits: np.ndarray = members == majority[groups]
    return hits


def majority_rate(answers: Sequence[Hashable] | np.ndarray, strata: Sequence[Hashable] | np.ndarray | None = None) -> float:
    """Share of items that always giving the most frequent gold answer (of each stratum) gets right. NaN without items.

    >>> majority_rate(["yes", "yes", "red", "red", "blue"]), majority_rate(["yes", "yes", "red", "red", "blue"], list("aabbb"))
    (0.4, 0.8)
    """
    hits = majority_hits(answers, strata)
    return float(hits.mean()) if len(hits) else float("nan")


def balanced_difference(
    before: Sequence[float] | np.ndarray,
    after: Sequence[float] | np.ndarray,
    answers: Sequence[Hashable] | np.ndarray,
    clusters: Sequence[Hashable] | np.ndarray | None = None,
) -> Difference:
    """The paired difference of accuracies balanced by answer, with its 95 % interval clustered by image (intervals.paired_difference)."""
    return paired_difference(before, after, clusters, weights=answer_weights(answers))


def answer_weights(answers: Sequence[Hashable] | np.ndarray) -> np.ndarray:
    """A weight an item under which each answer counts the same; their mean is 1."""
    members = codes(answers)
    counts = np.bincount(members)
    weights: np.ndarray = len(members) / (len(counts) * counts[members]) if len(members) else np.ones(0)
    return weights
