"""The Experiments page: what is planned, what is running, and what the arms show."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel

from curation import checkpoints
from curation.experiments import analysis, arms, markdown, planning
from curation.experiments.analysis import NothingMeasured, Report, Score
from curation.experiments.answers import ExperimentShown, PlanShown, Started
from curation.experiments.planning import ExperimentOptions, Plan
from curation.jobs.chains import Step, StepView
from curation.jobs.views import JobView
from curation.ui import launch_rights
from curation.ui.experiments import charts, generation, html_report
from curation.ui.experiments.generation import Generation
from curation.ui.services import Services, services
from curation.ui.shared.chart_theme import Figure
from data.records import ExperimentRun
from data.store import Store
from models.finetuning.spec import RECIPES

router = APIRouter(prefix="/api/experiments")
STAGE = "experiment"


class ArmShown(BaseModel):
    name: str
    title: str
    about: str


class Choices(BaseModel):
    """What can be chosen for a plan."""

    round: int
    checkpoint: str | None
    checkpoints: list[str]
    arms: list[ArmShown]
    recipes: list[str]
    defaults: dict[str, Any]


class Asked(BaseModel):
    """A plan that is being thought about; `generation` says how missing samples are to be made, None that they aren't."""

    options: ExperimentOptions = ExperimentOptions()
    generation: Generation | None = None


class Which(BaseModel):
    """An experiment's job (the latest if absent), and what of it is shown."""

    job_id: int | None = None
    score: Score = "strict"
    reference: str | None = None
    arm: str | None = None


class RunShown(BaseModel):
    """A run as it stands: done, failed, at work or waiting; `told` says how far it is, or what went wrong."""

    arm: str
    seed: int
    status: Literal["done", "diverged", "failed", "running", "waiting"]
    told: str | None


class Shown(BaseModel):
    """An experiment (or the generation before it) with what there is to see of it."""

    job: JobView
    chain: list[StepView]
    experiment: ExperimentShown | None
    runs: list[RunShown]
    report: Report | None
    arm: str | None
    figures: dict[str, Figure]


class Written(BaseModel):
    content: str


@router.post("/choices")
def choices(request: Request) -> Choices:
    store = services(request).store
    here = store.row("checkpoint_of_round")
    return Choices(
        round=checkpoints.current_round(store),
        checkpoint=here["name"] if here else None,
        checkpoints=[row["name"] for row in store.rows("checkpoints") if row["baseline"] != checkpoints.IMPORTED],
        arms=[ArmShown(name=arm.name, title=arm.title, about=arm.about) for arm in arms.ARMS],
        recipes=list(RECIPES),
        defaults=ExperimentOptions().model_dump(mode="json"),
    )


@router.get("/list")
def experiments(request: Request) -> list[ExperimentShown]:
    return services(request).store.rows("experiments", ExperimentShown)


@router.post("/plan")
def plan(request: Request, body: Asked) -> PlanShown:
    """What would be run, and generated before it; nothing is written."""
    here = services(request)
    made = _planned(here.store, body.options)
    ahead = generation.plan(here.store, here.workspace, here.jobs, made, body.generation or Generation())
    return PlanShown(plan=made, obstacle=planning.obstacle(made), generation=ahead)


@router.post("/start")
def start(request: Request, body: Asked) -> Started:
    """Launches the runs as one job; where samples are missing and are to be generated, as the end of a chain."""
    here = services(request)
    launch_rights.check_options(request, body.model_dump(mode="json"))
    made = _planned(here.store, body.options)
    options = body.options.model_dump(mode="json")
    chain: Sequence[Step] = ()
    if (made.short or made.lacking) and body.generation is not None:
        ahead = generation.plan(here.store, here.workspace, here.jobs, made, body.generation)
        if ahead.obstacle:
            raise HTTPException(409, ahead.obstacle)
        chain = generation.chain(here.store, here.workspace, here.jobs, made, body.generation)
    first, *rest = [*chain, Step(stage=STAGE, options=options)]
    job_id = here.jobs.launch(first.stage, first.options, here.reviewer(request), [*first.then, *rest])
    return Started(job_id=job_id, stage=first.stage)


@router.post("/experiment")
def experiment(request: Request, body: Which) -> Shown | None:
    """An experiment as it stands; None while there is none."""
    here = services(request)
    known = {row.job_id: row for row in here.store.rows("experiments", ExperimentShown)}
    number = body.job_id or next(iter(known), None)
    if number is None:
        return None
    shown = known.get(number)
    report = None
    if shown:
        try:
            report = _report(here.store, number, body.score, body.reference)
        except HTTPException:
            report = None
    return Shown(
        job=here.jobs.get(number),
        chain=here.jobs.chain(number),
        experiment=shown,
        runs=_runs(here, shown) if shown else [],
        report=report,
        arm=charts.shown_arm(report, body.arm) if report else None,
        figures=charts.charts(report, body.arm) if report else {},
    )


@router.get("/{job_id}/report")
def report(request: Request, job_id: int, score: Score = "strict", reference: str | None = None) -> Report:
    """What the runs that are done show."""
    return _report(services(request).store, job_id, score, reference)


@router.get("/{job_id}/written")
def written(
    request: Request, job_id: int, form: Literal["markdown", "html"], score: Score = "strict", reference: str | None = None
) -> Written:
    """The report as a document, for the command line."""
    report = _report(services(request).store, job_id, score, reference)
    return Written(content=markdown.written(report) if form == "markdown" else html_report.written(report))


@router.get("/{job_id}/report.md")
def report_markdown(request: Request, job_id: int, score: Score = "strict", reference: str | None = None) -> Response:
    text = markdown.written(_report(services(request).store, job_id, score, reference))
    return Response(text, media_type="text/markdown; charset=utf-8", headers=_attached(f"experiment-{job_id}.md"))


@router.get("/{job_id}/report.html")
def report_page(request: Request, job_id: int, score: Score = "strict", reference: str | None = None) -> Response:
    """One page that needs no network, for downloading."""
    page = html_report.written(_report(services(request).store, job_id, score, reference))
    return Response(page, media_type="text/html; charset=utf-8", headers=_attached(f"experiment-{job_id}.html"))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _planned(store: Store, options: ExperimentOptions) -> Plan:
    round_ = checkpoints.current_round(store)
    return planning.plan(store, options, planning.stock(store, round_, options), round_)


def _report(store: Store, job_id: int, score: Score, reference: str | None) -> Report:
    """Kept until another run is done: a page asks for it with every poll."""
    if store.row("experiment", job_id=job_id) is None:
        raise HTTPException(404, f"there is no experiment {job_id}; mistakebook experiment status lists them")
    mark = [(row["arm"], row["seed"], row["created_at"]) for row in store.rows("experiment_runs", job_id=job_id)]
    failed = [row["key"] for row in store.rows("experiment_failed_runs", job_id=job_id)]
    name = ("experiment report", job_id, score, reference)
    try:
        return store.memo(name, str((mark, failed)), lambda _: analysis.report(store, job_id, score, reference))
    except NothingMeasured as nothing:
        raise HTTPException(409, str(nothing)) from nothing


def _runs(here: Services, shown: ExperimentShown) -> list[RunShown]:
    """Every run that is planned, in the order of the arms."""
    done = {(run.arm, run.seed): run for run in here.store.rows("experiment_runs", ExperimentRun, job_id=shown.job_id)}
    failed = {row["key"]: row["error"] for row in here.store.rows("experiment_failed_runs", job_id=shown.job_id)}
    progress = here.jobs.get(shown.job_id).progress or {}
    at_work: dict[str, str] = progress.get("runs", {})
    planned = [(arm, seed) for arm in shown.arms for seed in (shown.seeds if arms.BY_NAME[arm].trained else (0,))]
    return [_run(arm, seed, done.get((arm, seed)), failed, at_work) for arm, seed in planned]


def _run(arm: str, seed: int, run: ExperimentRun | None, failed: dict[str, str], at_work: dict[str, str]) -> RunShown:
    key = f"{arm}/{seed}"
    if run:
        return RunShown(arm=arm, seed=seed, status="diverged" if run.diverged else "done", told=run.diverged)
    if key in at_work:
        return RunShown(arm=arm, seed=seed, status="running", told=at_work[key])
    return RunShown(arm=arm, seed=seed, status="failed" if key in failed else "waiting", told=failed.get(key))
