"""Records of remote batches in the journal: each step is on the disk before the next is taken, so that a killed job finds its batch again.

A batch has a token of its own from the first. Its calls are claimed by it, not by a process: they stay claimed (and their cost
stays reserved) while nobody runs, until the batch is collected.
"""

import time
from dataclasses import astuple, dataclass, replace
from typing import NamedTuple

from models.paid_calls.ledger import Claim, ClaimResult, Ledger, RecordReply
from models.paid_calls.queries import SQL
from models.paid_calls.records import Reply

CLAIM_SECONDS = 7 * 86_400.0  # a batch may take a day, and its results wait for a month


def owner_of(token: str) -> str:
    """The name under which a batch holds its claims; in the form of models/paid_calls/claim_owner.py, of a host that is never this one."""
    return f"batch:{token}|0|0|0"


@dataclass(frozen=True)
class Batch:
    """A batch that isn't collected yet."""

    token: str
    owner: str  # the run that looks after it; "": nobody any more
    endpoint: str
    model: str
    file_id: str | None  # None: not uploaded, so never asked
    remote_id: str | None  # None: perhaps asked, but its answer was never seen
    created_at: float
    seen_at: float  # when its owner last gave a sign of life

    @property
    def uploaded_id(self) -> str:
        """The id of its file at the endpoint. Raises ValueError where none was uploaded."""
        if self.file_id is None:
            raise ValueError(f"the calls of batch {self.token} were never uploaded")
        return self.file_id


class BatchCall(NamedTuple):
    """What the journal keeps of a call that goes by a batch, beside its claim."""

    purpose: str
    prompt_version: str
    level: str


@dataclass(frozen=True)
class Begin:
    """A batch begins, here only."""

    batch: Batch

    def run(self, ledger: Ledger) -> None:
        ledger.db.execute(SQL["insert_batch"], astuple(self.batch))


@dataclass(frozen=True)
class ClaimBatchCall:
    """Claim a call for a batch. Result as of a Claim; on "ours" it is one of the batch's."""

    token: str
    claim: Claim
    prompt_version: str
    level: str

    def run(self, ledger: Ledger) -> ClaimResult:
        result = ledger.claim(replace(self.claim, owner=owner_of(self.token)), CLAIM_SECONDS)
        if result == "ours":
            ledger.db.execute(SQL["insert_batch_call"], (self.claim.key, self.token, self.prompt_version, self.level))
        return result


@dataclass(frozen=True)
class Uploaded:
    """Its file of calls is with the endpoint."""

    token: str
    file_id: str

    def run(self, ledger: Ledger) -> None:
        ledger.db.execute(SQL["batch_uploaded"], (self.file_id, self.token))


@dataclass(frozen=True)
class Submitted:
    """The endpoint works on it."""

    token: str
    remote_id: str

    def run(self, ledger: Ledger) -> None:
        ledger.db.execute(SQL["batch_submitted"], (self.remote_id, self.token))


@dataclass(frozen=True)
class SetBatchOwner:
    """Who looks after a batch from here on; "": nobody. Result: False if it isn't `previous` any more who does."""

    token: str
    previous: str
    owner: str

    def run(self, ledger: Ledger) -> bool:
        return ledger.db.execute(SQL["own_batch"], (self.owner, ledger.now, self.token, self.previous)).rowcount == 1


@dataclass(frozen=True)
class OpenBatches:
    """Result: the batches of an endpoint's model that aren't collected."""

    endpoint: str
    model: str

    def run(self, ledger: Ledger) -> list[Batch]:
        return [Batch(*row) for row in ledger.db.execute(SQL["open_batches"], (self.endpoint, self.model)).fetchall()]


@dataclass(frozen=True)
class CallsOf:
    """Result: a batch's calls that have no result yet, by key."""

    token: str

    def run(self, ledger: Ledger) -> dict[str, BatchCall]:
        return {key: BatchCall(*fields) for key, *fields in ledger.db.execute(SQL["batch_calls"], (self.token,)).fetchall()}


@dataclass(frozen=True)
class Collect:
    """Keep the replies of a batch: each once, however often it is collected."""

    token: str
    replies: tuple[tuple[Reply, str, str], ...]  # with prompt version and level

    def run(self, ledger: Ledger) -> None:
        for reply, prompt_version, level in self.replies:
            if not ledger.db.execute(SQL["delete_batch_call"], (reply.key, self.token)).rowcount:
                continue  # another process was quicker
            held = ledger.db.execute(SQL["held_claim"], (reply.key, owner_of(self.token))).fetchone()
            scope, worst = held or ("", 0.0)
            claim = Claim(reply.key, owner_of(self.token), reply.endpoint, reply.model, reply.purpose, scope, worst, None)
            ledger.record(RecordReply(claim, reply, prompt_version, level))


@dataclass(frozen=True)
class SettleBatch:
    """The batch is through: whatever has no reply is free to be asked again, at no charge (a batch bills only what it answers)."""

    token: str

    def run(self, ledger: Ledger) -> None:
        ledger.db.execute(SQL["delete_claims"], (owner_of(self.token),))
        ledger.db.execute(SQL["delete_batch_calls"], (self.token,))
        ledger.db.execute(SQL["delete_batch"], (self.token,))


@dataclass(frozen=True)
class DropBatch:
    """The endpoint has lost the batch: the reserved cost of its calls is charged, and they may be asked again."""

    token: str

    def run(self, ledger: Ledger) -> None:
        ledger.charge_in_flight(owner_of(self.token), "its batch is gone from the endpoint")
        SettleBatch(self.token).run(ledger)


def new_batch(token: str, owner: str, endpoint: str, model: str) -> Batch:
    now = time.time()
    return Batch(token, owner, endpoint, model, None, None, now, now)
