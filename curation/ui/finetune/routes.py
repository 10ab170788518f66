"""The Finetune page: what would be trained on, how, and how the runs have gone."""

import json
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from curation import checkpoints
from curation.jobs.job_folder import JobFolder
from curation.results import comparison
from curation.stage import NothingToDo
from curation.stages.finetune import Finetune
from curation.training.plan import SNAPSHOT, FinetuneOptions, launch_problem
from curation.ui.finetune import figures
from curation.ui.services import Services, services
from data.files import read_lines
from data.statuses import JobStatus
from models.finetuning.spec import RECIPES

router = APIRouter(prefix="/api/finetune")


class Plan(BaseModel):
    options: dict[str, Any] = {}


class Which(BaseModel):
    """A finetune's job; the latest if absent."""

    job_id: int | None = None


@router.post("/choices")
def choices(request: Request) -> dict[str, Any]:
    """Recipes, checkpoints to start from, the defaults, and how far the round is."""
    store = services(request).store
    round_ = checkpoints.current_round(store)
    return {
        "round": round_,
        "checkpoint": checkpoints.find(store).name if round_ else None,
        "checkpoints": [row["name"] for row in store.rows("checkpoints") if row["baseline"] != checkpoints.IMPORTED],
        "recipes": {name: recipe.model_dump(mode="json") for name, recipe in RECIPES.items()},
        "defaults": FinetuneOptions().model_dump(mode="json"),
        "waiting": store.row("finetune_waiting"),
        "loss_figure": figures.loss(),
    }


@router.post("/plan")
def plan(request: Request, body: Plan) -> dict[str, Any]:
    """The snapshot that a launch would freeze, with replay, steps and time. `reason` says why it can't be launched."""
    here, options = services(request), FinetuneOptions(**body.options)
    round_ = checkpoints.current_round(here.store)
    chosen = {"round": round_, "earlier": options.earlier_rounds}
    groups = here.store.rows("finetune_samples", **chosen)
    leaks = here.store.row("finetune_leaks", **chosen)
    shown = {
        "samples": sum(row["samples"] for row in groups),
        **{name: _tally(groups, name) for name in ("error_type", "route", "dataset", "status")},
        "leaks": leaks,
    }
    try:
        found = Finetune().estimate(here.store, here.workspace, options)
    except NothingToDo as nothing:
        return {**shown, "replay": 0, "steps": 0, "seconds": None, "reason": str(nothing)}
    reason = launch_problem(here.store, shown["samples"], options.name)
    steps = found.detail["steps"]
    second = _seconds_a_step(here, options.recipe)
    return {**shown, **found.detail, "seconds": second and steps * second, "reason": reason}


@router.post("/runs")
def runs(request: Request) -> list[dict[str, Any]]:
    """All finetunes, latest first; those that made a checkpoint with its accuracy on eval against its parent's, if both were asked."""
    here = services(request)
    shown = []
    for row in here.store.rows("finetune_jobs"):
        options = json.loads(row.pop("options"))
        frozen = _frozen(here, row["job_id"])
        samples = row["samples"] if row["samples"] is not None else frozen and len(frozen["samples"])
        replay = row["replay"] if row["replay"] is not None else frozen and frozen["replay"]
        measured = _measure(here, row["parent"], row["checkpoint"])
        counts = {"samples": samples, "replay": replay, "created_at": row["created_at"].isoformat()}
        shown.append({**row, **counts, "options": options, "measured": measured})
    return shown


@router.post("/run")
def run(request: Request, body: Which) -> dict[str, Any] | None:
    """One finetune as it stands (its events and log have routes of their own, by job); None if there is none yet."""
    here = services(request)
    listed = here.store.rows("finetune_jobs")
    number = body.job_id or next((row["job_id"] for row in listed if row["status"] == JobStatus.RUNNING), None)
    if number is None and not listed:
        return None
    number = number or listed[0]["job_id"]
    job = here.jobs.get(number, "finetune")
    ended = JobFolder(here.workspace.job(number)).last_events().get("end") or {}
    row = next((row for row in listed if row["job_id"] == number), None)
    if row and job.status is not JobStatus.RUNNING:
        job = job.model_copy(update={"message": row["message"]})
    return {
        "job": job,
        "retry": bool(row) and job.failed > 0,
        "run_id": row and row["run_id"],
        "checkpoint": row and row["checkpoint"],
        "parent": row and row["parent"],
        "exit_code": ended.get("code"),
        "chain": here.jobs.chain(number),
    }


def _tally(groups: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for row in groups:
        counts[row[by]] = counts.get(row[by], 0) + row["samples"]
    return [{"value": value, "samples": count} for value, count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))]


def _frozen(here: Services, job_id: int) -> dict[str, Any] | None:
    """What a launch froze, for runs that have made no checkpoint (yet)."""
    path = here.workspace.job(job_id) / SNAPSHOT
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _seconds_a_step(here: Services, recipe: str) -> float | None:
    """What a step took in the latest finetune by that recipe, in seconds; None before the first."""
    for row in here.store.rows("finetune_jobs"):
        if row["status"] != JobStatus.DONE or not row["seconds"] or json.loads(row["options"]).get("recipe") != recipe:
            continue
        events, _ = read_lines(JobFolder(here.workspace.job(row["job_id"])).events, 0)
        steps = max((event["total"] for event in events if event["event"] == "progress"), default=0)
        if steps:
            return row["seconds"] / steps
    return None


def _measure(here: Services, parent: str | None, checkpoint: str | None) -> dict[str, Any] | None:
    """Accuracy on eval before and after, and their paired difference with its interval; None while one of the two was not asked."""
    if not parent or not checkpoint:
        return None
    before, after = checkpoints.find(here.store, parent), checkpoints.find(here.store, checkpoint)
    counts = [here.store.rows("eval_count", checkpoint_id=one.checkpoint_id)[0] for one in (before, after)]
    answered = tuple(count["answered"] for count in counts)
    if not all(answered):
        return None
    try:
        found = comparison.compare(here.store, before, after, tables=())
    except ValueError:
        return None  # no example was answered by both
    names = ("before", "after", "difference", "low", "high", "items", "balanced_before", "balanced_after", "majority")
    line = {name: getattr(found.overall, name) for name in names}
    turned = {"fixed": found.fixed, "broken": found.broken}
    return {**line, **turned, "examples": counts[1]["examples"], "passed": found.gate.passed}
