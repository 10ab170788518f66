"""How named queries are read, by the store and within a transaction: as dictionaries, dataclasses, single values or arrays."""

from abc import ABC, abstractmethod
from typing import Any, Protocol, TypeVar, overload

import numpy as np

from data.typed_rows import Rows, rows_as

T = TypeVar("T")
Row = dict[str, Any]


class Result(Protocol):
    """What of DuckDB's cursor is used after a statement."""

    @property
    def description(self) -> Any: ...  # a tuple a column: name, type, …
    def fetchall(self) -> list[Any]: ...
    def fetchnumpy(self) -> Any: ...


class Reader(ABC):
    """Rows out by named query (data/sql). `as_` says what a row becomes (data/typed_rows.py); without it, a dictionary.

    All raise KeyError on an unknown query, TypeError on an unknown parameter, QueryFailed if DuckDB refuses it,
    WrongColumns if its rows don't fit `as_`.
    """

    @abstractmethod
    def _execute(self, name: str, parameters: dict[str, object]) -> Result:
        """Runs a named query."""

    @overload
    def rows(self, name: str, as_: type[T], /, **parameters: object) -> list[T]: ...
    @overload
    def rows(self, name: str, /, **parameters: object) -> list[Row]: ...
    def rows(self, name: str, as_: type[T] | None = None, /, **parameters: object) -> list[T] | list[Row]:
        """All rows."""
        return self._rows(name, as_, parameters)

    @overload
    def row(self, name: str, as_: type[T], /, **parameters: object) -> T | None: ...
    @overload
    def row(self, name: str, /, **parameters: object) -> Row | None: ...
    def row(self, name: str, as_: type[T] | None = None, /, **parameters: object) -> T | Row | None:
        """The first row, or None."""
        rows = self._rows(name, as_, parameters)
        return rows[0] if rows else None

    @overload
    def one(self, name: str, as_: type[T], /, **parameters: object) -> T: ...
    @overload
    def one(self, name: str, /, **parameters: object) -> Row: ...
    def one(self, name: str, as_: type[T] | None = None, /, **parameters: object) -> T | Row:
        """The first row of a query that always has one (counts, say). Raises LookupError if there is none, or no value."""
        rows = self._rows(name, as_, parameters)
        if not rows or rows[0] is None:
            raise LookupError(f"query {name} returned nothing for {parameters}")
        first: T | Row = rows[0]
        return first

    @overload
    def value(self, name: str, as_: type[T], /, **parameters: object) -> T | None: ...
    @overload
    def value(self, name: str, /, **parameters: object) -> Any: ...
    def value(self, name: str, as_: type[T] | None = None, /, **parameters: object) -> Any:
        """The first column of the first row, or None."""
        values = self._values(name, as_, parameters)
        return values[0] if values else None

    @overload
    def column(self, name: str, as_: type[T], /, **parameters: object) -> list[T]: ...
    @overload
    def column(self, name: str, /, **parameters: object) -> list[Any]: ...
    def column(self, name: str, as_: type[T] | None = None, /, **parameters: object) -> list[Any]:
        """The first column of all rows."""
        return self._values(name, as_, parameters)

    def columns(self, name: str, /, **parameters: object) -> dict[str, np.ndarray]:
        """All rows as one array a column: for 100,000 rows, where objects would take long."""
        columns: dict[str, np.ndarray] = self._execute(name, parameters).fetchnumpy()
        return columns

    def _rows(self, name: str, as_: type | None, parameters: dict[str, object]) -> list[Any]:
        result = self._execute(name, parameters)
        if as_ is not None:
            return typed(name, as_, result, result.fetchall())
        columns = [column[0] for column in result.description]
        return [dict(zip(columns, row)) for row in result.fetchall()]

    def _values(self, name: str, as_: type | None, parameters: dict[str, object]) -> list[Any]:
        result = self._execute(name, parameters)
        return [row[0] for row in result.fetchall()] if as_ is None else typed(name, as_, result, result.fetchall())


_made: dict[tuple[str, type], Rows[Any]] = {}  # by query and type


def typed(name: str, kind: type, result: Result, rows: list[Any]) -> list[Any]:
    """Rows of a result as values of `kind`."""
    key = (name, kind)
    if key not in _made:
        _made[key] = rows_as(kind, name, [(column[0], str(column[1])) for column in result.description])
    return _made[key](rows)
