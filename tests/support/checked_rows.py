"""Holds the rows that tests read as dataclasses against the annotations: None only where a field may be None.

The columns' names and SQL types are compared when a query is run (data/typed_rows.py); whether a column may be NULL is known to no
type of SQL, so it is looked at here, in all tests, instead of on every page.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from data.typed_rows import Rows

LOOKED_AT = 200  # rows of each query


@cache
def _never_none(kind: type) -> tuple[str, ...]:
    hints = get_type_hints(kind)
    return tuple(f.name for f in fields(kind) if hints[f.name] is not Any and NoneType not in get_args(hints[f.name]))


def check_rows() -> None:
    """From now on in this process."""
    make = Rows.__call__

    def checked(self: Rows, rows: Iterable[tuple]) -> list:
        made = make(self, rows)
        for value in made[:LOOKED_AT] if made and is_dataclass(made[0]) else ():
            absent = [name for name in _never_none(type(value)) if getattr(value, name) is None]
            assert not absent, f"{type(value).__name__}: the store has no {', '.join(absent)} here, the field says it always has"
        return made

    Rows.__call__ = checked
