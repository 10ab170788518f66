"""The store: one DuckDB file, owned by one process. Only this and data/store_opening.py import duckdb.

Reads run on a cursor of the calling thread; writes go one at a time through `Store.write`, in one transaction
that also refreshes `sample_state` for the samples that were touched.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, overload
from weakref import WeakSet

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import is_disk_full
from data.files import whole
from data.memo import Memo
from data.queries import query
from data.reader import Reader, Result, Row, typed
from data.review_journal import ReviewJournal
from data.storable import check_values
from data.store_errors import DiskFull as DiskFull
from data.store_errors import KeyTaken as KeyTaken
from data.store_errors import QueryFailed as QueryFailed
from data.store_errors import StoreError as StoreError
from data.store_errors import StoreInUse as StoreInUse
from data.store_errors import StoreMissing
from data.store_opening import check_place, open_file
from data.transaction import Table, Transaction

MIGRATIONS = Path(__file__).parent / "migrations"
MEMOS = 256  # results that `memo` keeps: more than the runs that Finetune lists
PATIENCE = 2.0  # seconds that reads have to end when the store closes
T = TypeVar("T")
log = logging.getLogger(__name__)


class Store(Reader):
    """Rows in and out by named query (data/sql). `path` is the DuckDB file; it is created and migrated."""

    def __init__(self, path: Path, backups: Path | None = None, upto: int | None = None, only: Collection[int] | None = None):
        """`backups`: where one is written before a migration. `upto`, `only`: the migrations to make, for tests and for restoring."""
        self.path = path
        self.reviews = ReviewJournal(path.with_name(f"{path.stem}.reviews.jsonl"))
        if not path.exists() and self.reviews.path.exists():
            raise StoreMissing(
                f"{path} is missing, but the journal of its decisions {self.reviews.path.name} is there: put the file back, or restore "
                "a backup into another workspace (mistakebook restore FOLDER --workspace NAME). To begin anew, move the journal away"
            )
        self._connection, self.salvage = open_file(path)
        self._local, self._readers = threading.local(), WeakSet[duckdb.DuckDBPyConnection]()
        self._lock, self._opening = threading.RLock(), threading.Lock()
        self._writer = self._connection.cursor()
        self._described: dict[str, Table] = {}
        self._memo, self._writes = Memo(MEMOS), 0
        changed = self._migrate(backups, upto, only)
        self._writer.execute("CREATE TEMP TABLE touched (sample_id BIGINT); CREATE TEMP TABLE touched_failure (failure_id BIGINT)")
        if changed and upto is None and only is None:
            self.rebuild_states()  # a migration may have added columns to them

    # Reading

    def _execute(self, name: str, parameters: dict[str, object]) -> Result:
        return _run(self._cursor(), name, parameters)

    @overload
    def remembered(self, name: str, as_: type[T], /, **parameters: object) -> list[T]: ...
    @overload
    def remembered(self, name: str, /, **parameters: object) -> list[Row]: ...
    def remembered(self, name: str, as_: type | None = None, /, **parameters: object) -> list[Any]:
        """As `rows`, kept until the next write; not to be changed."""
        return self.memo((name, as_, *parameters.items()), self._writes, lambda _: self._rows(name, as_, parameters))

    def memo(self, name: Hashable, mark: Hashable, make: Callable[[T | None], T]) -> T:
        """Caches an expensive result until its version mark changes (data/memo.py): what it is made from must be of the same mark."""
        return self._memo(name, mark, make)

    def to_parquet(self, name: str, path: Path, /, **parameters: object) -> int:
        """Writes the rows of a named query to a Parquet file, atomically; returns their number."""
        table: pa.Table = _run(self._cursor(), name, parameters).to_arrow_table()
        with whole(path) as part:
            pq.write_table(table, part)
        count: int = table.num_rows
        return count

    def batches(self, name: str, as_: type[T], size: int, /, **parameters: object) -> Iterator[list[T]]:
        """The rows of a query, `size` at a time: for a million, of which all at once would take a GB. As they were when it began."""
        with self._opening:
            cursor = self._connection.cursor()
        try:
            result = _run(cursor, name, parameters)
            while rows := result.fetchmany(size):
                yield typed(name, as_, result, rows)
        finally:
            cursor.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        if not hasattr(self._local, "cursor"):
            with self._opening:  # the connection itself serves one call at a time
                self._local.cursor = self._connection.cursor()
                self._readers.add(self._local.cursor)
        cursor: duckdb.DuckDBPyConnection = self._local.cursor
        return cursor

    # Writing

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction, one writer at a time: all of it is on disk when the block ends, or none of it."""
        with self._lock:
            self._writer.execute("BEGIN")
            try:
                change = Transaction(self._writer, _run, self._described)
                yield change
                change.refresh_states()
                with self.reviews.appended(change.noted):  # on disk before the commit, and taken out again where that fails
                    self._writer.execute("COMMIT")
                self._writes += 1
            except BaseException as error:
                with suppress(duckdb.TransactionException):  # a COMMIT that fails has ended the transaction by itself
                    self._writer.execute("ROLLBACK")  # a failed statement poisons the cursor until then
                if isinstance(error, duckdb.Error):
                    raise _fault(error, f"writing to {self.path}", self.path) from error
                raise

    def rebuild_states(self) -> None:
        """Writes sample_state and failure_state anew from the logs."""
        with self.write() as change:
            change.touch_all()
            change.touch_failures()

    def table_counts(self, tables: Iterable[str]) -> dict[str, int]:
        """Rows by table."""
        return {table: self._cursor().execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0] for table in tables}

    def checkpoint(self) -> None:
        """Moves the write-ahead log into the file; worth it after bulk work."""
        with self._lock:
            try:
                self._writer.execute("CHECKPOINT")
            except duckdb.TransactionException:
                log.info("checkpoint put off: a read is going on")

    def close(self) -> None:
        """Waits for the write and the reads that go on; a read that takes longer than PATIENCE is interrupted."""
        latest = time.monotonic() + PATIENCE
        with self._lock, self._opening:
            while True:
                try:
                    return self._connection.close()
                except duckdb.ResourceInUseException:  # DuckDB refuses while any cursor is at work
                    if time.monotonic() > latest:
                        for reader in self._readers:
                            reader.interrupt()
                    time.sleep(0.01)

    # Migrations and backups

    def _migrate(self, backups: Path | None, upto: int | None, only: Collection[int] | None) -> bool:
        """Brings the file up to date; tells whether one with content was changed."""
        self._writer.execute(
            "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT, created_at TIMESTAMPTZ DEFAULT now())"
        )
        done = {row[0] for row in self._writer.execute("SELECT number FROM migration").fetchall()}
        known = migrations()
        if done - known.keys():
            raise StoreError(
                f"{self.path} was written by a newer Mistakebook (migration {max(done)}, this one knows {max(known)}). "
                "Upgrade, or restore a backup."
            )
        todo = [number for number in sorted(known.keys() - done) if (upto is None or number <= upto) and (only is None or number in only)]
        if done and todo and backups:
            self.backup(backups / f"before-migration-{todo[0]:04d}-{_stamp()}")
        for number in todo:
            self._writer.execute("BEGIN")
            try:
                self._writer.execute(known[number].read_text(encoding="utf-8"))
                self._writer.execute("INSERT INTO migration (number, name) VALUES (?, ?)", [number, known[number].stem])
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
        return bool(done and todo)

    def backup(self, folder: Path) -> Path:
        """Writes every table as Parquet into a new folder and reads it back; raises StoreError if the counts differ."""
        with whole(folder) as part:
            part.mkdir()
            with self._lock:
                self._writer.execute("BEGIN")
                try:
                    counts = {table: self._count(f'"{table}"') for table in self._tables()}
                    for table in counts:
                        self._writer.execute(f"COPY \"{table}\" TO '{_quoted(part / table)}.parquet' (FORMAT PARQUET)")
                        if self._count(f"read_parquet('{_quoted(part / table)}.parquet')") != counts[table]:
                            raise StoreError(
                                f"table {table} reads back from {folder} with another number of rows than were written: "
                                "check the free disk space, then back up again"
                            )
                    sequences = self._writer.execute("SELECT sequence_name, coalesce(last_value, 0) FROM duckdb_sequences()").fetchall()
                finally:
                    self._writer.execute("ROLLBACK")
            manifest = {"created_at": _stamp(), "tables": counts, "sequences": dict(sequences)}
            (part / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        return folder

    def _tables(self) -> list[str]:
        return [row[0] for row in self._writer.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1").fetchall()]

    def _count(self, relation: str) -> int:
        count: int = self._writer.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
        return count


def restore(folder: Path, path: Path) -> None:
    """Makes a new store at `path` from a backup folder. Raises StoreError if `path` exists or the backup is damaged."""
    manifest_path = folder / "manifest.json"
    if not manifest_path.is_file():
        raise StoreError(f"{folder} is not a backup: it has no manifest.json; choose a folder from the backups of a workspace")
    if path.exists():
        raise StoreError(f"{path} exists and is not overwritten; restore into a new workspace, or move this file away first")
    try:
        _restore(folder, path)
    except (ValueError, KeyError, TypeError, OSError, pa.ArrowException, duckdb.Error) as error:
        if is_disk_full(error):
            raise
        raise StoreError(f"{folder} is damaged ({error}): nothing was restored; restore another backup") from error


def _restore(folder: Path, path: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    numbers = pq.read_table(folder / "migration.parquet").column("number").to_pylist()
    with whole(path) as part:
        store = Store(part, only=numbers)
        try:
            cursor = store._writer
            cursor.execute("DELETE FROM migration")
            for table, count in manifest["tables"].items():
                cursor.execute(f"INSERT INTO \"{table}\" BY NAME SELECT * FROM read_parquet('{_quoted(folder / table)}.parquet')")
                rows = store._count(f'"{table}"')
                if rows != count:
                    raise StoreError(
                        f"{folder}: table {table} has {rows} rows, but its manifest says {count}: "
                        "the backup is damaged, restore another one"
                    )
            for name, last in manifest["sequences"].items():
                if last:
                    cursor.execute(f"SELECT max(nextval('{name}')) FROM range({int(last)})").fetchall()
        finally:
            store.close()


def migrations() -> dict[int, Path]:
    """The migrations there are, by number."""
    return {int(path.stem[:4]): path for path in sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def _run(cursor: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, object]) -> duckdb.DuckDBPyConnection:
    """Runs a named query. Raises BadValue, KeyTaken, QueryFailed."""
    try:
        return cursor.execute(*query(name).bound(parameters))
    except duckdb.Error as error:
        check_values(parameters, error)
        raise _fault(error, f"query {name}") from error


def _fault(error: duckdb.Error, doing: str, path: Path | None = None) -> StoreError:
    """What DuckDB raised, as one of ours. DuckDB has no class or code for a full disk: whether it is one is tried out."""
    if isinstance(error, duckdb.ConstraintException):
        return KeyTaken(f"{doing}: {error}")
    if path and isinstance(error, duckdb.IOException | duckdb.TransactionException | duckdb.OutOfMemoryException):
        try:
            check_place(path)
        except DiskFull as full:
            return full
        except StoreError:
            pass
    return QueryFailed(f"{doing}: {error}")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
