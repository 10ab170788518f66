"""The Finetune page: what would be trained on, how, and how the runs have gone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.jobs.chains import StepView
from curation.jobs.job_folder import JobFolder
from curation.jobs.views import JobView
from curation.results import comparison
from curation.stage import NothingToDo
from curation.stages.finetune import Finetune
from curation.training.plan import FinetuneOptions, Snapshot, launch_problem
from curation.ui.finetune import charts
from curation.ui.services import Services, services
from curation.ui.shared.chart_theme import Figure
from data.files import read_lines
from data.records import Record, Route
from data.statuses import JobStatus, SampleStatus
from data.store import Store
from models.finetuning.spec import RECIPES, Recipe

router = APIRouter(prefix="/api/finetune")


class Plan(BaseModel):
    options: dict[str, Any] = {}


class Which(BaseModel):
    """A finetune's job; the latest if absent."""

    job_id: int | None = None


@dataclass(frozen=True)
class Waiting(Record):
    """What could still be approved, and all samples there are."""

    pending: int
    unfiltered: int
    undrawn: int
    samples: int


@dataclass(frozen=True)
class SampleGroup(Record):
    """Approved samples that have all of these in common."""

    error_type: str
    route: Route
    dataset: str
    status: SampleStatus
    samples: int


@dataclass(frozen=True)
class Leaks(Record):
    """Of the approved samples, how many fail the leakage filter, or have no verdict of it; `bit` is the filter's."""

    bit: int | None
    leaking: int
    unjudged: int


@dataclass(frozen=True)
class RunRow(Record):
    """A finetune's job with the run and the checkpoint that it made, as far as it has."""

    job_id: int
    status: JobStatus
    message: str | None
    options: dict[str, Any]
    seconds: float | None
    created_at: datetime
    round: int | None
    run_id: int | None
    samples: int | None
    replay: int | None
    parent: str | None
    checkpoint: str | None


@dataclass(frozen=True)
class EvalCount(Record):
    """Eval examples that a checkpoint has answered, and that there are."""

    answered: int
    examples: int


@dataclass(frozen=True)
class Measured(Record):
    """Accuracy on eval before and after, their paired difference with its interval, and what turned."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    items: int
    balanced_before: float | None
    balanced_after: float | None
    majority: float | None
    fixed: int
    broken: int
    examples: int  # that there are
    passed: bool  # the release gate


@dataclass(frozen=True)
class RunShown(RunRow):
    measured: Measured | None  # None while one of the two was not asked


class Choices(BaseModel):
    """Recipes, checkpoints to start from, the defaults, and how far the round is."""

    round: int
    checkpoint: str | None
    checkpoints: list[str]
    recipes: dict[str, Recipe]
    defaults: FinetuneOptions
    waiting: Waiting
    loss_figure: Figure


class Part(BaseModel):
    """Samples that have a value in common."""

    value: str
    samples: int


class FinetunePlan(BaseModel):
    """The snapshot that a launch would freeze, with replay, steps and time."""

    samples: int
    error_type: list[Part]
    route: list[Part]
    dataset: list[Part]
    status: list[Part]
    leaks: Leaks | None = Field(description="none while there is no leakage filter")
    replay: int = 0
    steps: int = 0
    seconds: float | None = None
    reason: str | None = Field(default=None, description="why it can't be launched")


class RunDetail(BaseModel):
    """One finetune as it stands."""

    job: JobView
    retry: bool = Field(description="whether its failed row can be run again")
    run_id: int | None
    checkpoint: str | None
    parent: str | None
    exit_code: int | None
    chain: list[StepView]


@router.post("/choices")
def choices(request: Request) -> Choices:
    store = services(request).store
    round_ = checkpoints.current_round(store)
    return Choices(
        round=round_,
        checkpoint=checkpoints.find(store).name if round_ else None,
        checkpoints=checkpoints.askable(store),
        recipes=RECIPES,
        defaults=FinetuneOptions(),
        waiting=store.one("finetune_waiting", Waiting),
        loss_figure=charts.loss(),
    )


@router.post("/plan")
def plan(request: Request, body: Plan) -> FinetunePlan:
    here, options = services(request), FinetuneOptions(**body.options)
    round_ = checkpoints.current_round(here.store)
    chosen = {"round": round_, "earlier": options.earlier_rounds}
    groups = here.store.rows("finetune_samples", SampleGroup, **chosen)
    shown = FinetunePlan(
        samples=sum(group.samples for group in groups),
        error_type=_tally(groups, lambda group: group.error_type),
        route=_tally(groups, lambda group: group.route),
        dataset=_tally(groups, lambda group: group.dataset),
        status=_tally(groups, lambda group: group.status),
        leaks=here.store.row("finetune_leaks", Leaks, **chosen),
    )
    try:
        detail = Finetune().estimate(here.store, here.workspace, options).detail
    except NothingToDo as nothing:
        return shown.model_copy(update={"reason": str(nothing)})
    reason = launch_problem(here.store, shown.samples, options.name)
    second = _seconds_a_step(here, options.recipe)
    return shown.model_copy(update={**detail, "seconds": second and detail["steps"] * second, "reason": reason})


@router.post("/runs")
def runs(request: Request) -> list[RunShown]:
    """All finetunes, latest first; those that made a checkpoint with its accuracy on eval against its parent's, if both were asked."""
    here = services(request)
    return [RunShown(**vars(_counted(here, row)), measured=_measure(here, row.parent, row.checkpoint)) for row in _jobs(here.store)]


@router.post("/run")
def run(request: Request, body: Which) -> RunDetail | None:
    """One finetune as it stands (its events and log have routes of their own, by job); None if there is none yet."""
    here = services(request)
    listed = _jobs(here.store)
    number = body.job_id or next((row.job_id for row in listed if row.status is JobStatus.RUNNING), None)
    if number is None and not listed:
        return None
    number = number or listed[0].job_id
    job = here.jobs.get(number, "finetune")
    ended = JobFolder(here.workspace.job(number)).last_events().get("end") or {}
    row = next((row for row in listed if row.job_id == number), None)
    if row and job.status is not JobStatus.RUNNING:
        job = job.model_copy(update={"message": row.message})
    return RunDetail(
        job=job,
        retry=row is not None and job.failed > 0,
        run_id=row.run_id if row else None,
        checkpoint=row.checkpoint if row else None,
        parent=row.parent if row else None,
        exit_code=ended.get("code"),
        chain=here.jobs.chain(number),
    )


def _jobs(store: Store) -> list[RunRow]:
    """All finetunes, latest first."""
    return store.rows("finetune_jobs", RunRow)


def _tally(groups: Sequence[SampleGroup], by: Callable[[SampleGroup], str]) -> list[Part]:
    """Samples by value, most first."""
    counts: dict[str, int] = {}
    for group in groups:
        counts[by(group)] = counts.get(by(group), 0) + group.samples
    return [Part(value=value, samples=count) for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _counted(here: Services, row: RunRow) -> RunRow:
    """A run with the size of what it is trained on, which its launch froze, where it has made no checkpoint (yet)."""
    frozen = Snapshot.read(here.workspace.job(row.job_id)) if row.samples is None or row.replay is None else None
    if frozen is None:
        return row
    samples = len(frozen.samples) if row.samples is None else row.samples
    return replace(row, samples=samples, replay=frozen.replay if row.replay is None else row.replay)


def _seconds_a_step(here: Services, recipe: str) -> float | None:
    """What a step took in the latest finetune by that recipe, in seconds; None before the first."""
    for row in _jobs(here.store):
        if row.status is not JobStatus.DONE or not row.seconds or row.options.get("recipe") != recipe:
            continue
        events, _ = read_lines(JobFolder(here.workspace.job(row.job_id)).events, 0)
        steps = max((event["total"] for event in events if event["event"] == "progress"), default=0)
        if steps:
            return row.seconds / steps
    return None


def _measure(here: Services, parent: str | None, checkpoint: str | None) -> Measured | None:
    """None while one of the two was not asked."""
    if not parent or not checkpoint:
        return None
    before, after = checkpoints.find(here.store, parent), checkpoints.find(here.store, checkpoint)
    counts = [here.store.one("eval_count", EvalCount, checkpoint_id=checkpoint.checkpoint_id) for checkpoint in (before, after)]
    answered = tuple(count.answered for count in counts)
    if not all(answered):
        return None
    try:
        compared = comparison.compare(here.store, before, after, tables=())
    except ValueError:
        return None  # no example was answered by both
    names = ("before", "after", "difference", "low", "high", "items", "balanced_before", "balanced_after", "majority")
    line = {name: getattr(compared.overall, name) for name in names}
    return Measured(**line, fixed=compared.fixed, broken=compared.broken, examples=counts[1].examples, passed=compared.gate.passed)
