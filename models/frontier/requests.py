"""What goes into a frontier client and what comes out."""

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class Request:
    """One question to a frontier model.

    `attempt` asks the same thing once more (self-agreement, or a retry on demand of a row that ended in an error).
    """

    key: str  # the caller's own, comes back in the Outcome
    purpose: str  # "blind", "diagnosis", "judge", ...: spend is reported by it
    system: str
    text: str
    images: tuple[str, ...]  # paths
    reply: type[BaseModel]
    attempt: int = 0
    prompt_version: str = ""


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


@dataclass(frozen=True)
class Outcome:
    """What became of a Request: `parsed` or `error`, never both."""

    key: str
    parsed: BaseModel | None
    error: str | None
    replies: tuple[str, ...]  # keys in the journal, oldest first; more than one if a reply had to be repaired
    cost_usd: float | None  # of the calls made now (0.0 if the journal had it all); None: unpriced
    asked: int  # HTTP calls made now, failed ones included; 0: from the journal
    refused: bool = False  # the error is a content policy's (the model's own, or the vendor's filter): asking again is no use


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
    lost_usd: float  # what those may have been billed at worst


class FrontierStopped(Exception):
    """The whole job must stop: wrong key, no such model, budget or quota spent, endpoint unreachable. The text is the exact cause."""

    def __init__(self, cause: str, resumable: bool):
        super().__init__(cause)
        self.resumable = resumable  # True: nothing but time, money or a restarted server is missing
