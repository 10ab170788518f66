"""Which eval examples a comparison rests on: what all of its checkpoints answered, and what is left out because only some did."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.records import Record


@dataclass(frozen=True)
class Answered(Record):
    """What one checkpoint answered of the eval examples; `alone` no other of the compared ones did."""

    checkpoint: str
    answered: int
    alone: int


@dataclass(frozen=True)
class Coverage(Record):
    """`examples` are in the eval splits; `compared` were answered by all, `some` by at least one but not by all, `none` by none."""

    examples: int
    compared: int
    some: int
    none: int
    by_checkpoint: list[Answered]
    text: str


def coverage(names: Sequence[str], scores: Sequence[np.ndarray]) -> Coverage:
    """Of checkpoints and their scores (n,), NaN where an example was not answered."""
    answered = np.isfinite(np.stack(scores))
    counts = answered.sum(axis=0)
    compared, some = int((counts == len(names)).sum()), int(((counts > 0) & (counts < len(names))).sum())
    by = [Answered(name, int(own.sum()), int((own & (counts == 1)).sum()) if len(names) > 1 else 0) for name, own in zip(names, answered)]
    return Coverage(answered.shape[1], compared, some, int((counts == 0).sum()), by, _in_words(compared, some, by))


def _in_words(compared: int, some: int, by: Sequence[Answered]) -> str:
    """As in "30 of 39 compared; 9 answered by one only (before)"."""
    text = f"{compared:,} of {compared + some:,} compared"
    if not some:
        return text
    alone = sum(row.alone for row in by)
    who = ", ".join(f"{row.checkpoint} {row.alone:,}" if len([o for o in by if o.alone]) > 1 else row.checkpoint for row in by if row.alone)
    parts = [f"{alone:,} answered by one only ({who})"] if alone else []
    if some > alone:
        parts.append(f"{some - alone:,} answered by some, not by all")
    return "; ".join([text, *parts])
