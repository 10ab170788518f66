"""Predictions that a model made elsewhere: lines are joined with a dataset's examples, and what can't be joined is counted by reason.

{"id": "q17", "answer": "two", "split": "train"}

id      the example's: also as `question_id`, `questionId` or `index`; 17 and 17.0 are the id "17"
answer  text, or a number, which counts as it is written: also as `prediction`, `response` or `output`, beside which `answer` is the
        gold one. null and NaN are no answer; lists, objects, true and false are none either. Under circular evaluation: the list
        of the answers to all rotations
split   only where an id stands in several splits

The file holds an object a line, or one JSON array of objects, in UTF-8; or a table (.csv, .tsv, .xlsx). What lmms-eval, VLMEvalKit and
OpenCompass write is read too (harness_items.py): by ids, else by number (place_join.py), else by questions that stand once. Where an
example stands twice the last line counts: a run that was resumed appends.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.imports import harness_items
from curation.imports.harness_items import Item
from curation.imports.place_join import BadPlaces, split_of
from data import bounded_reading
from data.datasets._lists import ListOptions
from data.errors import MistakebookError
from data.json_text import BadFile, Flawed, NoNumber
from data.metrics import circular_answer, measure
from data.records import Metric, Record, Split
from data.registry import DATASETS

EXAMPLES = 5  # named for each reason
_SHOWN = 80  # characters of a line in its error
MOST_ARRAY = 256 * 2**20  # bytes of a JSON array, which the app reads as one piece
TABLES = {".csv": "csv", ".tsv": "tsv", ".xlsx": "xlsx"}  # the format of datasets that reads files with this ending
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class BadPredictions(MistakebookError):
    """A file of predictions that can't be used at all; the text says why and what to do."""


@dataclass(frozen=True)
class KnownExample(Record):
    """An example as predictions are joined with it."""

    example_id: int
    external_id: str
    split: Split
    golds: tuple[str, ...]
    choices: tuple[str, ...]
    metric: Metric
    position: int | None = None  # in its official split, from 0; None: not known
    question: str = ""


@dataclass(frozen=True)
class Unused:
    """A line that gives no prediction: `source` is file and line, `reason` one of `Joined.REASONS`."""

    source: str
    reason: str
    error: str


@dataclass
class Joined:
    """Predictions joined with a dataset, and what is left over."""

    REASONS = {
        "duplicate": "superseded by a later line",
        "unmatched": "no such example",
        "no_answer": "no answer",
        "unreadable": "not readable",
        "known": "answered before",
        "changed": "answered otherwise before",
    }

    answers: dict[int, tuple[str, str]] = field(default_factory=dict)  # by example: file and line, answer
    unused: list[Unused] = field(default_factory=list)
    blank: int = 0  # answers without a visible character: scored like any other
    without: int = 0  # examples that no line is about, of the splits that lines are about
    by: str = ""  # how lines without an id of the dataset were joined, in words

    def counts(self) -> dict[str, int]:
        """How many lines were matched, and how many were not, by reason; `without`: examples that no line answers."""
        found = {"matched": len(self.answers), **dict.fromkeys(self.REASONS, 0)}
        for line in self.unused:
            found[line.reason] += 1
        return found | {"blank": self.blank, "without": self.without}

    def in_words(self) -> str:
        """The counts in one line: matched, unmatched, duplicate and no answer always, others where there are any."""
        counts = self.counts()
        always = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in ("matched", "unmatched", "duplicate", "no_answer")]
        others = {
            "unreadable": "not readable",
            "known": "answered before",
            "changed": "answered otherwise before (the earlier answer stays; import under another checkpoint's name to keep both)",
            "blank": "blank",
            "without": "still unanswered",
        }
        return " · ".join(
            always + [f"{counts[name]:,} {words}" for name, words in others.items() if counts[name]] + [self.by] * bool(self.by)
        )


def join(path: Path, examples: Sequence[KnownExample], answered: dict[int, str], split: Split | None = None) -> Joined:
    """The predictions of a file for a dataset's examples; `answered` is what the checkpoint answered before, by example.

    `split`: the one that lines without a split belong to. Raises BadPredictions if the file is no text in UTF-8, an array that isn't
    valid JSON, or numbers its items and these numbers fit no split.
    """
    joined, index = Joined(), _Index(examples, split)
    index.read(list(_items(path)), joined)
    for source, item in index.items:
        try:
            example = index.example(item)
            answer = _answer(item.answer, item.name, example)
        except _NotUsed as error:
            joined.unused.append(Unused(source, error.reason, str(error)))
            continue
        if earlier := joined.answers.pop(example.example_id, None):
            told = f"{example.external_id!r} stands again in {source.rpartition('/')[2]}, which counts"
            joined.unused.append(Unused(earlier[0], "duplicate", told))
        joined.answers[example.example_id] = source, answer
    for example_id, (source, answer) in list(joined.answers.items()):
        if example_id in answered:
            same = answered[example_id] == answer
            told = "answered before, with the same answer" if same else f"answered before: {answered[example_id][:_SHOWN]!r}, which stays"
            joined.unused.append(Unused(source, "known" if same else "changed", told))
            del joined.answers[example_id]
    joined.blank = sum(not answer.strip() for _, answer in joined.answers.values())
    splits = {example.split for example in examples if example.example_id in joined.answers}
    joined.without = sum(
        example.split in splits and example.example_id not in joined.answers and example.example_id not in answered for example in examples
    )
    return joined


class _NotUsed(MistakebookError):
    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Number(str):
    """A number of JSON as it is written."""


def _items(path: Path) -> Iterator[tuple[str, Any]]:
    """(file and line, what it holds) of a file; what is no JSON comes as _NotUsed."""
    if path.suffix.lower() in TABLES:
        yield from _rows(path)
        return
    with bounded_reading.opened(path) as file:
        start = file.read(64)
        if (encoding := _OTHER_ENCODINGS.get(start[:2])) or b"\0" in start:
            raise BadPredictions(f"{path} is in {encoding or 'no text encoding'}, expected UTF-8; save it as UTF-8 and import again")
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        try:
            with bounded_reading.bounded(whole=MOST_ARRAY):
                items = _parsed(bounded_reading.whole(path))
        except bounded_reading.TooLarge as error:
            raise BadPredictions(f"{path}: {error.strerror}; write one object a line instead of an array") from error
        except ValueError as error:
            raise BadPredictions(f"{path} begins like a JSON array but isn't valid JSON ({error}); correct it") from error
        yield from ((f"{path}#{number}", item) for number, item in enumerate(items, 1))
        return
    if path.suffix.lower() == ".json" and (items := _numbered(path)) is not None:
        yield from ((f"{path}#{number}", item) for number, item in enumerate(items, 1))
        return
    for number, raw in bounded_reading.lines(path):
        if raw is None:
            yield f"{path}:{number}", _NotUsed("unreadable", f"{bounded_reading.LONG_LINE}; {_EXPECTED}")
            continue
        line = raw.removeprefix(b"\xef\xbb\xbf").strip()
        if not line:
            continue
        try:
            yield f"{path}:{number}", _parsed(line)
        except (ValueError, RecursionError) as error:
            yield f"{path}:{number}", _NotUsed("unreadable", f"the line is not valid JSON ({error}); {_EXPECTED}")


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a table, a number as it is written; a row that can't be read comes as _NotUsed."""
    table = DATASETS.load(TABLES[path.suffix.lower()])(ListOptions(path=path))
    try:
        for source, row in table.rows(path):
            if isinstance(row, Flawed):
                yield source, _NotUsed("unreadable", row.error)
            else:
                yield source, {name: _cell(value) for name, value in row.items()}
    except BadFile as error:
        raise BadPredictions(f"{path}: {error}") from error


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return NoNumber()
    return _Number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _numbered(path: Path) -> list[Any] | None:
    """The items of one JSON object that numbers them or holds them as logs; None where the file is another."""
    try:
        with bounded_reading.bounded(whole=MOST_ARRAY):
            content = _parsed(bounded_reading.whole(path))
    except (bounded_reading.TooLarge, ValueError):
        return None
    return harness_items.numbered(content) if isinstance(content, dict) else None


def _parsed(content: bytes) -> Any:
    text = content.removeprefix(b"\xef\xbb\xbf").decode()
    return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=lambda _: NoNumber(), object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"field {twice!r} stands twice in one object")
    return dict(pairs)


_EXPECTED = 'expected {"id": …, "answer": …}; correct or delete the line'


class _Index:
    """Finds the example that an item is about: by its id, else by its number in a split, else by a question that stands once."""

    def __init__(self, examples: Sequence[KnownExample], split: Split | None) -> None:
        self.examples, self.split = examples, split
        self.items: list[tuple[str, Item]] = []
        self._by_id: dict[tuple[str, str | None], list[KnownExample]] = {}
        self._by_question: dict[str, list[KnownExample]] = {}
        self._by_place: dict[int, KnownExample] = {}
        for example in examples:
            self._by_id.setdefault((example.external_id, example.split), []).append(example)
            self._by_id.setdefault((example.external_id, None), []).append(example)
            if example.question:
                self._by_question.setdefault(example.question, []).append(example)

    def read(self, found: list[tuple[str, Any]], joined: Joined) -> None:
        """Reads what a file holds; what is no item is unused. Raises BadPredictions where items have numbers that fit no split."""
        for source, content in found:
            try:
                self.items.append((source, _item(content)))
            except _NotUsed as error:
                joined.unused.append(Unused(source, error.reason, str(error)))
        numbered = [(source, item) for source, item in self.items if item.place is not None and not self._of_id(item)]
        if not numbered or any(self._of_id(item) for _, item in self.items):
            return  # ids are known: a strange one is unmatched, whatever number it has
        if all(item.identifier is not None and item.question is None and item.gold is None for _, item in numbered):
            return  # ids of our own form that this dataset lacks
        try:
            split = split_of(numbered, self.examples, self.split)
        except BadPlaces as error:
            raise BadPredictions(str(error)) from error
        self._by_place = {example.position: example for example in self.examples if example.split == split and example.position is not None}
        joined.by = f"joined by their numbers in split {split}"

    def example(self, item: Item) -> KnownExample:
        """Raises _NotUsed."""
        found = self._of_id(item)
        if not found and item.place is not None and item.place in self._by_place:
            return self._by_place[item.place]
        if not found and item.question:
            found = self._by_question.get(item.question, [])
            if len(found) > 1:
                raise _NotUsed("unmatched", f"its question stands {len(found)} times in the dataset; give the example's id")
        if not found:
            told = f"no example {_identifier(item.identifier)!r}" if item.identifier is not None else "no example with its question"
            where = f" in split {item.split!r}" if item.split is not None else ""
            raise _NotUsed("unmatched", f"the dataset has {told}{where}; check the id and the split")
        if len(found) > 1:
            splits = ", ".join(sorted(example.split for example in found))
            raise _NotUsed("unmatched", f'{_identifier(item.identifier)!r} stands in the splits {splits}; say which by "split"')
        return found[0]

    def _of_id(self, item: Item) -> list[KnownExample]:
        identifier = _identifier(item.identifier)
        return [] if identifier is None else self._by_id.get((identifier, item.split or self.split), [])


def _item(content: Any) -> Item:
    """What an element of a file says. Raises _NotUsed."""
    if isinstance(content, _NotUsed):
        raise content
    if not isinstance(content, dict):
        raise _NotUsed("unreadable", f"found a JSON {_kind(content)}, {_EXPECTED}")
    item = harness_items.read(content)
    if not item.found or (_identifier(item.identifier) is None and item.place is None and item.question is None):
        raise _NotUsed("unreadable", f"no field {'answer' if item.identifier is not None else 'id'!r} among {_names(content)}; {_EXPECTED}")
    return item


def _names(item: dict[str, Any]) -> str:
    """The names of an object's fields, the first few: what is wrong is told without what the others hold."""
    shown = [name[:20] for name in list(item)[:5]]
    return f"{', '.join(map(repr, shown)) or 'none'}{' …' if len(item) > 5 else ''}"


def _identifier(value: Any) -> str | None:
    """An id as text: 17 and 17.0 are "17". None if it is no text and no number."""
    if isinstance(value, _Number):
        number = float(value)
        return str(int(number)) if math.isfinite(number) and number.is_integer() and abs(number) < 2**53 else str(value)
    return str(value) if isinstance(value, str) and value else None


def _answer(value: Any, name: str, example: KnownExample) -> str:
    """An answer as text. Raises _NotUsed."""
    if measure(example.metric).once:
        count = len(example.choices)
        if isinstance(value, list) and len(value) == count and all(isinstance(one, str) for one in value):
            return circular_answer([str(one) for one in value])
        expected = f"circular evaluation wants a list of {count} texts, one for each rotation of the choices"
        raise _NotUsed("no_answer", f"{name} is {_kind(value)}, and {expected}")
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, NoNumber):
        raise _NotUsed("no_answer", f"{name} is {_kind(value)}: the example stays unanswered")
    raise _NotUsed("no_answer", f"{name} is {_kind(value)}, expected text; the example stays unanswered")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    kinds: dict[type, str] = {_Number: "a number", NoNumber: "NaN or infinite", str: "a text", list: "a list", dict: "an object"}
    return next(words for kind, words in kinds.items() if isinstance(value, kind))
