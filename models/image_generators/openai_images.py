"""Pictures from any server that offers OpenAI's `/images/generations`: OpenAI itself, vLLM, LocalAI and others.

A paid picture is kept before anything else is done with it: its bytes among the workspace's pictures, its reply in the journal under
what was asked (server, model, size, prompt, seed). So none is bought twice, whatever ends the job, and a budget holds.
"""

import asyncio
import base64
import binascii
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from data.images import BadImage, ImageStore
from models.image_generators._base import DrawError, Generator, GeneratorContext
from models.image_generators._fetch import fetch
from models.image_generators._wanted import Wanted, body_kept, groups, usage_of
from models.paid_calls.buying import Buyer
from models.paid_calls.concurrency import AdaptiveSemaphore
from models.paid_calls.connection import EndpointConnection
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.journal import Journal
from models.paid_calls.keys import find_key, not_found
from models.paid_calls.ledger import Claim, RecordReply
from models.paid_calls.orders import Abandoned, CallFailed, Order, PaidCall, RunState
from models.paid_calls.prices import Price, load_prices, table_beside, unpriced
from models.paid_calls.records import FrontierStopped, Reply
from models.paid_calls.retries import RetryPolicy

if TYPE_CHECKING:
    import httpx2

OPENAI = "https://api.openai.com/v1"
PURPOSE = "draw"
MOST_TOKENS = 7_000  # output tokens that one picture counts at most (gpt-image-1: 6,240 for 1536x1024, high)
MOST_BODY = 100_000  # characters of an unusable response that are kept
STOP_GRACE = 1.5  # seconds that calls in flight get when the job is told to stop
FATAL_GRACE = 60.0  # ... when something else ends it: their pictures are paid
NOT_THE_API = "the server does not follow the OpenAI images API, use another"
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
        send_seed: bool = Field(False, description="Send each image's seed; OpenAI's own server refuses it, many others take it")
        n: int = Field(1, ge=1, le=10, description="Pictures of one prompt asked for in one call; dall-e-3 allows 1. Not with send_seed")
        workers: int = Field(4, ge=1, le=64, description="Requests under way at once")
        retries: int = Field(4, ge=0, le=20, description="Further tries after a time-out, a 429 or a server error")
        timeout: float = Field(180, gt=0, description="Seconds that one try may take")

    options: Options

    @property
    def address(self) -> str:
        return (self.options.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")

    def open(self, context: GeneratorContext) -> None:
        self._context, self._journal, self.images = context, Journal(context.journal), ImageStore(context.images)
        self.asks_for_base64 = not self.options.model.startswith("gpt-image")  # these give nothing else; all others default to a URL

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[bytes | DrawError | None]:
        """The bytes of a picture or a DrawError for each prompt, in order; None for what a stop has cut off.

        Raises FrontierStopped where the whole job has to stop: there is no key, say.
        """
        options, key = self.options, self._key
        if self._context.budget_usd is not None and self.price is None:
            raise unpriced(options.model, self._context.journal, "picture: dollars each")
        settings = {name: getattr(options, name) for name in ("model", "size", "quality", "send_seed")}
        wanted = [Wanted.of(self.address, settings, prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        drawn = asyncio.run(self._draw_all(wanted, key))
        return [drawn.get(picture.key) for picture in wanted]

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

    def estimate(self, count: int, context: GeneratorContext) -> tuple[float, float] | None:
        """By the price of a picture; where tokens are priced, by what pictures have cost so far, else from few tokens to the most."""
        self.open(context)
        price = self.price
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
        key = find_key(self.options.api_key_env, self._context.journal.with_name("keys.json"))
        if not key:
            raise FrontierStopped(
                f"no key for image generator {self.options.model!r}: {not_found(self.options.api_key_env)}. "
                "Set it (any text for a server that needs none), or choose another in api_key_env",
                resumable=True,
            )
        if why := self._context.key_withheld(self.options.api_key_env, self.address):
            raise FrontierStopped(f"no key for image generator {self.options.model!r}: {why}", resumable=True)
        return key

    @cached_property
    def price(self) -> Price | None:
        """The most particular price: of model, size and quality, of model and size, of the model."""
        options, prices = self.options, load_prices(table_beside(self._context.journal))
        names = (f"{options.model} {options.size} {options.quality}", f"{options.model} {options.size}", options.model)
        return next((prices[name] for name in names if name in prices), None)

    async def _draw_all(self, wanted: Sequence[Wanted], key: str) -> dict[str, bytes | DrawError]:
        """Pictures and errors by key. What a stop cuts off is missing."""
        options, drawn, state = self.options, dict[str, bytes | DrawError](), RunState()
        attempts = options.retries + 1
        connection = EndpointConnection(self.address, key, options.api_key_env, options.timeout, attempts, True, options.model)
        journal = GroupCommit(self._journal)
        buyer = Buyer(connection, journal, state, RetryPolicy(attempts), AdaptiveSemaphore(options.workers))
        together = 1 if options.send_seed else options.n
        tasks = {asyncio.create_task(self._draw_group(group, buyer, drawn)) for group in groups(wanted, together)}
        halted: BaseException | None = None
        try:
            pending = tasks
            while pending:
                done, pending = await asyncio.wait(pending, timeout=0.1, return_when=asyncio.FIRST_EXCEPTION)
                halted = next((error for task in done if not task.cancelled() and (error := task.exception())), None)
                if halted or self._context.should_stop():
                    state.stopping = True
                    await self._wind_up(pending, FATAL_GRACE if halted else STOP_GRACE)
                    break
        finally:
            await buyer.close()
            await journal.close()
            for task in tasks:  # the first fault is raised; of others that nobody looks at asyncio would complain at any later moment
                if task.done() and not task.cancelled():
                    task.exception()
        if halted and not isinstance(halted, Abandoned):
            raise halted
        return drawn

    async def _wind_up(self, pending: "set[asyncio.Task[None]]", grace: float) -> None:
        """Calls on the wire get `grace` seconds; then, or on a stop meanwhile, they are cut off."""
        until = time.monotonic() + grace
        while pending and time.monotonic() < until:
            _, pending = await asyncio.wait(pending, timeout=0.1)
            if self._context.should_stop():
                until = min(until, time.monotonic() + STOP_GRACE)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)

    async def _draw_group(self, group: list[Wanted], buyer: Buyer, drawn: dict[str, bytes | DrawError]) -> None:
        """The pictures of one prompt: from the journal, or bought."""
        for picture in group:
            if reply := await buyer.find(picture.key):
                drawn[picture.key] = self._known(reply)
        while left := [picture for picture in group if picture.key not in drawn]:
            call = PictureCall(self, buyer, left, drawn)
            try:
                order = await buyer.buy([self._claim(picture, buyer.owner) for picture in left], call)
            except CallFailed as error:
                call.fail(error.failure)
            else:
                drawn |= {key: self._known(reply) for key, reply in order.known.items()}

    def _claim(self, picture: Wanted, owner: str) -> Claim:
        price, worst = self.price, None
        if price is not None and price.picture is not None:
            worst = price.picture
        elif price is not None:  # a token is at least one byte of text
            worst = price.most_usd(len(picture.prompt.encode("utf-8", "replace")) + 99, MOST_TOKENS)
        context = self._context
        return Claim(picture.key, owner, self.address, self.options.model, PURPOSE, context.scope, worst, context.budget_usd)

    def _known(self, reply: Reply) -> bytes | DrawError:
        """The picture of a reply that was paid for before."""
        try:
            return self.images.path(json.loads(reply.body)["data"][0]["sha256"]).read_bytes()
        except OSError as error:
            return DrawError(f"this image was paid for, but its file is gone ({error}); restore a backup, or draw it with another seed")


class PictureCall(PaidCall):
    """One HTTP call for pictures of one prompt; those that came are kept at once, the others asked for again."""

    def __init__(self, generator: OpenAIImages, buyer: Buyer, wanted: list[Wanted], drawn: dict[str, bytes | DrawError]):
        self._generator, self._buyer, self._drawn = generator, buyer, drawn
        self._prompt, self._seed = wanted[0].prompt, {picture.key: picture.seed for picture in wanted}
        self._order = Order({})

    async def send(self, order: Order) -> Failure | None:
        self._order = order
        while True:
            asks = self._generator.asks_for_base64
            failure = await self._buyer.post(order, "/images/generations", self._body(asks), self._read)
            if failure is None:
                return Failure(FailureKind.BROKEN, "no image came", retry_after=0.0) if order.open else None
            if not (asks and failure.kind == FailureKind.UNSUPPORTED and "response_format" in failure.cause):
                break
            self._generator.asks_for_base64 = False
            if order.sent >= self._buyer.connection.attempts or self._buyer.state.stopping:
                break
        if failure.kind == FailureKind.UNREACHABLE:
            return replace(failure, cause=f"it can't be reached ({failure.cause}); check base_url and that the server runs")
        return failure

    def fail(self, failure: Failure) -> None:
        """No pictures come of what is still open."""
        is_asked_wrongly = not failure.is_transient and failure.kind != FailureKind.ROW
        hint = " (reword the prompt, or change size, quality or n)" if is_asked_wrongly else ""
        for key in self._order.open:
            self._drawn[key] = self._error(f"{failure.cause}{hint}")

    def _error(self, cause: object) -> DrawError:
        return DrawError(f"{self._generator.options.model} at {self._generator.address} could not draw {self._prompt!r}: {cause}")

    def _body(self, asks_for_base64: bool) -> dict[str, Any]:
        options, keys = self._generator.options, list(self._order.open)
        body: dict[str, Any] = {"prompt": self._prompt, "model": options.model, "size": options.size, "n": len(keys)}
        if asks_for_base64:
            body["response_format"] = "b64_json"
        if options.quality:
            body["quality"] = options.quality
        if options.send_seed:
            body["seed"] = self._seed[keys[0]]
        return body

    async def _read(self, response: "httpx2.Response", seconds: float) -> Failure | None:
        """Pictures to the disk, then their replies to the journal; what came and is no picture is charged and kept as lost."""
        text, order = response.text, self._order
        try:
            body = json.loads(text)
            items = [item for item in body["data"] if isinstance(item, dict)][: len(order.open)]
        except (ValueError, KeyError, TypeError):
            return Failure(FailureKind.BROKEN, "the reply has no list of images", maybe_billed=True, body=text[:MOST_BODY])
        if not items:
            return Failure(FailureKind.ROW, "the reply has no image", maybe_billed=True, body=text[:MOST_BODY])
        for claim, item in zip(list(order.open.values()), items):
            try:
                content = await self._content(item)
                info = self._generator.images.add(content, f"reply to {self._prompt[:60]!r}")
            except OSError as error:  # asking again would buy another one that can't be kept
                await self._buyer.lose(order, str(error))
                raise FrontierStopped(
                    f"the image received can't be saved in {self._generator.images.root} ({error}); free disk space, then resume the job",
                    resumable=True,
                ) from error
            except BadImage as error:
                self._drawn[claim.key] = self._error(error)
                await self._buyer.close_lost(order, claim, str(error), json.dumps(item)[:MOST_BODY])
                continue
            reply = self._reply(claim, body, body_kept(body, item, info.sha256), len(items), seconds)
            await self._buyer.record(order, RecordReply(claim, reply, "", ""))
            self._drawn[claim.key] = content
        return None

    def _reply(self, claim: Claim, body: dict[str, Any], kept: str, pictures: int, seconds: float) -> Reply:
        """The reply to one of the pictures of a call, with its share of tokens and cost. `kept`: its body in the journal."""
        prompt, completion, cached, pictured = usage_of(body)
        price, usd = self._generator.price, None
        if price is not None and price.picture is not None:
            usd = price.picture
        elif price is not None and (whole := price.reply_usd((prompt, completion, cached), pictured, pictured=False)) is not None:
            usd = whole / pictures
        tokens = [None if count is None else round(count / pictures) for count in (prompt, completion, cached)]
        return Reply(
            claim.key,
            claim.endpoint,
            claim.model,
            claim.purpose,
            kept,
            tokens[0],
            tokens[1],
            tokens[2],
            usd,
            round(seconds, 4),
            time.time(),
        )

    async def _content(self, item: dict[str, Any]) -> bytes:
        """The bytes of a picture in a reply, in base64 or behind a URL. Raises BadImage."""
        if item.get("b64_json"):
            try:
                return base64.b64decode(item["b64_json"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadImage(f"the reply's b64_json is not base64 ({error}): {NOT_THE_API}") from error
        if item.get("url"):
            return await fetch(item["url"], urlsplit(self._generator.address).hostname, self._generator.options.retries)
        raise BadImage(f"the reply has neither b64_json nor url: {NOT_THE_API}")
