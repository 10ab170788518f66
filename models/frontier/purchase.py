"""Buying one reply: from the journal, or claimed, asked over HTTP, written down."""

import asyncio
import json
import random
import time
from dataclasses import dataclass

from data.errors import MistakebookError
from models.frontier.budget import Account
from models.frontier.capabilities import Dialect
from models.frontier.chat_call import Call, Parameters
from models.frontier.chat_http import Speaker
from models.frontier.image_payload import Pictures
from models.paid_calls import http_failures as failures
from models.paid_calls.claim_owner import new_owner
from models.paid_calls.concurrency import Slots
from models.paid_calls.connection import Link
from models.paid_calls.group_commit import Batcher
from models.paid_calls.journal import Claim, Find, Full, Lost, Record, Release
from models.paid_calls.rate_limits import Pace
from models.paid_calls.records import FrontierStopped, Reply

CONNECT_ATTEMPTS = 6  # some 5 seconds of nobody listening
HUNG_ATTEMPTS = 3  # calls of one row that may go without a reply in time: each may be billed


class Abandoned(MistakebookError):
    """The run is stopping; this row will be asked another time."""


class RowFailed(MistakebookError):
    """This row can't be answered now; `sent` calls were made for it. `refused`: by a content policy, so never."""

    def __init__(self, cause: str, sent: int, refused: bool = False):
        super().__init__(cause)
        self.sent, self.refused = sent, refused


@dataclass(frozen=True)
class Answer:
    reply: Reply
    body: dict
    sent: int  # HTTP calls made for it
    bought: bool  # now, by us
    level: str


def backoff(rounds: int) -> float:
    """Seconds until the next try, after so many rounds in which every row failed.

    While some get their replies (0 rounds) a failure is chance, and waiting long would only idle the slots.
    """
    return random.uniform(0.4, 1.0) * min(30.0, 0.5 * 2**rounds)


class Asker:
    """All that the rows of one run share. Lives in one event loop."""

    def __init__(
        self, link: Link, parameters: Parameters, account: Account, pictures: Pictures, dialect: Dialect, pace: Pace, slots: int,
        batcher: Batcher, run,
    ):  # fmt: skip
        self.parameters, self.pictures = parameters, pictures
        self.owner = new_owner()
        self._link, self._account, self._batcher, self._run = link, account, batcher, run
        self._slots = Slots(slots)
        self._ahead = Slots(slots + max(2, slots // 4))  # a few rows are claimed before a slot is free, so that none idles
        self._asking = 0  # rows with a claim
        self._speaker = Speaker(link, parameters, account, dialect, pace, self._slots, batcher, run)
        self.saw = self._speaker.saw

    @property
    def dialect(self) -> Dialect:
        """What the endpoint's model is known to understand by now."""
        return self._speaker.dialect

    async def close(self) -> None:
        await self._speaker.close()

    async def buy(self, call: Call) -> Answer:
        """The reply to a call. Raises RowFailed, Abandoned, BadImage or FrontierStopped."""
        if self._run.stopping:
            raise Abandoned
        key = call.key
        kept = await self._batcher.do(Find(key))
        if kept is not None:
            return Answer(kept, json.loads(kept.body), 0, False, "")
        claim = self._account.claim(call, key, self.owner)
        kept = await self._claimed(claim, bool(call.turns))
        if kept is not None:
            return Answer(kept, json.loads(kept.body), 0, False, "")
        try:
            return await self._ask(call, claim)
        except BaseException:
            self._batcher.do(Release(claim))
            raise

    async def _claimed(self, claim: Claim, urgent: bool) -> Reply | None:
        """Returns once the claim is ours (None) or someone else has got the reply. On None a place in `_ahead` is taken."""
        pause = 0.02
        while True:
            await self._ahead.acquire(urgent)
            taken = False
            try:
                result = await self._shielded(claim)
                taken = result == "ours"
            finally:
                if not taken:
                    self._ahead.release()
            if taken:
                return None
            if isinstance(result, Reply):
                return result
            if isinstance(result, Full) and result.in_flight_usd <= 0:
                raise result.stop()
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    async def _shielded(self, claim: Claim):
        """A claim that is cancelled while it is being committed must still be given back."""
        committed = self._batcher.do(claim)
        try:
            return await asyncio.shield(committed)
        except asyncio.CancelledError:
            committed.cancel()
            self._batcher.do(Release(claim))
            raise

    async def _ask(self, call: Call, claim: Claim) -> Answer:
        """Sends until there is a reply; holds a place in `_ahead` on entry and gives it back."""
        ahead = True
        sent = unreached = hung = 0
        loop, began = asyncio.get_running_loop(), time.monotonic()
        self._asking += 1
        try:
            while True:
                before = sent
                urls = [await loop.run_in_executor(None, self.pictures.data_url, picture) for picture in call.pictures]
                await self._slots.acquire(urgent=sent > 0 or bool(call.turns))
                try:
                    if self._run.stopping:
                        raise Abandoned
                    await self._speaker.wait_for_turn(call)
                    self._run.on_the_wire(True)
                    result, level, sent = await self._speaker.understood(call, claim, urls, sent)
                finally:
                    self._slots.release()
                    if ahead:
                        self._ahead.release()
                        ahead = False
                if isinstance(result, Reply):
                    kept = await self._batcher.do(Record(claim, result, call.request.prompt_version, level))
                    self._run.on_the_wire(False)
                    return Answer(kept, json.loads(kept.body), sent, True, level)
                if result.maybe_billed:
                    await self._batcher.do(Lost(claim, result.cause, result.body))
                self._run.on_the_wire(False)
                if result.kind == failures.STOP:
                    cause = f"{self.parameters.endpoint}, model {self.parameters.model}: {result.cause}"
                    raise FrontierStopped(cause, result.resumable)
                if result.kind in (failures.ROW, failures.DIALECT, failures.REFUSED):
                    raise RowFailed(result.cause, sent, refused=result.kind == failures.REFUSED)
                unreached = unreached + 1 if result.kind == failures.UNREACHED else 0
                if result.kind == failures.HUNG:
                    hung += sent - before
                if unreached >= min(CONNECT_ATTEMPTS, self._link.attempts) and self._speaker.last_contact < began:
                    raise FrontierStopped(f"{self.parameters.endpoint} can't be reached: {result.cause}", resumable=True)
                if sent >= self._link.attempts or hung >= HUNG_ATTEMPTS:
                    raise RowFailed(f"given up after {sent} calls: {result.cause}", sent)
                if self._run.stopping:
                    raise Abandoned
                # no more than this row's own failures: while the limit is still sought, hundreds are turned away within a second
                rounds = min(sent - 1, self._speaker.streak // max(2, min(self._asking, self._slots.limit)))
                await asyncio.sleep(max(result.retry_after or 0.0, min(backoff(rounds), 2.0 if unreached else 30.0)))
        finally:
            self._asking -= 1
            if ahead:
                self._ahead.release()
