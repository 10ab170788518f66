"""Predictions that a model made elsewhere: lines are joined with a dataset's examples, and what can't be joined is counted by reason.

{"id": "q17", "answer": "two", "split": "train"}

id      the example's: also as `question_id`, `questionId` or `index`; 17 and 17.0 are the id "17"
answer  text, or a number, which counts as it is written: also as `prediction`, `response` or `output`. A file has one field of answers:
        where any line has a `prediction`, an `answer` is the gold one. null, NaN, blanks and empty cells are no answer; lists, objects,
        true and false are none either. Under circular evaluation: the list of the answers to all rotations
split   only where an id stands in several splits

The file holds an object a line, an array of objects (in an object, if need be), in UTF-8; or a table (.csv, .tsv, .xlsx). What lmms-eval,
VLMEvalKit and OpenCompass write is read too (harness_items.py). How lines find their examples: example_joins.py. A line that states a
question or gold answer which isn't the example's is not used. Where an example stands twice the last line counts: a run that was resumed
appends.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.imports import example_joins, harness_items
from curation.imports.harness_items import Fields, Item
from curation.imports.known_examples import KnownExample, identifier
from curation.imports.prediction_file import EXPECTED, NotUsed, Number, PredictionFile
from data.json_text import NoNumber
from data.metrics import circular_answer, measure
from data.records import Split

EXAMPLES = 5  # lines kept of each reason
_SHOWN = 80  # characters of an earlier answer in an error
Blanks = Literal["skip", "wrong"]


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
        "contradicts": "asks something else than the example of its id or number",
        "no_answer": "no answer",
        "unreadable": "not readable",
        "known": "answered before",
        "changed": "answered otherwise before",
    }

    answers: dict[int, tuple[str, str]] = field(default_factory=dict)  # by example: its line, answer; "": blank, which is wrong
    unused: list[Unused] = field(default_factory=list)  # the first of each reason
    by_reason: Counter[str] = field(default_factory=Counter)  # how many of each reason
    without: int = 0  # examples that no line is about, of the splits that lines are about
    by: str = ""  # how lines were joined, and which field the answers are, in words

    def counts(self) -> dict[str, int]:
        """How many lines were matched, and how many were not, by reason; `without`: examples that no line answers."""
        blank = sum(not answer for _, answer in self.answers.values())
        return {
            "matched": len(self.answers),
            **{name: self.by_reason[name] for name in self.REASONS},
            "blank": blank,
            "without": self.without,
        }

    def in_words(self) -> str:
        """The counts in one line: matched, unmatched, duplicate and no answer always, others where there are any."""
        counts = self.counts()
        always = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in ("matched", "unmatched", "duplicate", "no_answer")]
        others = {
            "contradicts": "contradict the example of their id or number",
            "unreadable": "not readable",
            "known": "answered before",
            "changed": "answered otherwise before (the earlier answer stays; import under another checkpoint's name to keep both)",
            "blank": "blank, counted as wrong",
            "without": "still unanswered",
        }
        return " · ".join(
            always + [f"{counts[name]:,} {words}" for name, words in others.items() if counts[name]] + [self.by] * bool(self.by)
        )

    def leave_out(self, line: Unused) -> None:
        """Counts a line that is not used, and keeps it where it is among the first of its reason."""
        self.by_reason[line.reason] += 1
        if self.by_reason[line.reason] <= EXAMPLES:
            self.unused.append(line)

    def first_of_each(self) -> list[str]:
        """The first lines of each reason, with their errors."""
        return [f"{line.source}: {line.error}" for reason in self.REASONS for line in self.unused if line.reason == reason]


@dataclass(frozen=True)
class Asked:
    """How a file is to be read: `split` is that of lines that name none; `blanks` whether an empty answer counts as wrong or as none;
    `pictures` the folders in which pictures that lines name are looked for."""

    split: Split | None = None
    how: example_joins.How = "auto"
    blanks: Blanks = "skip"
    pictures: tuple[Path, ...] = ()


def join(
    path: Path,
    examples: Sequence[KnownExample],
    answered: Mapping[int, str],
    asked: Asked = Asked(),
    sink: Callable[[Unused], None] = lambda line: None,
) -> Joined:
    """The predictions of a file for a dataset's examples; `answered` is what the checkpoint answered before, by example.

    The file is read several times, an item at a time. `sink` is given every line that is not used. Raises BadPredictions if the file is no
    text in UTF-8, an array that isn't valid JSON, or one whose numbers fit no split.
    """
    file = PredictionFile(path)
    fields = harness_items.fields_of(content for _, content in file.items())

    def usable() -> Iterator[tuple[str, Item]]:
        for source, content in file.items():
            try:
                yield source, _item(content, fields)
            except NotUsed:
                continue

    way = example_joins.chosen(usable, example_joins.Examples(examples, asked.split, asked.pictures), asked.how)
    joined = Joined(by=", ".join(filter(None, (way.words, fields.in_words(), file.note))))

    def leave_out(source: str, reason: str, error: str) -> None:
        line = Unused(source, reason, error)
        joined.leave_out(line)
        sink(line)

    for source, content in file.items():
        try:
            item = _item(content, fields)
            example = way.find(item)
            answer = _answer(item, example, asked.blanks)
        except NotUsed as error:
            leave_out(source, error.reason, str(error))
            continue
        if earlier := joined.answers.pop(example.example_id, None):
            told = f"{example.external_id!r} stands again in {source.rpartition('/')[2]}, which counts"
            leave_out(f"{path}{earlier[0]}", "duplicate", told)
        joined.answers[example.example_id] = source.removeprefix(str(path)), answer
    for example_id, (place, answer) in list(joined.answers.items()) if answered else ():
        if example_id in answered:
            same = answered[example_id] == answer
            told = "answered before, with the same answer" if same else f"answered before: {answered[example_id][:_SHOWN]!r}, which stays"
            leave_out(f"{path}{place}", "known" if same else "changed", told)
            del joined.answers[example_id]
    splits = {example.split for example in examples if example.example_id in joined.answers}
    joined.without = sum(
        example.split in splits and example.example_id not in joined.answers and example.example_id not in answered for example in examples
    )
    return joined


def _item(content: Any, fields: Fields) -> Item:
    """What an element of a file says. Raises NotUsed."""
    if isinstance(content, NotUsed):
        raise content
    if not isinstance(content, dict):
        raise NotUsed("unreadable", f"found a JSON {_kind(content)}, {EXPECTED}")
    item = harness_items.read(content, fields)
    if identifier(item.identifier) is None and item.place is None and item.question is None:
        raise NotUsed("unreadable", f"no field 'id' among {_names(content)}; {EXPECTED}")
    return item


def _names(item: dict[str, Any]) -> str:
    """The names of an object's fields, the first few: what is wrong is told without what the others hold."""
    shown = [name[:20] for name in list(item)[:5]]
    return f"{', '.join(map(repr, shown)) or 'none'}{' …' if len(item) > 5 else ''}"


def _answer(item: Item, example: KnownExample, blanks: Blanks) -> str:
    """An answer as text; "": a blank or missing one, which counts as wrong. Raises NotUsed."""
    value, name = item.answer, item.name or "answer"
    if not item.found:
        blank = f"no field {name!r}, in which this file has its answers"
    elif value is None or isinstance(value, NoNumber):
        blank = f"{name} is {_kind(value)}"
    elif isinstance(value, str) and is_blank(value):
        blank = f"{name} is blank"
    elif measure(example.metric).once:
        return _circular(value, name, example)
    elif isinstance(value, str):
        return str(value)
    else:
        raise NotUsed("no_answer", f"{name} is {_kind(value)}, expected text; the example stays unanswered")
    if blanks == "wrong":
        return ""
    raise NotUsed("no_answer", f"{blank}: the example stays unanswered (--blank-answers wrong counts it as a wrong answer)")


def _circular(value: Any, name: str, example: KnownExample) -> str:
    count = len(example.choices)
    if isinstance(value, list) and len(value) == count and all(isinstance(one, str) and not is_blank(one) for one in value):
        return circular_answer([str(one) for one in value])
    expected = f"circular evaluation wants a list of {count} texts, one for each rotation of the choices"
    raise NotUsed("no_answer", f"{name} is {_kind(value)}, and {expected}")


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: blanks, control characters and characters without width alone.

    >>> is_blank(" \\u200b"), is_blank(".")
    (True, False)
    """
    return all(character.isspace() or unicodedata.category(character) in ("Cc", "Cf") for character in text)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    kinds: dict[type, str] = {Number: "a number", NoNumber: "NaN or infinite", str: "a text", list: "a list", dict: "an object"}
    return next(words for kind, words in kinds.items() if isinstance(value, kind))
