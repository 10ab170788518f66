"""The routes of the frame: the workspace at a glance, the stages there are, and how a headless app ends."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import taxonomy
from curation.access.roles import Role
from curation.calibration import auto_approval
from curation.calibration.auto_approval import GateState
from curation.costs.spend import SpendTotal
from curation.frontier.options import FrontierOptions
from curation.jobs.views import JobView
from curation.stage import AsksServer, Lane
from curation.stages import STAGES, stage_class
from curation.ui.services import services
from curation.workspaces import damage
from data import workspace
from data.errors import MistakebookError
from data.records import Record

router = APIRouter(prefix="/api")


class StillNeeded(MistakebookError):
    """The app can't end now."""


@dataclass(frozen=True)
class WorkspaceNow(Record):
    """Where the workspace stands: round, checkpoint, and a count for each page of the rail."""

    round: int
    checkpoint: str | None
    failures: int
    samples: int
    pending: int
    approved: int
    datasets: int
    checkpoints: int
    jobs: int  # running or queued
    ended: int | None  # when the latest job ended, in microseconds since 1970


class Health(BaseModel):
    """That the app answers, and for which workspace."""

    ok: bool = True
    workspace: str = Field(description="its folder")
    headless: bool


class ActiveJob(JobView):
    """A running or queued job; `done` and `total` are the freshest."""

    seconds_left: float | None


class DamageView(BaseModel):
    """A log of the store that was damaged, in words."""

    name: str
    text: str


class DamageRead(BaseModel):
    name: str


class Overview(BaseModel):
    """The workspace at a glance, as the frame shows it."""

    name: str
    round: int
    checkpoint: str | None
    reviewer: str
    role: Role = Field(description="what whoever asks may do")
    login: bool = Field(description="whether they logged in, and so can log out")
    counts: dict[str, int | str] = Field(description="by page name: a number, or a text such as '294 left'")
    running: list[ActiveJob]
    ended: int | None = Field(description="when the latest job ended, in microseconds: it tells of jobs that nobody saw running")
    spend_usd: float | None
    unpriced: int
    workspaces: list[str]
    taxonomy: int = Field(description="version of the error types: another one than before, and they are asked for anew")
    damages: list[DamageView] = Field(description="damaged logs of the store that nobody has read about yet")
    gate: GateState = Field(description="of auto-approval")


class StageView(BaseModel):
    """A stage with what a form of its options needs."""

    name: str
    title: str
    lane: Lane
    options: dict[str, Any] = Field(description="JSON schema")
    defaults: dict[str, Any] = Field(description="as they are configured here")
    sends: bool = Field(description="whether its jobs may send something to another machine, which an estimate then names")


class Quit(BaseModel):
    ok: bool = True


@router.get("/health")
def health(request: Request) -> Health:
    here = services(request)
    return Health(workspace=str(here.workspace.root), headless=here.settings.headless)


@router.get("/workspace")
def overview(request: Request) -> Overview:
    here = services(request)
    now, spend = here.store.one("workspace_now", WorkspaceNow), here.store.one("spend_total", SpendTotal)
    counts: dict[str, int | str] = {
        "failures": now.failures,
        "generate": now.samples,
        "review": f"{now.pending:,}{' left' if now.pending < 10_000 else ''}" if now.pending else "",  # as the rail is wide
        "finetune": now.approved,
        "jobs": now.jobs,
        "data": now.datasets,
    }
    gate = auto_approval.state(here.store)
    counts["calibration"] = gate.state if gate.state != "off" else ""
    return Overview(
        name=here.workspace.name,
        round=now.round,
        checkpoint=now.checkpoint,
        reviewer=here.reviewer(request),
        role=here.role(request),
        login=here.gate.asks_login and not request.scope["identity"].by_token,
        counts=counts,
        running=[_active(job) for job in here.jobs.active()],
        ended=now.ended,
        spend_usd=spend.usd,
        unpriced=spend.unpriced,
        workspaces=workspace.names(),
        taxonomy=taxonomy.current(here.store).version,
        damages=[DamageView(name=damaged.name, text=damaged.text) for damaged in damage.damages(here.workspace, unread=True)],
        gate=gate,
    )


@router.post("/damage/read")
def damage_read(request: Request, body: DamageRead) -> list[DamageView]:
    """Marks a report as read; those that are left."""
    here = services(request)
    damage.mark_read(here.workspace, body.name, here.reviewer(request))
    return [DamageView(name=damaged.name, text=damaged.text) for damaged in damage.damages(here.workspace, unread=True)]


def _active(job: JobView) -> ActiveJob:
    progress = job.progress or {}
    latest = {name: progress[name] for name in ("done", "total") if name in progress}
    return ActiveJob(**(job.model_dump() | latest), seconds_left=progress.get("eta_s"))


@router.get("/stages")
def stages() -> list[StageView]:
    """All stages, for forms."""
    return [
        StageView(
            name=stage.name,
            title=stage.title,
            lane=stage.lane,
            options=stage.Options.model_json_schema(),
            defaults=_defaults(stage.Options),
            sends=issubclass(stage.Options, AsksServer),
        )
        for stage in map(stage_class, STAGES)
    ]


def _defaults(options: type[BaseModel]) -> dict[str, Any]:
    if issubclass(options, FrontierOptions):  # with the endpoint that the stage asks
        return options().model_dump(mode="json")
    fields = options.model_fields.items()
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}


@router.post("/quit")
def quit_headless(request: Request) -> Quit:
    """Ends a headless app that runs no jobs, so that another process can open the workspace."""
    here = services(request)
    if not here.settings.headless:
        raise StillNeeded("serves pages; stop it where it was started")
    if active := here.jobs.active():
        raise StillNeeded(f"still runs job {active[0].job_id} ({active[0].stage}); wait for its end or pause it: mistakebook jobs pause")
    request.app.state.quit()
    return Quit()
