"""The purchase of pictures: what is sent to `/images/generations`, and how its answer is kept. The engine for paid calls does the rest."""

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from data.images import BadImage, ImageStore
from models.image_generators._base import DrawError, GeneratorContext
from models.image_generators._fetch import fetch
from models.image_generators._wanted import Wanted, body_kept, groups, usage_of
from models.paid_calls.buying import Buyer
from models.paid_calls.concurrency import AdaptiveSemaphore
from models.paid_calls.connection import EndpointConnection
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.journal import Journal
from models.paid_calls.ledger import Claim, Record
from models.paid_calls.orders import Abandoned, CallFailed, Order, PaidCall, RetryPolicy, RunState
from models.paid_calls.prices import Price
from models.paid_calls.records import FrontierStopped, Reply

if TYPE_CHECKING:
    import httpx2

PURPOSE = "draw"
MOST_TOKENS = 7_000  # output tokens that one picture counts at most (gpt-image-1: 6,240 for 1536x1024, high)
STOP_GRACE = 1.5  # seconds that calls in flight get when the job is told to stop
FATAL_GRACE = 60.0  # ... when something else ends it: their pictures are paid
_MOST_BODY = 100_000  # characters of an unusable response that are kept


@dataclass(frozen=True)
class Settings:
    """What is asked of the server, beside prompts and seeds, and how patiently."""

    connection: EndpointConnection
    price: Price | None
    size: str
    quality: str | None
    send_seed: bool
    together: int  # pictures of one prompt that go into one call
    workers: int  # calls under way at once
    retries: int
    names_format: bool  # whether base64 is asked for: all but gpt-image default to a URL


class PictureRun:
    """Buys the pictures of one `draw`. Lives in one event loop. `drawn`: pictures and errors by key; what a stop cuts off is missing."""

    def __init__(self, settings: Settings, context: GeneratorContext, journal: Journal):
        self.settings, self.context = settings, context
        self.images = ImageStore(context.images)
        self.drawn: dict[str, bytes | DrawError] = {}
        self.names_format = settings.names_format  # until the server rejects that
        self.state = RunState()
        self._commits = GroupCommit(journal)
        policy = RetryPolicy(settings.connection.attempts)
        self.buyer = Buyer(settings.connection, self._commits, self.state, policy, AdaptiveSemaphore(settings.workers))

    async def draw(self, wanted: Sequence[Wanted]) -> None:
        """Fills `drawn`. Raises FrontierStopped where the whole job has to stop."""
        tasks = {asyncio.create_task(self._group(group)) for group in groups(wanted, self.settings.together)}
        halted: BaseException | None = None
        try:
            pending = tasks
            while pending:
                done, pending = await asyncio.wait(pending, timeout=0.1, return_when=asyncio.FIRST_EXCEPTION)
                halted = next((error for task in done if not task.cancelled() and (error := task.exception())), None)
                if halted or self.context.should_stop():
                    self.state.stopping = True
                    await self._wind_up(pending, FATAL_GRACE if halted else STOP_GRACE)
                    break
        finally:
            await self.buyer.close()
            await self._commits.close()
            for task in tasks:  # the first fault is raised; of others that nobody looks at asyncio would complain at any later moment
                if task.done() and not task.cancelled():
                    task.exception()
        if halted and not isinstance(halted, Abandoned):
            raise halted

    async def _wind_up(self, pending: "set[asyncio.Task[None]]", grace: float) -> None:
        """Calls on the wire get `grace` seconds; then, or on a stop meanwhile, they are cut off."""
        until = time.monotonic() + grace
        while pending and time.monotonic() < until:
            _, pending = await asyncio.wait(pending, timeout=0.1)
            if self.context.should_stop():
                until = min(until, time.monotonic() + STOP_GRACE)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)

    async def _group(self, group: list[Wanted]) -> None:
        """The pictures of one prompt: from the journal, or bought."""
        for wanted in group:
            if reply := await self.buyer.find(wanted.key):
                self.drawn[wanted.key] = self._known(reply)
        while left := [wanted for wanted in group if wanted.key not in self.drawn]:
            call = PictureCall(self, left)
            try:
                purchase = await self.buyer.buy([self._claim(wanted) for wanted in left], call)
            except CallFailed as error:
                call.fail(error.failure)
            else:
                self.drawn |= {key: self._known(reply) for key, reply in purchase.known.items()}

    def _claim(self, wanted: Wanted) -> Claim:
        connection, context = self.settings.connection, self.context
        worst = self._worst_usd(wanted.prompt)
        return Claim(wanted.key, self.buyer.owner, connection.base_url, connection.model, PURPOSE, context.scope, worst, context.budget_usd)

    def _worst_usd(self, prompt: str) -> float | None:
        price = self.settings.price
        if price is None:
            return None
        if price.picture is not None:
            return price.picture
        return price.most_usd(len(prompt.encode("utf-8", "replace")) + 99, MOST_TOKENS)  # a token is at least one byte of text

    def _known(self, reply: Reply) -> bytes | DrawError:
        """The picture of a reply that was paid for before."""
        try:
            return self.images.path(json.loads(reply.body)["data"][0]["sha256"]).read_bytes()
        except OSError as error:
            return DrawError(f"this picture was paid for, but its file is gone ({error}); restore a backup, or draw it with another seed")


class PictureCall(PaidCall):
    """One HTTP call for pictures of one prompt; those that came are kept at once, the others asked for again."""

    def __init__(self, run: PictureRun, wanted: list[Wanted]):
        self._run, self._settings, self._connection = run, run.settings, run.settings.connection
        self._wanted = {picture.key: picture for picture in wanted}
        self._order = Order({})

    async def send(self, order: Order) -> Failure | None:
        self._order = order
        while True:
            names_format = self._run.names_format
            failure = await self._run.buyer.post(order, "/images/generations", self._body(names_format), self._read)
            if failure is None:
                return Failure(FailureKind.BROKEN, "no picture came", retry_after=0.0) if order.open else None
            if not (names_format and failure.kind == FailureKind.UNSUPPORTED and "response_format" in failure.cause):
                break
            self._run.names_format = False
            if order.sent >= self._connection.attempts or self._run.state.stopping:
                break
        if failure.kind == FailureKind.UNREACHABLE:
            return replace(failure, cause=f"it can't be reached ({failure.cause}); check base_url and that the server runs")
        return failure

    def fail(self, failure: Failure) -> None:
        """No pictures come of what is still open."""
        is_asked_wrongly = not failure.is_transient and failure.kind != FailureKind.ROW
        hint = " (reword the prompt, or change size, quality or n)" if is_asked_wrongly else ""
        for key in self._order.open:
            self._run.drawn[key] = self._error(key, f"{failure.cause}{hint}")

    def _error(self, key: str, cause: object) -> DrawError:
        return DrawError(f"{self._connection.model} at {self._connection.base_url} could not draw {self._wanted[key].prompt!r}: {cause}")

    def _body(self, names_format: bool) -> dict[str, Any]:
        first = self._wanted[next(iter(self._order.open))]
        body: dict[str, Any] = {"prompt": first.prompt, "model": self._connection.model, "size": self._settings.size}
        body["n"] = len(self._order.open)
        if names_format:
            body["response_format"] = "b64_json"
        if self._settings.quality:
            body["quality"] = self._settings.quality
        if self._settings.send_seed:
            body["seed"] = first.seed
        return body

    async def _read(self, response: "httpx2.Response", seconds: float) -> Failure | None:
        """Pictures to the disk, then their replies to the journal; what came and is no picture is charged and kept as lost."""
        text, order = response.text, self._order
        try:
            body = json.loads(text)
            items = [item for item in body["data"] if isinstance(item, dict)][: len(order.open)]
        except (ValueError, KeyError, TypeError):
            return Failure(FailureKind.BROKEN, "the reply holds no list of pictures", maybe_billed=True, body=text[:_MOST_BODY])
        if not items:
            return Failure(FailureKind.ROW, "the reply holds no picture", maybe_billed=True, body=text[:_MOST_BODY])
        for claim, item in zip(list(order.open.values()), items):
            try:
                content = await self._content(item)
                info = self._run.images.add(content, f"reply to {self._wanted[claim.key].prompt[:60]!r}")
            except OSError as error:  # asking again would buy another one that can't be kept
                await self._run.buyer.lose(order, str(error))
                raise FrontierStopped(f"the picture that came can't be kept in {self._run.images.root}: {error}", resumable=True) from error
            except BadImage as error:
                self._run.drawn[claim.key] = self._error(claim.key, error)
                await self._run.buyer.close_lost(order, claim, str(error), json.dumps(item)[:_MOST_BODY])
                continue
            reply = self._reply(claim, body, body_kept(body, item, info.sha256), len(items), seconds)
            await self._run.buyer.record(order, Record(claim, reply, "", ""))
            self._run.drawn[claim.key] = content
        return None

    def _reply(self, claim: Claim, body: dict[str, Any], kept: str, pictures: int, seconds: float) -> Reply:
        """The reply to one of the pictures of a call, with its share of tokens and cost. `kept`: its body in the journal."""
        prompt, completion, cached, pictured = usage_of(body)
        price, usd = self._settings.price, None
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
                raise BadImage(f"the reply's b64_json is no base64 ({error}); ask the server's maker") from error
        if item.get("url"):
            return await fetch(item["url"], urlsplit(self._connection.base_url).hostname, self._settings.retries)
        raise BadImage("the reply holds neither b64_json nor url; ask the server's maker")
