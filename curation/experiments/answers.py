"""What is said of experiments, on the page and by the command: the plan, what generating missing samples takes, how far a job is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from curation.experiments.planning import Plan
from data.records import JobStatus, Record

Source = Literal["targeted", "untargeted"]


class Batch(BaseModel):
    """What is generated for one source: samples that are missing, that are asked for, and what they will take."""

    source: Source
    arms: list[str]
    missing: int
    asked: int
    calls: int
    usd: tuple[float, float] | None = Field(description="At least and at most; none: it has no price.")


class GenerationPlan(BaseModel):
    batches: list[Batch]
    calls: int
    usd: tuple[float, float] | None
    budget_usd: float | None
    billed: bool = Field(description="False where the built-in teacher is asked, whose prices are pretended.")
    host: str | None = Field(description="The other machine that its calls go to, if they leave this one.")
    obstacle: str | None = Field(description="Why it can't be generated.")


class PlanShown(BaseModel):
    """What the arms have and will take. `obstacle` says why they can't be run as asked, `generation` what making up for it takes."""

    plan: Plan
    obstacle: str | None
    generation: GenerationPlan


class Started(BaseModel):
    """The job that was launched: the experiment, or the generation that it follows by itself."""

    job_id: int
    stage: str


@dataclass(frozen=True)
class ExperimentShown(Record):
    """An experiment in the list, with how far its job is."""

    job_id: int
    round: int
    checkpoint_id: int
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    samples: int
    replay: int
    steps: int
    plan: dict[str, Any]
    created_at: datetime
    checkpoint: str
    status: JobStatus
    author: str
    seconds: float | None
    done: int
    failed: int
    total: int
