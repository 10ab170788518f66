"""Buying replies by the Batch API: calls wait for each other, go out as a file, and come back within a day for less.

Takes the place of an Asker: rows don't notice. What a row asks again (a repair, a call that failed) goes into a later batch.
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from models.frontier import _failures as failures
from models.frontier._ask import Abandoned, Answer, Asker, RowFailed
from models.frontier._batch_file import Draft, Limits, line_of
from models.frontier._batch_records import Batch, Begin, CallsOf, Collect, Join, OpenBatches, Own, Settle, Submitted, Uploaded, new_batch
from models.frontier._batch_remote import ENDED, Remote
from models.frontier._batcher import Batcher
from models.frontier._calls import Call
from models.frontier._images import BadImage
from models.frontier._journal import Claim, Find, Full
from models.frontier._owners import is_alive
from models.frontier._requests import FrontierStopped, Reply
from models.frontier._speak import Account, usage_of

TRIES = 5  # batches that a call may fail in before its row is marked
GRACE = 1.5  # seconds for what is being collected when a run ends, or for cancelling what runs remotely
AT_ONCE = 100  # calls claimed, or replies kept, in one transaction


@dataclass
class _Place:
    """A call that waits for its result; twins share it."""

    call: Call
    spoken: tuple[str, tuple[str, ...]] = ("", ())  # the level it was asked at, and without what
    futures: list[asyncio.Future] = field(default_factory=list)


class BatchAsker:
    """All that the rows of one run share. Lives in one event loop. `asker` asks at once what has to be: the first call of a new model.

    `live`: nothing new goes into batches, but what lies in one that was left alone is waited for, and collected.
    """

    def __init__(
        self,
        asker: Asker,
        remote: Remote,
        account: Account,
        folder: Path,
        limits: Limits,
        say: Callable[[str], None],
        live: bool,
        batcher: Batcher,
        run,
    ):
        self.parameters, self.pictures, self.owner, self.saw = asker.parameters, asker.pictures, asker.owner, asker.saw
        self._asker, self._remote, self._account, self._folder, self._limits = asker, remote, account, folder, limits
        self._say, self._live, self._batcher, self._run = say, live, batcher, run
        self._places: dict[str, _Place] = {}
        self._queue: deque[_Place] = deque()
        self._wake, self._settled, self._adopted = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._draft: Draft | None = None
        self._open: dict[str, Batch] = {}
        self._calls: dict[str, dict[str, tuple[str, str, str]]] = {}  # of each open batch: see CallsOf
        self._counts: dict[str, tuple[int, int]] = {}
        self._sent: set[str] = set()  # by this run
        self._tasks: set[asyncio.Task] = set()
        self._collecting: set[asyncio.Task] = set()
        self._worker: asyncio.Task | None = None
        self._learning, self._adopting = asyncio.Lock(), asyncio.Lock()
        self._broken: Exception | None = None

    async def buy(self, call: Call) -> Answer:
        """The reply to a call, some time later. Raises RowFailed, Abandoned, BadImage or FrontierStopped."""
        if self._run.stopping:
            raise Abandoned
        kept = await self._batcher.do(Find(call.key))
        if kept is not None:
            return Answer(kept, json.loads(kept.body), 0, False, "")
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        if self._live:
            return await self._found_or_asked(call)
        async with self._learning:  # a whole file in words that the endpoint doesn't understand would be a day lost
            if not (self._asker.dialect.good or self._asker.dialect.bad):
                return await self._asker.buy(call)
        for tried in range(1, TRIES + 1):
            place = self._place(call)
            place.futures.append(future := asyncio.get_running_loop().create_future())
            result = await future
            if isinstance(result, Reply):
                return Answer(result, json.loads(result.body), 1, True, place.spoken[0])
            if result.kind == failures.STOP:
                raise FrontierStopped(f"{self.parameters.endpoint}, model {self.parameters.model}: {result.cause}", result.resumable)
            if result.kind in (failures.ROW, failures.REFUSED):
                raise RowFailed(result.cause, tried, refused=result.kind == failures.REFUSED)
            if result.kind == failures.DIALECT:
                async with self._learning:  # asked at once, it tells what the endpoint understands; the others go by it
                    if place.spoken == self._speaks():
                        return await self._asker.buy(call)
        raise RowFailed(f"given up after {TRIES} batches: {result.cause}", TRIES)

    async def _found_or_asked(self, call: Call) -> Answer:
        await self._adopted.wait()
        if self._broken:
            raise self._broken
        if self._is_ours(call.key):
            place = self._places.setdefault(call.key, _Place(call))
            place.futures.append(future := asyncio.get_running_loop().create_future())
            result = await future
            if isinstance(result, Reply):
                return Answer(result, json.loads(result.body), 1, True, "")
        return await self._asker.buy(call)

    def _place(self, call: Call) -> _Place:
        if self._broken:
            raise self._broken
        if call.key not in self._places:
            self._places[call.key] = place = _Place(call)
            self._queue.append(place)
            self._wake.set()
        return self._places[call.key]

    def _is_ours(self, key: str) -> bool:
        """Whether one of the batches that this run looks after will bring its result."""
        return any(key in calls for calls in self._calls.values())

    def _speaks(self) -> tuple[str, tuple[str, ...]]:
        return self._asker.dialect.level, self._asker.dialect.without

    def _resolve(self, key: str, result: Reply | failures.Failure | Exception) -> None:
        place = self._places.pop(key, None)
        for future in place.futures if place else ():
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _fail(self, error: Exception) -> None:
        self._broken = error
        for key in list(self._places):
            self._resolve(key, error)

    async def _work(self) -> None:
        try:
            await self._adopt()
            self._adopted.set()
            while True:
                await self._gather()
        except Exception as error:
            self._fail(error)
            self._adopted.set()

    async def _adopt(self) -> None:
        """Takes up the batches that nobody looks after: those of a job that was stopped or killed."""
        async with self._adopting:
            for batch in await self._batcher.do(OpenBatches(self.parameters.endpoint, self.parameters.model)):
                if batch.token in self._open or (batch.owner and is_alive(batch.owner, inf, time.time())):
                    continue
                await self._batcher.do(Own(batch.token, self.owner))
                self._path(batch.token).unlink(missing_ok=True)
                if batch.file_id is None:  # nothing was asked
                    await self._batcher.do(Settle(batch.token))
                else:
                    await self._follow(batch)

    def _path(self, token: str) -> Path:
        return self._folder / f"{token}.jsonl"

    async def _gather(self) -> None:
        """Writes the calls that come into a file, and sends it off once no more come."""
        try:
            async with asyncio.timeout(self._limits.quiet_s if self._draft else None):
                await self._wake.wait()
        except TimeoutError:
            await self._send()
            return
        self._wake.clear()
        while self._queue:
            if self._draft is None:
                token = uuid.uuid4().hex
                await self._batcher.do(Begin(new_batch(token, self.owner, self.parameters.endpoint, self.parameters.model)))
                self._draft = Draft(self._path(token), token, self._limits.calls, self._limits.bytes)
            some: list[tuple[_Place, bytes]] = []
            has_room = True
            while self._queue and len(some) < AT_ONCE and has_room:
                place = self._queue[0]
                try:
                    line = await self._line(place)
                except BadImage as error:
                    self._resolve(place.call.key, error)
                    self._queue.popleft()
                    continue
                if has_room := self._draft.has_room(line):
                    some.append((self._queue.popleft(), line))
            full = await self._claim(some)
            if full is not None:
                await self._wait_for_budget(full)
            elif not has_room:
                await self._send()

    async def _line(self, place: _Place) -> bytes:
        loop, call = asyncio.get_running_loop(), place.call
        urls = [await loop.run_in_executor(None, self.pictures.data_url, picture) for picture in call.pictures]
        place.spoken = level, without = self._speaks()
        return line_of(call.key, call.body(level, without, urls))

    async def _claim(self, some: list[tuple[_Place, bytes]]) -> Full | None:
        """Claims calls for the file and writes them into it. Those that the budget has no room for are put back."""
        joins = [self._join(place) for place, _ in some]
        full = None
        for (place, line), result in zip(some, await asyncio.gather(*joins), strict=True):
            key = place.call.key
            if result == "ours":
                self._draft.add(line)
            elif isinstance(result, Reply):
                self._resolve(key, result)
            elif isinstance(result, Full):
                full = result
                self._queue.append(place)
            elif not self._is_ours(key):  # another process has it in hand
                asyncio.get_running_loop().call_later(self._limits.busy_s, self._again, place)
        return full

    def _join(self, place: _Place) -> asyncio.Future:
        call, account = place.call, self._account
        worst = None
        if account.price:
            prompt = call.most_prompt_tokens(account.price.image_tokens)
            worst = account.price.usd(int(prompt * account.ratio) + 1, self.parameters.max_tokens)
        where = (self.parameters.endpoint, self.parameters.model, call.request.purpose)
        claim = Claim(call.key, self.owner, *where, account.scope, worst, account.cap_usd)
        return self._batcher.do(Join(self._draft.token, claim, call.request.prompt_version, place.spoken[0]))

    def _again(self, place: _Place) -> None:
        """Another process had it in hand, and may be gone by now."""
        self._queue.append(place)
        self._wake.set()
        if not self._adopting.locked():
            self._do(self._adopt())

    async def _wait_for_budget(self, full: Full) -> None:
        """Until what is under way has come back for less than its worst. Raises FrontierStopped where nothing is."""
        if self._draft.lines:
            await self._send()
        if self._open:
            self._settled.clear()
            await self._settled.wait()
        elif full.in_flight_usd > 0:
            await asyncio.sleep(self._limits.busy_s)
        else:
            raise FrontierStopped(
                f"the budget of ${self._account.cap_usd:.2f} is reached: ${full.spent_usd:.4f} is spent, and the next call may cost more "
                "than is left; raise the budget and resume",
                resumable=True,
            )

    async def _send(self) -> None:
        """Uploads the file; each step is on the disk before the next."""
        draft = self._draft
        draft.close()
        if draft.lines:
            file_id = await self._remote.upload(draft.path)
            await self._batcher.do(Uploaded(draft.token, file_id))
            self._sent.add(draft.token)
            batch = new_batch(draft.token, self.owner, self.parameters.endpoint, self.parameters.model)
            await self._follow(replace(batch, file_id=file_id))
        else:
            await self._batcher.do(Settle(draft.token))
        draft.discard()
        self._draft = None

    async def _follow(self, batch: Batch) -> None:
        self._open[batch.token] = batch
        self._calls[batch.token] = await self._batcher.do(CallsOf(batch.token))
        self._do(self._to_its_end(batch))

    async def _guarded(self, work: Coroutine) -> None:
        try:
            await work
        except Exception as error:
            self._fail(error)

    def _do(self, work: Coroutine) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._collecting.discard)

    async def _to_its_end(self, batch: Batch) -> None:
        if batch.remote_id is None:
            batch = replace(batch, remote_id=await self._remote.submit(batch.token, batch.file_id))
            await self._batcher.do(Submitted(batch.token, batch.remote_id))
            self._open[batch.token] = batch
        while (seen := await self._remote.look(batch.remote_id)).status not in ENDED:
            self._tell(batch.token, seen)
            quick, slow = self._limits.look_s
            await asyncio.sleep(min(max(quick, (time.time() - batch.created_at) / 20), slow))
        self._tell(batch.token, seen)
        self._collecting.add(asyncio.current_task())
        await self._collect(batch, seen)

    def _tell(self, token: str, seen: Any) -> None:
        counts = (seen.request_counts.completed + seen.request_counts.failed, seen.request_counts.total) if seen.request_counts else (0, 0)
        if self._counts.get(token) != counts:
            self._counts[token] = counts
            done, total = (sum(numbers) for numbers in zip(*self._counts.values(), strict=True))
            self._say(f"batches of the endpoint: {done:,} of {total:,} calls are answered")

    async def _collect(self, batch: Batch, seen: Any) -> None:
        """Takes a batch that has ended off the endpoint: replies, errors, and what is left over."""
        calls, bad = self._calls[batch.token], {}
        replies: list[tuple[Reply, str, str]] = []
        make = partial(self._reply, seconds=time.time() - batch.created_at)
        for file_id in filter(None, (seen.output_file_id, seen.error_file_id)):
            async for line in self._remote.lines(file_id):
                with contextlib.suppress(ValueError):  # a torn line: its row is asked again
                    key, result = self._remote.result_of(line)
                    if key not in calls:
                        continue
                    if isinstance(result, str):
                        purpose, prompt_version, level = calls[key]
                        replies.append((make(key, purpose, result), prompt_version, level))
                    else:
                        bad[key] = result
                if len(replies) >= AT_ONCE:
                    await self._keep(batch.token, replies)
        await self._keep(batch.token, replies)
        await self._batcher.do(Settle(batch.token))
        del self._open[batch.token], self._calls[batch.token]
        await self._remote.forget(batch.file_id)
        if seen.status == "failed":
            said = "; ".join(f"{one.code}: {one.message}" for one in (seen.errors.data if seen.errors else None) or []) or "no reason given"
            raise FrontierStopped(f"{self.parameters.endpoint} did not take the batch {batch.remote_id}: {said}", resumable=True)
        if seen.status == "cancelled" and batch.token in self._sent:
            raise FrontierStopped(f"the batch {batch.remote_id} was cancelled at {self.parameters.endpoint}", resumable=True)
        left = failures.Failure(failures.BROKEN, f"its batch {seen.status} without a result for it")
        for key in calls:
            self._resolve(key, bad.get(key, left))
        self._settled.set()

    async def _keep(self, token: str, replies: list[tuple[Reply, str, str]]) -> None:
        await self._batcher.do(Collect(token, tuple(replies)))
        for reply, _, _ in replies:
            self._resolve(reply.key, reply)
        replies.clear()

    def _reply(self, key: str, purpose: str, text: str, seconds: float) -> Reply:
        prompt, completion, cached = usage_of(json.loads(text))
        usd = None
        if self._account.price and prompt is not None and completion is not None:
            usd = self._account.price.usd(prompt, completion, cached or 0)
        where = (self.parameters.endpoint, self.parameters.model, purpose)
        return Reply(key, *where, text, prompt, completion, cached, usd, round(seconds, 4), time.time())

    async def close(self) -> None:
        """Lets go of what runs remotely: the next run collects it. A run that was cancelled cancels it, and keeps what is done by now."""
        if self._collecting:
            await asyncio.wait(self._collecting, timeout=GRACE)
        tasks = [*filter(None, [self._worker]), *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._draft is not None:
            await self._batcher.do(Settle(self._draft.token))
            self._draft.discard()
        if self._run.cancelled:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await asyncio.gather(*map(self._cancel, list(self._open.values())), return_exceptions=True)
        for token in self._open:
            await self._batcher.do(Own(token, ""))
        await self._remote.close()
        await self._asker.close()

    async def _cancel(self, batch: Batch) -> None:
        if batch.remote_id is not None:
            await self._remote.cancel(batch.remote_id)
            while (seen := await self._remote.look(batch.remote_id)).status not in ENDED:
                await asyncio.sleep(0.2)
            await self._collect(batch, seen)
