"""The Generate page: new samples for chosen clusters; what they will cost, and what becomes of them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from curation import checkpoints
from curation.costs import judging_ahead, spend
from curation.filtering import settings as filter_settings
from curation.frontier import endpoints
from curation.jobs import chains
from curation.prompts.requests import proposal_request
from curation.prompts.versions import prompts_for
from curation.results import budget_split
from curation.review import blinding
from curation.stage import Job, NothingToDo
from curation.stages.draw import POCKET_FLUX, PROMPTED, DrawOptions, cost_of_drawing
from curation.stages.filter import FilterOptions
from curation.stages.generate import Generate, GenerateOptions, chosen, failures_to_practise
from curation.ui.data.endpoint_routes import AskedEndpoint, EndpointView, view
from curation.ui.generate.answers import (
    Choices,
    Drawer,
    DroppedProposal,
    EndpointUsed,
    FirstPrompt,
    Funnel,
    GenerateError,
    GenerateJob,
    GeneratePlan,
    GeneratorChoice,
    GeneratorUsed,
    Judges,
    LatestSample,
    ListedJob,
    PromptRequest,
    RoundProgress,
    SplitInForce,
    TeachableCluster,
    TypeCount,
    UndrawnOptions,
)
from curation.ui.services import Services, services
from data.registry import FILTERS, IMAGE_GENERATORS

router = APIRouter(prefix="/api/generate")
DIFFUSERS = "diffusers"


class Plan(BaseModel):
    """A launch that is being thought about: the options of generate, and those of draw and filter, which are to follow."""

    options: dict[str, Any] = {}
    draw: dict[str, Any] = {}
    filter: dict[str, Any] = {}
    then: bool = True


class Which(BaseModel):
    """A generate job; the latest if absent."""

    job_id: int | None = None
    limit: int = 36


@router.post("/choices")
def choices(request: Request) -> Choices:
    here = services(request)
    store = here.store
    round_ = checkpoints.current_round(store)
    schema = GenerateOptions.model_json_schema()["properties"]
    limits = {name: {side: schema[name][side] for side in ("minimum", "maximum") if side in schema[name]} for name in schema}
    accepted = budget_split.accepted(store)
    return Choices(
        round=round_,
        **vars(store.one("generate_round", RoundProgress, round=round_)),
        clusters=store.rows("generate_clusters", TeachableCluster, round=round_),
        endpoints=_endpoints(here),
        generators=_generators(here),
        plugins={name: IMAGE_GENERATORS.load(name).Options.model_json_schema() for name in PROMPTED},
        defaults=GenerateOptions(split="accepted" if accepted else "failures"),
        accepted=SplitInForce(quotas=accepted.quotas, author=accepted.author) if accepted else None,
        judges=Judges(**FilterOptions().model_dump(include=set(Judges.model_fields))),
        limits=limits,
    )


@router.post("/plan")
def plan(request: Request, body: Plan) -> GeneratePlan:
    here, options, draw = services(request), GenerateOptions(**body.options), DrawOptions(**body.draw)
    judging = FilterOptions(**body.filter)
    round_ = checkpoints.current_round(here.store)
    selection = chosen(here.store, here.workspace, round_, options)
    estimate = here.jobs.estimate_view("generate", body.options)
    samples, images = estimate.detail["samples"], estimate.detail["images"]
    enabled = [name for name, row in filter_settings.current(here.store).items() if row.enabled and name in FILTERS.names()]
    paid = [name for name in enabled if "frontier" in FILTERS.load(name).needs]
    judgements = samples * len(enabled) if body.then else 0
    failures = failures_to_practise(here.store, here.workspace, round_, options)
    filters = {name: judging.filter_options.get(name, {}) for name in paid}
    prompts = prompts_for(here.store, judging.PROMPTS, judging.prompts)
    judged = judging_ahead.estimate(here.workspace, judging, prompts, filters, failures, samples if body.then else 0)
    drawn = cost_of_drawing(here.workspace, draw, images if body.then else 0)
    work = {"generate": (estimate.rows, options.model)}
    if body.then:
        work |= {"draw": (images, draw.model), "filter": (judgements, judging.model)}
    return GeneratePlan(
        **estimate.model_dump(exclude={"seconds"}),
        failures=estimate.detail["failures"],
        samples=samples,
        images=images,
        filter_calls=judged.calls,
        filters=len(enabled),
        filter_usd=judged.usd,
        filter_billed=judging.endpoint != endpoints.POCKET_TEACHER,
        draw_usd=drawn,
        seconds=_seconds(here, work),
        by_error_type=here.store.rows("generate_by_error_type", TypeCount, **selection),
        prompt=_first_prompt(here, round_, options),
        frontier=_asked(here, options),
        judge=_asked(here, judging),
        drawer=Drawer(host=draw.host(), model=draw.model),
    )


@router.post("/job")
def job(request: Request, body: Which) -> GenerateJob | None:
    """None if there is no such job yet."""
    here = services(request)
    listed = here.store.rows("generate_jobs", ListedJob)
    number = body.job_id or (listed[0].job_id if listed else None)
    if number is None:
        return None
    made = here.jobs.get(number, "generate")
    latest = here.store.rows("generate_latest", LatestSample, job_id=number, limit=body.limit)
    return GenerateJob(
        job=made,
        jobs=listed,
        asked=made.total * _samples_a_row(GenerateOptions(**made.options)),
        funnel=here.store.one("generate_funnel", Funnel, job_id=number),
        money=spend.of_job(here.store, made, spend.job_calls(here.store, number)),
        made_for=spend.of_generated(here.store, number),
        latest=blinding.elsewhere(here.store, here.reviewer(request), latest, ["status"]),
        errors=here.store.rows("generate_errors", GenerateError, job_id=number, limit=50),
        dropped=here.store.rows("dropped_proposals", DroppedProposal, job_id=number, limit=50),
        chain=here.jobs.chain(number),
    )


@router.post("/undrawn", response_model_exclude_unset=True)
def undrawn(request: Request, body: Which) -> UndrawnOptions:
    """Options of draw for the samples of a generate job that still wait for a picture, with the generator that drew for it last."""
    here = services(request)
    chain = chains.view(here.store, body.job_id) if body.job_id else []
    drawn = [step.job_id for step in chain if step.stage == "draw" and step.job_id]
    as_before = here.jobs.get(drawn[-1]).options if drawn else {}
    names = ("generator", "model", "generator_options", "budget_usd")
    waiting = here.store.column("samples_of_job", int, job_id=body.job_id, undrawn=True)
    return UndrawnOptions(**{name: as_before[name] for name in names if name in as_before}, sample_ids=waiting)


def _endpoints(here: Services) -> list[EndpointView]:
    """Those that have a name, and what was used before."""
    known_endpoints = endpoints.read()
    named = [view(here, name, values, own=name in known_endpoints.own) for name, values in known_endpoints.named.items()]
    known = {(row.endpoint, row.model) for row in named}
    used = here.store.rows("endpoints_used", EndpointUsed)
    return named + [view(here, None, row.to_row()) for row in used if (row.endpoint, row.model) not in known]


def _generators(here: Services) -> list[GeneratorChoice]:
    """Those that come with the program, and what was used before, with the address and all that it was used with."""
    named = [GeneratorUsed(DIFFUSERS, POCKET_FLUX, "{}"), GeneratorUsed(DIFFUSERS, DrawOptions().model, "{}")]
    views = []
    for used in dict.fromkeys(named + here.store.rows("generators_used", GeneratorUsed)):
        options = {"generator": used.generator, "model": used.model, "generator_options": json.loads(used.further)}
        with suppress(ValueError):  # it no longer exists, or has other options by now
            draw = DrawOptions(**options)
            views.append(GeneratorChoice(**options, address=draw.address, host=draw.host()))
    return views


def _asked(here: Services, options: GenerateOptions | FilterOptions) -> AskedEndpoint:
    """Whom a stage asks."""
    return view(here, options.frontier, {name: getattr(options, name) for name in endpoints.COMMON})


def _samples_a_row(options: GenerateOptions) -> float:
    """Samples that one row (a failure by one route) is asked for, on average over the routes."""
    new = options.per_failure * options.images_per_prompt
    return {"same_image": options.per_failure, "new_image": new, "both": (options.per_failure + new) / 2}[options.route]


def _seconds(here: Services, work: dict[str, tuple[int, str]]) -> float | None:
    """How long the stages take one after the other, by the time a row took in their latest jobs; None where one has no such job."""
    total = 0.0
    for stage, (rows, model) in work.items():
        if not rows:
            continue
        seconds = here.store.value("seconds_per_row", float, stage=stage, model=model)
        if seconds is None:
            return None
        total += rows * seconds
    return total


def _first_prompt(here: Services, round_: int, options: GenerateOptions) -> FirstPrompt | None:
    """The request for the first failure, as it goes out; None if none is teachable."""
    first = options.model_copy(update={"limit": 1, "expected": None})
    try:
        rows = Generate().select(here.store, here.workspace, Job(0, "generate", round_, first, Path()))
    except NothingToDo:
        return None
    prompts = prompts_for(here.store, options.PROMPTS, options.prompts)
    asked = [proposal_request(row, options.per_failure, options.difficulty, prompts, options.contrasts) for row in rows]
    return FirstPrompt(
        failure_id=rows[0]["failure_id"],
        image=rows[0]["image"],
        error_type=rows[0]["error_type"],
        version=asked[0].prompt_version,
        requests=[PromptRequest(route=row["route"], system=one.system, user=one.text) for row, one in zip(rows, asked)],
    )
