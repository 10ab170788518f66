"""Orders of paid calls: what is sent for which claims, how often, and how it can end. The engine that carries them out is buying.py."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from data.errors import MistakebookError
from models.paid_calls.http_failures import Failure
from models.paid_calls.ledger import Claim, RecordReply
from models.paid_calls.records import Reply


class Abandoned(MistakebookError):
    """The run is stopping; this call will be made another time."""


class CallFailed(MistakebookError):
    """A call brings no reply now. `failure` is the last one, `sent` the HTTP calls made for it."""

    def __init__(self, failure: Failure, sent: int, given_up_after: str = ""):
        super().__init__(f"given up after {given_up_after}: {failure.cause}" if given_up_after else failure.cause)
        self.failure, self.sent = failure, sent


@dataclass
class RunState:
    """How a run of calls stands: shared by what feeds it and what sends for it. Lives in one event loop."""

    stopping: bool = False  # no new calls from here on
    cancelled: bool = False  # stopped for good
    stopped_at: float = 0.0  # by the loop's clock
    on_the_wire: set["asyncio.Task[Any]"] = field(default_factory=set)  # in flight, or the reply on the way to the disk

    def mark(self, is_on_the_wire: bool) -> None:
        """Of the task that it is called in."""
        if task := asyncio.current_task():
            self.on_the_wire.add(task) if is_on_the_wire else self.on_the_wire.discard(task)


@dataclass
class Order:
    """The claims that one call is sent for. A claim is open until its reply is recorded, or it is certain that none comes."""

    open: dict[str, Claim]  # by key, as the next two
    known: dict[str, Reply] = field(default_factory=dict)  # the journal had them
    bought: dict[str, Reply] = field(default_factory=dict)  # recorded now
    sent: int = 0  # HTTP calls


class PaidCall(ABC):
    """What to send for an order, and how to read the answer."""

    async def prepare(self) -> None:  # noqa: B027 nothing, for most
        """What takes time and needs no slot; before each try."""

    @abstractmethod
    async def send(self, order: Order) -> RecordReply | Failure | None:
        """Sends it, by Buyer.post, and reads the answer: a reply to be recorded, or what went wrong with the claims that are open.

        A call for several claims records each reply as it comes, by Buyer.record; None where no claim is left open.
        """
