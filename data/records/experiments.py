"""Experiments: arms that differ only in what they are trained on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.records.base import Record


@dataclass(frozen=True)
class Experiment(Record):
    """One launch of the stage `experiment`: the same checkpoint, number of samples, steps, replay and seeds for each arm."""

    job_id: int
    round: int
    checkpoint_id: int
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    samples: int  # an arm is trained on
    replay: int  # rows beside them
    steps: int
    plan: dict[str, Any]  # what each arm was asked for and had, as curation.experiments.planning.Plan
    created_at: datetime


@dataclass(frozen=True)
class ExperimentRun(Record):
    """An arm trained with one seed and measured on the eval examples."""

    job_id: int
    arm: str
    seed: int
    samples: int
    replay: int
    steps: int
    first_loss: float | None  # mean of the first tenth of the steps; None: nothing was trained
    last_loss: float | None
    diverged: str | None  # why its figures don't count
    train_seconds: float
    eval_seconds: float
    threads: int
    created_at: datetime
