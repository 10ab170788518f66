"""Concurrency of calls, adapted to what the endpoint serves at once: a semaphore with a moving limit, and its AIMD controller."""

import asyncio
from collections import defaultdict, deque

CALM = 8  # windows without 429s at a limit of calls at once, before one more is tried


class AdaptiveSemaphore:
    """A semaphore whose limit moves and that can be closed for a while. For one event loop.

    First come, first served, but for the `urgent`: a row that was already asked goes first, else its repairs make a long tail.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed_until = 0.0

    async def acquire(self, urgent: bool = False) -> None:
        if self.try_acquire():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.appendleft(turn) if urgent else self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # granted at the very moment of the cancellation
                self.release()
            raise

    def try_acquire(self) -> bool:
        """Takes a slot that nobody waits for; False if there is none."""
        is_free = not self._waiting and self.used < self.limit and asyncio.get_running_loop().time() >= self._closed_until
        self.used += is_free
        return is_free

    def release(self) -> None:
        self.used -= 1
        self.wake()

    def close_for(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if until > self._closed_until:
            self._closed_until = until
            loop.call_at(until, self.wake)

    def wake(self) -> None:
        if asyncio.get_running_loop().time() < self._closed_until:
            return
        while self._waiting and self.used < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.used += 1
                turn.set_result(None)


class AimdController:
    """Additive increase, multiplicative decrease of a semaphore's limit, robust against random 429s.

    Judged over a window of about one round of calls. An endpoint that serves N calls at once turns away those that would be more:
    then 429s depend on how many calls were in flight when one was sent, and the limit goes to where they begin; more is tried again
    only after some calm windows. Random 429s (a fifth of the calls, say) come at any number; lowering the limit would lose slots
    without lowering their share, so it stays. Only when most calls of a window are turned away is it cut by a fifth, and a
    Retry-After then holds everyone. A row's own Retry-After is always kept. Upwards it goes by steps of 1, 2, 4, ... a window.
    """

    def __init__(self, slots: AdaptiveSemaphore, most: int):
        self._slots = slots
        self._most = most
        self._seen = self._limited = 0
        self._step = 1
        self._ceiling: int | None = None  # where 429s began
        self._calm = 0  # windows since then
        self._at: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])  # by calls in flight: (seen, limited), fading

    def observe(self, limited: bool, in_flight: int, retry_after: float | None = None) -> None:
        """Takes in the outcome of a call that was sent as the `in_flight`th at once. `limited`: it got a 429."""
        self._seen += 1
        self._limited += limited
        self._at[in_flight][0] += 1
        self._at[in_flight][1] += limited
        if self._seen < max(10, self._slots.limit):
            return
        share = self._limited / self._seen
        self._seen = self._limited = 0
        knee = self._knee() if share > 0.02 else None
        if knee is not None:
            self._slots.limit = self._ceiling = min(self._slots.limit, knee)
            self._step, self._calm = 1, 0
            self._at.clear()
        elif share > 0.6:
            self._slots.limit = max(1, int(self._slots.limit * 0.8))
            self._step = 1
            if retry_after:
                self._slots.close_for(min(retry_after, 60.0))
        elif share <= 0.5:
            self._rise()
        for counts in self._at.values():
            counts[0] *= 0.85
            counts[1] *= 0.85

    def _rise(self) -> None:
        if self._ceiling is not None and self._slots.limit > self._ceiling:  # tried, and they begin no more
            self._ceiling = None
        if self._ceiling is not None and self._slots.limit == self._ceiling:
            self._calm += 1
            if self._calm < CALM:
                return
            self._step = 1
        most = self._ceiling if self._ceiling and self._slots.limit < self._ceiling else self._most
        self._slots.limit = min(most, self._slots.limit + self._step)
        self._step *= 2
        self._slots.wake()

    def _knee(self) -> int | None:
        """The most calls in flight up to which few are turned away while above most are; None if there is no such number.

        A two-proportion z-test at each number; 5 standard errors, because many numbers are tried.
        """
        seen, limited = (sum(counts[i] for counts in self._at.values()) for i in (0, 1))
        best, knee, below, turned_away = 5.0, None, 0.0, 0.0
        share = limited / seen
        for number in sorted(self._at)[:-1]:
            below += self._at[number][0]
            turned_away += self._at[number][1]
            above = seen - below
            if below < 4 or above < 4:
                continue
            low, high = turned_away / below, (limited - turned_away) / above
            error = (share * (1 - share) * (1 / below + 1 / above)) ** 0.5
            if high >= 0.6 and low <= high / 2 and high - low > best * error:
                best, knee = (high - low) / error, number
        return knee
