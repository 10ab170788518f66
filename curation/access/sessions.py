"""Sessions of logged-in users, in `sessions.sqlite` beside the file of users (mode 600): what a cookie stands for, until when.

The file holds hashes of the cookies, so that who reads it can't use them.
"""

import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.records import Record

FILE = "sessions.sqlite"
IDLE = 12 * 3600  # seconds without a request, after which a session ends
LONGEST = 7 * 24 * 3600  # seconds
NOTE_EVERY = 60  # seconds: how exactly the last request is known
TABLE = "CREATE TABLE IF NOT EXISTS session (hash TEXT PRIMARY KEY, name TEXT, address TEXT, began REAL, seen REAL)"
STANDING = "SELECT name, address, began, seen FROM session WHERE seen >= ? AND began >= ?"


@dataclass(frozen=True)
class Session(Record):
    """Times in seconds since 1970."""

    name: str
    address: str
    began: float
    seen: float


class Sessions:
    """Safe from several threads and processes."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock, self._lock = folder / FILE, clock, threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def begin(self, name: str, address: str) -> str:
        """A new session; returns what its cookie holds."""
        cookie, now = secrets.token_urlsafe(32), self._clock()
        self._run("DELETE FROM session WHERE seen < ? OR began < ?", now - IDLE, now - LONGEST)
        self._run("INSERT INTO session VALUES (?, ?, ?, ?, ?)", _hash(cookie), name, address, now, now)
        return cookie

    def find(self, cookie: str) -> str | None:
        """The user of a session that stands; None for all others."""
        if not cookie:
            return None
        now, rows = self._clock(), self._run("SELECT name, began, seen FROM session WHERE hash = ?", _hash(cookie))
        if not rows:
            return None
        name, began, seen = rows[0]
        if now - seen > IDLE or now - began > LONGEST:
            self.end(cookie)
            return None
        if abs(now - seen) > NOTE_EVERY:
            self._run("UPDATE session SET seen = ? WHERE hash = ?", now, _hash(cookie))
        return str(name)

    def end(self, cookie: str) -> None:
        self._run("DELETE FROM session WHERE hash = ?", _hash(cookie))

    def revoke(self, name: str) -> int:
        """Ends all sessions of a user; returns how many there were."""
        return len(self._run("DELETE FROM session WHERE name = ? RETURNING hash", name))

    def all(self) -> list[Session]:
        """Sessions that stand, newest first."""
        now = self._clock()
        rows = self._run(STANDING, now - IDLE, now - LONGEST)
        return sorted((Session(*row) for row in rows), key=lambda session: -session.began)

    def close(self) -> None:
        if self._opened:
            self._opened.close()

    def _run(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._opened is None:  # not before somebody logs in: most apps have no users
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
                self._opened = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
                self._opened.execute(TABLE)
            return self._opened.execute(text, values).fetchall()


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
