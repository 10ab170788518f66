"""The work: jobs, what failed in them, what they paid, and finetuning runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.records.base import Lane, Record
from data.statuses import JobStatus


@dataclass(frozen=True)
class JobRow(Record):
    """A job as the store keeps it; what its two halves are given is curation.stage.Job."""

    job_id: int
    stage: str
    options: dict[str, Any]
    round: int | None
    lane: Lane
    status: JobStatus
    total: int
    done: int
    failed: int
    spend_usd: float | None  # None while none of its replies has a price
    message: str | None
    pid: int | None
    pid_started: float | None  # seconds since 1970
    results_offset: int  # bytes of its results that were read
    author: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class RowError(Record):
    """A row of a job that failed."""

    key: str
    error: str
    reply: str | None  # the raw reply that it came from
    created_at: datetime


@dataclass(frozen=True)
class Run(Record):
    """One finetune on a frozen snapshot of approved samples."""

    run_id: int
    round: int
    parent: int  # the checkpoint it started from
    job_id: int
    options: dict[str, Any]
    samples: int
    replay: int
    checkpoint_id: int | None  # the checkpoint it made
    created_at: datetime


@dataclass(frozen=True)
class Reply(Record):
    """One paid answer of a frontier model, kept raw; copied from the journal (models/paid_calls)."""

    key: str
    job_id: int | None
    endpoint: str | None
    model: str | None
    purpose: str | None
    body: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost_usd: float | None
    seconds: float | None
    created_at: datetime | None


@dataclass(frozen=True)
class LostCall(Record):
    """A paid call without an answer; `worst_usd` is reserved for it, for it may have been billed."""

    position: int
    key: str
    job_id: int | None
    endpoint: str | None
    model: str | None
    purpose: str | None
    worst_usd: float
    reason: str | None
    created_at: datetime | None
