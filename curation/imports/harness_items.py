"""What other harnesses write about one example, as fields of ours: id or place, answer, and what tells that it is that example.

lmms-eval (`--log_samples`, a line each)   {"doc_id": 7, "doc": {…}, "target": "two", "resps": [["Two."]], "filtered_resps": ["two"]}
VLMEvalKit (.xlsx, .tsv)                   index, question, answer (the gold one), prediction
OpenCompass (one object)                   {"7": {"origin_prompt": …, "prediction": "two", "gold": "two"}}

A place is the item's number in its split, from 0. An `answer` beside a `prediction`, `response` or `output` is the gold one.
"""

from dataclasses import dataclass
from typing import Any

ID_FIELDS = ("id", "question_id", "questionId", "index")
ANSWER_FIELDS = ("prediction", "response", "output", "answer")  # `answer` is the gold one beside any other
_DOC_IDS = (*ID_FIELDS, "pid", "qid")


@dataclass(frozen=True)
class Item:
    """One answer. `found` is False where the item has no field of an answer."""

    identifier: Any  # None: it has none
    place: int | None
    found: bool
    answer: Any
    name: str  # of the field that the answer stood in
    split: str | None
    question: str | None = None
    gold: str | None = None


def read(item: dict[str, Any]) -> Item:
    """An item of any of these harnesses, or of our own form."""
    if "doc_id" in item and ("filtered_resps" in item or "resps" in item):
        return _lmms_eval(item)
    name = next((field for field in ANSWER_FIELDS if field in item), None)
    identifier = next((item[field] for field in ID_FIELDS if item.get(field) is not None), None)
    gold = item.get("gold", item.get("answer") if name not in (None, "answer") else None)
    place = item.get("\0place")
    return Item(
        identifier,
        place if isinstance(place, int) else _number(item.get("index")),
        name is not None,
        item.get(name) if name else None,
        name or "",
        _text(item.get("split")),
        _text(item.get("question")),
        _text(gold),
    )


def numbered(items: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The items of an object that numbers them (OpenCompass), or that holds them as `logs` (lmms-eval before 0.3); else None."""
    if isinstance(logs := items.get("logs"), list):
        return logs
    if items and all(key.isdecimal() and isinstance(item, dict) for key, item in items.items()):
        return [{**item, "\0place": int(key)} for key, item in items.items()]
    return None


def _lmms_eval(item: dict[str, Any]) -> Item:
    doc = item["doc"] if isinstance(item.get("doc"), dict) else {}
    name = "filtered_resps" if item.get("filtered_resps") not in (None, []) else "resps"
    answer = item.get(name)
    while isinstance(answer, list) and len(answer) == 1:  # one answer, in a list for repeats and one for filters
        answer = answer[0]
    identifier = next((doc[field] for field in _DOC_IDS if doc.get(field) is not None), None)
    return Item(
        identifier,
        _number(item["doc_id"]),
        True,
        answer,
        name,
        _text(doc.get("split")),
        _text(doc.get("question")),
        _text(item.get("target")),
    )


def _number(value: Any) -> int | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and value else None
