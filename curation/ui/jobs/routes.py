"""The routes of jobs and of the workspace: what the frame, the Jobs page and the command line ask."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation.calibration import auto_approval
from curation.frontier.options import FrontierOptions
from curation.jobs.chains import Step
from curation.jobs.estimates import EstimateView
from curation.jobs.job_folder import JobFolder
from curation.stage import AsksServer
from curation.stages import STAGES, stage_class
from curation.ui.services import services
from data import workspace
from data.errors import MistakebookError
from data.files import read_lines

router = APIRouter(prefix="/api")


class Launch(BaseModel):
    stage: str
    options: dict[str, Any] = {}
    then: list[Step] = Field(default=[], description="What follows by itself once the job is done.")


class WorkspaceHere(BaseModel):
    """What /api/workspace answers; `counts` by page name, `running` with the freshest progress."""

    name: str
    round: int
    checkpoint: str | None
    reviewer: str
    counts: dict[str, int | str] = Field(description="a number, or a text such as '294 left'")
    running: list[dict[str, Any]]
    ended: int | None = Field(description="when the latest job ended, in microseconds: it tells of jobs that nobody saw running")
    spend_usd: float | None
    unpriced: int
    workspaces: list[str]
    gate: dict[str, Any] = Field(description="of auto-approval: state (on, off, or stopped by its audit), why, since when")


@router.get("/health")
def health(request: Request) -> dict[str, Any]:
    here = services(request)
    return {"ok": True, "workspace": str(here.workspace.root), "headless": here.settings.headless}


@router.get("/workspace")
def workspace_here(request: Request) -> WorkspaceHere:
    here = services(request)
    now, spend = here.store.row("workspace_now"), here.store.row("spend_total")
    counts = {
        "failures": now["failures"],
        "generate": now["samples"],
        "review": f"{now['pending']:,}{' left' if now['pending'] < 10_000 else ''}" if now["pending"] else "",  # as the rail is wide
        "finetune": now["approved"],
        "jobs": now["jobs"],
        "data": now["datasets"],
    }
    gate = auto_approval.state(here.store)
    counts["calibration"] = gate["state"] if gate["state"] != "off" else ""
    return WorkspaceHere(
        name=here.workspace.name,
        round=now["round"],
        checkpoint=now["checkpoint"],
        reviewer=here.reviewer(request),
        counts=counts,
        running=[_for_pill(job) for job in here.jobs.active()],
        ended=now["ended"],
        spend_usd=spend["usd"],
        unpriced=spend["unpriced"],
        workspaces=workspace.names(),
        gate=gate,
    )


def _for_pill(job: dict[str, Any]) -> dict[str, Any]:
    progress = job["progress"] or {}
    fresh = {name: progress[name] for name in ("done", "total") if name in progress}
    return {**job, **fresh, "seconds_left": progress.get("eta_s")}


@router.get("/stages")
def stages() -> list[dict[str, Any]]:
    """All stages with the JSON schema of their options, for forms, and the defaults as they are configured here.

    `sends`: whether its jobs may send something to another machine, which an estimate then names.
    """
    return [
        {
            "name": stage.name,
            "title": stage.title,
            "lane": stage.lane,
            "options": stage.Options.model_json_schema(),
            "defaults": _defaults(stage.Options),
            "sends": issubclass(stage.Options, AsksServer),
        }
        for stage in map(stage_class, STAGES)
    ]


def _defaults(options: type[BaseModel]) -> dict[str, Any]:
    fields = options.model_fields.items()
    if issubclass(options, FrontierOptions):  # with the endpoint that the stage asks
        return options().model_dump(mode="json")
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}


@router.post("/estimate")
def estimate(request: Request, body: Launch) -> EstimateView:
    return services(request).jobs.estimate_view(body.stage, body.options)


@router.get("/jobs")
def jobs(request: Request, limit: int = 100) -> list[dict[str, Any]]:
    return services(request).jobs.list(limit)


@router.post("/jobs")
def launch(request: Request, body: Launch) -> dict[str, Any]:
    here = services(request)
    return here.jobs.get(here.jobs.launch(body.stage, body.options, here.reviewer(request), body.then))


@router.get("/jobs/{job_id}")
def job(request: Request, job_id: int) -> dict[str, Any]:
    return services(request).jobs.get(job_id)


@router.post("/jobs/{job_id}/{action}")
def act(request: Request, job_id: int, action: str) -> dict[str, Any]:
    """cancel, pause, resume or retry (the rows that failed)."""
    here = services(request).jobs
    actions = {"cancel": here.cancel, "pause": here.pause, "resume": here.resume, "retry": here.retry_errors}
    if action not in actions:
        raise UnknownAction(f"unknown action {action!r}; there are: {', '.join(actions)}")
    actions[action](job_id)
    return here.get(job_id)


@router.get("/jobs/{job_id}/log")
def log(request: Request, job_id: int, size: int = 16_384) -> dict[str, str]:
    """The tail of what the job's process has printed."""
    return {"text": _files(request, job_id).log_tail(min(size, 2**20))}


@router.get("/jobs/{job_id}/events")
def events(request: Request, job_id: int, offset: int = 0) -> dict[str, Any]:
    """Events from a byte offset on (0 at first, then the offset of the last answer)."""
    found, end = read_lines(_files(request, job_id).events, offset)
    return {"events": found, "offset": end}


@router.get("/jobs/{job_id}/errors")
def errors(request: Request, job_id: int, after: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Rows that failed, a page at a time: `after` is the last key of the page before."""
    return services(request).store.rows("row_errors", job_id=job_id, after=after, limit=min(limit, 1000))


@router.post("/quit")
def quit_headless(request: Request) -> dict[str, bool]:
    """Ends a headless app that runs no jobs, so that another process can open the workspace."""
    here = services(request)
    if not here.settings.headless:
        raise StillNeeded("serves pages; stop it where it was started")
    if active := here.jobs.active():
        raise StillNeeded(
            f"still runs job {active[0]['job_id']} ({active[0]['stage']}); wait for its end or pause it: mistakebook jobs pause"
        )
    request.app.state.quit()
    return {"ok": True}


def _files(request: Request, job_id: int) -> JobFolder:
    here = services(request)
    here.jobs.get(job_id)
    return JobFolder(here.workspace.job(job_id))


class UnknownAction(MistakebookError):
    """No such thing can be done to a job."""

    status = 404


class StillNeeded(MistakebookError):
    """The app can't end now."""
