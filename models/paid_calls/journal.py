"""The journal of paid replies: one SQLite file that several processes use at once (WAL, synchronous FULL).

A reply is in it before anyone parses it; a call is claimed in it before it is asked, with its reserved cost. So nothing
is bought twice, a budget holds across processes, and a job that resumes finds what it has paid for.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from models.paid_calls.ledger import Find, Ledger, Operation
from models.paid_calls.queries import SQL
from models.paid_calls.records import FrontierStopped, LostCall, Reply, Spend

_VERSION = 3
T = TypeVar("T")


class Journal:
    """An open journal. Its methods may be called from any thread."""

    def __init__(self, path: Path):
        """Opens or creates it. Raises FrontierStopped if the file can't be used."""
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self.db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _prepare(self) -> None:
        self.db.execute("PRAGMA busy_timeout = 30000")
        for attempt in range(50):  # switching to WAL doesn't wait its turn when two processes create the file at once
            try:
                self.db.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if attempt == 49:
                    raise
                time.sleep(0.1)
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("BEGIN IMMEDIATE")
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        for step in range(version + 1, _VERSION + 1):
            for statement in SQL[f"schema_{step}"].split(";"):
                self.db.execute(statement)
            self.db.execute(f"PRAGMA user_version = {step}")
        self.db.execute("COMMIT")
        if version > _VERSION:
            raise sqlite3.DatabaseError(f"it was written by a newer Mistakebook (version {version}, this one reads {_VERSION}): upgrade")

    def _unusable(self, error: sqlite3.Error) -> FrontierStopped:
        return FrontierStopped(
            f"the journal of paid replies {self.path} can't be used: {error}; "
            "check the free disk space and its permissions, then resume the job",
            resumable=True,
        )

    def apply(self, operations: Sequence[Operation[T]]) -> list[T]:
        """Runs operations in one transaction, durable on return. Results in order. Raises FrontierStopped (disk full, broken file)."""
        ledger = Ledger(self.db, time.time())
        with self._lock:
            try:
                if all(isinstance(operation, Find) for operation in operations):
                    return [operation.run(ledger) for operation in operations]
                self.db.execute("BEGIN IMMEDIATE")
                try:
                    results = [operation.run(ledger) for operation in operations]
                    self.db.execute("COMMIT")
                    return results
                except BaseException:
                    if self.db.in_transaction:
                        self.db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def replies(self, since: int = 0, limit: int = 1000) -> Iterator[tuple[int, Reply]]:
        """(position, reply) of the replies after a position, oldest first; positions grow in the order of commits, across processes."""
        for position, *fields in self._rows("replies", since, limit):
            yield position, Reply(*fields)

    def scoped_replies(self, since: int = 0, limit: int = 1000) -> list[tuple[int, str, Reply]]:
        """Like `replies`, with the scope that paid for each (a job's): (position, scope, reply)."""
        return [(position, scope, Reply(*fields)) for position, scope, *fields in self._rows("scoped_replies", since, limit)]

    def lost_calls(self, since: int = 0, limit: int = 1000) -> list[LostCall]:
        """Calls that came to nothing, after a position, oldest first."""
        return [LostCall(*row) for row in self._rows("lost_calls", since, limit)]

    def spend(self, scope: str | None = None) -> list[Spend]:
        """Spend by purpose and model, each reply once; of one budget scope, or of everything."""
        return [Spend(*row) for row in self._rows("spend", scope)]

    def spent_usd(self, scope: str = "") -> tuple[float, float]:
        """(spent, reserved for calls in flight), as budgets count it: lost calls and replies without usage at their reserved cost."""
        with self._lock:
            spent = self.db.execute(SQL["spent"], (scope,)).fetchone()
            (in_flight,) = self.db.execute(SQL["reserved"], (scope, scope)).fetchone()
        return (spent[0] if spent else 0.0), in_flight

    def typical(self, endpoint: str, model: str, purpose: str) -> tuple[int, float | None, float | None]:
        """(replies, mean prompt tokens, mean completion tokens) so far."""
        ((count, prompt, completion),) = self._rows("typical", endpoint, model, purpose)
        return count, prompt, completion

    def capabilities(self, endpoint: str, model: str) -> dict[str, Any] | None:
        """What the endpoint's model is known to support, as saved by SaveCapabilities."""
        rows = self._rows("capabilities", endpoint, model)
        saved: dict[str, Any] | None = json.loads(rows[0][0]) if rows else None
        return saved

    def _rows(self, name: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self.db.execute(SQL[name], values).fetchall()

    def backup(self, path: Path) -> None:
        """A consistent copy while others write."""
        with self._lock, sqlite3.connect(path) as copy:
            self.db.backup(copy)
        copy.close()

    def close(self) -> None:
        with self._lock:
            self.db.close()
