"""Images from any server that speaks OpenAI's `/images/generations`: OpenAI itself, vLLM, LocalAI and others.

A paid picture is kept before anything else is done with it: its bytes among the workspace's pictures, its reply in the journal under
what was asked (server, model, size, prompt, seed). So none is bought twice, whatever ends the job, and a budget holds.
"""

import asyncio
import base64
import binascii
import json
import os
import random
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from data.images import BadImage, ImageStore
from models.image_generators import DrawError
from models.image_generators._base import Desk, Generator
from models.image_generators._fetch import fetch
from models.image_generators._wanted import Abandoned, Wanted, body_kept, groups, usage_of
from models.paid_calls import http_failures as failures
from models.paid_calls.claim_owner import new_owner
from models.paid_calls.connection import Link, connect
from models.paid_calls.journal import CLAIM_SECONDS, Claim, Find, Full, Journal, Lost, Record, Release, Renew
from models.paid_calls.keys import find_key, not_found
from models.paid_calls.prices import Price, load_prices
from models.paid_calls.records import FrontierStopped, Reply

OPENAI = "https://api.openai.com/v1"
PURPOSE = "draw"
MOST_TOKENS = 7_000  # output tokens that one picture counts at most (gpt-image-1: 6,240 for 1536x1024, high)
STOP_GRACE = 1.5  # seconds that calls in flight get when the job is told to stop
FATAL_GRACE = 60.0  # ... when something else ends it: their pictures are paid
ENOUGH = 5  # pictures, from whose mean the cost of others is estimated


class OpenAIImages(Generator):
    """Asks a server for pictures, several calls at a time, through the `openai` package."""

    paid = True

    class Options(BaseModel, extra="forbid"):
        model: str = Field("gpt-image-1", description="The server's name for the image model")
        base_url: str | None = Field(None, description="Such as http://127.0.0.1:8000/v1; empty: OPENAI_BASE_URL, else OpenAI itself")
        api_key_env: str = Field(
            "OPENAI_API_KEY", description="Name of the variable (or entry of keys.json) with the key; the key itself is never stored"
        )
        size: str = Field(
            "1024x1024", pattern=r"^(auto|\d{2,4}x\d{2,4})$", description="Width x height in pixels, as the server offers them, or auto"
        )
        quality: str | None = Field(None, description="low, medium, high, hd ...; empty: the server's default")
        send_seed: bool = Field(False, description="Send each picture's seed; OpenAI's own server refuses it, many others take it")
        n: int = Field(1, ge=1, le=10, description="Pictures of one prompt asked for in one call; dall-e-3 allows 1. Not with send_seed")
        workers: int = Field(4, ge=1, le=64, description="Requests under way at once")
        retries: int = Field(4, ge=0, le=20, description="Further tries after a time-out, a 429 or a server error")
        timeout: float = Field(180, gt=0, description="Seconds that one try may take")

    @property
    def address(self) -> str:
        return (self.options.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")

    def open(self, desk: Desk) -> None:
        self._desk = desk
        self._journal, self._images = Journal(desk.journal), ImageStore(desk.images)
        self._form = self.options.model.startswith("gpt-image")  # always base64, and no word about it; all others default to a URL

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Any]:
        """The bytes of a picture or a DrawError for each prompt, in order; None for what a stop has cut off.

        Raises FrontierStopped where the whole job has to stop: there is no key, say.
        """
        key, price, budget = self._key, self._price, self._desk.budget_usd
        if budget is not None and price is None:
            raise FrontierStopped(
                f"model {self.options.model} has no price, so the budget can't be kept: add it to {self._price_file} "
                "(picture: dollars each) or start without a budget",
                resumable=True,
            )
        settings = {name: getattr(self.options, name) for name in ("model", "size", "quality", "send_seed")}
        wanted = [Wanted.of(self.address, settings, prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        found = asyncio.run(self._all(wanted, key))
        return [found.get(one.key) for one in wanted]

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside the prompt. Steps and guidance are the server's secret; sizes in pixels, None for auto."""
        width, _, height = self.options.size.partition("x")
        return {
            "generator": "openai_images",
            "model": self.options.model,
            "steps": None,
            "guidance": None,
            "width": int(width) if height else None,
            "height": int(height) if height else None,
            "quality": self.options.quality,
            "seed_sent": self.options.send_seed,
        }

    def estimate(self, count: int, desk: Desk) -> tuple[float, float] | None:
        """By the price of a picture; where tokens are priced, by what pictures have cost so far, else from few tokens to the most."""
        self.open(desk)
        price = self._price
        if price is None:
            return None
        if price.picture is not None:
            return count * price.picture, count * price.picture
        pictures, prompt, completion = self._journal.typical(self.address, self.options.model, PURPOSE)
        if pictures >= ENOUGH and prompt is not None and completion is not None:
            usd = price.usd(prompt, completion)
            return 0.9 * count * usd, 1.15 * count * usd
        return count * price.usd(0, 200), count * price.usd(500, MOST_TOKENS)

    @property
    def _key(self) -> str:
        key = find_key(self.options.api_key_env, self._desk.journal.with_name("keys.json"))
        if not key:
            raise FrontierStopped(
                f"no key for image generator {self.options.model!r}: {not_found(self.options.api_key_env)}. "
                "Set it (any text for a server that needs none), or choose another in api_key_env",
                resumable=True,
            )
        return key

    @property
    def _price_file(self) -> Any:
        return self._desk.journal.with_name("prices.json")

    @cached_property
    def _price(self) -> Price | None:
        """The most particular price: of model, size and quality, of model and size, of the model."""
        options, prices = self.options, load_prices(self._price_file if self._price_file.exists() else None)
        names = (f"{options.model} {options.size} {options.quality}", f"{options.model} {options.size}", options.model)
        return next((prices[name] for name in names if name in prices), None)

    async def _all(self, wanted: list[Wanted], key: str) -> dict[str, Any]:
        """Pictures and errors by key. What a stop cuts off is missing."""
        self._owner, self._slots, self._stopping = new_owner(), asyncio.Semaphore(self.options.workers), False
        options, found = self.options, {}
        self._client = connect(Link(self.address, key, options.api_key_env, options.timeout, 1, trust_env=True, model=options.model))
        self._secret = key
        together = 1 if self.options.send_seed else self.options.n
        tasks = {asyncio.create_task(self._group(group, found)) for group in groups(wanted, together)}
        heart = asyncio.create_task(self._beat())
        halted = None
        try:
            pending = tasks
            while pending:
                done, pending = await asyncio.wait(pending, timeout=0.1, return_when=asyncio.FIRST_EXCEPTION)
                halted = next((task.exception() for task in done if not task.cancelled() and task.exception()), None)
                if halted or self._desk.should_stop():
                    self._stopping = True
                    await self._wind_up(pending, FATAL_GRACE if halted else STOP_GRACE)
                    break
        finally:
            heart.cancel()
            await self._client.close()
            for task in tasks:  # the first fault is raised; of others that nobody looks at asyncio would complain at any later moment
                if task.done() and not task.cancelled():
                    task.exception()
        if halted and not isinstance(halted, Abandoned):
            raise halted
        return found

    async def _wind_up(self, pending: set[asyncio.Task], grace: float) -> None:
        """Calls on the wire get `grace` seconds; then, or on a stop meanwhile, they are cut off."""
        until = time.monotonic() + grace
        while pending and time.monotonic() < until:
            _, pending = await asyncio.wait(pending, timeout=0.1)
            if self._desk.should_stop():
                until = min(until, time.monotonic() + STOP_GRACE)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(CLAIM_SECONDS / 4)
            self._journal.apply([Renew(self._owner)])

    async def _group(self, wanted: list[Wanted], found: dict[str, Any]) -> None:
        """The pictures of one prompt: from the journal, or claimed, asked for, kept."""
        left, pause = list(wanted), 0.05
        while left:
            async with self._slots:
                if self._stopping:
                    return
                claims = self._claim(left, found)
                if claims:
                    try:
                        await self._buy(claims, found)
                    finally:
                        self._journal.apply([Release(claim) for _, claim in claims])
            left = [one for one in left if one.key not in found]
            if left and not claims:  # another process draws it, or the budget waits for what is in flight
                await asyncio.sleep(pause)
                pause = min(2 * pause, 1.0)

    def _claim(self, wanted: list[Wanted], found: dict[str, Any]) -> list[tuple[Wanted, Claim]]:
        """Claims what can be had now; what the journal has goes to `found`. Raises FrontierStopped where the budget is spent."""
        price, claims = self._price, []
        for one in wanted:
            (kept,) = self._journal.apply([Find(one.key)])
            if kept is None:
                worst = None if price is None else self._worst_usd(price, one.prompt)
                where = (self.address, self.options.model, PURPOSE, self._desk.scope)
                claim = Claim(one.key, self._owner, *where, worst, self._desk.budget_usd)
                (kept,) = self._journal.apply([claim])
            if isinstance(kept, Reply):
                found[one.key] = self._kept(kept)
            elif kept == "ours":
                claims.append((one, claim))
            elif isinstance(kept, Full) and kept.in_flight_usd <= 0 and not claims:
                raise kept.stop()
            else:
                break
        return claims

    def _worst_usd(self, price: Price, prompt: str) -> float:
        if price.picture is not None:
            return price.picture
        return price.most_usd(len(prompt.encode("utf-8", "replace")) + 99, MOST_TOKENS)  # a token is at least one byte of text

    def _kept(self, reply: Reply) -> Any:
        """The picture of a reply that was paid for before."""
        try:
            return self._images.path(json.loads(reply.body)["data"][0]["sha256"]).read_bytes()
        except OSError as error:
            return DrawError(f"this picture was paid for, but its file is gone ({error}); restore a backup, or draw it with another seed")

    async def _buy(self, claims: list[tuple[Wanted, Claim]], found: dict[str, Any]) -> None:
        """Asks until the pictures come or it is clear that they don't; every outcome goes to `found`."""
        said = "no picture came"
        for rounds in range(self.options.retries + 1):
            if self._stopping:
                raise Abandoned
            failure = await self._post(claims, found)
            claims = [(one, claim) for one, claim in claims if one.key not in found]
            if not claims:
                return
            if failure is None:  # fewer came than were asked for
                continue
            said = failure.cause
            if failure.maybe_billed:
                self._journal.apply([Lost(claim, said, failure.body) for _, claim in claims])
            if failure.kind == failures.STOP:
                raise FrontierStopped(f"{self.address}, model {self.options.model}: {said}", failure.resumable)
            if failure.kind == failures.DIALECT and "response_format" in said and not self._form:
                self._form = True
                continue
            if failure.kind not in (failures.LIMITED, failures.UNREACHED, failures.BROKEN, failures.HUNG):
                said = f"{said} (reword the prompt, or change size, quality or n)" if failure.kind != failures.ROW else said
                break
            if rounds < self.options.retries and not self._stopping:
                backoff = random.uniform(0.4, 1.0) * min(30.0, 0.5 * 2**rounds)
                await asyncio.sleep(backoff if failure.retry_after is None else failure.retry_after)
        for one, _ in claims:
            found[one.key] = DrawError(f"{self.options.model} at {self.address} could not draw {one.prompt!r}: {said}")

    async def _post(self, claims: list[tuple[Wanted, Claim]], found: dict[str, Any]) -> failures.Failure | None:
        """One HTTP call for all of the claims; pictures that came are kept and put into `found`."""
        import httpx2

        options, (first, _) = self.options, claims[0]
        body: dict[str, Any] = {"prompt": first.prompt, "model": options.model, "size": options.size, "n": len(claims)}
        if not self._form:
            body["response_format"] = "b64_json"
        if options.quality:
            body["quality"] = options.quality
        if options.send_seed:
            body["seed"] = first.seed
        began = time.monotonic()
        try:
            async with asyncio.timeout(options.timeout):
                response = await self._client.post("/images/generations", body=body, cast_to=httpx2.Response)
            return await self._keep(response.text, claims, found, time.monotonic() - began)
        except asyncio.CancelledError:
            self._journal.apply([Lost(claim, "cancelled while it was in flight") for one, claim in claims if one.key not in found])
            raise
        except failures.expected() as error:
            failure = failures.from_exception(error, True, options.api_key_env)
            cause = failures.redact(failure.cause, self._secret)
            if failure.kind == failures.UNREACHED:
                cause = f"it can't be reached ({cause}); check base_url and that the server runs"
            return failures.Failure(failure.kind, cause, failure.retry_after, failure.maybe_billed, failure.body, failure.resumable)

    async def _keep(self, text: str, claims: list[tuple[Wanted, Claim]], found: dict[str, Any], seconds: float) -> failures.Failure | None:
        """Pictures to the disk, then their replies to the journal; what came and is no picture is charged and kept as lost."""
        try:
            body = json.loads(text)
            items = [item for item in body["data"] if isinstance(item, dict)][: len(claims)]
        except (ValueError, KeyError, TypeError):
            return failures.Failure(failures.BROKEN, "the reply holds no list of pictures", maybe_billed=True, body=text[:100_000])
        if not items:
            return failures.Failure(failures.ROW, "the reply holds no picture", maybe_billed=True, body=text[:100_000])
        prompt, completion, cached, pictured = usage_of(body)
        price, each = self._price, len(items)
        for (one, claim), item in zip(claims, items, strict=False):
            try:
                content = await self._content(item)
                info = self._images.add(content, f"reply to {one.prompt[:60]!r}")
            except OSError as error:  # asking again would buy another one that can't be kept
                self._journal.apply([Lost(claim, str(error)) for one, claim in claims if one.key not in found])
                raise FrontierStopped(f"the picture that came can't be kept in {self._desk.images}: {error}", resumable=True) from error
            except BadImage as error:
                self._journal.apply([Lost(claim, str(error), json.dumps(item)[:100_000])])
                found[one.key] = DrawError(f"{self.options.model} at {self.address} could not draw {one.prompt!r}: {error}")
                continue
            usd = None
            if price is not None and price.picture is not None:
                usd = price.picture
            elif price is not None and (whole := price.reply_usd((prompt, completion, cached), pictured, pictured=False)) is not None:
                usd = whole / each
            tokens = [None if count is None else round(count / each) for count in (prompt, completion, cached)]
            where = (self.address, self.options.model, PURPOSE)
            reply = Reply(one.key, *where, body_kept(body, item, info.sha256), *tokens, usd, round(seconds, 4), time.time())
            self._journal.apply([Record(claim, reply, "", "")])
            found[one.key] = content
        return None

    async def _content(self, item: dict[str, Any]) -> bytes:
        """The bytes of a picture in a reply, in base64 or behind a URL. Raises BadImage."""
        if item.get("b64_json"):
            try:
                return base64.b64decode(item["b64_json"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadImage(f"the reply's b64_json is no base64 ({error}); ask the server's maker") from error
        if item.get("url"):
            return await fetch(item["url"], urlsplit(self.address).hostname, self.options.retries)
        raise BadImage("the reply holds neither b64_json nor url; ask the server's maker")
