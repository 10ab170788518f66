"""A run over requests: an event loop in a thread, a task a row, outcomes handed over as they come."""

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pydantic import BaseModel

from models.frontier.batch_api.asker import BatchAsker
from models.frontier.chat_call import Call
from models.frontier.image_payload import BadImage
from models.frontier.purchase import Asker
from models.frontier.requests import Outcome, Request
from models.frontier.structured_output import BadReply, Refused, parse
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import FailureKind
from models.paid_calls.journal import Journal
from models.paid_calls.orders import Abandoned, CallFailed, RunState
from models.paid_calls.records import Reply

TURNS = 3  # a reply and two repairs
STOP_GRACE = 1.5  # seconds that calls in flight get when the job is told to stop
FATAL_GRACE = 20.0  # ... when something else ends it: their replies are paid
Then = Callable[[Outcome], Request | None]
Stop = Callable[[], bool | str]  # true: stop; "cancel": for good


@dataclass
class _RowCost:
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

    def __init__(self, make_asker: Callable[[GroupCommit, RunState], Asker | BatchAsker], journal: Journal, window: int):
        self._make_asker = make_asker
        self._journal = GroupCommit(journal)
        self._window = window
        self._state = RunState()
        self._out: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()  # None: a row that a stop has cut short
        self._tasks: set[asyncio.Task[Outcome | None]] = set()
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
            self._from_outside(self._finish)
            self._thread.join()
        if self._halted is not None:
            raise self._halted

    def _pump(self, source: Iterator[Request], should_stop: Stop, then: Then) -> Iterator[Outcome]:
        pending, more = 0, True
        following: deque[Request] = deque()
        while True:
            if not self._state.stopping and (stop := should_stop()):
                self._state.cancelled = stop == "cancel"
                self._from_outside(self._stop, STOP_GRACE)
            if self._state.stopping:
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
            if outcome is not None:
                if (follower := then(outcome)) is not None:
                    following.append(follower)
                yield outcome

    def _from_outside(self, function: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *args)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(2, "images"))
        self._finished = asyncio.Event()
        try:
            self._asker = self._make_asker(self._journal, self._state)
        except Exception as error:
            self._halt(error)
            self._ready.set()
            await self._finished.wait()
            await self._journal.close()
            return
        self._ready.set()
        await self._finished.wait()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._asker.close()
        await self._journal.close()

    def _finish(self) -> None:
        self._finished.set()

    def _start(self, request: Request) -> None:
        if self._state.stopping:
            self._out.put(None)
            return
        task = self._loop.create_task(self._row(request))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Outcome | None]") -> None:
        """Also of a task that was cancelled before it began."""
        self._tasks.discard(task)
        self._state.on_the_wire.discard(task)
        self._out.put(None if task.cancelled() else task.result())

    def _stop(self, grace: float) -> None:
        """No new calls from here on; those on the wire get `grace` seconds."""
        if not self._state.stopping:
            self._state.stopping, self._state.stopped_at = True, self._loop.time()
            self._cancel(self._tasks - self._state.on_the_wire)
        self._loop.call_later(grace, self._cancel, self._tasks)

    def _cancel(self, tasks: "set[asyncio.Task[Outcome | None]]") -> None:
        for task in tasks:
            task.cancel()

    def _halt(self, cause: BaseException) -> None:
        if self._halted is None:
            self._halted = cause
            self._stop(FATAL_GRACE)

    async def _row(self, request: Request) -> Outcome | None:
        try:
            return await self._outcome(request)
        except (Abandoned, asyncio.CancelledError):
            return None
        except Exception as error:
            self._halt(error)
            return None

    async def _outcome(self, request: Request) -> Outcome:
        cost = _RowCost()

        def outcome(parsed: BaseModel | None = None, error: str | None = None, refused: bool = False) -> Outcome:
            return Outcome(request.key, parsed, error, cost.replies, cost.usd, cost.asked, refused)

        try:
            described = [self._loop.run_in_executor(None, self._asker.pictures.describe, path) for path in request.images]
            pictures = tuple(await asyncio.gather(*described))
            turns: tuple[tuple[str, str], ...] = ()
            for turn in range(TURNS):
                answer = await self._asker.buy(Call(request, self._asker.parameters, pictures, turns))
                cost.add(answer.reply, answer.sent, answer.bought)
                try:
                    parsed, problem = parse(answer.body, request.reply), ""
                except BadReply as bad:
                    problem = str(bad)
                    turns += ((bad.text, problem),)
                if turn == 0 and answer.bought:
                    self._asker.observe(answer.level, not problem)
                if not problem:
                    return outcome(parsed)
            return outcome(error=f"{TURNS} replies didn't fit {request.reply.__name__}; the last one: {problem}")
        except CallFailed as failed:
            cost.asked += failed.sent
            return outcome(error=str(failed), refused=failed.failure.kind == FailureKind.REFUSED)
        except (Refused, BadImage) as error:
            return outcome(error=str(error), refused=isinstance(error, Refused))
        finally:
            self._state.mark(is_on_the_wire=False)
