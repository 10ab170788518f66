"""The engine that buys replies over HTTP: claim, keep alive, send, back off, record or count as lost. Chat and pictures share it.

A caller makes the claims of a call and hands over a PaidCall: what to send, and how to read the answer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from models.paid_calls import http_failures as failures
from models.paid_calls.budget import OverBudget
from models.paid_calls.claim_owner import new_owner
from models.paid_calls.concurrency import AdaptiveSemaphore
from models.paid_calls.connection import EndpointConnection, connect
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.ledger import CLAIM_SECONDS, ChargeLost, Claim, ClaimResult, Find, RecordReply, Release, RenewClaims
from models.paid_calls.orders import Abandoned, CallFailed, Order, PaidCall, RunState
from models.paid_calls.records import FrontierStopped, Reply
from models.paid_calls.retries import RetryPolicy

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")


class Buyer:
    """Buys replies for the calls of one run. Lives in one event loop.

    `claims_ahead`: so many calls are claimed before a slot is free, so that none idles. With 0 a call keeps its place until it is
    through, back-offs included.
    """

    def __init__(
        self,
        connection: EndpointConnection,
        journal: GroupCommit,
        state: RunState,
        policy: RetryPolicy,
        slots: AdaptiveSemaphore,
        claims_ahead: int = 0,
    ):
        self.owner = new_owner()
        self.connection, self.journal, self.state, self.slots = connection, journal, state, slots
        self.last_contact = 0.0  # by time.monotonic(): when the endpoint last answered anyone
        self._failed = 0  # calls, since the last reply to anyone
        self._policy = policy
        self._places = AdaptiveSemaphore(slots.limit + claims_ahead)
        self._keeps_place = claims_ahead == 0
        self._asking = 0  # calls with a claim
        self._client = connect(connection)
        self._heartbeat = asyncio.create_task(self._keep_alive())

    async def _keep_alive(self) -> None:
        """A sign of life for all claims, while the run lasts."""
        while True:
            await asyncio.sleep(CLAIM_SECONDS / 4)
            await self.journal.commit(RenewClaims(self.owner))

    async def close(self) -> None:
        self._heartbeat.cancel()
        await asyncio.gather(self._heartbeat, return_exceptions=True)
        await self._client.close()

    async def find(self, key: str) -> Reply | None:
        """A reply that the journal has."""
        return await self.journal.commit(Find(key))

    async def buy(self, claims: Sequence[Claim], call: PaidCall, urgent: bool = False) -> Order:
        """Replies to those of the claims that can be had now, at least one; the others are busy, or wait for the budget.

        Raises CallFailed, Abandoned, FrontierStopped, and what the call raises. `urgent`: before others that wait.
        """
        order = await self._claimed(claims, urgent)
        if order.open:
            try:
                await self._fulfil(order, call, urgent)
            except BaseException:
                self._release(order)
                raise
        return order

    async def _claimed(self, claims: Sequence[Claim], urgent: bool) -> Order:
        """Waits until any claim is ours, or the journal has its reply; where any is open, a place is taken."""
        pause = 0.02
        while True:
            await self._places.acquire(urgent)
            if self.state.stopping:
                self._places.release()
                raise Abandoned
            order = Order({})
            try:
                for claim in claims:
                    result = await self._committed(claim)
                    if isinstance(result, Reply):
                        order.known[claim.key] = result
                    elif result == "ours":
                        order.open[claim.key] = claim
                    elif isinstance(result, OverBudget) and result.in_flight_usd <= 0:
                        raise result.stop()
                    else:
                        break
            except BaseException:
                self._release(order)
                self._places.release()
                raise
            if not order.open:
                self._places.release()
            if order.open or order.known:
                return order
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    async def _committed(self, claim: Claim) -> ClaimResult:
        """A claim that is cancelled while it is being committed must still be given back."""
        committed = self.journal.commit(claim)
        try:
            return await asyncio.shield(committed)
        except asyncio.CancelledError:
            committed.cancel()
            self.journal.commit(Release(claim))
            raise

    def _release(self, order: Order) -> None:
        for claim in order.open.values():
            self.journal.commit(Release(claim))

    async def _fulfil(self, order: Order, call: PaidCall, urgent: bool) -> None:
        """Sends until nothing is open; holds a place on entry and gives it back."""
        holds_place, began = True, time.monotonic()
        unreachable = timeouts = 0
        self._asking += 1
        try:
            while True:
                sent_before = order.sent
                await call.prepare()
                await self.slots.acquire(urgent or order.sent > 0)
                try:
                    if self.state.stopping:
                        raise Abandoned
                    result = await call.send(order)
                finally:
                    self.slots.release()
                    if holds_place and not self._keeps_place:
                        self._places.release()
                        holds_place = False
                if isinstance(result, RecordReply):
                    await self.record(order, result)
                elif result and result.maybe_billed:
                    await self.lose(order, result.cause, result.body)
                self.state.mark(is_on_the_wire=False)
                if not isinstance(result, Failure) or not order.open:
                    return
                unreachable = unreachable + 1 if result.kind == FailureKind.UNREACHABLE else 0
                timeouts += order.sent - sent_before if result.kind == FailureKind.TIMED_OUT else 0
                self._raise_if_final(order, result, unreachable, timeouts, began)
                await asyncio.sleep(self._policy.pause(result, order.sent, self._failed_rounds))
        finally:
            self._asking -= 1
            if holds_place:
                self._places.release()

    @property
    def _failed_rounds(self) -> int:
        """Rounds in which every row of the run failed. While some get their replies (0) a failure is chance."""
        return self._failed // max(2, min(self._asking, self.slots.limit))

    def _raise_if_final(self, order: Order, failure: Failure, unreachable: int, timeouts: int, began: float) -> None:
        """Raises what ends an order after a failure: CallFailed, FrontierStopped where the job ends, Abandoned where it is stopping."""
        policy, claim = self._policy, next(iter(order.open.values()))
        if failure.kind == FailureKind.STOP:
            raise FrontierStopped(f"{claim.endpoint}, model {claim.model}: {failure.cause}", failure.resumable)
        if not failure.is_transient:
            raise CallFailed(failure, order.sent)
        if policy.unreachable is not None and unreachable >= min(policy.unreachable, policy.attempts) and self.last_contact < began:
            raise FrontierStopped(f"{claim.endpoint} can't be reached: {failure.cause}", resumable=True)
        if order.sent >= policy.attempts or (policy.timeouts is not None and timeouts >= policy.timeouts):
            raise CallFailed(failure, order.sent, f"{order.sent} calls")
        if self.state.stopping:
            raise Abandoned

    async def post(
        self, order: Order, path: str, body: dict[str, Any], read: "Callable[[httpx2.Response, float], Awaitable[T | Failure]]"
    ) -> T | Failure:
        """One HTTP call. `read` makes its result of the response and the seconds that it took. What is cut off in flight counts as lost."""
        import httpx2

        order.sent += 1
        began = time.monotonic()
        result: T | Failure
        try:
            async with asyncio.timeout(self.connection.timeout_s):
                response = await self._client.post(path, body=body, cast_to=httpx2.Response)
            result = await read(response, time.monotonic() - began)
        except asyncio.CancelledError:
            self._count_lost(order, "cancelled while it was in flight", None)
            raise
        except failures.expected() as error:
            result = failures.from_exception(error, self.connection.api_key is not None, self.connection.key_env)
        if not isinstance(result, Failure):
            self.last_contact, self._failed = time.monotonic(), 0
            return result
        self._failed += 1
        if result.kind != FailureKind.UNREACHABLE:
            self.last_contact = time.monotonic()
        return replace(result, cause=failures.redact(result.cause, self.connection.api_key))

    async def record(self, order: Order, record: RecordReply) -> None:
        """Keeps a reply, also if nobody waits for that any more; its claim is closed."""
        key = record.claim.key
        del order.open[key]
        try:
            order.bought[key] = await self.journal.commit(record)
        except Exception:  # the disk is full, say
            order.open[key] = record.claim
            raise

    async def lose(self, order: Order, reason: str, body: str | None = None) -> None:
        """Counts what is open as lost: it may have been billed. The claims stay."""
        for committed in self._count_lost(order, reason, body):
            await committed

    def _count_lost(self, order: Order, reason: str, body: str | None) -> list["asyncio.Future[None]"]:
        return [self.journal.commit(ChargeLost(claim, reason, body)) for claim in order.open.values()]

    async def close_lost(self, order: Order, claim: Claim, reason: str, body: str | None) -> None:
        """Counts one claim of an order as lost, and gives it up."""
        del order.open[claim.key]
        self.journal.commit(ChargeLost(claim, reason, body))
        await self.journal.commit(Release(claim))
