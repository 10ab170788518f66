"""What other harnesses write about one example, as fields of ours: id or place, answer, and what tells that it is that example.

lmms-eval (`--log_samples`, a line each)   {"doc_id": 7, "doc": {…}, "target": "two", "resps": [["Two."]], "filtered_resps": ["two"]}
VLMEvalKit (.xlsx, .tsv)                   index, question, answer (the gold one), prediction
OpenCompass (one object)                   {"7": {"origin_prompt": …, "prediction": "two", "gold": "two"}}

A place is the item's number in its split, from 0. Which field holds the answers is the same for a whole file: where any item has a
`prediction`, an `answer` is the gold one, in items without a prediction too.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from data.datasets._source import SPLIT_WORDS

ID_FIELDS = ("id", "question_id", "questionId", "index")
ANSWER_FIELDS = ("prediction", "response", "output", "answer")  # the first that a file has
IMAGE_FIELDS = ("image", "image_path", "img_path", "img", "image_file", "file_name", "filename")
PLACE = "\0place"  # what OpenCompass numbers an item by, put into it by whoever reads the file
_DOC_IDS = (*ID_FIELDS, "pid", "qid")
_FILTERED, _RAW = "filtered_resps", "resps"


@dataclass(frozen=True)
class Fields:
    """Where the items of a file have their answers: a field's name, "" if none of them has any; `harness` is lmms-eval."""

    answer: str
    harness: bool = False

    def in_words(self) -> str:
        beside = ", 'answer' being the gold one" if self.answer not in ("", "answer") and not self.harness else ""
        return f"answers are those of {self.answer!r}{beside}"


@dataclass(frozen=True)
class Item:
    """One answer. `found` is False where the item lacks the file's field of answers."""

    identifier: Any  # None: it has none
    place: int | None
    found: bool
    answer: Any
    name: str  # of the field of answers
    split: str | None
    question: str | None = None
    golds: tuple[str, ...] = ()
    image: str | None = None
    by_index: bool = False  # its identifier is an `index`, which may as well be a place


def fields_of(items: Iterable[Any]) -> Fields:
    """The field of answers of a file's items."""
    seen: Counter[str] = Counter()
    for item in items:
        if isinstance(item, dict):
            seen.update(name for name in ANSWER_FIELDS if name in item)
            if "doc_id" in item:
                seen.update(name for name in (_FILTERED, _RAW) if item.get(name) not in (None, []))
    if harness := next((name for name in (_FILTERED, _RAW) if seen[name]), None):
        return Fields(harness, True)
    return Fields(next((name for name in ANSWER_FIELDS if seen[name]), ""))


def read(item: dict[str, Any], fields: Fields) -> Item:
    """An item of any of these harnesses, or of our own form."""
    if fields.harness:
        return _lmms_eval(item, fields.answer)
    id_field = next((field for field in ID_FIELDS if item.get(field) is not None), "")
    gold = item.get("gold", item.get("answer") if fields.answer != "answer" else None)
    place = item.get(PLACE)
    return Item(
        item.get(id_field),
        place if isinstance(place, int) else _number(item.get("index")),
        fields.answer in item,
        item.get(fields.answer),
        fields.answer,
        _text(item.get("split")),
        _text(item.get("question")),
        _texts(gold),
        next((text for field in IMAGE_FIELDS if (text := _text(item.get(field)))), None),
        id_field == "index",
    )


def is_item(content: dict[str, Any]) -> bool:
    """Whether an object is an item itself, and no wrapping of several."""
    return "doc_id" in content or any(not isinstance(content.get(name), dict | list | None) for name in ANSWER_FIELDS)


def numbers_items(content: dict[str, Any]) -> bool:
    """Whether an object numbers its items, as OpenCompass does."""
    return bool(content) and all(key.isdecimal() and isinstance(item, dict) for key, item in content.items())


def _lmms_eval(item: dict[str, Any], name: str) -> Item:
    doc = item["doc"] if isinstance(item.get("doc"), dict) else {}
    answer = item.get(name)
    while isinstance(answer, list) and len(answer) == 1:  # one answer, in a list for repeats and one for filters
        answer = answer[0]
    return Item(
        next((doc[field] for field in _DOC_IDS if doc.get(field) is not None), None),
        _number(item.get("doc_id")),
        item.get(name) not in (None, []),
        answer,
        name,
        _text(doc.get("split")) if str(doc.get("split")).lower() in SPLIT_WORDS else None,  # else it means something of the benchmark
        _text(doc.get("question")),
        _texts(item.get("target")),
    )


def _number(value: Any) -> int | None:
    """A place: 7, "7" and 7.0 are the place 7."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and number.is_integer() and 0 <= number < 2**40 else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and value.strip() else None


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for each in values if (text := _text(each)))
