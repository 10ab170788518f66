"""Chat completions over HTTP, asked with what the endpoint's model supports, no faster than it allows."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from models.frontier.call_cost import CallCost
from models.frontier.capabilities import LEVELS, Capabilities, below, is_about_format, schema_relaxed, unsupported_parameter
from models.frontier.chat_call import Call, Parameters
from models.paid_calls import http_failures as failures
from models.paid_calls.buying import Buyer
from models.paid_calls.concurrency import AimdController
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.ledger import ChargeLost, RecordReply, SaveCapabilities
from models.paid_calls.orders import Order
from models.paid_calls.rate_limits import RateLimiter
from models.paid_calls.records import Reply

if TYPE_CHECKING:
    import httpx2


class ChatEndpoint:
    """The /chat/completions of an endpoint, for the calls of one run. Lives in one event loop."""

    def __init__(self, buyer: Buyer, parameters: Parameters, cost: CallCost, capabilities: Capabilities, rate_limiter: RateLimiter):
        self.capabilities = capabilities
        self._buyer, self._connection, self._journal, self._state = buyer, buyer.connection, buyer.journal, buyer.state
        self._parameters, self._cost, self._rate_limiter = parameters, cost, rate_limiter
        self._slots, self._controller = buyer.slots, AimdController(buyer.slots, buyer.slots.limit)
        self._turn = asyncio.Lock()
        self._in_flight = 0

    def observe(self, level: str, fitted: bool) -> None:
        """Takes in how a first reply at a level came out."""
        self._learn(self.capabilities.observe(level, fitted), remember=self.capabilities.good + self.capabilities.bad < 3)

    def _learn(self, capabilities: Capabilities, remember: bool) -> None:
        changed = replace(capabilities, good=0, bad=0) != replace(self.capabilities, good=0, bad=0)
        self.capabilities = capabilities
        if changed or remember:
            self._journal.commit(SaveCapabilities(self._parameters.endpoint, self._parameters.model, capabilities.as_saved()))

    async def _wait_for_turn(self, call: Call) -> None:
        """Until the limits per minute let a call go; first come, first served."""
        async with self._turn:
            while (seconds := self._rate_limiter.wait(call.likely_tokens)) > 0:
                await asyncio.sleep(min(seconds, 1.0))  # what is reported meanwhile may shorten it

    async def send(self, call: Call, order: Order, urls: list[str]) -> RecordReply | Failure:
        """The reply to a call, asked in another form as long as the server rejects only that: the structured-output fallback.

        `urls`: its images, as data URLs.
        """
        await self._wait_for_turn(call)
        self._state.mark(is_on_the_wire=True)
        level, lowered = self.capabilities.level, False
        relaxed: tuple[str, ...] = ()
        while True:
            without = (*self.capabilities.unsupported, *relaxed)
            result = await self._hedged(call, order, partial(self._post, call, order, level, without, urls))
            if isinstance(result, Reply):
                if lowered and self.capabilities.good == 0:
                    self._learn(replace(self.capabilities.without(relaxed), level=level, bad=0), remember=True)
                return RecordReply(order.open[call.key], result, call.request.prompt_version, level)
            if result.kind != FailureKind.UNSUPPORTED or order.sent >= self._connection.attempts or self._state.stopping:
                return result
            if result.garbled:  # says nothing of what the server supports: this row alone is asked in another way
                await self._buyer.lose(order, result.cause, result.body)
                if level == LEVELS[-1]:
                    return replace(result, maybe_billed=False)
                level = below(level)
            elif name := unsupported_parameter(result.cause, level, without, call.unused_features):
                self._learn(self.capabilities.without((name,)), remember=True)
            elif (names := schema_relaxed(result.cause, level, without)) and self.capabilities.good == 0:
                relaxed, lowered = names, True
            elif level != LEVELS[-1] and (self.capabilities.good == 0 or is_about_format(result.cause)):
                level, relaxed, lowered = below(level), (), True
            else:
                return result

    async def _hedged(self, call: Call, order: Order, post: Callable[[], Coroutine[Any, Any, Reply | Failure]]) -> Reply | Failure:
        """The result of one call; of two where the first is slow, a slot is free and hedging was asked for.

        The first reply counts. What the other call may have cost is charged: cut off in flight, its reserved cost.
        """
        if self._connection.hedge_after_s is None:
            return await post()
        calls = [asyncio.create_task(post())]
        try:
            await asyncio.wait(calls, timeout=self._connection.hedge_after_s)
            if calls[0].done() or self._state.stopping or self._rate_limiter.wait(call.likely_tokens) > 0 or not self._slots.try_acquire():
                return await calls[0]
            calls.append(asyncio.create_task(post()))
            return await self._first_reply(calls, order)
        finally:
            for task in calls:
                task.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            if len(calls) > 1:
                self._slots.release()

    async def _first_reply(self, calls: list["asyncio.Task[Reply | Failure]"], order: Order) -> Reply | Failure:
        """Of two calls for the same; the later failure where neither brings a reply."""
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        first, second = sorted(calls, key=lambda task: not task.done())
        result = first.result()
        if isinstance(result, Reply):
            if second.done():
                self._too_late(order, second.result())
            return result
        self._too_late(order, result)
        return await second

    def _too_late(self, order: Order, result: Reply | Failure) -> None:
        (claim,) = order.open.values()
        if isinstance(result, Reply):
            cost = claim.worst_usd if result.cost_usd is None else result.cost_usd
            self._journal.commit(ChargeLost(replace(claim, worst_usd=cost), "asked twice: the other call was answered first", result.body))
        elif result.maybe_billed:
            self._journal.commit(ChargeLost(claim, result.cause, result.body))

    async def _post(self, call: Call, order: Order, level: str, without: tuple[str, ...], urls: list[str]) -> Reply | Failure:
        """One HTTP call; rate limiter and concurrency take in how it comes out."""
        ticket = self._rate_limiter.take(call.likely_tokens)
        self._in_flight += 1
        in_flight = self._in_flight

        async def read(response: "httpx2.Response", seconds: float) -> Reply | Failure:
            self._rate_limiter.observe(response.headers, ticket)
            return self._read(call, response.text, seconds)

        try:
            result = await self._buyer.post(order, "/chat/completions", call.body(level, without, urls), read)
        finally:
            self._in_flight -= 1
        if isinstance(result, Reply):
            self._controller.observe(False, in_flight)
            if result.prompt_tokens is not None and result.completion_tokens is not None:
                self._rate_limiter.settle(ticket, result.prompt_tokens + result.completion_tokens)
            return result
        is_limited = result.kind == FailureKind.RATE_LIMITED
        if result.headers:
            self._rate_limiter.observe(result.headers, ticket, result.retry_after if is_limited else None)
        self._controller.observe(is_limited, in_flight, result.retry_after)
        return result

    def _read(self, call: Call, text: str, seconds: float) -> Reply | Failure:
        """A response of status 200: a chat completion, an error after all, or rubble."""
        try:
            body = json.loads(text)
        except ValueError:
            cause = f"the response isn't whole: {len(text)} characters that aren't JSON"
            return Failure(FailureKind.BROKEN, cause, maybe_billed=True, body=text)
        if failure := failures.from_body(body, self._connection.api_key is not None, self._connection.key_env):
            return replace(failure, body=text) if failure.maybe_billed else failure
        return self._cost.reply(call.key, self._parameters, call.request.purpose, text, body, seconds, call)
