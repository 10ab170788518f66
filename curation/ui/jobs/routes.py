"""The routes of jobs: launched, looked at, stopped, resumed. Pages and the command line use them alike."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from curation.jobs.chains import Step, StepView
from curation.jobs.estimates import EstimateView
from curation.jobs.job_folder import JobFolder, SkippedLine
from curation.jobs.views import JobView, LogTail
from curation.ui import launch_rights
from curation.ui.services import services
from curation.ui.while_connected import while_connected
from data.errors import MistakebookError
from data.files import read_lines
from data.records import RowError

router = APIRouter(prefix="/api")


class Launch(BaseModel):
    stage: str
    options: dict[str, Any] = {}
    then: list[Step] = Field(default=[], description="What follows by itself once the job is done.")


class Events(BaseModel):
    events: list[dict[str, Any]]
    offset: int = Field(description="bytes, behind the last of them")


class UnknownAction(MistakebookError):
    """No such thing can be done to a job."""

    status = 404


@router.post("/estimate")
async def estimate(request: Request, body: Launch) -> EstimateView:
    here = services(request)
    launch_rights.check_options(request, body.options)
    return await while_connected(request, lambda: here.jobs.estimate_view(body.stage, body.options))


@router.get("/jobs")
def jobs(request: Request, limit: int = 100) -> list[JobView]:
    return services(request).jobs.latest(limit)


@router.post("/jobs")
def launch(request: Request, body: Launch) -> JobView:
    here = services(request)
    launch_rights.check_options(request, body.options)
    _check_steps(request, body.then)
    return here.jobs.get(here.jobs.launch(body.stage, body.options, here.reviewer(request), body.then))


@router.get("/jobs/{job_id}/chain")
def chain(request: Request, job_id: int) -> list[StepView]:
    """What follows a job by itself, as it stands."""
    return services(request).jobs.chain(job_id)


@router.get("/jobs/{job_id}")
def job(request: Request, job_id: int) -> JobView:
    return services(request).jobs.get(job_id)


@router.post("/jobs/{job_id}/{action}")
def act(request: Request, job_id: int, action: str) -> JobView:
    """cancel, pause, resume or retry (the rows that failed)."""
    manager = services(request).jobs
    actions = {"cancel": manager.cancel, "pause": manager.pause, "resume": manager.resume, "retry": manager.retry_errors}
    if action not in actions:
        raise UnknownAction(f"unknown action {action!r}; there are: {', '.join(actions)}")
    actions[action](job_id)
    return manager.get(job_id)


@router.get("/jobs/{job_id}/log")
def log(request: Request, job_id: int, size: int = 16_384) -> LogTail:
    """The tail of what the job's process has printed."""
    return LogTail(text=_files(request, job_id).log_tail(min(size, 2**20)))


@router.get("/jobs/{job_id}/events")
def events(request: Request, job_id: int, offset: int = 0) -> Events:
    """Events from a byte offset on (0 at first, then the offset of the last answer)."""
    lines, end = read_lines(_files(request, job_id).events, offset)
    return Events(events=lines, offset=end)


@router.get("/jobs/{job_id}/errors")
def errors(request: Request, job_id: int, after: str = "", limit: int = 100) -> list[RowError]:
    """Rows that failed, a page at a time: `after` is the last key of the page before."""
    return services(request).store.rows("row_errors", RowError, job_id=job_id, after=after, limit=min(limit, 1000))


@router.get("/jobs/{job_id}/skipped")
def skipped(request: Request, job_id: int, offset: int = 0, limit: int = 100) -> list[SkippedLine]:
    """Lines of the job's source that gave no row, with their reasons."""
    return _files(request, job_id).skipped_lines(max(offset, 0), min(limit, 1000))


@router.get("/jobs/{job_id}/skipped.jsonl")
def skipped_file(request: Request, job_id: int) -> FileResponse:
    """All of these lines, as a file."""
    files = _files(request, job_id)
    if not files.skipped.exists():
        raise UnknownAction(f"job {job_id} has left out no lines of a source")
    return FileResponse(files.skipped, media_type="application/x-ndjson", filename=f"job-{job_id}-skipped.jsonl")


def _check_steps(request: Request, steps: list[Step]) -> None:
    """What follows a job, however deep, may name no more than a launch."""
    for step in steps:
        launch_rights.check_options(request, step.options)
        _check_steps(request, step.then)


def _files(request: Request, job_id: int) -> JobFolder:
    here = services(request)
    here.jobs.get(job_id)
    return JobFolder(here.workspace.job(job_id))
