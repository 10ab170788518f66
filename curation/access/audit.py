"""The audit log: who did what and when, of all that changes something or was refused; rows of the store's table `audit_event`.

Events are handed to a thread that writes what has come in one transaction, so that no request waits for it.
"""

import contextlib
import logging
import queue
import threading
import time
from dataclasses import asdict, dataclass
from datetime import datetime

from data.records import Record
from data.store import Store

MOST = 400  # characters of what was asked
TOGETHER = 1.0  # seconds whose events are one transaction; what a power cut may take
MOST_ROWS = 1000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event(Record):
    """`what` is a route of the table, or login, logout, wrong password …; `asked` the beginning of the request's body."""

    who: str
    role: str
    address: str
    what: str
    path: str
    asked: str
    status: int  # of the answer: 200s done, 403 refused, …


@dataclass(frozen=True)
class LoggedEvent(Event):
    number: int
    created_at: datetime


class AuditLog:
    """Writes events into a store; `close` before the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._events = store, queue.SimpleQueue[Event | threading.Event | None]()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def note(self, event: Event) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="audit log", daemon=True)
                self._thread.start()
        self._events.put(event)

    def settle(self) -> None:
        """Waits until all that was noted is written."""
        if self._thread is not None:
            written = threading.Event()
            self._events.put(written)
            written.wait(30)

    def close(self) -> None:
        if self._thread is not None:
            self._events.put(None)
            self._thread.join(30)

    def _write(self) -> None:
        while True:
            found = [self._events.get()]
            end = time.monotonic() + TOGETHER
            while isinstance(found[-1], Event) and len(found) < MOST_ROWS and (left := end - time.monotonic()) > 0:
                with contextlib.suppress(queue.Empty):
                    found.append(self._events.get(timeout=left))
            rows = [asdict(event) for event in found if isinstance(event, Event)]
            try:
                if rows:
                    with self._store.write() as write:
                        write.insert("audit_event", rows)
            except Exception as error:  # a full disk, a store that is being closed: requests go on, and the log of the app has it
                log.error("the audit log could not be written (%s): %s", error, rows)
            for one in found:
                if isinstance(one, threading.Event):
                    one.set()
            if None in found:
                return
