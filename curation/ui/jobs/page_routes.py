"""The Jobs page: all jobs with what they did and cost, one of them in detail. Its deeds are the routes of jobs_api."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.costs import spend
from curation.jobs import chains
from curation.jobs.job_folder import JobFolder
from curation.ui.jobs import figures
from curation.ui.services import services
from curation.ui.shared.figures import Figure
from data.files import read_lines

router = APIRouter(prefix="/api/jobs")
PAGE = 50  # jobs
ERRORS = 50
EVENTS = 100
EVENT_BYTES = 2**18  # of the end of the file
LOG_BYTES = 12_000
FIGURES = ("progress", "step", "dev")  # events that pages draw instead of listing them


class Shown(BaseModel):
    """Which jobs: all, or those of a status or a stage."""

    status: str | None = None
    stage: str | None = None
    offset: int = Field(default=0, ge=0)


class Which(BaseModel):
    job_id: int


class Cap(BaseModel):
    """A job's hard cap on what it may spend; none takes it away."""

    job_id: int
    usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Clock(BaseModel):
    """The reader's time zone, such as Europe/Berlin."""

    zone: str = "UTC"

    def known(self) -> ZoneInfo:
        """UTC where this machine doesn't know the zone; the chart names the one it has."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


@router.post("/page")
def page(request: Request, body: Shown) -> dict[str, Any]:
    """A page of jobs, counts by status and stage, and the spend by stage and model."""
    here = services(request)
    rows = here.store.rows("jobs_page", status=body.status, stage=body.stage, limit=PAGE, offset=body.offset)
    kinds = here.store.rows("jobs_by_kind")
    fits = [kind for kind in kinds if body.status in (None, kind["status"]) and body.stage in (None, kind["stage"])]
    return {
        "jobs": [{**here.jobs.get(row["job_id"]), "calls": row["calls"], "unpriced": row["unpriced"]} for row in rows],
        "total": sum(kind["jobs"] for kind in fits),
        "statuses": _tally(kinds, "status"),
        "stages": _tally(kinds, "stage"),
        "spend": here.store.rows("spend_by_model"),
    }


@router.post("/spend")
def spent(request: Request) -> dict[str, Any]:
    """What was spent: by stage and model, by round and for each approved sample, by cluster of the round."""
    store = services(request).store
    return spend.overview(store, checkpoints.current_round(store))


@router.post("/spend_over_time")
def spent_over_time(request: Request, body: Clock) -> Figure | None:
    """The chart of what was spent up to each moment, by stage; None where nothing is priced."""
    seconds, steps = spend.over_time(services(request).store)
    return figures.spend_over_time(steps, seconds, body.known()) if steps else None


@router.post("/budget")
def budget(request: Request, body: Cap) -> dict[str, Any]:
    """Another cap for a job that rests: what it has spent so far counts."""
    jobs = services(request).jobs
    jobs.set_budget(body.job_id, body.usd)
    return jobs.get(body.job_id)


@router.post("/detail")
def detail(request: Request, body: Which) -> dict[str, Any]:
    """A job with its calls, what it made, what follows it, its errors with raw replies, events and the end of its log."""
    here = services(request)
    job = here.jobs.get(body.job_id)
    files = JobFolder(here.workspace.job(body.job_id))
    made = here.store.row("job_outputs", job_id=body.job_id)
    calls = here.store.rows("job_calls_by_model", job_id=body.job_id)
    return {
        "job": job,
        "folder": str(files.folder),
        "calls": calls,
        "money": spend.of_job(here.store, job, calls),
        "made": {noun: count for noun, count in made.items() if count},
        "chain": chains.view(here.store, body.job_id),
        "errors": here.store.rows("row_errors", job_id=body.job_id, after="", limit=ERRORS),
        "events": _told(files),
        "log": files.log_tail(LOG_BYTES),
    }


def _told(files: JobFolder) -> list[dict[str, Any]]:
    """The latest events that say something in words, oldest first."""
    start = max(0, (files.events.stat().st_size if files.events.exists() else 0) - EVENT_BYTES)
    events, _ = read_lines(files.events, start, EVENT_BYTES, skip_first=start > 0)
    return [event for event in events if event["event"] not in FIGURES][-EVENTS:]


def _tally(kinds: list[dict[str, Any]], by: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind[by]] = counts.get(kind[by], 0) + kind["jobs"]
    return counts
