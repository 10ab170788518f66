"""The journal of paid replies: one SQLite file that several processes use at once (WAL, synchronous FULL).

A reply is in it before anyone parses it; a call is claimed in it before it is asked, with its worst-case cost. So nothing
is bought twice, a budget holds across processes, and a job that resumes finds what it has paid for.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from data.named_sql import read_queries
from models.paid_calls.claim_owner import is_alive
from models.paid_calls.records import FrontierStopped, Reply, Spend

CLAIM_SECONDS = 60.0  # a claim without a sign of life for so long is dead
_VERSION = 3


SQL = read_queries([Path(__file__).with_name("journal.sql")])


@dataclass(frozen=True)
class Find:
    """Look for a reply. Result: Reply or None."""

    key: str


@dataclass(frozen=True)
class Claim:
    """Make a key ours to ask. Result: the Reply if it is there already, else "ours", "busy" (another is asking), or Full."""

    key: str
    owner: str
    endpoint: str
    model: str
    purpose: str
    scope: str  # whose budget: spend is summed by it; "" is everyone's
    worst_usd: float | None  # None: unpriced
    cap_usd: float | None
    at_once: int = 1  # calls that may be in flight for it together

    @property
    def reserved_usd(self) -> float:
        return (self.worst_usd or 0.0) * self.at_once


@dataclass(frozen=True)
class Full:
    """The budget has no room for this call now; with nothing in flight it never will."""

    claim: Claim
    spent_usd: float
    in_flight_usd: float

    def stop(self) -> FrontierStopped:
        cap = f"{self.claim.cap_usd:.{2 if self.claim.cap_usd >= 0.01 else 4}f}"
        return FrontierStopped(
            f"the budget of ${cap} is reached: ${self.spent_usd:.4f} is spent and the next call may cost up to "
            f"${self.claim.reserved_usd:.4f}; raise the budget and resume",
            resumable=True,
        )


@dataclass(frozen=True)
class Record:
    """Keep a reply and end its claim. Result: the reply that is kept (an earlier one under the same key wins)."""

    claim: Claim
    reply: Reply
    prompt_version: str
    level: str


@dataclass(frozen=True)
class Lost:
    """A call that may have been billed brought nothing usable: charge its worst case. The claim stays."""

    claim: Claim
    reason: str
    body: str | None = None


@dataclass(frozen=True)
class Release:
    """Give a claim up."""

    claim: Claim


@dataclass(frozen=True)
class Renew:
    """A sign of life for all claims of an owner, and for the batches that it looks after."""

    owner: str


@dataclass(frozen=True)
class SaveDialect:
    endpoint: str
    model: str
    dialect: dict


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
            raise sqlite3.DatabaseError(f"it was written by a newer version ({version}; this one knows {_VERSION})")

    def _unusable(self, error: sqlite3.Error) -> FrontierStopped:
        return FrontierStopped(f"the journal of replies {self.path} can't be used: {error}", resumable=True)

    def apply(self, operations: list) -> list:
        """Runs operations in one transaction, durable on return. Results in order. Raises FrontierStopped (disk full, broken file)."""
        now = time.time()
        with self._lock:
            try:
                if all(isinstance(operation, Find) for operation in operations):
                    return [self._find(operation.key) for operation in operations]
                self.db.execute("BEGIN IMMEDIATE")
                try:
                    results = [self._one(operation, now) for operation in operations]
                    self.db.execute("COMMIT")
                    return results
                except BaseException:
                    if self.db.in_transaction:
                        self.db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def _one(self, operation, now: float):
        match operation:
            case Find(key):
                return self._find(key)
            case Claim():
                return self.claim(operation, now)
            case Record(claim, reply, prompt_version, level):
                return self.record(claim, reply, prompt_version, level, now)
            case Lost(claim, reason, body):
                self._lose(claim, claim.worst_usd or 0.0, reason, body, now)
            case Release(claim):
                self.db.execute(SQL["delete_claim"], (claim.key, claim.owner))
            case Renew(owner):
                self.db.execute(SQL["renew"], (now + CLAIM_SECONDS, owner))
                self.db.execute(SQL["renew_batches"], (now, owner))
            case SaveDialect(endpoint, model, dialect):
                self.db.execute(SQL["save_dialect"], (endpoint, model, json.dumps(dialect)))
            case _:  # of models/frontier/batch_api/records.py
                return operation.run(self, now)

    def _find(self, key: str) -> Reply | None:
        row = self.db.execute(SQL["find"], (key,)).fetchone()
        return Reply(*row) if row else None

    def claim(self, claim: Claim, now: float, seconds: float = CLAIM_SECONDS):
        """A Claim, inside a transaction; it holds for so long without a sign of life."""
        if reply := self._find(claim.key):
            return reply
        held = self.db.execute(SQL["claim_of"], (claim.key,)).fetchone()
        if held:
            if is_alive(*held, now):
                return "busy"
            self._bury_dead(held[0], now)
        if claim.cap_usd is not None:
            full = self._room(claim, now)
            if full:
                return full
        self.db.execute(
            SQL["insert_claim"],
            (claim.key, claim.owner, claim.endpoint, claim.model, claim.purpose, claim.scope, claim.reserved_usd, now + seconds),
        )
        return "ours"

    def _room(self, claim: Claim, now: float) -> Full | None:
        for attempt in range(2):
            spent = self.db.execute(SQL["spent"], (claim.scope,)).fetchone()
            (in_flight,) = self.db.execute(SQL["reserved"], (claim.scope, claim.scope)).fetchone()
            full = Full(claim, spent[0] if spent else 0.0, in_flight)
            if full.spent_usd + full.in_flight_usd + claim.reserved_usd <= claim.cap_usd + 1e-9:  # sums of cents are not exact
                return None
            if attempt == 0:  # before saying no: does a dead process hold any of it?
                for owner, expires_at in self.db.execute(SQL["owners"]).fetchall():
                    if not is_alive(owner, expires_at, now):
                        self._bury_dead(owner, now)
        return full

    def _bury_dead(self, owner: str, now: float) -> None:
        """A process died with calls in flight: they may have been billed. Those of a batch that was never uploaded are not."""
        if self.db.execute(SQL["unasked_batch"], (owner,)).fetchone():
            self.db.execute(SQL["delete_claims"], (owner,))
            return
        self.bury(owner, "its process died while it was in flight", now)

    def bury(self, owner: str, reason: str, now: float) -> None:
        """Charges the worst case of all that an owner has in flight, and ends its claims; inside a transaction."""
        for key, endpoint, model, purpose, scope, worst in self.db.execute(SQL["claims_of"], (owner,)).fetchall():
            claim = Claim(key, owner, endpoint, model, purpose, scope, worst, None)
            self._lose(claim, worst, reason, None, now)
        self.db.execute(SQL["delete_claims"], (owner,))

    def _lose(self, claim: Claim, usd: float, reason: str, body: str | None, now: float) -> None:
        row = (claim.key, claim.endpoint, claim.model, claim.purpose, claim.scope, usd, reason, body, now)
        self.db.execute(SQL["insert_lost"], row)
        self._charge(claim.scope, usd)

    def _charge(self, scope: str, usd: float) -> None:
        for whose in {scope, ""}:
            self.db.execute(SQL["charge"], (whose, usd))

    def record(self, claim: Claim, reply: Reply, prompt_version: str, level: str, now: float) -> Reply:
        """A Record, inside a transaction."""
        usd = (claim.worst_usd or 0.0) if reply.cost_usd is None else reply.cost_usd  # no usage reported: the budget counts the worst
        row = (*astuple(reply), prompt_version, claim.scope, level)
        kept = self.db.execute(SQL["insert_reply"], row).rowcount == 1
        self.db.execute(SQL["delete_claim"], (claim.key, claim.owner))
        if kept:
            self._charge(claim.scope, usd)
            return reply
        self._lose(claim, usd, "another process had asked the same after this claim expired", reply.body, now)
        return self._find(reply.key)

    def replies(self, since: int = 0, limit: int = 1000) -> Iterator[tuple[int, Reply]]:
        """(position, reply) of the replies after a position, oldest first; positions grow in the order of commits, across processes."""
        with self._lock:
            rows = self.db.execute(SQL["replies"], (since, limit)).fetchall()
        for position, *fields in rows:
            yield position, Reply(*fields)

    def scoped_replies(self, since: int = 0, limit: int = 1000) -> list[tuple[int, str, Reply]]:
        """Like `replies`, with the scope that paid for each (a job's): (position, scope, reply)."""
        with self._lock:
            rows = self.db.execute(SQL["scoped_replies"], (since, limit)).fetchall()
        return [(position, scope, Reply(*fields)) for position, scope, *fields in rows]

    def lost_calls(self, since: int = 0, limit: int = 1000) -> list[tuple]:
        """(position, scope, key, endpoint, model, purpose, worst_usd, reason, created_at) of calls that came to nothing, oldest first."""
        with self._lock:
            return self.db.execute(SQL["lost_calls"], (since, limit)).fetchall()

    def spend(self, scope: str | None = None) -> list[Spend]:
        """Spend by purpose and model, each reply once; of one budget scope, or of everything."""
        with self._lock:
            return [Spend(*row) for row in self.db.execute(SQL["spend"], (scope,))]

    def spent_usd(self, scope: str = "") -> tuple[float, float]:
        """(spent, in flight at worst), as budgets count it: calls lost on the way and replies without usage at their worst."""
        with self._lock:
            spent = self.db.execute(SQL["spent"], (scope,)).fetchone()
            (in_flight,) = self.db.execute(SQL["reserved"], (scope, scope)).fetchone()
        return (spent[0] if spent else 0.0), in_flight

    def typical(self, endpoint: str, model: str, purpose: str) -> tuple[int, float | None, float | None]:
        """(replies, mean prompt tokens, mean completion tokens) so far."""
        with self._lock:
            return self.db.execute(SQL["typical"], (endpoint, model, purpose)).fetchone()

    def dialect(self, endpoint: str, model: str) -> dict | None:
        """What the endpoint's model is known to understand, as saved by SaveDialect."""
        with self._lock:
            row = self.db.execute(SQL["dialect"], (endpoint, model)).fetchone()
        return json.loads(row[0]) if row else None

    def backup(self, path: Path) -> None:
        """A consistent copy while others write."""
        with self._lock, sqlite3.connect(path) as copy:
            self.db.backup(copy)
        copy.close()

    def close(self) -> None:
        with self._lock:
            self.db.close()
