"""The Prompts page: what the frontier model is asked, versions of it, one failure to try it on, two versions side by side."""

import time
from dataclasses import dataclass
from typing import Any, Literal, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import checkpoints, taxonomy
from curation.frontier.client import open_client, sum_estimates
from curation.frontier.endpoints import host_of
from curation.frontier.options import FrontierOptions
from curation.prompt_lab import comparison as prompt_comparison
from curation.prompt_lab import trial
from curation.prompt_lab.records import (
    ComparisonView,
    ListedPrompt,
    Named,
    PromptAbout,
    PromptField,
    PromptSaved,
    PromptShown,
    TriedFailure,
    VersionUsed,
)
from curation.prompt_lab.trial import NothingToTry
from curation.prompts import versions
from curation.prompts.reply_schemas import BlindAnswer
from curation.prompts.requests import blind_request
from curation.prompts.templates import PromptFile, Prompts, names, parts, shipped, version_of
from curation.prompts.validation import BadPrompt, checked
from curation.prompts.versions import DiffLine
from curation.stages import stage_class
from curation.stages.compare_prompts import COMPARED
from curation.stages.generate import GenerateOptions
from curation.ui import launch_rights
from curation.ui.services import Services, services
from data.records import Record
from models.frontier import FrontierStopped, Outcome
from models.frontier import Request as FrontierRequest

router = APIRouter(prefix="/api/prompts")
TO_TRY_ON = 100  # failures that the page steps through


class Which(BaseModel):
    """A prompt, and a version of it; the one in use if absent."""

    name: str
    version: str | None = None


class Draft(BaseModel):
    """A prompt as it stands in the editor."""

    name: str
    system: str = Field(max_length=100_000)
    user: str = Field(max_length=100_000)
    note: str = Field(default="", max_length=500)
    use: bool = Field(default=True, description="Saved, it is in use at once.")


class Trial(Draft):
    """A draft to be asked about a failure; `options` are those of the stage: endpoint, model, samples a failure, difficulty."""

    failure_id: int
    route: Literal["same_image", "new_image"] = "same_image"
    options: dict[str, Any] = {}


class Comparison(BaseModel):
    job_id: int


class Checked(PromptSaved):
    """What is wrong with a draft; where nothing is, its version, and how it differs from the shipped text."""

    difference: list[DiffLine] | None = None


@dataclass(frozen=True)
class FailureChoice(Record):
    """A failure to try a prompt on."""

    failure_id: int
    image: str
    error_type: str | None
    question: str


@dataclass(frozen=True)
class Asked(Record):
    """Who is asked; `host` is another machine."""

    endpoint: str
    model: str
    host: str | None


@dataclass(frozen=True)
class RequestPreview(TriedFailure):
    """The request about a failure word for word, the JSON schema of its reply, and what it would cost."""

    version: str
    system: str
    user: str
    pictures: int
    schema_name: str
    schema: dict[str, Any]
    blind_first: bool  # the frontier model's own answer is asked for before
    calls: int
    usd: tuple[float, float] | None
    endpoint: Asked


class TrialResult(BaseModel):
    """A reply, as it is shown and compared: its fields are the prompt's."""

    result: dict[str, Any] | None
    error: str | None
    bought: int = Field(description="replies that were not in the journal yet")
    usd: float | None
    seconds: float
    own_answer: str | None
    version: str


@router.post("/list")
def listed(request: Request) -> list[ListedPrompt]:
    """The prompts that something asks by, with the version in use."""
    store = services(request).store
    files = [shipped(name) for name in names() if shipped(name).used_by]
    order = {"kinds": -1, "diagnose": 0, "cluster": 1, "generate": 2, "generate_untargeted": 3, "filter": 4}
    shown = [ListedPrompt(**vars(_about(file)), in_use=versions.in_use(store, file.name)) for file in files]
    return sorted(shown, key=lambda prompt: (order[prompt.stage], prompt.name))


@router.post("/show")
def show(request: Request, body: Which) -> PromptShown:
    store = services(request).store
    file = versions.find(body.name)
    version = versions.full_version(store, file.name, body.version or versions.in_use(store, file.name))
    text = versions.text_of(store, file.name, version)
    system, user = parts(text)
    return PromptShown(
        **vars(_about(file)),
        in_use=versions.in_use(store, file.name),
        version=version,
        system=system,
        user=user,
        difference=versions.difference(file.text, text),
        versions=versions.history(store, file.name),
        comparisons=prompt_comparison.listed(store, file.name),
    )


@router.post("/check", response_model_exclude_unset=True)
def check(request: Request, body: Draft) -> Checked:
    """Nothing is kept."""
    file = versions.find(body.name)
    try:
        text = checked(file, body.system, body.user)
    except BadPrompt as bad:
        return Checked(flaws=bad.flaws)
    return Checked(flaws=[], version=version_of(text), difference=versions.difference(file.text, text))


@router.post("/save", response_model_exclude_unset=True)
def save(request: Request, body: Draft) -> PromptSaved:
    """Keeps a draft as a version, in use at once if wanted; a text with flaws isn't kept."""
    here = services(request)
    author = here.reviewer(request)
    try:
        version = versions.save(here.store, body.name, body.system, body.user, body.note, author)
    except BadPrompt as bad:
        return PromptSaved(flaws=bad.flaws)
    if body.use:
        versions.use(here.store, body.name, version, author)
    return PromptSaved(flaws=[], version=version)


@router.post("/use")
def use(request: Request, body: Which) -> VersionUsed:
    """New jobs ask by this version; without one, by the shipped text again."""
    here = services(request)
    version = body.version or versions.SHIPPED_BY
    return VersionUsed(version=versions.use(here.store, body.name, version, here.reviewer(request)))


@router.post("/failures")
def failures(request: Request, body: Which) -> list[FailureChoice]:
    """Failures to try a prompt on, of all error types by turns."""
    store = services(request).store
    round_ = checkpoints.current_round(store)
    rows = store.rows("prompt_failures", round=round_, failure_ids=None, teachable=body.name == "proposal", limit=TO_TRY_ON)
    return [FailureChoice.from_row(row) for row in rows]


@router.post("/preview")
def preview(request: Request, body: Trial) -> RequestPreview:
    """Nothing is asked."""
    here = services(request)
    file, prompts = _draft(here, body)
    row = _row(here, body)
    options = _options(file, body)
    asked = _requests(here, body.name, row, prompts, options)
    with open_client(options, here.workspace) as client:
        calls, usd = sum_estimates(client.estimate([request_], 1) for request_ in asked)
    last = asked[-1]
    return RequestPreview(
        **vars(trial.shown(row)),
        version=last.prompt_version,
        system=last.system,
        user=last.text,
        pictures=len(last.images),
        schema_name=last.reply.__name__,
        schema=last.reply.model_json_schema(),
        blind_first=len(asked) > 1,
        calls=calls,
        usd=usd,
        endpoint=Asked(options.endpoint, options.model, host_of(options.endpoint)),
    )


@router.post("/ask")
def ask(request: Request, body: Trial) -> TrialResult:
    """Asks about one failure. The reply goes through the journal like every other, so that asking again costs nothing."""
    here = services(request)
    launch_rights.check_options(request, body.options)
    file, prompts = _draft(here, body)
    row, options = _row(here, body), _options(file, body)
    began, outcomes = time.monotonic(), []
    with open_client(options, here.workspace) as client:
        for _ in range(2):
            outcome = _ask(client, _requests(here, body.name, row, prompts, options)[0])
            outcomes.append(outcome)
            if outcome.parsed is None or body.name != "diagnosis" or row["own_answer"] is not None:
                break
            row["own_answer"] = cast(BlindAnswer, outcome.parsed).answer  # the first of a diagnosis' two requests
    last = outcomes[-1]
    costs = [outcome.cost_usd for outcome in outcomes if outcome.cost_usd is not None]
    return TrialResult(
        result=None if last.parsed is None else trial.outcome_of(body.name, row, last.parsed, body.route, taxonomy.current(here.store)),
        error=last.error,
        bought=sum(outcome.asked > 0 for outcome in outcomes),
        usd=sum(costs) if len(costs) == len(outcomes) else None,
        seconds=time.monotonic() - began,
        own_answer=row["own_answer"],
        version=version_of(prompts.texts[body.name]),
    )


@router.post("/comparison", response_model_exclude_unset=True)
def comparison(request: Request, body: Comparison) -> ComparisonView:
    """Raises UnknownJob."""
    here = services(request)
    return prompt_comparison.view(here.store, here.jobs.get(body.job_id, "compare_prompts"))


def _about(file: PromptFile) -> PromptAbout:
    return PromptAbout(
        name=file.name,
        title=file.title,
        used_by=list(file.used_by),
        stage=trial.stage_of(file),
        shipped=file.version,
        fields=[PromptField(name=field.name, about=field.about, required=field.required) for field in file.fields],
        reply=[Named(name=name, about=field.description) for name, field in file.reply.model_fields.items()],
        comparable=file.name in COMPARED,
    )


def _draft(here: Services, body: Draft) -> tuple[PromptFile, Prompts]:
    """The prompt as the editor has it. Raises BadPrompt."""
    file = versions.find(body.name)
    return file, Prompts({file.name: checked(file, body.system, body.user)}, taxonomy.current(here.store))


def _row(here: Services, body: Trial) -> dict[str, Any]:
    """The failure with what the prompt needs. Raises NothingToTry."""
    material = trial.material(here.store, here.workspace, body.name, checkpoints.current_round(here.store), [body.failure_id])
    if not material:
        why = "isn't teachable, so no samples are generated for it" if body.name == "proposal" else "is not in this workspace"
        raise NothingToTry(f"failure {body.failure_id} {why}; choose another one")
    return {**material[0], "route": body.route}


def _options(file: PromptFile, body: Trial) -> Any:
    """The options of the stage that asks by this prompt, and so its endpoint. One call has no cap of its own and no batch."""
    made = stage_class(trial.stage_of(file)).Options(**{**body.options, "budget_usd": None, "batch": False})
    options = cast(FrontierOptions, made)  # each stage that has a prompt asks a frontier model
    return options.model_copy(update={"endpoint_options": {**options.endpoint_options, "batch": False}})


def _requests(here: Services, name: str, row: dict[str, Any], prompts: Prompts, options: Any) -> list[FrontierRequest]:
    """The calls to be made: one, and before a diagnosis the blind answer if it isn't known."""
    if isinstance(options, GenerateOptions):
        request = trial.request_for(name, row, prompts, options.per_failure, options.difficulty, options.contrasts)
    else:
        request = trial.request_for(name, row, prompts)
    if name != "diagnosis" or row["own_answer"] is not None:
        return [request]
    return [blind_request(row["key"], row, row["image_path"], versions.prompts_for(here.store, ("blind",))), request]


def _ask(client: Any, request: FrontierRequest) -> Outcome:
    """Raises NothingToTry with the cause if the endpoint can't be asked at all."""
    try:
        (outcome,) = client.ask_all([request])
    except FrontierStopped as stopped:
        raise NothingToTry(str(stopped)) from stopped
    return outcome
