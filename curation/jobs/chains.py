"""What follows a job by itself: draw and filter after generate, evaluate after finetune.

A chain is kept in the log of settings under the job it hangs on: {"steps": [{"stage", "options"}, …], "author", "next", "note"}.
When the job is done the first step is launched and takes the rest of the chain over; `next` is the job that it became.
A job that was stopped or has failed keeps its chain and goes on with it once it is resumed and done.
"""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, Field

from curation.stage import NothingToDo
from data.errors import MistakebookError
from data.store import Store

log = logging.getLogger(__name__)


class NothingMade(MistakebookError):
    """What a step was to work on was not made: the chain ends there."""


class Step(BaseModel):
    """One link. `samples_of` and `checkpoint_of` name a job whose samples (still undrawn, for draw) or new checkpoint the step works on;
    0 is the job that the chain was launched with."""

    stage: str
    options: dict[str, Any] = {}
    samples_of: int | None = None
    checkpoint_of: int | None = Field(default=None, description="Ignored unless the stage takes a checkpoint.")


Launch = Callable[[str, dict[str, Any], str, Sequence[Step]], int]  # JobManager.launch: stage, options, author, what follows


def row(job_id: int, steps: list[Step], author: str) -> dict[str, Any]:
    """The row of `setting` that hangs a chain on a new job."""
    own = [step.model_copy(update={name: job_id for name in ("samples_of", "checkpoint_of") if getattr(step, name) == 0}) for step in steps]
    return _row(job_id, {"steps": [step.model_dump() for step in own], "author": author, "next": None, "note": None})


def follow(store: Store, job_id: int, launch: Launch) -> int | None:
    """Launches the next step of a job that is done, skipping steps that have nothing to do; returns the new job's number."""
    chain = of(store, job_id)
    if chain is None:
        return None
    steps, notes, new = [Step(**step) for step in chain["steps"]], [], None
    while steps and new is None:
        step, *steps = steps
        try:
            new = launch(step.stage, _options(store, step), chain["author"], steps)
        except NothingToDo as nothing:
            notes.append(f"{step.stage}: {nothing}")
        except NothingMade as nothing:
            notes.append(str(nothing))
            break
        except Exception as error:
            log.exception("job %d: its chain stopped at %s", job_id, step.stage)
            notes.append(f"{step.stage} could not be launched: {error}")
            break
    with store.write() as write:
        write.insert("setting", [_row(job_id, {**chain, "next": new, "note": "; ".join(notes) or None})])
    return new


def follow_up(store: Store, launch: Launch) -> None:
    """At start-up: chains whose job was done just before the app went down."""
    for job_id in store.column("chains_waiting"):
        follow(store, job_id, launch)


def of(store: Store, job_id: int) -> dict[str, Any] | None:
    """The chain that hangs on a job, or None."""
    text = store.value("chain_of_job", name=_name(job_id))
    return json.loads(text) if text else None


def view(store: Store, job_id: int) -> list[dict[str, Any]]:
    """The steps behind a job as they stand: [{"stage", "job_id" (None: not launched yet), "note"}]."""
    shown: list[dict[str, Any]] = []
    chain = of(store, job_id)
    while chain:
        following = store.row("job", job_id=chain["next"]) if chain["next"] else None
        steps = [step["stage"] for step in chain["steps"]]
        if following is None:
            return shown + [{"stage": stage, "job_id": None, "status": None, "note": chain["note"]} for stage in steps]
        skipped = steps[: steps.index(following["stage"])]
        shown += [{"stage": stage, "job_id": None, "status": "skipped", "note": chain["note"]} for stage in skipped]
        shown.append({"note": None, **{name: following[name] for name in ("stage", "job_id", "status", "total", "done", "failed")}})
        chain = of(store, chain["next"])
    return shown


def _options(store: Store, step: Step) -> dict[str, Any]:
    options = dict(step.options)
    if step.samples_of is not None:
        ids = store.column("samples_of_job", job_id=step.samples_of, undrawn=step.stage == "draw")
        if not ids:
            raise NothingToDo("no sample waits for it")
        options["sample_ids"] = ids
    if step.checkpoint_of is not None:
        name = store.value("checkpoint_of_job", job_id=step.checkpoint_of)
        if name is None:
            raise NothingMade(f"job {step.checkpoint_of} made no checkpoint")
        options["checkpoint"] = name
    return options


def _name(job_id: int) -> str:
    return f"chain of job {job_id}"


def _row(job_id: int, chain: dict[str, Any]) -> dict[str, Any]:
    return {"name": _name(job_id), "value": chain, "author": chain["author"]}
