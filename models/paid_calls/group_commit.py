"""Group commit: journal operations of an event loop; whatever comes up in one turn goes into one transaction."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from models.paid_calls.journal import Journal
from models.paid_calls.ledger import Operation

T = TypeVar("T")


class GroupCommit:
    """Awaiting `commit` returns once the operation is on the disk. One fsync serves all that waited for it."""

    def __init__(self, journal: Journal):
        self._journal = journal
        self._executor = ThreadPoolExecutor(1, "journal")
        self._waiting: list[tuple[Operation[Any], asyncio.Future[Any]]] = []
        self._flusher: asyncio.Task[None] | None = None

    def commit(self, operation: Operation[T]) -> asyncio.Future[T]:
        """Queues an operation, also for those who don't wait; the future has its result. It is done even if the future is cancelled."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, future))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return future

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                results = await loop.run_in_executor(self._executor, self._journal.apply, [operation for operation, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                        future.exception()  # a release nobody waits for isn't worth a warning
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
        self._flusher = None

    async def close(self) -> None:
        """Commits what waits."""
        if self._flusher is not None:
            await self._flusher
        self._executor.shutdown(wait=True)
