"""Records of paid calls, as the journal keeps them, and what ends a job that makes them."""

from dataclasses import dataclass
from typing import NamedTuple

from data.errors import MistakebookError


@dataclass(frozen=True)
class Reply:
    """One paid answer as the journal keeps it. Token counts are None where the endpoint reported none, cost where no price is known."""

    key: str  # SHA-256 of endpoint, model, parameters, messages, images and attempt
    endpoint: str
    model: str
    purpose: str
    body: str  # the response's JSON as it came
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost_usd: float | None
    seconds: float
    created_at: float  # seconds since 1970


class LostCall(NamedTuple):
    """A call that was sent and brought nothing usable (a time-out, a reset, a killed process). It may have been billed."""

    position: int
    scope: str
    key: str
    endpoint: str
    model: str
    purpose: str
    worst_usd: float  # the cost that had been reserved for it
    reason: str
    created_at: float  # seconds since 1970


@dataclass(frozen=True)
class Spend:
    """Spend on one purpose at one model. `usd` is None if no reply has a price; `unpriced` counts those without."""

    purpose: str
    endpoint: str
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    usd: float | None
    unpriced: int
    lost: int  # calls that were sent and never came back whole (time-outs, resets, killed processes)
    lost_usd: float  # their reserved cost: the most that they may have been billed


class FrontierStopped(MistakebookError):
    """The whole job must stop: wrong key, no such model, budget or quota spent, endpoint unreachable. The text is the exact cause."""

    def __init__(self, cause: str, resumable: bool):
        super().__init__(cause)
        self.resumable = resumable  # True: nothing but time, money or a restarted server is missing
