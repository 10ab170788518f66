"""Whether an item of a harness is about an example: by the question that it asks, else by its gold answer. Whole texts, never parts."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Protocol

from curation.imports.harness_items import Item
from data.question_text import lettered

_MARKS = re.compile(r"<image[ _]?\d*>|<\|[a-z_]+\|>", re.IGNORECASE)
_PUNCTUATION = re.compile(r"-(?!\d)|[^\w<>=+*/%$€£^~-]+|(?<=\w)-(?=\w)")
_MINUS = str.maketrans(dict.fromkeys("−–‒﹣-", "-"))


class Asked(Protocol):
    """What of an example an item is held against."""

    @property
    def question(self) -> str: ...
    @property
    def golds(self) -> tuple[str, ...]: ...
    @property
    def choices(self) -> tuple[str, ...]: ...


def plain(text: str) -> str:
    """A question as it is compared: without case, marks of pictures, punctuation and kinds of blanks; "???" stays as it is.

    Signs that carry a meaning stay: 3 < 5 is not 3 > 5, nor -3 the same as 3.
    """
    bare = unicodedata.normalize("NFKC", _MARKS.sub(" ", text)).casefold().translate(_MINUS)
    return " ".join(_PUNCTUATION.sub(" ", bare).split()) or " ".join(bare.split())


def contradiction(item: Item, example: Asked) -> str | None:
    """What speaks against an item's being about an example; "" if its question or gold answer is the example's; None: no telling."""
    if item.question is not None:
        if same_question(item.question, example):
            return ""
        return f"it asks {item.question[:60]!r}, the example {example.question[:60]!r}"
    return gold_difference(item, example)


def gold_difference(item: Item, example: Asked) -> str | None:
    """That an item has another gold answer than an example; "" if it hasn't; None: one of the two has none."""
    if not item.golds or not example.golds:
        return None
    if same_gold(item.golds, example):
        return ""
    return f"it has the gold answer {item.golds[0][:40]!r}, the example {example.golds[0][:40]!r}"


def same_question(asked: str, example: Asked) -> bool:
    """Whether a prompt asks an example's question: one is the other, or a whole line or paragraph of it (a hint or choices beside it)."""
    if asked == example.question:
        return bool(asked.strip())
    theirs, ours = plain(asked), plain(example.question)
    if not theirs or not ours:
        return False
    if theirs == ours:
        return True
    together = {plain(f"{example.question} {' '.join(example.choices)}"), plain(f"{example.question} {lettered(example.choices)}")}
    return theirs in together or ours in _lines(asked) or theirs in _lines(example.question)


def same_gold(golds: Iterable[str], example: Asked) -> bool:
    """Whether one of the gold answers is one of the example's; a letter counts as the choice that it names, 3 as 3.0 and never as -3."""
    right = {_gold(gold) for gold in example.golds}
    for i, choice in enumerate(example.choices):
        if {_gold(chr(65 + i)), _gold(choice)} & right:
            right |= {_gold(chr(65 + i)), _gold(choice)}
    return any(_gold(gold) in right for gold in golds)


def _lines(text: str) -> set[str]:
    return {plain(line) for line in text.splitlines() if line.strip()}


def _gold(text: str) -> str:
    bare = " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_MINUS).split()).rstrip(".")
    try:
        return repr(float(bare))
    except ValueError:
        return bare
