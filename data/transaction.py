"""What one transaction of the store may do: insert rows, run named queries, say whose state is to be derived anew."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import pyarrow as pa

from data.reader import Reader, Result, Row
from data.storable import check_values

T = TypeVar("T")
Execute = Callable[[Any, str, dict[str, object]], Result]

LOGS_OF_FAILURES = ("diagnosis", "triage", "place")  # rows put into them change the state of their failures
# what may be derived anew: all of a state, or a part
WHOLE, JUDGEMENTS, DECISIONS = (
    "sample_state_write",
    "sample_state_judge",
    "sample_state_decide",
)


@dataclass(frozen=True)
class Table:
    types: dict[str, str]  # by column
    has_key: bool  # a primary key or a unique constraint


class Transaction(Reader):
    """What a transaction may do. Made by `Store.write`, whose cursor it uses and whose way to run a named query on it.

    Reads see what the transaction has changed.
    """

    def __init__(self, cursor: Any, execute: Execute, described: dict[str, Table]):
        self._cursor, self._run, self._described = cursor, execute, described
        self._parts: set[str] = set()  # of the touched samples' state: which are to be derived anew
        self.touched_failures = False
        self.noted: list[Row] = []  # lines for the journal of decisions, on disk before the commit

    def _execute(self, name: str, parameters: dict[str, object]) -> Result:
        return self._run(self._cursor, name, parameters)

    @overload
    def run(self, name: str, as_: type[T], /, **parameters: object) -> list[T]: ...
    @overload
    def run(self, name: str, /, **parameters: object) -> list[Row]: ...
    def run(self, name: str, as_: type[T] | None = None, /, **parameters: object) -> list[T] | list[Row]:
        """Runs a named query that changes something; returns its rows (of RETURNING), as `rows` does."""
        return self._rows(name, as_, parameters)

    def insert(
        self, table: str, rows: Sequence[Row], returning: str | None = None, replace: bool = False, key: Sequence[str] = ()
    ) -> list[Any]:
        """Inserts rows (all with the same columns); those whose key exists already are left alone, or replaced. `key` names it for speed.

        Returns the values of the column `returning` for the rows really inserted. Raises BadValue.
        """
        if not rows:
            return []
        if table in LOGS_OF_FAILURES:
            self.touch_failures([row["failure_id"] for row in rows])
        about, columns = self._about(table), list(rows[0])
        try:
            given = pa.table({c: _arrow([row[c] for row in rows], about.types[c]) for c in columns})
        except (UnicodeError, OverflowError, pa.ArrowException) as error:
            check_values({c: [row[c] for row in rows] for c in columns}, error)
            raise
        self._cursor.register("given", given)
        names, values = ", ".join(columns), ", ".join(f'CAST("{c}" AS {about.types[c]})' for c in columns)
        looked = f'ANTI JOIN "{table}" USING ({", ".join(key)})'  # for columns of text a hundred times as fast
        rest = looked if key else "ON CONFLICT DO NOTHING" if about.has_key and not replace else ""
        text = f'INSERT {"OR REPLACE " if replace else ""}INTO "{table}" ({names}) SELECT {values} FROM given {rest}'
        result = self._cursor.execute(text + (f" RETURNING {returning}" if returning else "")).fetchall()
        self._cursor.unregister("given")
        return [row[0] for row in result] if returning else []

    def load(self, table: str, rows: pa.Table) -> None:
        """Appends an Arrow table: for many rows that are known to be new. A key that exists already fails the transaction."""
        self._cursor.register("given", rows)
        self._cursor.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM given')
        self._cursor.unregister("given")

    def reserve(self, sequence: str, count: int) -> int:
        """Takes `count` numbers of a sequence (`sample_ids`, say); returns the first, the others follow it."""
        first: int = self._cursor.execute(f"SELECT min(nextval('{sequence}')) FROM range({int(count)})").fetchall()[0][0]
        return first

    def _about(self, table: str) -> Table:
        if table not in self._described:
            types = {row[0]: row[1] for row in self._cursor.execute(f'DESCRIBE "{table}"').fetchall()}
            keys = "SELECT count(*) FROM duckdb_constraints() WHERE table_name = ? AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')"
            self._described[table] = Table(types, self._cursor.execute(keys, [table]).fetchall()[0][0] > 0)
        return self._described[table]

    def note(self, lines: Iterable[Row]) -> None:
        """Lines for the journal of decisions (data/review_journal.py), written when the transaction ends."""
        self.noted += lines

    def touch(self, sample_ids: Iterable[int]) -> None:
        """Samples whose state is to be derived anew when the transaction ends."""
        if ids := list(sample_ids):
            self._parts.add(WHOLE)
            self._cursor.execute("INSERT INTO touched SELECT unnest($ids::BIGINT[])", {"ids": ids})

    def touch_all(self) -> None:
        """Every sample's state is to be derived anew: the rebuild."""
        self._touch_all(WHOLE)

    def touch_judged(self) -> None:
        """A filter's setting or the rule that approves changed: what follows from verdicts is derived anew for every sample."""
        self._touch_all(JUDGEMENTS)

    def touched_by(self, name: str, /, **parameters: object) -> int:
        """Touches the samples that a named query adds to `touched`, of which only the decisions will change; returns their number."""
        self._parts.add(DECISIONS)
        count: int = self.value(name, **parameters)  # an INSERT returns it
        return count

    def _touch_all(self, part: str) -> None:
        self.run("touched_clear")
        self.run("touch_all")
        self._parts.add(part)

    def touch_failures(self, failure_ids: Iterable[int] | None = None) -> None:
        """Failures whose state is to be derived anew when the transaction ends; all of them where none are named.

        `insert` does it by itself for LOGS_OF_FAILURES; whoever changes these, `failure` or `assignment` by SQL calls it.
        """
        if failure_ids is None:
            self.run("touched_failures_all")
        elif ids := list(failure_ids):
            self.run("touched_failures_add", failure_ids=ids)
        self.touched_failures = True

    def refresh_states(self) -> None:
        """Derives the state of the touched samples and failures; also called early where the same transaction reads it."""
        if self.touched_failures:
            for name in ("failure_state_forget", "failure_state_write", "touched_failures_clear"):
                self.run(name)
            self.touched_failures = False
        if self._parts:
            for part in ["sample_state_forget", WHOLE] if WHOLE in self._parts else sorted(self._parts):
                self.run(part)
            self.run("touched_clear")
            self._parts.clear()


def _arrow(values: list[Any], sql_type: str) -> pa.Array:
    """A column for an insert: dictionaries as JSON; numbers above 2**63 (perceptual hashes, masks) as they are."""
    if sql_type == "UBIGINT":
        return pa.array([None if value is None else int(value) for value in values], pa.uint64())
    return pa.array([json.dumps(value) if isinstance(value, dict) else value for value in values])
