"""A job as pages and the command line are shown it."""

from typing import Any

from pydantic import BaseModel, Field

from data.records import JobRow, JobStatus, Lane


class JobView(BaseModel):
    """A job with its latest progress. Times are in ISO 8601."""

    job_id: int
    stage: str
    title: str = Field(description="the stage's; its name, where only another version has the stage")
    options: dict[str, Any]
    round: int | None
    lane: Lane
    status: JobStatus
    stopping: bool = Field(description="it runs and was asked to stop")
    total: int = Field(description="rows")
    done: int
    failed: int
    progress: dict[str, Any] | None = Field(description="the latest event of this kind since the job was launched, while it runs")
    message: str | None
    spend_usd: float | None = Field(description="none while none of its replies has a price")
    author: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    seconds: float | None = Field(description="at work, all launches together; of the running one nothing yet")


class LogTail(BaseModel):
    """The end of what a job's process has printed."""

    text: str


def view(row: JobRow, title: str, events: dict[str, dict[str, Any]], stopping: bool) -> JobView:
    """A job's row as it is shown; `events` are the latest of each kind since its launch."""
    running = row.status is JobStatus.RUNNING
    current = events if running else {}
    return JobView(
        job_id=row.job_id,
        stage=row.stage,
        title=title,
        options=row.options,
        round=row.round,
        lane=row.lane,
        status=row.status,
        stopping=stopping,
        total=row.total,
        done=row.done,
        failed=row.failed,
        progress=current.get("progress"),
        message=current.get("message", {}).get("text") if running else row.message,
        spend_usd=row.spend_usd,
        author=row.author,
        created_at=row.created_at.isoformat(),
        started_at=row.started_at.isoformat() if row.started_at else None,
        ended_at=row.ended_at.isoformat() if row.ended_at else None,
        seconds=row.seconds,
    )
