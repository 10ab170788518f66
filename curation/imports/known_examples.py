"""Examples as predictions made elsewhere are joined with them, and ids as they are compared."""

import math
from dataclasses import dataclass
from typing import Any

from curation.imports.prediction_file import Number
from data.records import Metric, Record, Split


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
    image: str = ""


def identifier(value: Any) -> str | None:
    """An id as text: 17 and 17.0 are "17". None if it is no text and no number."""
    if isinstance(value, Number):
        number = float(value)
        return str(int(number)) if math.isfinite(number) and number.is_integer() and abs(number) < 2**53 else str(value)
    return str(value) if isinstance(value, str) and value else None
