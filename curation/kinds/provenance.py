"""How examples came by their kinds of question, counted: a guess is never shown as a dataset's own word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data.records import Record
from data.store import Store


@dataclass(frozen=True)
class Source(Record):
    """How many examples of a split came by a kind so ("none": not at all), and how many kinds they have."""

    split: str
    source: str
    examples: int
    kinds: int


def sources(store: Store, datasets: Sequence[str] | None = None, split: str | None = None) -> list[Source]:
    """Of the examples whose dataset states no kind."""
    found = store.rows("kinds_by_source", Source, datasets=datasets)
    return [row for row in found if split in (None, row.split)]


def in_words(found: Sequence[Source]) -> str | None:
    """In a sentence; None where every dataset states its own."""
    counts: Counter[str] = Counter()
    for row in found:
        counts[row.source] += row.examples
    if not counts:
        return None
    named = counts.total() - counts["none"]
    if not named:
        return f"{counts.total():,} examples are of datasets that state no kind of question, and none was named (mistakebook kinds)"
    text = (
        f"the frontier model named the kind of {named:,} of {counts.total():,} examples whose dataset states none: "
        f"{counts['asked']:,} were shown to it, {counts['same wording']:,} have the same wording, "
        f"{counts['similar question']:,} a similar question"
    )
    return f"{text}; {counts['none']:,} are like none that was asked: raise `most`, or try again" if counts["none"] else text
