"""Scoring inside a job: what the app's half puts into the rows and the folder, and the child's half scores answers by."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from curation.stage import Row
from data.metrics import circular_answer, measure, score
from data.metrics.cider_corpus import CiderCorpus
from data.records import Ask, Metric, Record, Split
from data.store import Store


@dataclass(frozen=True)
class Golds(Record):
    golds: tuple[str, ...]


@dataclass(frozen=True)
class Answer(Record):
    """A checkpoint's answer to an example, with both scores."""

    dataset: str
    external_id: str
    split: Split
    question: str
    golds: tuple[str, ...]
    choices: tuple[str, ...]
    metric: Metric
    answer: str
    strict: float
    lenient: float
    cut: bool  # it had not ended at the longest length that was asked for

    def with_reading(self) -> "ReadAnswer":
        return ReadAnswer(**vars(self), read=reading(self.metric, self.answer, self.golds, self.choices))


@dataclass(frozen=True)
class ReadAnswer(Answer):
    """An answer, and what the lenient score read from it; None: nothing."""

    read: str | None


def reading(metric: Metric, answer: str, golds: Sequence[str], choices: Sequence[str]) -> str | None:
    """What the lenient score reads from an answer; None: nothing."""
    return score(metric, answer, golds, choices).read


class Corpora:
    """The golds of whole splits, for metrics that weigh an answer by them (CIDEr): each is written once into the job's folder."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._files: dict[tuple[str, str], str] = {}

    def of(self, metric: Metric, dataset: str, split: str) -> dict[str, str]:
        """What a row needs to be scored beside golds and choices: the name of its split's file, or nothing."""
        if not measure(metric).wants_corpus:
            return {}
        if (dataset, split) not in self._files:
            name = f"golds-{len(self._files)}.jsonl"
            rows = self._store.rows("golds_of_split", Golds, dataset=dataset, split=split)
            with (self._folder / name).open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row.golds, ensure_ascii=False) + "\n" for row in rows)
            self._files[dataset, split] = name
        return {"corpus": self._files[dataset, split]}


class Scorer:
    """Scores answers in a job's child."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._corpora: dict[str, CiderCorpus] = {}

    def scores(self, row: Row, answer: str) -> dict[str, Any]:
        """Strict and lenient score of an answer to a row's example, and what the lenient one read."""
        name = row.get("corpus")
        if name and name not in self._corpora:
            self._corpora[name] = CiderCorpus(_golds(self._folder / name))
        scored = score(cast(Metric, row["metric"]), answer, row["golds"], row["choices"], self._corpora.get(name) if name else None)
        return {"strict": scored.strict, "lenient": scored.lenient, "read": scored.read}


def answered(baseline: Any, scorer: Scorer, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """A baseline's answers to rows that ask it, scored, one result a row; under circular evaluation one of several answers counts."""
    answers = iter(baseline.answer([ask for row in rows for ask in _asks(row)]))
    for row in rows:
        given = [next(answers) for _ in _texts(row)]
        if wrong := next((answer for answer in given if isinstance(answer, Exception)), None):
            yield {"key": row["key"], "error": str(wrong)}
        else:
            answer = circular_answer(given) if "rotations" in row else given[0]
            cut = {"cut": True} if any(getattr(one, "cut", False) for one in given) else {}
            yield {"key": row["key"], "answer": answer, **cut, **scorer.scores(row, answer)}


def _texts(row: Row) -> list[str]:
    texts: list[str] = row.get("rotations") or [row["text"]]
    return texts


def _asks(row: Row) -> list[Ask]:
    return [Ask(row["key"], text, row["image_path"], row.get("max_new_tokens"), tuple(row.get("stop") or ())) for text in _texts(row)]


def _golds(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
