"""Items that a harness numbers, joined with the examples of a split by their places: never without what shows that the split is right."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from curation.imports.harness_items import Item
from data.errors import MistakebookError

SHOWN = 3  # items named where they don't fit


class Placed(Protocol):
    """An example with its place in its official split, from 0."""

    @property
    def position(self) -> int | None: ...
    @property
    def split(self) -> str: ...
    @property
    def question(self) -> str: ...
    @property
    def golds(self) -> tuple[str, ...]: ...
    @property
    def choices(self) -> tuple[str, ...]: ...


class BadPlaces(MistakebookError):
    """Items can't be joined by their numbers; the text says why and what to do."""


def split_of(items: Sequence[tuple[str, Item]], examples: Iterable[Placed], asked: str | None) -> str:
    """The split that these (source, item) number: the only one where question or gold answer of every item that states them fits.

    `asked`: the split that somebody named. Raises BadPlaces.
    """
    places: dict[str, dict[int, Placed]] = {}
    for example in examples:
        if example.position is not None:
            places.setdefault(example.split, {})[example.position] = example
    if not places:
        raise BadPlaces(
            f"{items[0][0]}: its items have numbers and no ids of this dataset, which doesn't know its examples' places; "
            "import the dataset again from its official files, or give ids"
        )
    candidates = {split: by_place for split, by_place in places.items() if asked in (None, split)}
    fits, flaws = [], []
    for split, by_place in candidates.items():
        compared, wrong = _compared(items, by_place)
        if not wrong and (compared or asked):
            fits.append(split)
        flaws += [f"split {split}: {words}" for words in wrong[:SHOWN]]
    if len(fits) == 1:
        return fits[0]
    if fits or not flaws:
        raise BadPlaces(f"its items have numbers but nothing that tells their split ({', '.join(sorted(candidates))}); name it by --split")
    raise BadPlaces(f"its items have numbers that fit no split of this dataset: {'; '.join(flaws)}. Give ids, or the right dataset")


def _compared(items: Sequence[tuple[str, Item]], by_place: dict[int, Placed]) -> tuple[int, list[str]]:
    """How many items could be held against their examples, and what does not fit."""
    compared, wrong = 0, []
    for source, item in items:
        example = by_place.get(item.place if item.place is not None else -1)
        if example is None:
            wrong.append(f"{source} is number {item.place}, and there is none")
        elif item.question is not None:
            compared += 1
            if _plain(example.question) not in _plain(item.question):
                wrong.append(f"{source} asks {item.question[:60]!r}, the example {example.question[:60]!r}")
        elif item.gold is not None:
            compared += 1
            golds = {_plain(gold) for gold in (*example.golds, *example.choices)}
            if _plain(item.gold) not in golds:
                wrong.append(f"{source} has the gold answer {item.gold[:40]!r}, the example {example.golds[0][:40]!r}")
    return compared, wrong


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
