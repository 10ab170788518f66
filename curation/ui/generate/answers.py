"""What the routes of the Generate page answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from curation.costs.spend import JobSpend, SampleCost
from curation.jobs.chains import StepView
from curation.jobs.estimates import EstimateView
from curation.jobs.views import JobView
from curation.review.blinding import ShownSample
from curation.stages.generate import GenerateOptions
from curation.ui.data.endpoint_routes import AskedEndpoint, EndpointView
from data.records import JobStatus, Record, Route, SampleStatus


@dataclass(frozen=True)
class RoundProgress(Record):
    """How much there is to practise in a round."""

    failures: int
    diagnosed: int
    teachable: int


@dataclass(frozen=True)
class TeachableCluster(Record):
    """A cluster with teachable failures."""

    cluster_id: int
    title: str
    error_type: str
    failures: int
    teachable: int


@dataclass(frozen=True)
class TypeCount(Record):
    error_type: str | None
    teachable: int


@dataclass(frozen=True)
class EndpointUsed(Record):
    """A frontier model that jobs have asked."""

    endpoint: str
    model: str


@dataclass(frozen=True)
class GeneratorUsed(Record):
    """An image generator that jobs have drawn with; `further` options as JSON."""

    generator: str | None
    model: str
    further: str


@dataclass(frozen=True)
class ListedJob(Record):
    """A generate job."""

    job_id: int
    status: JobStatus
    created_at: datetime
    total: int
    done: int


@dataclass(frozen=True)
class Funnel(Record):
    """What became of the samples of a job, each of the first steps a part of the one before."""

    parsed: int
    drawn: int
    rendered: int  # of the drawn ones, from specs
    judged: int
    passed: int
    approved: int
    pending: int
    failed: int
    rejected: int


@dataclass(frozen=True)
class LatestSample(ShownSample):
    """A new sample; `status` is None where the reader has yet to decide it."""

    question: str
    choices: tuple[str, ...]
    answer: str
    image: str | None
    error_type: str
    route: Route
    status: SampleStatus | None
    image_prompt: str | None
    spec_kind: str | None  # of an image that is rendered


@dataclass(frozen=True)
class GenerateError(Record):
    """A row that failed, with its failure and the raw reply."""

    key: str
    error: str
    reply: str | None
    failure_id: int | None
    question: str | None
    image: str | None
    error_type: str | None


@dataclass(frozen=True)
class DroppedProposal(Record):
    """A proposal that broke a rule (curation/filtering/proposal_rules.py)."""

    rule: str
    reason: str
    question: str
    answer: str
    failure_id: int | None


class GeneratorChoice(BaseModel):
    """An image generator; `host` is the other machine that prompts go to, `address` where that is."""

    generator: str
    model: str
    generator_options: dict[str, Any]
    address: str | None
    host: str | None


class Judges(BaseModel):
    """Whom the filters ask."""

    frontier: str | None
    endpoint: str
    model: str


class SplitInForce(BaseModel):
    """Quotas by error type that a person accepted for launches of generate."""

    quotas: dict[str, int]
    author: str


class Choices(BaseModel):
    """What can be chosen: clusters with teachable failures, frontier models, image generators; and how far the round is."""

    round: int
    failures: int
    diagnosed: int
    teachable: int
    clusters: list[TeachableCluster]
    endpoints: list[EndpointView]
    generators: list[GeneratorChoice]
    plugins: dict[str, dict[str, Any]] = Field(description="JSON schema of the options of each image generator")
    defaults: GenerateOptions
    accepted: SplitInForce | None
    judges: Judges
    limits: dict[str, dict[str, int | float]] = Field(description="minimum and maximum of an option, as far as it has them")


class PromptRequest(BaseModel):
    route: Route
    system: str
    user: str


class FirstPrompt(BaseModel):
    """The request for a failure, as it goes out, by each route."""

    failure_id: int
    image: str
    error_type: str
    version: str
    requests: list[PromptRequest]


class Drawer(BaseModel):
    host: str | None
    model: str


class GeneratePlan(EstimateView):
    """What a launch would take, all stages together, and the prompt of its first failure word for word."""

    failures: int
    samples: int
    images: int
    filter_calls: int
    filters: int = Field(description="enabled ones")
    filter_usd: tuple[float, float] | None
    filter_billed: bool
    draw_usd: tuple[float, float] | None
    by_error_type: list[TypeCount]
    prompt: FirstPrompt | None = Field(description="none where no failure is teachable")
    frontier: AskedEndpoint
    judge: AskedEndpoint
    drawer: Drawer


class GenerateJob(BaseModel):
    """A generate job as it stands."""

    job: JobView
    jobs: list[ListedJob]
    asked: float = Field(description="samples")
    funnel: Funnel
    money: JobSpend | None
    made_for: SampleCost
    latest: list[LatestSample]
    errors: list[GenerateError]
    dropped: list[DroppedProposal]
    chain: list[StepView]


class UndrawnOptions(BaseModel):
    """Options of draw; those that no job before says anything about are left out."""

    generator: str | None = None
    model: str | None = None
    generator_options: dict[str, Any] | None = None
    budget_usd: float | None = None
    sample_ids: list[int]
