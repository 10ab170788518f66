"""Buying one reply: from the journal, or claimed, asked over HTTP, written down."""

import asyncio
import json
import logging
import random
import time
from dataclasses import dataclass, replace

from models.frontier import _failures as failures
from models.frontier._batcher import Batcher
from models.frontier._calls import Call, Dialect, Parameters, below, dialect_as_dict
from models.frontier._images import Pictures
from models.frontier._journal import Claim, Find, Full, Lost, Record, Release, SaveDialect
from models.frontier._owners import new_owner
from models.frontier._prices import Price
from models.frontier._requests import FrontierStopped, Reply
from models.frontier._slots import Slots, Throttle
from models.frontier._structured import LEVELS

CONNECT_ATTEMPTS = 6  # some 5 seconds of nobody listening
_FORMATS = ("response_format", "json_schema", "json_object", "structured", "grammar")  # what a complaint about the level names


class Abandoned(Exception):
    """The run is stopping; this row will be asked another time."""


class RowFailed(Exception):
    """This row can't be answered now; `sent` calls were made for it."""

    def __init__(self, cause: str, sent: int):
        super().__init__(cause)
        self.sent = sent


@dataclass(frozen=True)
class Answer:
    reply: Reply
    body: dict
    sent: int  # HTTP calls made for it
    bought: bool  # now, by us
    level: str


@dataclass
class Account:
    """Whose money, how much of it, and at what price."""

    price: Price | None
    cap_usd: float | None
    scope: str
    ratio: float = 1.0  # the most that a call's prompt tokens exceeded their estimate so far


@dataclass(frozen=True)
class Link:
    """Where calls go."""

    base_url: str
    api_key: str | None
    key_env: str
    timeout_s: float
    attempts: int
    trust_env: bool  # whether proxies of the environment count


def usage_of(body: dict) -> tuple[int | None, int | None, int | None]:
    """Prompt, completion and cached tokens as the endpoint reports them; None where it doesn't."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage["prompt_tokens_details"] if isinstance(usage.get("prompt_tokens_details"), dict) else {}
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens"), details.get("cached_tokens")
    return tuple(count if isinstance(count, int) and count >= 0 else None for count in counts)


def backoff(rounds: int) -> float:
    """Seconds until the next try, after so many rounds in which every row failed.

    While some get their replies (0 rounds) a failure is chance, and waiting long would only idle the slots.
    """
    return random.uniform(0.4, 1.0) * min(30.0, 0.5 * 2**rounds)


class Asker:
    """All that the rows of one run share. Lives in one event loop."""

    def __init__(
        self, link: Link, parameters: Parameters, account: Account, pictures: Pictures, dialect: Dialect, slots: int, batcher: Batcher, run
    ):
        import openai

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs each URL, and a URL may hold a key
        self.parameters, self.pictures = parameters, pictures
        self.owner = new_owner()
        self._link, self._account, self._dialect = link, account, dialect
        self._batcher, self._run = batcher, run
        self._slots = Slots(slots)
        self._ahead = Slots(slots + max(2, slots // 4))  # a few rows are claimed before a slot is free, so that none idles
        self._throttle = Throttle(self._slots, slots)
        self._last_contact = 0.0
        self._asking = 0  # rows with a claim
        self._streak = 0  # calls that failed since the last reply to anyone
        self._http = openai.DefaultAioHttpClient(trust_env=link.trust_env)
        self._client = openai.AsyncOpenAI(
            api_key=link.api_key or "none", base_url=link.base_url, http_client=self._http, max_retries=0, timeout=link.timeout_s
        )

    async def close(self) -> None:
        await self._client.close()

    def saw(self, level: str, fitted: bool) -> None:
        """How a first reply at a level came out."""
        self._speak(self._dialect.saw(level, fitted), remember=self._dialect.good + self._dialect.bad < 3)

    def _speak(self, dialect: Dialect, remember: bool) -> None:
        changed = replace(dialect, good=0, bad=0) != replace(self._dialect, good=0, bad=0)
        self._dialect = dialect
        if changed or remember:
            self._batcher.do(SaveDialect(self.parameters.endpoint, self.parameters.model, dialect_as_dict(dialect)))

    async def buy(self, call: Call) -> Answer:
        """The reply to a call. Raises RowFailed, Abandoned, BadImage or FrontierStopped."""
        if self._run.stopping:
            raise Abandoned
        key = call.key
        kept = await self._batcher.do(Find(key))
        if kept is not None:
            return Answer(kept, json.loads(kept.body), 0, False, "")
        claim = self._claim(call, key)
        kept = await self._claimed(claim, bool(call.turns))
        if kept is not None:
            return Answer(kept, json.loads(kept.body), 0, False, "")
        try:
            return await self._ask(call, claim)
        except BaseException:
            self._batcher.do(Release(claim))
            raise

    def _claim(self, call: Call, key: str) -> Claim:
        account = self._account
        worst = None
        if account.price:
            prompt = call.most_prompt_tokens(account.price.image_tokens)
            worst = account.price.usd(int(prompt * account.ratio) + 1, self.parameters.max_tokens)
        where = (self.parameters.endpoint, self.parameters.model, call.request.purpose)
        return Claim(key, self.owner, *where, account.scope, worst, account.cap_usd)

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
                raise FrontierStopped(
                    f"the budget of ${claim.cap_usd:.2f} is reached: ${result.spent_usd:.4f} is spent and the next call may cost up to "
                    f"${claim.worst_usd:.4f}; raise the budget and resume",
                    resumable=True,
                )
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
        sent = unreached = 0
        loop, began = asyncio.get_running_loop(), time.monotonic()
        self._asking += 1
        try:
            while True:
                urls = [await loop.run_in_executor(None, self.pictures.data_url, picture) for picture in call.pictures]
                await self._slots.acquire(urgent=sent > 0 or bool(call.turns))
                try:
                    if self._run.stopping:
                        raise Abandoned
                    self._run.on_the_wire(True)
                    result, level, sent = await self._understood(call, claim, urls, sent)
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
                if result.kind in (failures.ROW, failures.DIALECT):
                    raise RowFailed(result.cause, sent)
                unreached = unreached + 1 if result.kind == failures.UNREACHED else 0
                if unreached >= min(CONNECT_ATTEMPTS, self._link.attempts) and self._last_contact < began:
                    raise FrontierStopped(f"{self.parameters.endpoint} can't be reached: {result.cause}", resumable=True)
                if sent >= self._link.attempts:
                    raise RowFailed(f"given up after {sent} calls: {result.cause}", sent)
                if self._run.stopping:
                    raise Abandoned
                rounds = self._streak // max(2, min(self._asking, self._slots.limit))
                await asyncio.sleep(max(result.retry_after or 0.0, min(backoff(rounds), 2.0 if unreached else 30.0)))
        finally:
            self._asking -= 1
            if ahead:
                self._ahead.release()

    async def _understood(self, call: Call, claim: Claim, urls: list[str], sent: int) -> tuple[Reply | failures.Failure, str, int]:
        """(result, level, calls sent so far) of a call, put into other words as long as the server rejects only their form."""
        level, lowered = self._dialect.level, False
        while True:
            dialect = self._dialect
            result = await self._post(call, claim, level, dialect, urls)
            sent += 1
            if isinstance(result, Reply):
                if lowered and self._dialect.good == 0:
                    self._speak(replace(self._dialect, level=level, bad=0), remember=True)
                return result, level, sent
            said = result.cause.lower()
            if result.kind != failures.DIALECT or sent >= self._link.attempts or self._run.stopping:
                return result, level, sent
            if "max_completion_tokens" in said and dialect.tokens_name == "max_tokens":
                self._speak(replace(self._dialect, tokens_name="max_completion_tokens"), remember=True)
            elif "temperature" in said and dialect.temperature and self.parameters.temperature is not None:
                self._speak(replace(self._dialect, temperature=False), remember=True)
            elif level != LEVELS[-1] and (self._dialect.good == 0 or any(word in said for word in _FORMATS)):
                level, lowered = below(level), True
            else:
                return result, level, sent

    async def _post(self, call: Call, claim: Claim, level: str, dialect: Dialect, urls: list[str]) -> Reply | failures.Failure:
        """One HTTP call."""
        import httpx2

        body = call.body(level, dialect, urls)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._link.timeout_s):
                response = await self._client.post("/chat/completions", body=body, cast_to=httpx2.Response)
        except asyncio.CancelledError:
            self._batcher.do(Lost(claim, "cancelled while it was in flight"))
            raise
        except failures.expected() as error:
            failure = failures.from_exception(error, self._link.api_key is not None, self._link.key_env)
        else:
            failure = self._read(call, response.text, time.monotonic() - started)
        if isinstance(failure, Reply):
            self._last_contact = time.monotonic()
            self._streak = 0
            self._throttle.saw(limited=False)
            return failure
        self._streak += 1
        if failure.kind != failures.UNREACHED:
            self._last_contact = time.monotonic()
        self._throttle.saw(failure.kind == failures.LIMITED, failure.retry_after)
        return replace(failure, cause=failures.redact(failure.cause, self._link.api_key))

    def _read(self, call: Call, text: str, seconds: float) -> Reply | failures.Failure:
        """A response of status 200: a chat completion, an error after all, or rubble."""
        try:
            body = json.loads(text)
        except ValueError:
            cause = f"the response isn't whole: {len(text)} characters that aren't JSON"
            return failures.Failure(failures.BROKEN, cause, maybe_billed=True, body=text)
        if isinstance(body, dict) and body.get("error"):
            message, code = failures.message_of(body)
            status = int(code) if code and code.isdigit() else 500
            return failures.from_status(status, message, code, None, self._link.api_key is not None, self._link.key_env)
        choices = body.get("choices") if isinstance(body, dict) else None
        if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
            return failures.Failure(failures.BROKEN, "the response holds no choices", maybe_billed=True, body=text)
        prompt, completion, cached = usage_of(body)
        usd = None
        if self._account.price and prompt is not None and completion is not None:
            usd = self._account.price.usd(prompt, completion, cached or 0)
            estimate = call.most_prompt_tokens(self._account.price.image_tokens)
            self._account.ratio = max(self._account.ratio, prompt / estimate)
        where = (self.parameters.endpoint, self.parameters.model, call.request.purpose)
        return Reply(call.key, *where, text, prompt, completion, cached, usd, round(seconds, 4), time.time())
