"""Journal operations from an event loop: whatever came up in one turn goes into one transaction."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from models.paid_calls.journal import Journal


class Batcher:
    """Awaiting `do` returns once the operation is committed. One fsync serves all that waited for it."""

    def __init__(self, journal: Journal):
        self._journal = journal
        self._executor = ThreadPoolExecutor(1, "journal")
        self._waiting: list[tuple[object, asyncio.Future]] = []
        self._flusher: asyncio.Task | None = None

    def do(self, operation) -> asyncio.Future:
        future = asyncio.get_running_loop().create_future()
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
