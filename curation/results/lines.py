"""A line of a results table: a group of eval examples that two checkpoints answered, with all that is said of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from curation.results.eval_set import EvalSet, Grouping
from curation.statistics import intervals
from curation.statistics.answer_balance import answer_weights
from data.records import Record

RIGHT = 0.5  # a prediction that scores at least this is right where fixed and broken are counted
SUPPORT = 20  # examples that a slice must have to be listed
MOST = 200  # groups that a table lists, the largest
LEAST_DISCORDANT = 0.02  # share of pairs that is at least taken to change, where a minimum detectable difference is computed
Learnt = Literal["skill", "form"]


@dataclass(frozen=True)
class Line(Record):
    """A group of pairs: accuracies, their paired difference with its 95 % interval, and what so many pairs would show.

    `balanced_…` counts each gold answer the same; `majority` is what always giving the most frequent gold answer of dataset, error
    type and named kind would reach, `balanced_majority` the same balanced by answer.
    """

    name: str
    items: int
    images: int
    answered_before: int  # of the group, compared or not
    answered_after: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    detectable: float  # minimum detectable difference (80 % power)
    majority: float
    balanced_before: float
    balanced_after: float
    balanced_difference: float
    balanced_low: float
    balanced_high: float
    balanced_majority: float
    answers: int  # different gold answers; with a single one form and skill can't be told apart
    learnt: Learnt | None  # a significant gain: shown to be above the majority answer, balanced (skill), or not (form)
    fixed: int
    broken: int
    p_holm: float | None = None  # adjusted over the groups

    @property
    def one_only(self) -> int:
        """Examples that only one of the two has answered."""
        return self.answered_before + self.answered_after - 2 * self.items


@dataclass(frozen=True)
class Lines(Record):
    """A table: its lines, largest first, and the groups that are left out because they are small or too many."""

    lines: list[Line]
    left_out: int


def line(name: str, found: EvalSet, rows: np.ndarray, before: np.ndarray, after: np.ndarray) -> Line | None:
    """The line of some examples (`rows`: positions in the eval set); scores are of all examples, NaN where there is no answer.

    None if no example was answered by both.
    """
    answered = np.isfinite(before[rows]), np.isfinite(after[rows])
    both = rows[answered[0] & answered[1]]
    if not len(both):
        return None
    old, new, images, weights = before[both], after[both], found.images[both], answer_weights(found.answers[both])
    plain = intervals.paired_difference(old, new, images)
    balanced = intervals.paired_difference(old, new, images, weights=weights)
    hits = found.hits[both]
    above = intervals.paired_difference(hits, new, images, weights=weights)
    answers = len(np.unique(found.answers[both]))
    gained: Learnt = "skill" if balanced.low > 0 and above.low > 0 else "form"
    discordant = max(float(np.mean(old != new)), LEAST_DISCORDANT)
    return Line(
        name=name,
        items=len(both),
        images=len(np.unique(images)),
        answered_before=int(answered[0].sum()),
        answered_after=int(answered[1].sum()),
        before=float(old.mean()),
        after=float(new.mean()),
        difference=plain.value,
        low=plain.low,
        high=plain.high,
        p=plain.p,
        detectable=intervals.minimum_detectable_difference(len(both), discordant, intervals.design_effect(old, new, images)),
        majority=float(hits.mean()),
        balanced_before=float(np.average(old, weights=weights)),
        balanced_after=float(np.average(new, weights=weights)),
        balanced_difference=balanced.value,
        balanced_low=balanced.low,
        balanced_high=balanced.high,
        balanced_majority=float(np.average(hits, weights=weights)),
        answers=answers,
        learnt=gained if plain.low > 0 and answers > 1 else None,
        fixed=int(((old < RIGHT) & (new >= RIGHT)).sum()),
        broken=int(((new < RIGHT) & (old >= RIGHT)).sum()),
    )


def table(found: EvalSet, by: Grouping, before: np.ndarray, after: np.ndarray) -> Lines:
    """A line a group, largest first, with p-values adjusted over the groups (Holm)."""
    groups = sorted(found.groups(by, np.arange(len(found.ids))).items(), key=lambda item: -len(item[1]))
    least = SUPPORT if by == "slice" else 1
    lines = [made for name, rows in groups if len(rows) >= least and (made := line(name, found, rows, before, after))]
    kept = [made for made in sorted(lines, key=lambda made: -made.items) if made.items >= least][:MOST]
    return Lines(adjusted(kept), len(groups) - len(kept))


def adjusted(lines: Sequence[Line]) -> list[Line]:
    """The lines with p-values adjusted for being so many."""
    return [replace(line, p_holm=p) for line, p in zip(lines, intervals.holm([line.p for line in lines]))]
