"""Being slow, flaky or expensive on demand, as real endpoints are: for rehearsing what a client must stand."""

import asyncio
import random
from dataclasses import dataclass, field

from models.pocket.teacher.wire import ApiError

HANG = 3600.0  # seconds
RETRY_AFTER = "1"  # seconds, as the header says it


@dataclass(frozen=True)
class Faults:
    """Shares of requests from 0 to 1, but `latency` in seconds."""

    latency: float = 0.0
    error_rate: float = 0.0  # 500 or 503
    rate_limit: float = 0.0  # 429 with Retry-After
    malformed: float = 0.0  # content that is no JSON of the schema
    truncate: float = 0.0  # content cut off in the middle
    hang: float = 0.0  # no answer at all
    seed: int | None = None
    chance: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chance", random.Random(self.seed))

    async def before(self) -> None:
        """Waits, or raises ApiError."""
        if self.latency:
            await asyncio.sleep(self.latency)
        if self._falls(self.hang):
            await asyncio.sleep(HANG)
        if self._falls(self.rate_limit):
            raise ApiError(429, "rate limit reached; try again in a second", "rate_limit_exceeded")
        if self._falls(self.error_rate):
            raise ApiError(self.chance.choice((500, 503)), "the server failed deliberately (--error-rate)", "server_error")

    def after(self, content: str) -> str:
        """The content, perhaps spoilt."""
        if self._falls(self.malformed):
            return f"Sure! Here is what I think: {content[: len(content) // 3]} ... and so on"
        return content[: len(content) // 2] if self._falls(self.truncate) else content

    def _falls(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share
