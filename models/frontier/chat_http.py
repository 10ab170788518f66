"""Calls over HTTP, in words that the endpoint understands, no faster than it allows."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial

from models.frontier.budget import Account
from models.frontier.capabilities import LEVELS, Dialect, below, conceded, dialect_as_dict, is_about_format, is_about_schema
from models.frontier.chat_call import Call, Parameters
from models.paid_calls import http_failures as failures
from models.paid_calls.concurrency import Slots, Throttle
from models.paid_calls.connection import Link, connect
from models.paid_calls.group_commit import Batcher
from models.paid_calls.journal import Claim, Lost, SaveDialect
from models.paid_calls.rate_limits import Pace
from models.paid_calls.records import Reply


class Speaker:
    """Asks the endpoint for the rows of one run. Lives in one event loop."""

    def __init__(
        self, link: Link, parameters: Parameters, account: Account, dialect: Dialect, pace: Pace, slots: Slots, batcher: Batcher, run
    ):
        self.link, self.parameters = link, parameters
        self._account, self._pace = account, pace
        self.dialect = dialect
        self._batcher, self._run = batcher, run
        self._slots, self._throttle = slots, Throttle(slots, slots.limit)
        self._turn = asyncio.Lock()
        self._in_flight = 0
        self.last_contact = 0.0
        self.streak = 0  # calls that failed since the last reply to anyone
        self._client = connect(link)

    async def close(self) -> None:
        await self._client.close()

    def saw(self, level: str, fitted: bool) -> None:
        """How a first reply at a level came out."""
        self._learn(self.dialect.saw(level, fitted), remember=self.dialect.good + self.dialect.bad < 3)

    def _learn(self, dialect: Dialect, remember: bool) -> None:
        changed = replace(dialect, good=0, bad=0) != replace(self.dialect, good=0, bad=0)
        self.dialect = dialect
        if changed or remember:
            self._batcher.do(SaveDialect(self.parameters.endpoint, self.parameters.model, dialect_as_dict(dialect)))

    async def wait_for_turn(self, call: Call) -> None:
        """Until the limits per minute let a call go; first come, first served."""
        async with self._turn:
            while (seconds := self._pace.wait(call.likely_tokens)) > 0:
                await asyncio.sleep(min(seconds, 1.0))  # what is told meanwhile may shorten it

    async def understood(self, call: Call, claim: Claim, urls: list[str], sent: int) -> tuple[Reply | failures.Failure, str, int]:
        """(result, level, calls sent so far) of a call, put into other words as long as the server rejects only their form."""
        level, extra, lowered = self.dialect.level, (), False
        while True:
            without = (*self.dialect.without, *extra)
            result, calls = await self._hedged(call, claim, partial(self._post, call, claim, level, without, urls))
            sent += calls
            if isinstance(result, Reply):
                if lowered and self.dialect.good == 0:
                    self._learn(replace(self.dialect.doing_without(extra), level=level, bad=0), remember=True)
                return result, level, sent
            if result.kind != failures.DIALECT or sent >= self.link.attempts or self._run.stopping:
                return result, level, sent
            if result.garbled:  # says nothing of what the server understands: this row alone is asked in another way
                await self._batcher.do(Lost(claim, result.cause, result.body))
                if level == LEVELS[-1]:
                    return replace(result, maybe_billed=False), level, sent
                level = below(level)
            elif name := conceded(result.cause, level, without, call.moot):
                self._learn(self.dialect.doing_without((name,)), remember=True)
            elif (tried := is_about_schema(result.cause, level, without)) and self.dialect.good == 0:
                extra, lowered = tried, True
            elif level != LEVELS[-1] and (self.dialect.good == 0 or is_about_format(result.cause)):
                level, extra, lowered = below(level), (), True
            else:
                return result, level, sent

    async def _hedged(self, call: Call, claim: Claim, post: Callable[[], Coroutine]) -> tuple[Reply | failures.Failure, int]:
        """(result, calls sent) of one call; of two where the first is slow, a slot is free and hedging was asked for.

        The first reply counts. What the other call may have cost is charged: cut off in flight, at its worst.
        """
        if self.link.hedge_after_s is None:
            return await post(), 1
        calls = [asyncio.create_task(post())]
        try:
            await asyncio.wait(calls, timeout=self.link.hedge_after_s)
            if calls[0].done() or self._run.stopping or self._pace.wait(call.likely_tokens) > 0 or not self._slots.take_free():
                return await calls[0], 1
            calls.append(asyncio.create_task(post()))
            try:
                return await self._first_reply(calls, claim), 2
            finally:
                self._slots.release()
        finally:
            for one in calls:
                one.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _first_reply(self, calls: list[asyncio.Task], claim: Claim) -> Reply | failures.Failure:
        """Of two calls for the same; the later failure where neither brings a reply."""
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        first, second = sorted(calls, key=lambda one: not one.done())
        result = first.result()
        if isinstance(result, Reply):
            if second.done():
                self._too_late(claim, second.result())
            return result
        self._too_late(claim, result)
        return await second

    def _too_late(self, claim: Claim, result: Reply | failures.Failure) -> None:
        if isinstance(result, Reply):
            cost = claim.worst_usd if result.cost_usd is None else result.cost_usd
            self._batcher.do(Lost(replace(claim, worst_usd=cost), "asked twice: the other call was answered first", result.body))
        elif result.maybe_billed:
            self._batcher.do(Lost(claim, result.cause, result.body))

    async def _post(self, call: Call, claim: Claim, level: str, without: tuple[str, ...], urls: list[str]) -> Reply | failures.Failure:
        """One HTTP call."""
        import httpx2

        body = call.body(level, without, urls)
        started = time.monotonic()
        ticket = self._pace.take(call.likely_tokens)
        self._in_flight += 1
        in_flight = self._in_flight
        try:
            async with asyncio.timeout(self.link.timeout_s):
                response = await self._client.post("/chat/completions", body=body, cast_to=httpx2.Response)
        except asyncio.CancelledError:
            self._batcher.do(Lost(claim, "cancelled while it was in flight"))
            raise
        except failures.expected() as error:
            result = failures.from_exception(error, self.link.api_key is not None, self.link.key_env)
            if headers := failures.headers_of(error):
                self._pace.heard(headers, ticket, result.retry_after if result.kind == failures.LIMITED else None)
        else:
            result = self._read(call, response.text, time.monotonic() - started)
            self._pace.heard(response.headers, ticket)
        finally:
            self._in_flight -= 1
        if isinstance(result, Reply):
            self.last_contact = time.monotonic()
            self.streak = 0
            self._throttle.saw(False, in_flight)
            if result.prompt_tokens is not None and result.completion_tokens is not None:
                self._pace.settle(ticket, result.prompt_tokens + result.completion_tokens)
            return result
        self.streak += 1
        if result.kind != failures.UNREACHED:
            self.last_contact = time.monotonic()
        self._throttle.saw(result.kind == failures.LIMITED, in_flight, result.retry_after)
        return replace(result, cause=failures.redact(result.cause, self.link.api_key))

    def _read(self, call: Call, text: str, seconds: float) -> Reply | failures.Failure:
        """A response of status 200: a chat completion, an error after all, or rubble."""
        try:
            body = json.loads(text)
        except ValueError:
            cause = f"the response isn't whole: {len(text)} characters that aren't JSON"
            return failures.Failure(failures.BROKEN, cause, maybe_billed=True, body=text)
        if failure := failures.from_body(body, self.link.api_key is not None, self.link.key_env):
            return replace(failure, body=text) if failure.maybe_billed else failure
        return self._account.reply(call.key, self.parameters, call.request.purpose, text, body, seconds, call)
