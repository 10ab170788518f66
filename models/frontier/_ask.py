"""Buying one reply: from the journal, or claimed, asked over HTTP, written down."""

import asyncio
import json
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

CONNECT_ATTEMPTS = 6  # about 8 seconds of nobody listening


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


class Asker:
    """All that the rows of one run share. Lives in one event loop."""

    def __init__(
        self, link: Link, parameters: Parameters, account: Account, pictures: Pictures, dialect: Dialect, slots: int, batcher: Batcher, run
    ):
        import openai

        self.parameters, self.pictures = parameters, pictures
        self.owner = new_owner()
        self._link, self._account, self._dialect = link, account, dialect
        self._batcher, self._run = batcher, run
        self._slots = Slots(slots)
        self._ahead = Slots(slots + max(2, slots // 4))  # a few rows are claimed before a slot is free, so that none idles
        self._throttle = Throttle(self._slots, slots)
        self._last_contact = 0.0
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
        kept = await self._claimed(claim)
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

    async def _claimed(self, claim: Claim) -> Reply | None:
        """Returns once the claim is ours (None) or someone else has got the reply. On None a place in `_ahead` is taken."""
        pause = 0.02
        while True:
            await self._ahead.acquire()
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
        level, ahead = self._dialect.level, True
        sent = unreached = 0
        loop, began = asyncio.get_running_loop(), time.monotonic()
        try:
            while True:
                urls = [await loop.run_in_executor(None, self.pictures.data_url, picture) for picture in call.pictures]
                await self._slots.acquire()
                try:
                    if self._run.stopping:
                        raise Abandoned
                    self._run.on_the_wire(True)
                    sent += 1
                    result = await self._post(call, claim, level, urls)
                finally:
                    self._slots.release()
                    if ahead:
                        self._ahead.release()
                        ahead = False
                if isinstance(result, Reply):
                    kept = await self._batcher.do(Record(claim, result, call.request.prompt_version, level))
                    self._run.on_the_wire(False)
                    return Answer(kept, json.loads(kept.body), sent, True, level)
                failure = result
                if failure.maybe_billed:
                    await self._batcher.do(Lost(claim, failure.cause, failure.body))
                self._run.on_the_wire(False)
                if failure.kind == failures.DIALECT:
                    level = self._translated(failure, level, sent)
                    continue
                self._give_up(failure, sent)
                unreached = unreached + 1 if failure.kind == failures.UNREACHED else 0
                if unreached >= CONNECT_ATTEMPTS and self._last_contact < began:
                    raise FrontierStopped(f"{self.parameters.endpoint} can't be reached: {failure.cause}", resumable=True)
                if sent >= self._link.attempts:
                    raise RowFailed(f"given up after {sent} calls: {failure.cause}", sent)
                if self._run.stopping:
                    raise Abandoned
                backoff = min(30.0, 0.25 * 2 ** min(sent - 1, 8)) * random.uniform(0.5, 1.0)
                await asyncio.sleep(max(failure.retry_after or 0.0, backoff))
        finally:
            if ahead:
                self._ahead.release()

    def _give_up(self, failure: failures.Failure, sent: int) -> None:
        if failure.kind == failures.STOP:
            raise FrontierStopped(f"{self.parameters.endpoint}, model {self.parameters.model}: {failure.cause}", failure.resumable)
        if failure.kind == failures.ROW:
            raise RowFailed(failure.cause, sent)

    def _translated(self, failure: failures.Failure, level: str, sent: int) -> str:
        """After a 400 or 422: the level to try next, or other parameter names. Raises RowFailed if the request itself is at fault."""
        said, dialect = failure.cause.lower(), self._dialect
        if sent < self._link.attempts:
            if "max_completion_tokens" in said and dialect.tokens_name == "max_tokens":
                self._speak(replace(dialect, tokens_name="max_completion_tokens"), remember=True)
                return level
            if "max_completion_tokens" in said and sent == 1:  # another row has just learnt it
                return level
            if "temperature" in said and self.parameters.temperature is not None and (dialect.temperature or sent <= 2):
                self._speak(replace(dialect, temperature=False), remember=True)
                return level
            named = any(word in said for word in ("response_format", "json_schema", "json_object", "structured", "grammar"))
            if level != LEVELS[-1] and (named or dialect.good == 0 or dialect.level != level):
                return below(level)
        raise RowFailed(failure.cause, sent)

    async def _post(self, call: Call, claim: Claim, level: str, urls: list[str]) -> Reply | failures.Failure:
        """One HTTP call."""
        import httpx2

        body = call.body(level, self._dialect, urls)
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
            self._contact()
            self._throttle.saw(limited=False)
            return failure
        if failure.kind != failures.UNREACHED:
            self._contact()
        self._throttle.saw(failure.kind == failures.LIMITED, failure.retry_after)
        return replace(failure, cause=failures.redact(failure.cause, self._link.api_key))

    def _contact(self) -> None:
        self._last_contact = time.monotonic()

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
        if not (isinstance(body, dict) and isinstance(body.get("choices"), list) and body["choices"]):
            return failures.Failure(failures.BROKEN, "the response holds no choices", maybe_billed=True, body=text)
        usage = body.get("usage") or {}
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        usd = None
        if self._account.price and prompt is not None and completion is not None:
            usd = self._account.price.usd(prompt, completion, cached or 0)
            estimate = call.most_prompt_tokens(self._account.price.image_tokens)
            self._account.ratio = max(self._account.ratio, prompt / estimate)
        where = (self.parameters.endpoint, self.parameters.model, call.request.purpose)
        return Reply(call.key, *where, text, prompt, completion, cached, usd, round(seconds, 4), time.time())
