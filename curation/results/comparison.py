"""Results: two checkpoints on the same eval examples. What got fixed, what broke, and how sure that is."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal, TypeVar

import numpy as np

from curation import error_types
from curation.statistics import intervals
from data.records import Checkpoint, Record
from data.store import Store

RIGHT = 0.5  # a prediction that scores at least this is right where fixed and broken are counted
OTHER = "other"
Score = Literal["strict", "lenient"]
Which = Literal["fixed", "broken"]


@dataclass(frozen=True)
class EvalScore(Record):
    """How a checkpoint scored on an eval example."""

    example_id: int
    dataset: str
    image: str
    kind: str | None
    tagged: str | None  # the error type that the example was assigned to
    score_before: float


@dataclass(frozen=True)
class EvalPair(EvalScore):
    """How two checkpoints scored on an eval example that both have answered."""

    score_after: float

    @property
    def fixed(self) -> bool:
        return self.score_before < RIGHT <= self.score_after

    @property
    def broken(self) -> bool:
        return self.score_after < RIGHT <= self.score_before


@dataclass(frozen=True)
class Accuracies(Record):
    """Accuracy on the eval splits, fractions (ANLS: mean similarity); `overall` is None where nothing was answered."""

    overall: float | None
    by_dataset: dict[str, float]
    by_error_type: dict[str, float]


@dataclass(frozen=True)
class Line(Record):
    """A group of pairs: accuracies, their paired difference with its 95 % interval, and what so many pairs would show."""

    name: str
    items: int
    images: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    detectable: float  # minimum detectable difference (80 % power)
    p_holm: float | None = None  # adjusted over the groups


@dataclass(frozen=True)
class Gate(Record):
    """The release gate: overall and each dataset must be shown to lose at most the margin."""

    passed: bool
    not_shown: list[str]
    margin: float


@dataclass(frozen=True)
class Comparison(Record):
    before: str
    after: str
    score: Score
    examples: int
    overall: Line
    by_dataset: list[Line]
    by_error_type: list[Line]
    fixed: int
    broken: int
    wrong_before: int
    gate: Gate


@dataclass(frozen=True)
class ChangeCard(Record):
    """An example with the answers of both checkpoints."""

    example_id: int
    dataset: str
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    answer_before: str
    answer_after: str


@dataclass(frozen=True)
class Change(ChangeCard):
    """An example that was fixed or broken."""

    error_type: str


@dataclass(frozen=True)
class Changes(Record):
    """A page of the examples that were fixed or broken, and how many there are."""

    total: int
    rows: list[Change]


@dataclass(frozen=True)
class _KindType:
    kind: str
    error_type: str


Scored = TypeVar("Scored", bound=EvalScore)


def accuracies(store: Store, checkpoint: Checkpoint) -> Accuracies:
    """Accuracy of a checkpoint on the eval splits."""
    rows, type_of = store.rows("eval_scores", EvalScore, checkpoint_id=checkpoint.checkpoint_id), _type_of(store)
    by_dataset, by_type = _grouped(rows, attrgetter("dataset")), _grouped(rows, type_of)
    return Accuracies(
        _mean(rows) if rows else None,
        {name: _mean(group) for name, group in by_dataset.items()},
        {name: _mean(group) for name, group in by_type.items()},
    )


def compare(store: Store, before: Checkpoint, after: Checkpoint, score: Score = "strict") -> Comparison:
    """Two checkpoints on the eval examples that both have answered.

    Differences are paired, their 95 % intervals clustered by image; p-values of kinds are adjusted by Holm's method. The release
    gate is non-inferiority of each dataset and error type (DESIGN §9). Raises ValueError if no example was answered by both.
    """
    pairs = _pairs(store, before, after, score)
    if not pairs:
        raise ValueError(f"{before.name} and {after.name} have no eval example in common; evaluate both on the eval split first")
    by_dataset, by_type = _lines(_grouped(pairs, attrgetter("dataset"))), _lines(_grouped(pairs, _type_of(store)))
    overall = _line("overall", pairs)
    return Comparison(
        before=before.name,
        after=after.name,
        score=score,
        examples=len(pairs),
        overall=overall,
        by_dataset=by_dataset,
        by_error_type=by_type,
        fixed=sum(pair.fixed for pair in pairs),
        broken=sum(pair.broken for pair in pairs),
        wrong_before=sum(pair.score_before < RIGHT for pair in pairs),
        gate=_gate([overall, *by_dataset]),
    )


def changes(store: Store, before: Checkpoint, after: Checkpoint, which: Which, error_type: str | None, limit: int, offset: int) -> Changes:
    """A page of the examples that were fixed or broken (`which`), with both answers."""
    type_of = _type_of(store)
    turned = [pair for pair in _pairs(store, before, after, "strict") if getattr(pair, which)]
    types = {pair.example_id: type_of(pair) for pair in turned if error_type in (None, type_of(pair))}
    ids = list(types)[offset : offset + limit]
    given = {"before": before.checkpoint_id, "after": after.checkpoint_id, "ids": ids}
    cards = {card.example_id: card for card in store.rows("changed_examples", ChangeCard, **given)}
    return Changes(len(types), [Change(**vars(cards[i]), error_type=types[i]) for i in ids])


def _pairs(store: Store, before: Checkpoint, after: Checkpoint, score: Score) -> list[EvalPair]:
    return store.rows("eval_pairs", EvalPair, before=before.checkpoint_id, after=after.checkpoint_id, score=score)


def _type_of(store: Store) -> Callable[[EvalScore], str]:
    """The error type of an example: what its kind names itself, else what most diagnoses of the kind's failures say."""
    types = {row.kind: row.error_type for row in store.rows("kind_error_types", _KindType)}

    def type_of(row: EvalScore) -> str:
        return error_types.of_kind(row.kind) or types.get(row.kind or "") or row.tagged or OTHER

    return type_of


def _lines(groups: dict[str, list[EvalPair]]) -> list[Line]:
    """One line a group, largest first, with p-values adjusted over the groups."""
    lines = [_line(name, group) for name, group in sorted(groups.items(), key=lambda item: -len(item[1]))]
    return [replace(line, p_holm=adjusted) for line, adjusted in zip(lines, intervals.holm([line.p for line in lines]))]


def _line(name: str, pairs: Sequence[EvalPair]) -> Line:
    before, after = ([pair.score_before for pair in pairs], [pair.score_after for pair in pairs])
    images = [pair.image for pair in pairs]
    difference = intervals.paired_difference(before, after, images)
    discordant = float(np.mean(np.asarray(before) != np.asarray(after)))
    return Line(
        name=name,
        items=len(pairs),
        images=len(set(images)),
        before=float(np.mean(before)),
        after=float(np.mean(after)),
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        p=difference.p,
        detectable=intervals.minimum_detectable_difference(len(pairs), max(discordant, 0.02)),
    )


def _gate(lines: Sequence[Line]) -> Gate:
    not_shown = [line.name for line in lines if not intervals.non_inferior(line.low)]
    return Gate(not not_shown, not_shown, intervals.MARGIN)


def _grouped(rows: Sequence[Scored], by: Callable[[Scored], str]) -> dict[str, list[Scored]]:
    groups: dict[str, list[Scored]] = defaultdict(list)
    for row in rows:
        groups[by(row)].append(row)
    return dict(sorted(groups.items()))


def _mean(rows: Sequence[EvalScore]) -> float:
    return float(np.mean([row.score_before for row in rows]))
