"""The follower of a run's remote batches, to their end: adopted where nobody looks after them, polled, collected, cancelled."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.frontier.batch_api.calls_file import path_of
from models.frontier.batch_api.records import (
    Batch,
    BatchCall,
    CallsOf,
    Collect,
    DropBatch,
    OpenBatches,
    SetBatchOwner,
    SettleBatch,
    Submitted,
)
from models.frontier.batch_api.remote import ENDED, Gone, Remote
from models.frontier.call_cost import CallCost
from models.frontier.chat_call import Call, Parameters
from models.paid_calls.claim_owner import is_alive, is_on_this_host
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.ledger import CLAIM_SECONDS
from models.paid_calls.records import FrontierStopped, Reply

if TYPE_CHECKING:
    from openai.types import Batch as OpenAIBatch

A_DAY = 86_400.0  # seconds: the completion window; an endpoint that doesn't know a batch after that has lost it
AT_ONCE = 100  # replies kept in one transaction
LEAST = 0.25  # seconds to tell the endpoint that a batch is cancelled, however late it is


@dataclass
class Follower:
    """Lives in the event loop of its run. What becomes of a call goes to `resolve`; what has to end the run, to `fail`."""

    remote: Remote
    cost: CallCost
    journal: GroupCommit
    parameters: Parameters
    owner: str
    folder: Path  # where files of calls lie until they are uploaded
    say: Callable[[str], None]
    look_s: tuple[float, float]
    live: bool  # the run asks without batches: one that can't be collected stops the rows that are in it, and no others
    resolve: Callable[[str, Reply | Failure | Exception], None]
    call_of: Callable[[str], Call | None]
    fail: Callable[[Exception], None]
    open: dict[str, Batch] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)  # tokens of what this run sent itself
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    adopting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _calls: dict[str, dict[str, BatchCall]] = field(default_factory=dict)  # of each open batch, by key
    _troubles: dict[str | None, Exception] = field(default_factory=dict)  # why a batch can't be collected, by token
    _counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _collecting: set["asyncio.Task[Any]"] = field(default_factory=set)

    def is_ours(self, key: str) -> bool:
        """Whether one of the batches that this run looks after will bring its result."""
        return self._token_of(key) is not None

    def trouble_with(self, key: str) -> Exception | None:
        """Why the batch that holds a call can't be collected."""
        return self._troubles.get(self._token_of(key))

    def _token_of(self, key: str) -> str | None:
        return next((token for token, calls in self._calls.items() if key in calls), None)

    async def adopt(self) -> None:
        """Takes up the batches that nobody looks after: those of a job that was stopped or killed."""
        async with self.adopting:
            for batch in await self.journal.commit(OpenBatches(self.parameters.endpoint, self.parameters.model)):
                if batch.token in self.open or _is_looked_after(batch):
                    continue
                if not await self.journal.commit(SetBatchOwner(batch.token, batch.owner, self.owner)):
                    continue  # another process was quicker
                path_of(self.folder, batch.token).unlink(missing_ok=True)
                if batch.file_id is None:  # nothing was asked
                    await self.journal.commit(SettleBatch(batch.token))
                else:
                    await self.follow(batch)

    async def follow(self, batch: Batch) -> None:
        self.open[batch.token] = batch
        self._calls[batch.token] = await self.journal.commit(CallsOf(batch.token))
        self.do(self._followed(batch))

    async def _followed(self, batch: Batch) -> None:
        try:
            await self._to_its_end(batch)
        except Gone as error:
            if time.time() - batch.created_at < A_DAY:
                return self._unreachable(batch, error)
            await self.journal.commit(DropBatch(batch.token))
            self._answered(batch, {}, Failure(FailureKind.BROKEN, str(error)))
        except FrontierStopped as error:
            self._unreachable(batch, error)

    def _unreachable(self, batch: Batch, error: FrontierStopped) -> None:
        if not self.live or batch.token not in self._calls:
            raise error
        self._troubles[batch.token] = error
        for key in self._calls[batch.token]:
            self.resolve(key, error)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.fail(error)

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Does work of this run in the background."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._collecting.discard)

    async def _to_its_end(self, batch: Batch) -> None:
        remote_id = batch.remote_id
        if remote_id is None:
            remote_id = await self.remote.submit(batch.token, batch.uploaded_id)
            await self.journal.commit(Submitted(batch.token, remote_id))
            batch = self.open[batch.token] = replace(batch, remote_id=remote_id)
        while (seen := await self.remote.look(remote_id)).status not in ENDED:
            self._report(batch.token, seen)
            quick, slow = self.look_s
            await asyncio.sleep(min(max(quick, (time.time() - batch.created_at) / 20), slow))
        self._report(batch.token, seen)
        if task := asyncio.current_task():
            self._collecting.add(task)
        await self._collect(batch, seen)

    def _report(self, token: str, seen: "OpenAIBatch") -> None:
        counts = (seen.request_counts.completed + seen.request_counts.failed, seen.request_counts.total) if seen.request_counts else (0, 0)
        if self._counts.get(token) != counts:
            self._counts[token] = counts
            done, total = (sum(numbers) for numbers in zip(*self._counts.values(), strict=True))
            self.say(f"batches of the endpoint: {done:,} of {total:,} calls are answered")

    async def _collect(self, batch: Batch, seen: "OpenAIBatch") -> None:
        """Takes a batch that has ended off the endpoint: replies, errors, and what is left over."""
        calls = self._calls[batch.token]
        bad: dict[str, Failure] = {}
        replies: list[tuple[Reply, str, str]] = []
        make = partial(self._reply, seconds=time.time() - batch.created_at)
        for file_id in filter(None, (seen.output_file_id, seen.error_file_id)):
            async for line in self.remote.lines(file_id):
                with contextlib.suppress(ValueError):  # a torn line: its row is asked again
                    key, result = self.remote.result_of(line)
                    if key not in calls:
                        continue
                    if isinstance(result, str):
                        call = calls[key]
                        replies.append((make(key, call.purpose, result), call.prompt_version, call.level))
                    else:
                        bad[key] = result
                if len(replies) >= AT_ONCE:
                    await self._keep(batch.token, replies)
        await self._keep(batch.token, replies)
        await self.journal.commit(SettleBatch(batch.token))
        await self.remote.forget(batch.uploaded_id)
        if seen.status == "failed" and batch.token in self.sent:
            errors = (seen.errors.data if seen.errors else None) or []
            causes = "; ".join(f"{error.code}: {error.message}" for error in errors) or "no reason given"
            raise FrontierStopped(
                f"{self.parameters.endpoint} rejected batch {batch.remote_id}: {causes}; "
                "resume the job to send its calls again, or start without batch",
                resumable=True,
            )
        if seen.status == "cancelled" and batch.token in self.sent:
            raise FrontierStopped(
                f"batch {batch.remote_id} was cancelled at {self.parameters.endpoint}; resume the job to send its calls again",
                resumable=True,
            )
        self._answered(batch, bad, Failure(FailureKind.BROKEN, f"its batch {seen.status} without a result for it"))

    def _answered(self, batch: Batch, bad: dict[str, Failure], left: Failure) -> None:
        """Nothing more comes of a batch: `bad` is what went wrong by key, `left` what else did."""
        del self.open[batch.token]
        for key in self._calls.pop(batch.token):
            self.resolve(key, bad.get(key, left))
        self.settled.set()

    async def _keep(self, token: str, replies: list[tuple[Reply, str, str]]) -> None:
        await self.journal.commit(Collect(token, tuple(replies)))
        for reply, _, _ in replies:
            self.resolve(reply.key, reply)
        replies.clear()

    def _reply(self, key: str, purpose: str, text: str, seconds: float) -> Reply:
        return self.cost.reply(key, self.parameters, purpose, text, json.loads(text), seconds, self.call_of(key))

    async def close(self, until: float, cancel: bool) -> None:
        """Lets go of what runs remotely: the next run collects it. What is being collected gets until then, by the loop's clock.

        `cancel`: what this run asked for is cancelled instead, and what is done by now kept.
        """
        loop = asyncio.get_running_loop()
        if self._collecting:
            await asyncio.wait(self._collecting, timeout=max(LEAST, until - loop.time()))
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if cancel:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(max(until, loop.time() + LEAST)):
                    await asyncio.gather(*map(self._cancel, filter(self._is_wanted, list(self.open.values()))), return_exceptions=True)
        for token in self.open:
            await self.journal.commit(SetBatchOwner(token, self.owner, ""))
        await self.remote.close()

    def _is_wanted(self, batch: Batch) -> bool:
        """Not so of a batch that another job left alone and that is only looked after meanwhile."""
        return batch.token in self.sent or any(self.call_of(key) for key in self._calls.get(batch.token, ()))

    async def _cancel(self, batch: Batch) -> None:
        if batch.remote_id is not None:
            await self.remote.cancel(batch.remote_id)
            while (seen := await self.remote.look(batch.remote_id)).status not in ENDED:
                await asyncio.sleep(0.2)
            await self._collect(batch, seen)


def _is_looked_after(batch: Batch) -> bool:
    """By a process of this host as long as there is one, however long it sleeps; by another host's while it gives signs of life."""
    until = inf if is_on_this_host(batch.owner) else batch.seen_at + CLAIM_SECONDS
    return batch.owner != "" and is_alive(batch.owner, until, time.time())
