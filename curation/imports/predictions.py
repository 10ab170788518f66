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

from collections.abc import Iterator, Sequence
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

    answers: dict[int, tuple[str, str]] = field(default_factory=dict)  # by example: file and line, answer
    unused: list[Unused] = field(default_factory=list)
    blank: int = 0  # answers without a visible character that count as wrong, as was asked
    without: int = 0  # examples that no line is about, of the splits that lines are about
    by: str = ""  # how lines were joined, and which field the answers are, in words

    def counts(self) -> dict[str, int]:
        """How many lines were matched, and how many were not, by reason; `without`: examples that no line answers."""
        counts = {"matched": len(self.answers), **dict.fromkeys(self.REASONS, 0)}
        for line in self.unused:
            counts[line.reason] += 1
        return counts | {"blank": self.blank, "without": self.without}

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

    def first_of_each(self, most: int = 5) -> list[str]:
        """The first lines of each reason, with their errors."""
        shown: dict[str, list[str]] = {reason: [] for reason in self.REASONS}
        for line in self.unused:
            if len(shown[line.reason]) < most:
                shown[line.reason].append(f"{line.source}: {line.error}")
        return [text for texts in shown.values() for text in texts]


@dataclass(frozen=True)
class Asked:
    """How a file is to be read: `split` is that of lines that name none; `blanks` whether an empty answer counts as wrong or as none;
    `pictures` the folders in which pictures that lines name are looked for."""

    split: Split | None = None
    how: example_joins.How = "auto"
    blanks: Blanks = "skip"
    pictures: tuple[Path, ...] = ()


def join(path: Path, examples: Sequence[KnownExample], answered: dict[int, str], asked: Asked = Asked()) -> Joined:
    """The predictions of a file for a dataset's examples; `answered` is what the checkpoint answered before, by example.

    Raises BadPredictions if the file is no text in UTF-8, an array that isn't valid JSON, or one whose numbers fit no split.
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
    for source, content in file.items():
        try:
            item = _item(content, fields)
            example = way.find(item)
            answer = _answer(item, example, asked.blanks)
        except NotUsed as error:
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
    """An answer as text. Raises NotUsed."""
    value, name = item.answer, item.name or "answer"
    if not item.found:
        raise NotUsed("no_answer", f"no field {name!r}, in which this file has its answers: the example stays unanswered")
    if measure(example.metric).once:
        count = len(example.choices)
        if isinstance(value, list) and len(value) == count and all(isinstance(one, str) for one in value) and any(map(str.strip, value)):
            return circular_answer([str(one) for one in value])
        expected = f"circular evaluation wants a list of {count} texts, one for each rotation of the choices"
        raise NotUsed("no_answer", f"{name} is {_kind(value)}, and {expected}")
    if isinstance(value, str) and (value.strip() or blanks == "wrong"):
        return str(value)
    if value is None and blanks == "wrong":
        return ""
    if isinstance(value, str):
        raise NotUsed("no_answer", f"{name} is blank: the example stays unanswered (--blank-answers wrong counts it as a wrong answer)")
    if value is None or isinstance(value, NoNumber):
        raise NotUsed("no_answer", f"{name} is {_kind(value)}: the example stays unanswered")
    raise NotUsed("no_answer", f"{name} is {_kind(value)}, expected text; the example stays unanswered")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    kinds: dict[type, str] = {Number: "a number", NoNumber: "NaN or infinite", str: "a text", list: "a list", dict: "an object"}
    return next(words for kind, words in kinds.items() if isinstance(value, kind))
