"""One pass over requests: an event loop in a thread, a task a row, outcomes handed over as they come."""

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from models.frontier.batch_api.asker import BatchAsker
from models.frontier.chat_call import Call
from models.frontier.image_payload import BadImage
from models.frontier.purchase import Abandoned, Asker, RowFailed
from models.frontier.requests import Outcome, Request
from models.frontier.structured_output import BadReply, Refused, parse
from models.paid_calls.group_commit import Batcher
from models.paid_calls.journal import CLAIM_SECONDS, Renew
from models.paid_calls.records import Reply

TURNS = 3  # a reply and two repairs
STOP_GRACE = 1.5  # seconds that calls in flight get when the job is told to stop
FATAL_GRACE = 20.0  # ... when something else ends it: their replies are paid
_NOTHING = object()
Then = Callable[[Outcome], Request | None]
Stop = Callable[[], bool | str]  # true: stop; "cancel": for good


@dataclass
class _Bill:
    """What one row has cost so far."""

    asked: int = 0
    usd: float | None = 0.0
    replies: tuple[str, ...] = ()

    def add(self, reply: Reply, sent: int, bought: bool) -> None:
        self.asked += sent
        self.replies += (reply.key,)
        if bought and self.usd is not None:
            self.usd = None if reply.cost_usd is None else self.usd + reply.cost_usd


class Run:
    """Feeds rows in the caller's thread, asks in its own. At most `window` rows are in memory."""

    def __init__(self, make_asker: Callable[[Batcher, "Run"], Asker | BatchAsker], batcher: Batcher, window: int):
        self.stopping = False
        self.cancelled = False  # stopped for good
        self.stopped_at = 0.0  # by the loop's clock
        self._make_asker = make_asker
        self._batcher = batcher
        self._window = window
        self._out: queue.SimpleQueue = queue.SimpleQueue()
        self._tasks: set[asyncio.Task] = set()
        self._busy: set[asyncio.Task] = set()  # a call of theirs is on the wire, or its reply on the way to the disk
        self._halted: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="frontier", daemon=True)

    def outcomes(self, requests: Iterable[Request], should_stop: Stop, then: Then) -> Iterator[Outcome]:
        """Outcomes as they finish; rows cut short by a stop have none. Raises FrontierStopped once the rest has been handed over."""
        self._thread.start()
        self._ready.wait()
        try:
            yield from self._pump(iter(requests), should_stop, then)
        finally:
            self._from_outside(self._stop, STOP_GRACE)
            self._from_outside(lambda: self._finished.set())
            self._thread.join()
        if self._halted is not None:
            raise self._halted

    def _pump(self, source: Iterator[Request], should_stop: Stop, then: Then) -> Iterator[Outcome]:
        pending, more = 0, True
        following: deque[Request] = deque()
        while True:
            if not self.stopping and (word := should_stop()):
                self.cancelled = word == "cancel"
                self._from_outside(self._stop, STOP_GRACE)
            if self.stopping:
                following.clear()
                more = False
            if following or (more and pending < self._window):
                request = following.popleft() if following else next(source, None)
                if request is None:
                    more = False
                else:
                    pending += 1
                    self._from_outside(self._start, request)
            elif not pending:
                return
            try:
                outcome = self._out.get(timeout=0.0 if following or (more and pending < self._window) else 0.1)
            except queue.Empty:
                continue
            pending -= 1
            if outcome is not _NOTHING:
                if (follower := then(outcome)) is not None:
                    following.append(follower)
                yield outcome

    def _from_outside(self, function: Callable, *args) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *args)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(2, "images"))
        self._finished = asyncio.Event()
        try:
            self._asker = self._make_asker(self._batcher, self)
        except Exception as error:
            self._halt(error)
            self._ready.set()
            await self._finished.wait()
            await self._batcher.close()
            return
        heart = asyncio.create_task(self._beat())
        self._ready.set()
        await self._finished.wait()
        if self._tasks:
            await asyncio.wait(self._tasks)
        heart.cancel()
        await self._asker.close()
        await self._batcher.close()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(CLAIM_SECONDS / 4)
            await self._batcher.do(Renew(self._asker.owner))

    def _start(self, request: Request) -> None:
        if self.stopping:
            self._out.put(_NOTHING)
            return
        task = self._loop.create_task(self._row(request))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task) -> None:
        """Also of a task that was cancelled before it began."""
        self._tasks.discard(task)
        self._busy.discard(task)
        self._out.put(_NOTHING if task.cancelled() else task.result())

    def _stop(self, grace: float) -> None:
        """No new calls from here on; those on the wire get `grace` seconds."""
        if not self.stopping:
            self.stopping, self.stopped_at = True, self._loop.time()
            for task in self._tasks - self._busy:
                task.cancel()
        self._loop.call_later(grace, lambda: [task.cancel() for task in self._tasks])

    def _halt(self, cause: BaseException) -> None:
        if self._halted is None:
            self._halted = cause
            self._stop(FATAL_GRACE)

    def on_the_wire(self, is_so: bool) -> None:
        """The asker says so of the task it runs in: such a task isn't cancelled at once by a stop."""
        task = asyncio.current_task()
        self._busy.add(task) if is_so else self._busy.discard(task)

    async def _row(self, request: Request) -> Outcome | object:
        try:
            return await self._outcome(request)
        except (Abandoned, asyncio.CancelledError):
            return _NOTHING
        except Exception as error:
            self._halt(error)
            return _NOTHING

    async def _outcome(self, request: Request) -> Outcome:
        bill = _Bill()

        def ends(parsed=None, error: str | None = None, refused: bool = False) -> Outcome:
            return Outcome(request.key, parsed, error, bill.replies, bill.usd, bill.asked, refused)

        try:
            described = [self._loop.run_in_executor(None, self._asker.pictures.describe, path) for path in request.images]
            pictures = tuple(await asyncio.gather(*described))
            turns: tuple[tuple[str, str], ...] = ()
            for turn in range(TURNS):
                answer = await self._asker.buy(Call(request, self._asker.parameters, pictures, turns))
                bill.add(answer.reply, answer.sent, answer.bought)
                try:
                    parsed = parse(answer.body, request.reply)
                    problem = None
                except BadReply as bad:
                    problem = str(bad)
                    turns += ((bad.text, problem),)
                if turn == 0 and answer.bought:
                    self._asker.saw(answer.level, problem is None)
                if problem is None:
                    return ends(parsed)
            return ends(error=f"{TURNS} replies didn't fit {request.reply.__name__}; the last one: {problem}")
        except RowFailed as failed:
            bill.asked += failed.sent
            return ends(error=str(failed), refused=failed.refused)
        except (Refused, BadImage) as error:
            return ends(error=str(error), refused=isinstance(error, Refused))
        finally:
            self._busy.discard(asyncio.current_task())
