"""The purchase of replies by the Batch API: calls wait for each other, go out as a file, and come back within a day for less.

Takes the place of an Asker: rows don't notice. What a row asks again (a repair, a call that failed) goes into a later batch.
"""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.frontier.batch_api.calls_file import Draft, Limits, line_of, path_of
from models.frontier.batch_api.follower import Follower
from models.frontier.batch_api.records import Begin, ClaimBatchCall, SettleBatch, Uploaded, new_batch
from models.frontier.batch_api.remote import Remote
from models.frontier.call_cost import CallCost
from models.frontier.chat_call import Call
from models.frontier.image_payload import BadImage
from models.frontier.purchase import Answer, Asker
from models.paid_calls.budget import OverBudget
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.ledger import ClaimResult, Find
from models.paid_calls.orders import Abandoned, CallFailed, RunState
from models.paid_calls.records import FrontierStopped, Reply

TRIES = 5  # batches that a call may fail in before its row is marked
GRACE = 1.5  # seconds, from when a run was told to stop, for what is being collected or cancelled
AT_ONCE = 100  # calls claimed in one transaction


@dataclass
class _Place:
    """A call that waits for its result; calls with the same key share it."""

    call: Call
    form: tuple[str, tuple[str, ...]] = ("", ())  # the level it was asked at, and the features that were left out
    futures: list["asyncio.Future[Reply | Failure]"] = field(default_factory=list)
    was_kept: bool = False  # the journal had its reply by then: nobody buys it now

    async def result(self) -> Reply | Failure:
        future: asyncio.Future[Reply | Failure] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        return await future


class BatchAsker:
    """Buys replies by batches for the rows of one run, which share all of it. Lives in one event loop.

    `asker` asks at once what has to be: the first call of a new model.

    `live`: nothing new goes into batches, but what lies in one that was left alone is waited for, and collected.
    """

    def __init__(
        self,
        asker: Asker,
        remote: Remote,
        cost: CallCost,
        folder: Path,
        limits: Limits,
        say: Callable[[str], None],
        live: bool,
        journal: GroupCommit,
        state: RunState,
    ):
        self.parameters, self.pictures, self.owner, self.observe = asker.parameters, asker.pictures, asker.owner, asker.observe
        self._asker, self._remote, self._cost, self._folder, self._limits = asker, remote, cost, folder, limits
        self._live, self._journal, self._state = live, journal, state
        self._places: dict[str, _Place] = {}
        self._queue: deque[_Place] = deque()
        self._wake, self._adopted, self._learning = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._draft: Draft | None = None
        self._worker: asyncio.Task | None = None
        self._broken: Exception | None = None
        self._follower = Follower(
            remote, cost, journal, self.parameters, self.owner, folder, say, limits.look_s, live, self._resolve, self._call_of, self._fail
        )

    async def buy(self, call: Call) -> Answer:
        """The reply to a call, some time later. Raises CallFailed, Abandoned, BadImage or FrontierStopped."""
        if self._state.stopping:
            raise Abandoned
        kept = await self._journal.commit(Find(call.key))
        if kept is not None:
            return Answer(kept, json.loads(kept.body), 0, False, "")
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        if self._live:
            return await self._collected_or_asked(call)
        async with self._learning:  # a whole file of calls that the endpoint doesn't support would be a day lost
            if not self._asker.capabilities.is_known:
                return await self._asker.buy(call)
        tries = 0
        while True:
            tries += 1
            place = self._place(call)
            first = not place.futures  # those that share it don't count what it costs again
            result = await place.result()
            if isinstance(result, Reply):
                bought = first and not place.was_kept
                return Answer(result, json.loads(result.body), int(bought), bought, place.form[0])
            if result.kind == FailureKind.STOP:
                raise FrontierStopped(f"{self.parameters.endpoint}, model {self.parameters.model}: {result.cause}", result.resumable)
            if result.kind in (FailureKind.ROW, FailureKind.REFUSED):
                raise CallFailed(result, tries)
            if result.kind == FailureKind.UNSUPPORTED:
                async with self._learning:  # asked at once, it tells what the endpoint supports; the others go by it
                    if place.form == self._form():
                        return await self._asker.buy(call)
            if tries == TRIES:
                raise CallFailed(result, TRIES, f"{TRIES} batches")

    async def _collected_or_asked(self, call: Call) -> Answer:
        await self._adopted.wait()
        if self._broken:
            raise self._broken
        if error := self._follower.trouble_with(call.key):
            raise error
        if self._follower.is_ours(call.key):
            place = self._places.setdefault(call.key, _Place(call))
            first = not place.futures
            result = await place.result()
            if isinstance(result, Reply):
                return Answer(result, json.loads(result.body), int(first), first, "")
        return await self._asker.buy(call)

    def _place(self, call: Call) -> _Place:
        if self._broken:
            raise self._broken
        if call.key not in self._places:
            self._places[call.key] = place = _Place(call)
            self._queue.append(place)
            self._wake.set()
        return self._places[call.key]

    def _call_of(self, key: str) -> Call | None:
        return self._places[key].call if key in self._places else None

    def _form(self) -> tuple[str, tuple[str, ...]]:
        return self._asker.capabilities.level, self._asker.capabilities.unsupported

    def _resolve(self, key: str, result: Reply | Failure | Exception) -> None:
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
            await self._follower.adopt()
            self._adopted.set()
            while not self._live:
                await self._gather()
            while True:  # what another process looks after now may be left alone later
                await asyncio.sleep(self._limits.busy_s)
                await self._follower.adopt()
        except Exception as error:
            self._fail(error)
            self._adopted.set()

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
            draft = self._draft or await self._begin()
            placed: list[tuple[_Place, bytes]] = []
            has_room = True
            while self._queue and len(placed) < AT_ONCE and has_room:
                place = self._queue[0]
                try:
                    line = await self._line(place)
                except (BadImage, UnicodeError) as error:
                    unsendable = Failure(FailureKind.ROW, f"the request can't be sent as UTF-8: {error}")
                    self._resolve(place.call.key, error if isinstance(error, BadImage) else CallFailed(unsendable, 0))
                    self._queue.popleft()
                    continue
                if has_room := draft.has_room(line):
                    placed.append((self._queue.popleft(), line))
            full = await self._claim(draft, placed)
            if full is not None:
                await self._wait_for_budget(full)
            elif not has_room:
                await self._send()

    async def _begin(self) -> Draft:
        token = uuid.uuid4().hex
        await self._journal.commit(Begin(new_batch(token, self.owner, self.parameters.endpoint, self.parameters.model)))
        self._draft = Draft(path_of(self._folder, token), token, self._limits.calls, self._limits.bytes)
        return self._draft

    async def _line(self, place: _Place) -> bytes:
        loop, call = asyncio.get_running_loop(), place.call
        urls = [await loop.run_in_executor(None, self.pictures.data_url, picture) for picture in call.pictures]
        place.form = level, without = self._form()
        return line_of(call.key, call.body(level, without, urls))

    async def _claim(self, draft: Draft, placed: list[tuple[_Place, bytes]]) -> OverBudget | None:
        """Claims calls for the file and writes them into it. Those that the budget has no room for are put back."""
        joins = [self._join(draft, place) for place, _ in placed]
        full = None
        for (place, line), result in zip(placed, await asyncio.gather(*joins), strict=True):
            key = place.call.key
            if result == "ours":
                draft.add(line)
            elif isinstance(result, Reply):
                place.was_kept = True
                self._resolve(key, result)
            elif isinstance(result, OverBudget):
                full = result
                self._queue.append(place)
            elif not self._follower.is_ours(key):  # another process has it in hand
                asyncio.get_running_loop().call_later(self._limits.busy_s, self._again, place)
        return full

    def _join(self, draft: Draft, place: _Place) -> "asyncio.Future[ClaimResult]":
        claim = self._cost.claim(place.call, place.call.key, self.owner)
        return self._journal.commit(ClaimBatchCall(draft.token, claim, place.call.request.prompt_version, place.form[0]))

    def _again(self, place: _Place) -> None:
        """Another process had it in hand, and may be gone by now."""
        self._queue.append(place)
        self._wake.set()
        if not self._follower.adopting.locked():
            self._follower.do(self._follower.adopt())

    async def _wait_for_budget(self, full: OverBudget) -> None:
        """Until what is under way has come back for less than was reserved for it. Raises FrontierStopped where nothing is."""
        if self._draft and self._draft.lines:
            await self._send()
        if self._follower.open:
            self._follower.settled.clear()
            await self._follower.settled.wait()
        elif full.in_flight_usd > 0:
            await asyncio.sleep(self._limits.busy_s)
        else:
            raise full.stop()

    async def _send(self) -> None:
        """Uploads the file, where one is being written; each step is on the disk before the next."""
        draft = self._draft
        if draft is None:
            return
        draft.close()
        if draft.lines:
            file_id = await self._remote.upload(draft.path)
            await self._journal.commit(Uploaded(draft.token, file_id))
            self._follower.sent.add(draft.token)
            batch = new_batch(draft.token, self.owner, self.parameters.endpoint, self.parameters.model)
            await self._follower.follow(replace(batch, file_id=file_id))
        else:
            await self._journal.commit(SettleBatch(draft.token))
        draft.discard()
        self._draft = None

    async def close(self) -> None:
        """What runs remotely is left for the next run to collect, or cancelled with a run that was."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._draft is not None:
            await self._journal.commit(SettleBatch(self._draft.token))
            self._draft.discard()
        await self._follower.close(self._state.stopped_at + GRACE, self._state.cancelled)
        await self._asker.close()
