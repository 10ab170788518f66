"""What follows a job by itself: draw and filter after generate, evaluate after finetune.

A chain is kept in the log of settings under the job it hangs on. When the job is done the first step is launched and takes the rest of
the chain over; `next` is the job that it became. A job that was stopped or has failed keeps its chain and goes on with it once it is
resumed and done.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from curation.stage import NothingToDo
from data.errors import MistakebookError
from data.records import JobRow, JobStatus
from data.store import Store

log = logging.getLogger(__name__)


class NoStepInput(MistakebookError):
    """What a step was to work on was not made: the chain ends there."""


class Step(BaseModel):
    """One link. `samples_of` and `checkpoint_of` name a job whose samples (still undrawn, for draw) or new checkpoint the step works on;
    0 is the job that the chain was launched with."""

    stage: str
    options: dict[str, Any] = {}
    samples_of: int | None = None
    checkpoint_of: int | None = Field(default=None, description="Ignored unless the stage takes a checkpoint.")
    then: list["Step"] = Field(default=[], description="What follows it before the rest of the chain; 0 is this step's job there.")


class Chain(BaseModel):
    """The steps that hang on a job, and what became of them."""

    steps: list[Step]
    author: str
    next: int | None = None  # the job that was launched for one of the steps; steps before it had nothing to do
    note: str | None = None  # why steps were left out


class StepView(BaseModel):
    """A step as it stands; what is of a job is empty where none was launched for it yet."""

    stage: str
    job_id: int | None = None
    status: JobStatus | Literal["skipped"] | None = None
    note: str | None = None
    total: int | None = None
    done: int | None = None
    failed: int | None = None
    progress: dict[str, Any] | None = Field(default=None, description="its job's latest, while that is active")


Launch = Callable[[str, dict[str, Any], str, Sequence[Step]], int]  # JobManager.launch: stage, options, author, what follows


def row(job_id: int, steps: Sequence[Step], author: str) -> dict[str, Any]:
    """The row of `setting` that hangs a chain on a new job."""
    own = [step.model_copy(update={name: job_id for name in ("samples_of", "checkpoint_of") if getattr(step, name) == 0}) for step in steps]
    return _row(job_id, Chain(steps=own, author=author))


def follow(store: Store, job_id: int, launch: Launch) -> int | None:
    """Launches the next step of a job that is done, skipping steps that have nothing to do; returns the new job's number."""
    chain = of(store, job_id)
    if chain is None:
        return None
    steps, notes, launched = chain.steps, [], None
    while steps and launched is None:
        step, *steps = steps
        try:
            launched = launch(step.stage, _options(store, step), chain.author, [*step.then, *steps])
        except NothingToDo as nothing:
            notes.append(f"{step.stage}: {nothing}")
        except NoStepInput as nothing:
            notes.append(str(nothing))
            break
        except Exception as error:
            log.exception("job %d: its chain stopped at %s", job_id, step.stage)
            notes.append(f"{step.stage} could not be launched: {error}")
            break
    with store.write() as write:
        write.insert("setting", [_row(job_id, chain.model_copy(update={"next": launched, "note": "; ".join(notes) or None}))])
    return launched


def follow_up(store: Store, launch: Launch) -> None:
    """At start-up: chains whose job was done just before the app went down."""
    for job_id in store.column("chains_waiting", int):
        follow(store, job_id, launch)


def of(store: Store, job_id: int) -> Chain | None:
    """The chain that hangs on a job, or None."""
    text = store.value("chain_of_job", str, name=_name(job_id))
    return Chain.model_validate_json(text) if text else None


def view(store: Store, job_id: int) -> list[StepView]:
    """The steps behind a job as they stand, without the progress of their jobs (JobManager.chain has it)."""
    shown: list[StepView] = []
    chain = of(store, job_id)
    while chain:
        job = store.row("job", JobRow, job_id=chain.next) if chain.next else None
        stages = _stages(chain.steps)
        if job is None:
            return shown + [StepView(stage=stage, note=chain.note) for stage in stages]
        shown += [StepView(stage=stage, status="skipped", note=chain.note) for stage in stages[: stages.index(job.stage)]]
        shown.append(StepView(stage=job.stage, job_id=job.job_id, status=job.status, total=job.total, done=job.done, failed=job.failed))
        chain = of(store, job.job_id)
    return shown


def _stages(steps: Sequence[Step]) -> list[str]:
    """The stages of steps in their order, those that follow a step by itself behind it."""
    return [stage for step in steps for stage in (step.stage, *_stages(step.then))]


def _options(store: Store, step: Step) -> dict[str, Any]:
    options = dict(step.options)
    if step.samples_of is not None:
        ids = store.column("samples_of_job", int, job_id=step.samples_of, undrawn=step.stage == "draw")
        if not ids:
            raise NothingToDo("no samples to process")
        options["sample_ids"] = ids
    if step.checkpoint_of is not None:
        name = store.value("checkpoint_of_job", str, job_id=step.checkpoint_of)
        if name is None:
            raise NoStepInput(f"job {step.checkpoint_of} produced no checkpoint")
        options["checkpoint"] = name
    return options


def _name(job_id: int) -> str:
    return f"chain of job {job_id}"


def _row(job_id: int, chain: Chain) -> dict[str, Any]:
    return {"name": _name(job_id), "value": chain.model_dump(mode="json"), "author": chain.author}
