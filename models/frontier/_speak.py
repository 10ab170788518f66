"""Calls over HTTP, in words that the endpoint understands, no faster than it allows."""

import asyncio
import json
import time
from dataclasses import dataclass, replace

from models.frontier import _failures as failures
from models.frontier._batcher import Batcher
from models.frontier._calls import Call, Parameters
from models.frontier._connection import Link, connect
from models.frontier._dialect import LEVELS, Dialect, below, conceded, dialect_as_dict, is_about_format, is_about_schema
from models.frontier._journal import Claim, Lost, SaveDialect
from models.frontier._limits import Pace
from models.frontier._prices import Price
from models.frontier._requests import Reply
from models.frontier._slots import Slots, Throttle


@dataclass
class Account:
    """Whose money, how much of it, and at what price."""

    price: Price | None
    cap_usd: float | None
    scope: str
    ratio: float = 1.0  # the most that a call's prompt tokens exceeded their estimate so far


def usage_of(body: dict) -> tuple[int | None, int | None, int | None]:
    """Prompt, completion and cached tokens as the endpoint reports them; None where it doesn't."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage["prompt_tokens_details"] if isinstance(usage.get("prompt_tokens_details"), dict) else {}
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens"), details.get("cached_tokens")
    return tuple(count if isinstance(count, int) and count >= 0 else None for count in counts)


def image_tokens_of(body: dict) -> int | None:
    """Tokens of images in the prompt, where the endpoint tells them apart: as OpenAI and OpenRouter do, or by modality as Gemini."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        count = details.get("image_tokens")
    else:
        parts = [part for part in details or [] if isinstance(part, dict)] if isinstance(details, list) else []
        count = next((part.get("token_count", part.get("tokenCount")) for part in parts if part.get("modality") == "IMAGE"), None)
    return count if isinstance(count, int) and count >= 0 else None


class Speaker:
    """Asks the endpoint for the rows of one run. Lives in one event loop."""

    def __init__(
        self, link: Link, parameters: Parameters, account: Account, dialect: Dialect, pace: Pace, slots: Slots, batcher: Batcher, run
    ):
        self.link, self.parameters = link, parameters
        self._account, self._pace = account, pace
        self.dialect = dialect
        self._batcher, self._run = batcher, run
        self._throttle = Throttle(slots, slots.limit)
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
            result = await self._post(call, claim, level, without, urls)
            sent += 1
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
        if error := _error_in(body):
            message, codes = failures.message_of(error)
            code = codes.partition(" ")[0]
            status = int(code) if code.isdigit() else 500
            return failures.from_status(status, message, codes, None, self.link.api_key is not None, self.link.key_env)
        choices = body.get("choices") if isinstance(body, dict) else None
        if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
            return failures.Failure(failures.BROKEN, "the response holds no choices", maybe_billed=True, body=text)
        prompt, completion, cached = usage_of(body)
        usd = None
        if self._account.price and prompt is not None:
            usd = self._account.price.reply_usd((prompt, completion, cached), image_tokens_of(body), bool(call.pictures))
            estimate = call.most_prompt_tokens(self._account.price.image_tokens)
            self._account.ratio = max(self._account.ratio, prompt / estimate)
        where = (self.parameters.endpoint, self.parameters.model, call.request.purpose)
        return Reply(call.key, *where, text, prompt, completion, cached, usd, round(seconds, 4), time.time())


def _error_in(body: object) -> dict | None:
    """The error in a body of status 200: of the whole, or (OpenRouter, when its upstream fails midway) of its choice."""
    if not isinstance(body, dict):
        return None
    if body.get("error"):
        return body
    choices = body.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("error") else None
