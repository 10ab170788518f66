"""The ledger of paid calls: what one transaction of the journal reads and writes, as operations that several runs send it.

A call is claimed with its reserved cost (the most that it may be billed) before it is sent. What a scope has spent and what is
reserved in it never exceed its cap (budget.py). All runs inside a transaction that Journal.apply opens.
"""

import json
import sqlite3
from dataclasses import astuple, dataclass
from typing import Any, Literal, Protocol, TypeVar

from models.paid_calls.budget import OverBudget, over_budget
from models.paid_calls.claim_owner import is_alive
from models.paid_calls.queries import SQL
from models.paid_calls.records import Reply

CLAIM_SECONDS = 60.0  # a claim without a sign of life for so long is dead
T_co = TypeVar("T_co", covariant=True)


class Operation(Protocol[T_co]):
    """Something that is done in a transaction of the journal, together with others."""

    def run(self, ledger: "Ledger") -> T_co: ...


@dataclass(frozen=True)
class Claim:
    """Make a key ours to ask. Result: the Reply if it is there already, else "ours", "busy" (another is asking), or OverBudget."""

    key: str
    owner: str
    endpoint: str
    model: str
    purpose: str
    scope: str  # whose budget: spend is summed by it; "" is everyone's
    worst_usd: float | None  # the most that one call may be billed; None: unpriced
    cap_usd: float | None
    at_once: int = 1  # calls that may be in flight for it together

    @property
    def reserved_usd(self) -> float:
        return (self.worst_usd or 0.0) * self.at_once

    def run(self, ledger: "Ledger") -> "ClaimResult":
        return ledger.claim(self, CLAIM_SECONDS)


ClaimResult = Reply | OverBudget | Literal["ours", "busy"]


@dataclass(frozen=True)
class Find:
    """Look for a reply. Result: Reply or None."""

    key: str

    def run(self, ledger: "Ledger") -> Reply | None:
        return ledger.find(self.key)


@dataclass(frozen=True)
class RecordReply:
    """Keep a reply and end its claim. Result: the reply that is kept (an earlier one under the same key wins)."""

    claim: Claim
    reply: Reply
    prompt_version: str
    level: str  # of structured output, that it was asked at

    def run(self, ledger: "Ledger") -> Reply:
        return ledger.record(self)


@dataclass(frozen=True)
class ChargeLost:
    """A call that may have been billed brought nothing usable: charge its reserved cost. The claim stays."""

    claim: Claim
    reason: str
    body: str | None = None

    def run(self, ledger: "Ledger") -> None:
        ledger.lose(self.claim, self.claim.worst_usd or 0.0, self.reason, self.body)


@dataclass(frozen=True)
class Release:
    """Give a claim up."""

    claim: Claim

    def run(self, ledger: "Ledger") -> None:
        ledger.db.execute(SQL["delete_claim"], (self.claim.key, self.claim.owner))


@dataclass(frozen=True)
class RenewClaims:
    """A sign of life for all claims of an owner, and for the batches that it looks after."""

    owner: str

    def run(self, ledger: "Ledger") -> None:
        ledger.db.execute(SQL["renew"], (ledger.now + CLAIM_SECONDS, self.owner))
        ledger.db.execute(SQL["renew_batches"], (ledger.now, self.owner))


@dataclass(frozen=True)
class SaveCapabilities:
    """Remember what an endpoint's model is known to support."""

    endpoint: str
    model: str
    capabilities: dict[str, Any]

    def run(self, ledger: "Ledger") -> None:
        ledger.db.execute(SQL["save_capabilities"], (self.endpoint, self.model, json.dumps(self.capabilities)))


class Ledger:
    """Replies, claims and spend, inside one transaction. `now`: seconds since 1970."""

    def __init__(self, db: sqlite3.Connection, now: float):
        self.db, self.now = db, now

    def find(self, key: str) -> Reply | None:
        row = self.db.execute(SQL["find"], (key,)).fetchone()
        return Reply(*row) if row else None

    def claim(self, claim: Claim, seconds: float) -> ClaimResult:
        """A Claim that holds for so long without a sign of life."""
        if reply := self.find(claim.key):
            return reply
        if held := self.db.execute(SQL["claim_of"], (claim.key,)).fetchone():
            owner, expires_at = held
            if is_alive(owner, expires_at, self.now):
                return "busy"
            self._charge_dead_owner(owner)
        if claim.cap_usd is not None and (full := self._over_budget(claim, claim.cap_usd)):
            return full
        self.db.execute(
            SQL["insert_claim"],
            (claim.key, claim.owner, claim.endpoint, claim.model, claim.purpose, claim.scope, claim.reserved_usd, self.now + seconds),
        )
        return "ours"

    def _over_budget(self, claim: Claim, cap_usd: float) -> OverBudget | None:
        full = over_budget(self.db, claim.scope, claim.reserved_usd, cap_usd)
        if full is None:
            return None
        for owner, expires_at in self.db.execute(SQL["owners"]).fetchall():  # before saying no: does a dead process hold any of it?
            if not is_alive(owner, expires_at, self.now):
                self._charge_dead_owner(owner)
        return over_budget(self.db, claim.scope, claim.reserved_usd, cap_usd)

    def _charge_dead_owner(self, owner: str) -> None:
        """A process died with calls in flight: they may have been billed. Those of a batch that was never uploaded are not."""
        if self.db.execute(SQL["unasked_batch"], (owner,)).fetchone():
            self.db.execute(SQL["delete_claims"], (owner,))
            return
        self.charge_in_flight(owner, "its process died while it was in flight")

    def charge_in_flight(self, owner: str, reason: str) -> None:
        """Charges the reserved cost of all that an owner has in flight, and ends its claims."""
        for key, endpoint, model, purpose, scope, reserved_usd in self.db.execute(SQL["claims_of"], (owner,)).fetchall():
            claim = Claim(key, owner, endpoint, model, purpose, scope, reserved_usd, None)
            self.lose(claim, reserved_usd, reason, None)
        self.db.execute(SQL["delete_claims"], (owner,))

    def lose(self, claim: Claim, usd: float, reason: str, body: str | None) -> None:
        """Counts a call as lost, and charges so much for it."""
        row = (claim.key, claim.endpoint, claim.model, claim.purpose, claim.scope, usd, reason, body, self.now)
        self.db.execute(SQL["insert_lost"], row)
        self._charge(claim.scope, usd)

    def _charge(self, scope: str, usd: float) -> None:
        for name in {scope, ""}:
            self.db.execute(SQL["charge"], (name, usd))

    def record(self, record: RecordReply) -> Reply:
        """The reply that is kept. Budgets count one without a known cost at the cost that was reserved for it."""
        claim, reply = record.claim, record.reply
        usd = (claim.worst_usd or 0.0) if reply.cost_usd is None else reply.cost_usd
        row = (*astuple(reply), record.prompt_version, claim.scope, record.level)
        is_new = self.db.execute(SQL["insert_reply"], row).rowcount == 1
        self.db.execute(SQL["delete_claim"], (claim.key, claim.owner))
        if is_new:
            self._charge(claim.scope, usd)
            return reply
        self.lose(claim, usd, "another process had asked the same after this claim expired", reply.body)
        return self.find(reply.key) or reply
