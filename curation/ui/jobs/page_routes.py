"""The Jobs page: all jobs with what they did and cost, one of them in detail. What it does to a job are the routes of ui/jobs/routes.py."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.costs import spend
from curation.costs.spend import JobSpend, ModelCalls, ModelSpend, SpendOverview
from curation.jobs.chains import StepView
from curation.jobs.job_folder import JobFolder, SkippedLine
from curation.jobs.views import JobView
from curation.ui.jobs import charts
from curation.ui.services import services
from curation.ui.shared.chart_theme import Figure
from data.files import read_lines
from data.records import JobStatus, Record, RowError

router = APIRouter(prefix="/api/jobs")
PAGE = 50  # jobs
ERRORS = 50
SKIPPED = 20
EVENTS = 100
EVENT_BYTES = 2**18  # of the end of the file
FIGURES = ("progress", "step", "dev")  # events that pages draw instead of listing them
LOG_BYTES = 12_000


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


class ListedJob(JobView):
    calls: int = Field(description="paid ones")
    unpriced: int = Field(description="of these, without a price")


@dataclass(frozen=True)
class JobCalls(Record):
    """A job's paid calls, and those of them without a price."""

    job_id: int
    calls: int
    unpriced: int


@dataclass(frozen=True)
class JobKind(Record):
    """How many jobs there are of a status and stage."""

    status: JobStatus
    stage: str
    jobs: int


@dataclass(frozen=True)
class JobOutputs(Record):
    """What a job has put into the store, by noun."""

    predictions: int
    diagnoses: int
    clusters: int
    samples: int
    pictures: int
    verdicts: int


class JobsPage(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[ListedJob]
    total: int = Field(description="of the status and stage that were asked for")
    statuses: dict[str, int] = Field(description="jobs by status")
    stages: dict[str, int] = Field(description="jobs by stage")
    spend: list[ModelSpend] = Field(description="by stage and model")


class JobDetail(BaseModel):
    """A job with all that the page says of it."""

    job: JobView
    folder: str
    calls: list[ModelCalls] = Field(description="its calls, by model")
    money: JobSpend | None = Field(description="what they cost; none for a job that has asked nobody who could bill")
    made: dict[str, int] = Field(description="what it has put into the store, by noun")
    chain: list[StepView] = Field(description="what follows it by itself")
    errors: list[RowError] = Field(description="the first of its rows that failed, with the raw replies")
    skipped: list[SkippedLine] = Field(description="the first lines of its source that gave no row")
    skipped_count: int
    events: list[dict[str, Any]] = Field(description="the latest that are no figures, oldest first")
    log: str = Field(description="the end of what its process has printed")


@router.post("/page")
def page(request: Request, body: Shown) -> JobsPage:
    here = services(request)
    rows = here.store.rows("jobs_page", JobCalls, status=body.status, stage=body.stage, limit=PAGE, offset=body.offset)
    kinds = here.store.rows("jobs_by_kind", JobKind)
    chosen = [kind for kind in kinds if body.status in (None, kind.status) and body.stage in (None, kind.stage)]
    return JobsPage(
        jobs=[ListedJob(**here.jobs.get(row.job_id).model_dump(), calls=row.calls, unpriced=row.unpriced) for row in rows],
        total=sum(kind.jobs for kind in chosen),
        statuses=_tally(kinds, lambda kind: kind.status),
        stages=_tally(kinds, lambda kind: kind.stage),
        spend=spend.by_model(here.store),
    )


@router.post("/spend")
def spent(request: Request) -> SpendOverview:
    """What was spent; clusters are those of the current round."""
    store = services(request).store
    return spend.overview(store, checkpoints.current_round(store))


@router.post("/spend_over_time")
def spent_over_time(request: Request, body: Clock) -> Figure | None:
    """The chart of what was spent up to each moment, by stage; None where nothing is priced."""
    seconds, steps = spend.over_time(services(request).store)
    return charts.spend_over_time(steps, seconds, body.known()) if steps else None


@router.post("/budget")
def budget(request: Request, body: Cap) -> JobView:
    """Another cap for a job that rests: what it has spent so far counts."""
    jobs = services(request).jobs
    jobs.set_budget(body.job_id, body.usd)
    return jobs.get(body.job_id)


@router.post("/detail")
def detail(request: Request, body: Which) -> JobDetail:
    here = services(request)
    job = here.jobs.get(body.job_id)
    files = JobFolder(here.workspace.job(body.job_id))
    calls = spend.job_calls(here.store, body.job_id)
    return JobDetail(
        job=job,
        folder=str(files.folder),
        calls=calls,
        money=spend.of_job(here.store, job, calls),
        made={noun: count for noun, count in vars(here.store.one("job_outputs", JobOutputs, job_id=body.job_id)).items() if count},
        chain=here.jobs.chain(body.job_id),
        errors=here.store.rows("row_errors", RowError, job_id=body.job_id, after="", limit=ERRORS),
        skipped=files.skipped_lines(0, SKIPPED),
        skipped_count=files.skipped_count(),
        events=_latest_events(files),
        log=files.log_tail(LOG_BYTES),
    )


def _latest_events(files: JobFolder) -> list[dict[str, Any]]:
    start = max(0, (files.events.stat().st_size if files.events.exists() else 0) - EVENT_BYTES)
    events, _ = read_lines(files.events, start, EVENT_BYTES, skip_first=start > 0)
    return [event for event in events if event["event"] not in FIGURES][-EVENTS:]


def _tally(kinds: list[JobKind], by: Callable[[JobKind], str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[by(kind)] = counts.get(by(kind), 0) + kind.jobs
    return counts
