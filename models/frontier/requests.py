"""Requests to a frontier model, and their outcomes."""

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
class Outcome:
    """What became of a Request: `parsed` or `error`, never both."""

    key: str
    parsed: BaseModel | None
    error: str | None
    replies: tuple[str, ...]  # keys in the journal, oldest first; more than one if a reply had to be repaired
    cost_usd: float | None  # of the calls made now (0.0 if the journal had it all); None: unpriced
    asked: int  # HTTP calls made now, failed ones included; 0: from the journal
    refused: bool = False  # the error is a content policy's (the model's own, or the vendor's filter): asking again is no use
