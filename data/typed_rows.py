"""Rows of named queries as values of a type: a frozen dataclass (a field a column, of the same name) or a plain type (the first column).

    store.rows("filters", FilterSetting)        list[FilterSetting]
    store.value("audit_count", int)             int | None

Columns and fields are compared when a query is first run for a type: a column that is missing, left over or of another
type raises WrongColumns. That costs nothing later: rows are then handed over by place.
"""

import json
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from itertools import starmap
from operator import itemgetter
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from data.errors import MistakebookError

T = TypeVar("T")
Convert = Callable[[Any], Any]
Column = tuple[str, str]  # name and SQL type
WHOLE_NUMBERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")} | {"INTEGER", "UINTEGER"}
SQL_TYPES: dict[Any, set[str]] = {
    str: {"VARCHAR", "ENUM", "JSON"},
    int: WHOLE_NUMBERS,
    float: {"DOUBLE", "FLOAT"} | WHOLE_NUMBERS,
    bool: {"BOOLEAN"},
    bytes: {"BLOB"},
    datetime: {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP"},
}


class WrongColumns(MistakebookError):
    """A query's columns aren't the fields of the type that its rows were asked for as: a fault of ours."""

    status = 500


@dataclass(frozen=True)
class Rows(Generic[T]):
    """Turns the rows of one query into values of one type."""

    make: Callable[..., T]
    order: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None  # columns in the order of the fields; None: they are in it already
    converts: tuple[tuple[int, Convert], ...]  # by place of the field

    def __call__(self, rows: Iterable[tuple[Any, ...]]) -> list[T]:
        ordered = map(self.order, rows) if self.order else rows
        if not self.converts:
            return list(starmap(self.make, ordered))
        return [self.make(*self._converted(row)) for row in ordered]

    def _converted(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for place, convert in self.converts:
            values[place] = convert(values[place])
        return values


def rows_as(kind: type[T], query: str, columns: Sequence[Column]) -> Rows[T]:
    """How rows with these columns become values of `kind`. Raises WrongColumns."""
    if not is_dataclass(kind):
        return _first_column(kind, query, columns)
    hints, names = get_type_hints(kind), [field.name for field in fields(kind)]
    sql = dict(columns)
    missing, further = [name for name in names if name not in sql], [name for name, _ in columns if name not in names]
    if missing or further or len(sql) < len(columns):
        raise WrongColumns(
            f"query {query} doesn't return the fields of {kind.__name__}: "
            f"missing {', '.join(missing) or 'none'}; not a field, or twice: {', '.join(further) or 'none'}"
        )
    converts = [_convert(hints[name], sql[name], f"query {query}, {kind.__name__}.{name}") for name in names]
    places = [[name for name, _ in columns].index(name) for name in names]
    order = None if places == sorted(places) else itemgetter(*places)
    return Rows(kind, order, tuple((place, convert) for place, convert in enumerate(converts) if convert))


def _first_column(kind: type[T], query: str, columns: Sequence[Column]) -> Rows[T]:
    convert = _optional((kind,), columns[0][1], f"query {query}, column {columns[0][0]}")
    return Rows(lambda value: convert(value) if convert else value, lambda row: row[:1], ())


def _convert(hint: Any, sql: str, where: str) -> Convert | None:
    """What makes a value of `hint` from one of the SQL type; None where it is one already. Raises WrongColumns."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(inner, sql, where)
    if hint in (Any, object) or sql == "NULL":
        return None
    if origin is tuple and sql.endswith("[]"):
        each = _convert(inner[0], sql[:-2], where)
        return (lambda values: tuple(map(each, values))) if each else tuple
    if origin is dict or hint is dict:
        if sql == "JSON":
            return json.loads
        if sql.startswith(("STRUCT", "MAP")):
            return None
    elif origin is Literal:
        return _convert(type(inner[0]), sql, where)
    elif isinstance(hint, type):
        if is_dataclass(hint) and sql.startswith("STRUCT"):
            return lambda values: hint(**values)
        if issubclass(hint, Enum) and _plain(sql) in SQL_TYPES[str]:
            return hint
        if _plain(sql) in SQL_TYPES.get(hint, ()):
            return None
    raise WrongColumns(f"{where}: the column is {sql}, the field is {getattr(hint, '__name__', hint)}")


def _optional(kinds: Sequence[Any], sql: str, where: str) -> Convert | None:
    """As `_convert` for a type that may be None as well."""
    kinds = [kind for kind in kinds if kind is not type(None)]
    if len(kinds) != 1:
        raise WrongColumns(f"{where}: a field is of one type, or of one and None, not {' | '.join(map(str, kinds))}")
    convert = _convert(kinds[0], sql, where)
    return (lambda value: None if value is None else convert(value)) if convert else None


def _plain(sql: str) -> str:
    """The name of an SQL type without its arguments.

    >>> _plain("ENUM('train', 'eval')")
    'ENUM'
    """
    return sql if "[" in sql else sql.partition("(")[0]
