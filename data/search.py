"""Free-text search over failures and samples: SQLite's FTS5 in a file beside the store, which can always be made anew from it.

A search answers with a bitmap of ids, which queries test with `get_bit($found::BLOB::BIT, id)`: 300,000 hits as a list of
numbers would take longer to hand over than to find. The last bit of a bitmap is always 0.

What may be asked: words (each must occur; the beginning of a word is enough) and "phrases in quotes". Case and accents don't
count, nothing else has a meaning, and no text is an error.
"""

import logging
import os
import re
import sqlite3
import sys
import threading
from dataclasses import astuple, dataclass
from pathlib import Path
from weakref import WeakKeyDictionary, ref

import numpy as np

from data.errors import MistakebookError
from data.memo import Memo
from data.store import Store

COLUMNS = {"failures": ("question", "answers", "diagnosis"), "samples": ("question", "choices", "answer")}
VERSION = 1  # of the file's form; another one is made anew
AT_ONCE = 50_000  # texts taken in while a search waits; more than that in the background
PORTION = 10_000  # texts written at a time in the background
BREATH = 0.01  # seconds between two portions
NICENESS = 10
MOST = 2**31  # the highest id that a bitmap holds
REMEMBERED = 24  # results kept, for pages ask for the same one several times
log = logging.getLogger(__name__)

SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS mark (what TEXT PRIMARY KEY, rows INTEGER, last INTEGER, changes INTEGER, changed INTEGER);
"""
TABLE = "CREATE VIRTUAL TABLE IF NOT EXISTS {what} USING fts5({columns}, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3')"


@dataclass(frozen=True)
class Mark:
    """How far a log and its changes have come: what was indexed up to one needn't be looked at again."""

    rows: int
    last: int  # the highest id
    changes: int
    changed: int  # the latest change


@dataclass(frozen=True)
class Known:
    """How many rows and changes there are up to a mark."""

    rows: int
    changes: int


class SearchUnfinished(MistakebookError):
    """The index is being made: a search does not find all that there is yet."""


class Search:
    """The index of one store. Any thread may search; it is brought up to date before it answers.

    More than AT_ONCE new texts are taken in by a thread of its own, a portion at a time: meanwhile a search finds what is indexed so
    far, and `progress` says how far that is.
    """

    def __init__(self, store: Store, path: Path):
        self._store, self._path = store, path
        self._lock = threading.Lock()  # of the connection that searches
        self._connection: sqlite3.Connection | None = None
        self._found, self._changes = Memo(REMEMBERED), 0  # bitmaps by what was searched for; how often the index has changed
        self._thread: threading.Thread | None = None  # builds the index
        self._built: dict[str, float] = {}  # what is being built, and the share that is done
        self._trouble: Exception | None = None  # why the latest building ended early
        self._leave = threading.Event()
        self._closed = False
        _in_use[store] = ref(self)

    @classmethod
    def of(cls, store: Store, path: Path) -> "Search":
        """The index of a store that is in use already, for two at once would write one file; else a new one."""
        known = _in_use.get(store)
        search = known() if known else None
        return cls(store, path) if search is None or search._closed else search

    def failures(self, words: str | None) -> bytes | None:
        """Bitmap of the failures that hold all the words; None where there is nothing to search for."""
        return self._search("failures", words)

    def samples(self, words: str | None) -> bytes | None:
        """Bitmap of the samples that hold all the words; None where there is nothing to search for."""
        return self._search("samples", words)

    def progress(self) -> dict[str, float]:
        """The share of texts that can be found, 0 to 1, of failures and samples; only of what is being indexed anew."""
        return dict(self._built)

    def require_whole(self) -> None:
        """Raises SearchUnfinished while not all texts can be found."""
        if self.progress():
            raise SearchUnfinished(
                "the search index is still being built, so this search is incomplete: wait until indexing is done, then try again"
            )

    def refresh(self) -> None:
        """Brings the index up to date, and waits for it; the first time at 550,000 samples this takes seconds."""
        while True:
            with self._lock:
                if self._closed:
                    return
                for what in COLUMNS:
                    self._follow(what)
                thread = self._thread
            if not thread:
                return
            thread.join()
            if self._trouble:
                raise self._trouble

    def refresh_soon(self) -> None:
        """The same in a thread, so that the first search needn't wait; a fault shows up there again."""
        threading.Thread(target=self._try_refresh, name="search", daemon=True).start()

    def _try_refresh(self) -> None:
        try:
            self.refresh()
        except Exception as error:
            log.info("the search index was not brought up to date: %s", error)

    def close(self) -> None:
        """Stops what brings the index up to date, and lets go of the file."""
        with self._lock:
            self._closed = True
            self._stop_building()
            if self._connection:
                self._connection.close()
                self._connection = None

    def _search(self, what: str, words: str | None) -> bytes | None:
        if not words or not words.strip():
            return None
        wanted = fts_query(words)
        with self._lock:
            try:
                self._follow(what)
                return self._matches(what, wanted)
            except sqlite3.DatabaseError:
                log.exception("the search index %s can't be read; it is made anew", self._path)
                self._stop_building()
                self._reset()
                self._follow(what)
                return self._matches(what, wanted)

    def _matches(self, what: str, wanted: str | None) -> bytes:
        if what in self._built:  # what is found now is a part of it
            return self._match(what, wanted)
        return self._found((what, wanted), self._changes, lambda _: self._match(what, wanted))

    def _match(self, what: str, wanted: str | None) -> bytes:
        ids = None
        if wanted is not None:  # one text of all ids: a row each would take three times as long
            ids = self._open().execute(f"SELECT group_concat(rowid) FROM {what} WHERE {what} MATCH ?", (wanted,)).fetchone()[0]
        return bitmap(np.fromstring(ids or "", dtype=np.int64, sep=","))

    def _follow(self, what: str) -> None:
        """Takes up what is new in the store; much of it in the background. While that goes on nothing else is written."""
        if self._thread:
            return
        file, now = self._open(), self._store.one(f"search_marks_{what}", Mark)
        row = file.execute("SELECT rows, last, changes, changed FROM mark WHERE what = ?", (what,)).fetchone()
        then = Mark(*row) if row else None
        if then == now:
            return
        self._changes += 1
        ids = None
        if then:
            upto = {"last": then.last, "changed": then.changed}
            known = self._store.one(f"search_known_{what}", Known, **upto)
            if (known.rows, known.changes) == (then.rows, then.changes):
                ids = self._store.column(f"search_new_{what}", int, **upto)
        if (now.rows if ids is None else len(ids)) > AT_ONCE:
            self._built, self._trouble = {what: 0.0}, None
            self._thread = threading.Thread(target=self._try_to_build, args=(what, now), name="search-index", daemon=True)
            self._thread.start()
            return
        with file:
            if ids is None:
                self._clear(file, what)
                self._put(file, what, 0, now.last, None)
                file.execute(f"INSERT INTO {what} ({what}) VALUES ('optimize')")
            elif ids:
                file.executemany(f"DELETE FROM {what} WHERE rowid = ?", [(id_,) for id_ in ids])
                self._put(file, what, ids[0], ids[-1], ids)
            file.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?)", (what, *astuple(now)))

    def _try_to_build(self, what: str, now: Mark) -> None:
        try:
            if sys.platform == "linux":  # where a thread has a priority of its own: pages come first
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
            self._build(what, now)
        except Exception as error:
            log.exception("the search index was not built; the next search tries again")
            self._trouble = error
        finally:
            self._built = {}
            self._thread = None

    def _build(self, what: str, now: Mark) -> None:
        """All texts, a portion after the other, each found at once; the mark that says that all are there comes last."""
        file = sqlite3.connect(self._path)
        try:
            with file:
                file.execute("DELETE FROM mark WHERE what = ?", (what,))
                self._clear(file, what)
            for low in range(0, now.last + 1, PORTION):
                with file:
                    self._put(file, what, low, min(low + PORTION - 1, now.last), None)
                self._built[what] = min(1.0, (low + PORTION) / (now.last + 1))
                if self._leave.wait(BREATH):
                    return
            with file:
                file.execute(f"INSERT INTO {what} ({what}) VALUES ('optimize')")
                file.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?)", (what, *astuple(now)))
        finally:
            file.close()

    def _stop_building(self) -> None:
        if thread := self._thread:
            self._leave.set()
            thread.join()
            self._leave.clear()

    def _clear(self, file: sqlite3.Connection, what: str) -> None:
        file.execute(f"DROP TABLE IF EXISTS {what}")
        file.execute(TABLE.format(what=what, columns=", ".join(COLUMNS[what])))

    def _put(self, file: sqlite3.Connection, what: str, low: int, high: int, ids: list[int] | None) -> None:
        columns = self._store.columns(f"search_text_{what}", low=low, high=high, ids=ids)
        names = ", ".join(COLUMNS[what])
        rows = zip(columns["id"].tolist(), *(columns[name].tolist() for name in COLUMNS[what]))
        file.executemany(f"INSERT INTO {what} (rowid, {names}) VALUES (?, ?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            file = sqlite3.connect(self._path, check_same_thread=False)
            try:
                if file.execute("PRAGMA user_version").fetchone()[0] not in (0, VERSION):
                    raise sqlite3.DatabaseError("of another form")
                file.executescript(SCHEMA)
            except sqlite3.DatabaseError:
                file.close()
                self._delete()
                file = sqlite3.connect(self._path, check_same_thread=False)
                file.executescript(SCHEMA)
            for what, columns in COLUMNS.items():
                file.execute(TABLE.format(what=what, columns=", ".join(columns)))
            file.execute(f"PRAGMA user_version = {VERSION}")
            self._connection = file
        return self._connection

    def _reset(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
        self._changes += 1
        self._delete()

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


_in_use: WeakKeyDictionary[Store, "ref[Search]"] = WeakKeyDictionary()


def bitmap(ids: np.ndarray) -> bytes:
    """A set of ids (not negative, none above MOST) as queries take it: bit i says whether i is in it, the last bit is 0."""
    ids = ids[(ids >= 0) & (ids <= MOST)]
    bits = np.zeros(int(ids.max(initial=0)) + 2, dtype=bool)
    bits[ids] = True
    return np.packbits(bits).tobytes()


def fts_query(words: str) -> str | None:
    """What FTS5 is asked for a person's words; None if no letter or digit is in them.

    >>> fts_query('how many "red circle" tri')
    '"how" * AND "many" * AND "red circle" AND "tri" *'
    >>> fts_query('"not a sq')
    '"not a sq" *'
    """
    parts = []
    for phrase, end, word in re.findall(r'"([^"]*)("?)|([^\s"]+)', words):
        text = re.sub(r"[\0\ud800-\udfff]", " ", phrase or word)
        if any(letter.isalnum() for letter in text):
            parts.append(f'"{text}"' + ("" if end else " *"))
    return " AND ".join(parts) or None
