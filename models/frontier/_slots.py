"""How many calls are in flight at once, adapted to what the endpoint takes."""

import asyncio
from collections import deque


class Slots:
    """A semaphore whose limit moves and that can be held shut for a while. For one event loop.

    First come, first served, but for the `urgent`: a row that was already asked goes first, else its repairs make a long tail.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.used = 0
        self._waiting: deque[asyncio.Future] = deque()
        self._shut_until = 0.0

    async def acquire(self, urgent: bool = False) -> None:
        loop = asyncio.get_running_loop()
        if not self._waiting and self.used < self.limit and loop.time() >= self._shut_until:
            self.used += 1
            return
        turn = loop.create_future()
        self._waiting.appendleft(turn) if urgent else self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # granted at the very moment of the cancellation
                self.release()
            raise

    def release(self) -> None:
        self.used -= 1
        self.wake()

    def shut(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if until > self._shut_until:
            self._shut_until = until
            loop.call_at(until, self.wake)

    def wake(self) -> None:
        if asyncio.get_running_loop().time() < self._shut_until:
            return
        while self._waiting and self.used < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.used += 1
                turn.set_result(None)


class Throttle:
    """Additive increase, gentle decrease.

    The share of 429s is judged over a window of about one round of calls. Random 429s (a fifth of the calls, say) leave the limit
    alone: lowering it would lose slots without lowering their share. Only when most calls of a window are turned away is the limit
    cut, by a fifth, and a Retry-After then holds everyone. A row's own Retry-After is always kept, whatever the share.
    """

    def __init__(self, slots: Slots, most: int):
        self._slots = slots
        self._most = most
        self._seen = self._limited = 0

    def saw(self, limited: bool, retry_after: float | None = None) -> None:
        self._seen += 1
        self._limited += limited
        if self._seen < max(10, self._slots.limit):
            return
        share = self._limited / self._seen
        self._seen = self._limited = 0
        if share > 0.5:
            self._slots.limit = max(1, int(self._slots.limit * 0.8))
            if retry_after:
                self._slots.shut(min(retry_after, 60.0))
        elif share <= 0.3 and self._slots.limit < self._most:
            self._slots.limit = min(self._most, self._slots.limit + max(1, self._most // 10))
            self._slots.wake()
