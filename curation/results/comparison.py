"""Results: two checkpoints on the same eval examples. What got fixed, what broke, and how sure that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from curation.kinds import provenance
from curation.results import gate, lines
from curation.results.coverage import Coverage, coverage
from curation.results.eval_set import OTHER, EvalSet, Grouping, Score, eval_set, scores
from curation.results.gate import Gate, GateRule
from curation.results.lines import RIGHT, Line, Lines
from curation.statistics.answer_balance import answer_weights
from data.records import Checkpoint, Record
from data.store import Store

__all__ = ["OTHER", "Accuracies", "Change", "Changes", "Comparison", "Score", "Which", "accuracies", "changes", "compare"]
Which = Literal["fixed", "broken"]
GROUPINGS: tuple[Grouping, ...] = ("dataset", "error_type", "kind", "cluster", "slice")


@dataclass(frozen=True)
class Accuracies(Record):
    """Accuracy on the eval splits, fractions (ANLS: mean similarity); `overall` is None where nothing was answered.

    `balanced` counts each gold answer the same; `majority` is what the most frequent answer of dataset,
    error type and named kind would reach.
    """

    overall: float | None
    by_dataset: dict[str, float]
    by_error_type: dict[str, float]
    balanced: float | None
    balanced_by_error_type: dict[str, float]
    majority: float | None
    majority_by_error_type: dict[str, float]


@dataclass(frozen=True)
class Comparison(Record):
    """`examples` were answered by both; `coverage` says what is left out. `left_out`: groups by table that have no line."""

    before: str
    after: str
    score: Score
    examples: int
    coverage: Coverage
    overall: Line
    by_dataset: list[Line]
    by_error_type: list[Line]
    by_kind: list[Line]
    by_cluster: list[Line]
    by_slice: list[Line]
    left_out: dict[str, int]
    kinds_note: str | None  # how the examples came by kinds that their datasets don't state; None where all do
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
    kind: str
    cluster: str


@dataclass(frozen=True)
class Changes(Record):
    """A page of the examples that were fixed or broken, and how many there are."""

    total: int
    rows: list[Change]


def accuracies(store: Store, checkpoint: Checkpoint) -> Accuracies:
    """Accuracy of a checkpoint on the eval splits."""
    examples = _eval_set(store, checkpoint, checkpoint)
    values = scores(store, examples, checkpoint, "strict")
    answered = np.flatnonzero(np.isfinite(values))
    if not len(answered):
        return Accuracies(None, {}, {}, None, {}, None, {})

    def plain(rows: np.ndarray) -> float:
        return float(values[rows].mean())

    def balanced(rows: np.ndarray) -> float:
        return float(np.average(values[rows], weights=answer_weights(examples.answers[rows])))

    def majority(rows: np.ndarray) -> float:
        return float(examples.hits[rows].mean())

    def each(by: Grouping, what: Callable[[np.ndarray], float]) -> dict[str, float]:
        return {name: what(answered[rows]) for name, rows in examples.groups(by, answered).items()}

    return Accuracies(
        overall=plain(answered),
        by_dataset=each("dataset", plain),
        by_error_type=each("error_type", plain),
        balanced=balanced(answered),
        balanced_by_error_type=each("error_type", balanced),
        majority=majority(answered),
        majority_by_error_type=each("error_type", majority),
    )


def compare(
    store: Store, before: Checkpoint, after: Checkpoint, score: Score = "strict", tables: Sequence[Grouping] = GROUPINGS
) -> Comparison:
    """Two checkpoints on the eval examples that both have answered.

    Differences are paired, their 95 % intervals clustered by image; p-values of each table are adjusted by Holm's method. The release
    gate is non-inferiority by the workspace's rule (gate.py). `tables` are made (and those that the gate looks at); the others stay
    empty. Kept until examples, predictions or the rule change. Raises ValueError if no example was answered by both.
    """
    examples, rule = _eval_set(store, before, after), gate.rule(store)
    needed = tuple(by for by in GROUPINGS if by in tables or by in rule.groups)
    marks = [store.remembered("eval_prediction_mark", str, checkpoint_id=checkpoint.checkpoint_id)[0] for checkpoint in (before, after)]
    name = ("comparison", before.name, after.name, score, needed)
    made = store.memo(name, (examples.mark, rule, *marks), lambda _: _compared(store, examples, before, after, score, rule, needed))
    if made is None:
        raise ValueError(f"{before.name} and {after.name} have no eval example in common; evaluate both on the eval split first")
    return made


def changes(
    store: Store,
    before: Checkpoint,
    after: Checkpoint,
    which: Which,
    name: str | None,
    limit: int,
    offset: int,
    by: Grouping = "error_type",
    score: Score = "strict",
) -> Changes:
    """A page of the examples that were fixed or broken (`which`), with both answers; of one group of a table if `name` is given."""
    examples = _eval_set(store, before, after)
    old, new = (scores(store, examples, checkpoint, score) for checkpoint in (before, after))
    turned = (old < RIGHT) & (new >= RIGHT) if which == "fixed" else (new < RIGHT) & (old >= RIGHT)
    rows = np.flatnonzero(turned)
    if name is not None:
        rows = rows[examples.groups(by, rows).get(name, rows[:0])]
    page = rows[offset : offset + limit]
    given = {"before": before.checkpoint_id, "after": after.checkpoint_id, "ids": examples.ids[page].tolist()}
    cards = {card.example_id: card for card in store.rows("changed_examples", ChangeCard, **given)}
    return Changes(
        len(rows),
        [
            Change(
                **vars(cards[int(examples.ids[i])]),
                error_type=examples.error_types[i],
                kind=examples.kinds[i],
                cluster=examples.clusters[i],
            )
            for i in page
        ],
    )


def _eval_set(store: Store, before: Checkpoint, after: Checkpoint) -> EvalSet:
    """The eval examples with the clusters of the round that the second checkpoint came from."""
    return eval_set(store, store.one("round_of_pair", int, before=before.checkpoint_id, after=after.checkpoint_id))


def _compared(
    store: Store, found: EvalSet, before: Checkpoint, after: Checkpoint, score: Score, rule: GateRule, needed: Sequence[Grouping]
) -> Comparison | None:
    old, new = (scores(store, found, checkpoint, score) for checkpoint in (before, after))
    overall = lines.line("overall", found, np.arange(len(found.ids)), old, new)
    if overall is None:
        return None
    made = {by: lines.table(found, by, old, new) if by in needed else Lines([], 0) for by in GROUPINGS}
    return Comparison(
        before=before.name,
        after=after.name,
        score=score,
        examples=overall.items,
        coverage=coverage([before.name, after.name], [old, new]),
        overall=overall,
        by_dataset=made["dataset"].lines,
        by_error_type=made["error_type"].lines,
        by_kind=made["kind"].lines,
        by_cluster=made["cluster"].lines,
        by_slice=made["slice"].lines,
        left_out={by: table.left_out for by, table in made.items() if table.left_out},
        kinds_note=provenance.in_words(provenance.sources(store, split="eval")),
        fixed=overall.fixed,
        broken=overall.broken,
        wrong_before=int((old[np.isfinite(old) & np.isfinite(new)] < RIGHT).sum()),
        gate=gate.verdict(
            rule,
            {
                "overall": [overall],
                "dataset": made["dataset"].lines,
                "error_type": made["error_type"].lines,
                "kind": made["kind"].lines,
                "cluster": made["cluster"].lines,
            },
        ),
    )
