"""The eval examples as arrays: what results are grouped by, and how a checkpoint scored on them.

One row an example of an eval split, by ascending id. 100,000 of them are read once and kept until examples, kinds, clusters or corrected
error types change; scores are read for each comparison, as one array a checkpoint with NaN where it has not answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from curation import taxonomy
from curation.error_types import Taxonomy
from curation.statistics.answer_balance import gold_answer, majority_hits
from curation.statistics.intervals import codes
from data.records import Checkpoint, KindType
from data.store import Store

OTHER = "other"
NO_CLUSTER = "in no cluster"
Score = Literal["strict", "lenient"]
Grouping = Literal["dataset", "error_type", "kind", "cluster", "slice"]


@dataclass(frozen=True, eq=False)
class EvalSet:
    """n eval examples; every array is of shape (n,). Names are text, `images` and `answers` are codes from 0."""

    ids: np.ndarray
    images: np.ndarray
    answers: np.ndarray  # the most frequent gold answer
    hits: np.ndarray  # 1 where the majority answer of dataset, error type and named kind is right, else 0
    datasets: np.ndarray
    error_types: np.ndarray
    kinds: np.ndarray  # the dataset's, else the one that a frontier model named, else the error type
    clusters: np.ndarray  # titles
    openings: np.ndarray  # the first two words of the question
    lengths: np.ndarray  # of the gold answer
    mark: str

    def groups(self, by: Grouping, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The positions among `rows` of each group's examples; slices overlap, other groups don't."""
        if by != "slice":
            names = {"dataset": self.datasets, "error_type": self.error_types, "kind": self.kinds, "cluster": self.clusters}[by]
            return _positions(names[rows])
        crossed = np.char.add(np.char.add(self.datasets[rows].astype(str), " · "), self.error_types[rows].astype(str))
        return {
            **{f"question begins “{name}”": where for name, where in _positions(self.openings[rows]).items()},
            **{f"gold answer of {name}": where for name, where in _positions(self.lengths[rows]).items()},
            **_positions(crossed.astype(object)),
        }


def eval_set(store: Store, round_: int) -> EvalSet:
    """The eval examples, with the clusters of a round; kept until something of them changes."""
    types = {row.kind: row.error_type for row in store.remembered("kind_error_types", KindType)}
    types_of = taxonomy.current(store)
    mark = f"{round_} {types_of.version} {store.remembered('results_mark', str, round=round_)[0]} {hash(frozenset(types.items()))}"
    return store.memo(("eval set", round_), mark, lambda _: _read(store, round_, types, types_of, mark))


def scores(store: Store, found: EvalSet, checkpoint: Checkpoint, score: Score) -> np.ndarray:
    """A checkpoint's scores from 0 to 1, (n,); NaN where it has not answered."""
    answered = store.columns("eval_scores", checkpoint_id=checkpoint.checkpoint_id, score=score)
    values = np.full(len(found.ids), np.nan)
    places = np.searchsorted(found.ids, answered["example_id"])
    known = places < len(found.ids)
    known[known] = found.ids[places[known]] == answered["example_id"][known]
    values[places[known]] = answered["score"][known]
    return values


def _read(store: Store, round_: int, types: dict[str, str], types_of: Taxonomy, mark: str) -> EvalSet:
    rows = store.columns("eval_examples", round=round_)
    text = {name: np.asarray(values, dtype=object) for name, values in rows.items() if values.dtype.kind == "O"}
    answers = np.array([gold_answer(golds) for golds in store.column("eval_golds")] or [""], dtype=object)[: len(rows["example_id"])]

    def type_of(kind: str, tagged: str) -> str:
        return types_of.of_kind(kind) or types.get(kind) or _present(types_of, tagged) or OTHER

    kinds = _per_pair(text["kind"], text["named"], lambda kind, named: kind or named)
    names = _per_pair(kinds, text["tagged"], type_of)
    return EvalSet(
        ids=np.asarray(rows["example_id"], dtype=np.int64),
        images=codes(text["image"]),
        answers=codes(answers),
        hits=majority_hits(answers, list(zip(text["dataset"], names, text["named"]))).astype(np.float64),
        datasets=text["dataset"],
        error_types=names,
        kinds=_per_pair(kinds, names, lambda kind, name: kind or name),
        clusters=np.where(text["cluster"] == "", NO_CLUSTER, text["cluster"]),
        openings=text["opening"],
        lengths=_per_pair(answers, answers, lambda answer, _: _length(answer)),
        mark=mark,
    )


def _present(types_of: Taxonomy, tagged: str) -> str | None:
    error_type = types_of.find(tagged)
    return error_type.name if error_type else tagged or None


def _positions(names: np.ndarray) -> dict[str, np.ndarray]:
    """Where each name stands, names in alphabetical order."""
    members = codes(names)
    order = np.argsort(members, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(members))[:-1]) if len(names) else []
    return dict(sorted((str(names[part[0]]), part) for part in parts))


def _per_pair(first: np.ndarray, second: np.ndarray, make: Callable[[str, str], str]) -> np.ndarray:
    """`make` of each pair of texts, called once for each different pair."""
    made: dict[tuple[str, str], str] = {pair: make(*pair) for pair in set(zip(first, second))}
    return np.array([made[pair] for pair in zip(first, second)], dtype=object)


def _length(answer: str) -> str:
    words = len(answer.split())
    known = {0: "no word", 1: "1 word", 2: "2 words"}
    return known.get(words) or ("3 to 5 words" if words <= 5 else "more than 5 words")
