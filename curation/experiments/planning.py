"""The plan of an experiment: how many samples each arm was asked for and has, and what it will take (what missing samples cost:
curation/ui/experiments/generation.py). Nothing is written or bought."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from curation import checkpoints
from curation.experiments import arm_rows, arms
from curation.experiments.arm_rows import DrawnSample, Pools, TrainExample, pools
from curation.experiments.arms import Arm
from curation.filtering import settings
from curation.filtering.base import filter_class
from curation.stage import NothingToDo
from data.machine import cores, has_gpu
from data.records import Checkpoint, Record
from data.registry import FILTERS
from data.store import Store
from models.finetuning.spec import RECIPES, Recipe

REPLAY_A_SAMPLE = 3  # rows of replay a sample, where no number is given: the replay share of Finetune, .75
SAVE_EVERY = 50  # steps between snapshot steps: what a killed run loses at most
DEFAULT_STEP, DEFAULT_ANSWER = 0.25, 0.006  # seconds of pocket-llava on one core, until an experiment has measured them on this machine
STARTUP = 12.0  # seconds a run takes besides: loading libraries and weights, preflight
OF_BOTH_ROUTES = ("targeted", "unfiltered")  # arms of samples that are made from failures, by whatever route


class ExperimentOptions(BaseModel):
    checkpoint: str | None = Field(default=None, description="Name of the checkpoint to train from; that of the round if empty.")
    arms: list[str] = Field(
        default_factory=lambda: [arm.name for arm in arms.ARMS], description="Arms to compare: " + ", ".join(arms.BY_NAME) + "."
    )
    n: int = Field(default=300, ge=1, description="Samples that each arm is trained on.")
    seeds: int = Field(default=3, ge=1, le=50, description="Runs of each arm, with as many seeds.")
    first_seed: int = Field(default=1, ge=0, description="The first seed; the others follow it.")
    epochs: float = Field(default=6.0, gt=0, description="Epochs over samples and replay; they give the steps, the same for all arms.")
    steps: int | None = Field(default=None, ge=1, description="Optimiser steps of each run, in place of the epochs.")
    replay: int | None = Field(
        default=None, ge=0, description="Replay rows beside the samples, the same for each arm; empty: three a sample."
    )
    recipe: str = Field(default="pocket", description="Training recipe: " + ", ".join(RECIPES) + ".")
    learning_rate: float | None = Field(default=None, gt=0, description="Learning rate; the recipe's if empty.")
    accept: Literal["passed", "approved"] = Field(
        default="passed", description="Targeted samples that count: those that pass every filter, or only approved ones."
    )
    datasets: list[str] | None = Field(default=None, description="Datasets whose eval split is measured; all if empty.")
    eval_limit: int | None = Field(default=None, ge=1, description="Maximum number of eval examples.")
    lower_n: bool = Field(default=False, description="Where an arm has fewer than N samples, lower N for all arms.")
    parallel: int | None = Field(default=None, ge=1, description="Runs at a time; one on a GPU, else one a core if empty.")

    @field_validator("arms")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        chosen = {arms.find(name).name for name in names}
        return [arm.name for arm in arms.ARMS if arm.name in chosen]

    @field_validator("recipe")
    @classmethod
    def _recipe(cls, name: str) -> str:
        if name not in RECIPES:
            raise ValueError(f"no recipe {name!r}; there are: {', '.join(RECIPES)}")
        return name


@dataclass(frozen=True)
class ArmPlan(Record):
    """An arm as it was asked for: `have` rows in its pool (None: it draws from none), of which N are needed."""

    arm: str
    title: str
    about: str
    have: int | None
    short: int  # rows that are missing


@dataclass(frozen=True)
class Lack(Record):
    """A cluster of failures of which +N targeted has fewer samples than its quota: others take their place."""

    cluster: int | None  # None: failures in no cluster
    error_type: str
    title: str
    quota: int
    missing: int


@dataclass(frozen=True)
class Plan(Record):
    """`asked` samples an arm, of which `samples` are used; `largest` is what all arms could have. `short` arms lack samples."""

    checkpoint: str
    arms: list[ArmPlan]
    asked: int
    samples: int
    largest: int | None  # None: no arm draws samples
    seeds: list[int]
    replay: int
    replay_asked: int
    steps: int
    batch_size: int
    runs: int
    parallel: int
    eval: int
    seconds: float
    measured: bool  # whether the seconds follow from runs on this machine
    accept: str
    lacking: list[Lack] = field(default_factory=list)

    @property
    def short(self) -> list[ArmPlan]:
        return [arm for arm in self.arms if arm.short]


@dataclass(frozen=True)
class Stock:
    """What the store holds for the arms."""

    checkpoint: Checkpoint
    examples: list[TrainExample]
    samples: list[DrawnSample]
    pools: Pools


@dataclass(frozen=True)
class _Speed:
    step: float | None
    answer: float | None


def stock(store: Store, round_: int, options: ExperimentOptions) -> Stock:
    """Raises NothingToDo."""
    checkpoint = checkpoints.find(store, options.checkpoint)
    examples = store.rows("experiment_examples", TrainExample, checkpoint_id=checkpoint.checkpoint_id)
    samples = store.rows("experiment_samples", DrawnSample, round=round_, mask=mask_of_controls(store))
    return Stock(checkpoint, examples, samples, pools(examples, samples, options.accept == "approved"))


def plan(store: Store, options: ExperimentOptions, here: Stock, round_: int) -> Plan:
    """What the options come to with this stock. Raises NothingToDo where nothing can be compared."""
    chosen = chosen_arms(options)
    have = {arm.name: None if arm.pool is None else len(here.pools[arm.pool]) for arm in chosen}
    counts = [count for count in have.values() if count is not None]
    largest = min(counts) if counts else None
    samples = min(options.n, largest) if options.lower_n and largest is not None else options.n
    known = sum(example.known and not example.label_error for example in here.examples)
    wanted = REPLAY_A_SAMPLE * samples if options.replay is None else options.replay
    replay = min(wanted, known)
    recipe = recipe_of(options)
    eval_count = len(store.rows("experiment_eval", datasets=options.datasets, limit=options.eval_limit))
    if not eval_count:
        raise NothingToDo("there is no eval example to measure on: import a dataset with an eval split, or choose other datasets.")
    if not known:
        raise NothingToDo(f"{here.checkpoint.name} has answered no train example right yet: evaluate it first.")
    steps = options.steps or math.ceil(options.epochs * math.ceil((samples + replay) / recipe.batch_size))
    runs = [(arm, seed) for arm in chosen for seed in seeds_of(arm, options)]
    parallel = options.parallel or runs_at_once(here.checkpoint)
    seconds, measured = _seconds(store, here.checkpoint, [arm for arm, _ in runs], steps, eval_count, parallel)
    return Plan(
        checkpoint=here.checkpoint.name,
        arms=[ArmPlan(arm.name, arm.title, arm.about, have[arm.name], _missing(have[arm.name], samples)) for arm in chosen],
        asked=options.n,
        samples=samples,
        largest=largest,
        seeds=all_seeds(options),
        replay=replay,
        replay_asked=wanted,
        steps=steps,
        batch_size=recipe.batch_size,
        runs=len(runs),
        parallel=parallel,
        eval=eval_count,
        seconds=seconds,
        measured=measured,
        accept=options.accept,
        lacking=_lacking(store, round_, here, samples) if any(arm.name in OF_BOTH_ROUTES for arm in chosen) else [],
    )


def obstacle(made: Plan) -> str | None:
    """Why these arms can't be run, and what to do; None if they can."""
    if not made.arms:
        return "no arm is chosen."
    if made.samples < 1:
        empty = ", ".join(arm.title for arm in made.arms if arm.have == 0)
        return f"there is no sample for {empty}. Generate some (mistakebook experiment start --generate), or leave these arms out."
    if not made.short:
        return None
    lacking = "; ".join(f"{arm.title} has {arm.have:,}, {arm.short:,} missing" for arm in made.short)
    largest = made.largest or 0
    lower = f", or lower N to {largest:,} for all arms (--n {largest})" if largest else ""
    more = "Generate more (mistakebook experiment start --generate)"
    return f"too few samples for N = {made.samples:,}: {lacking}. {more}{lower}, or leave these arms out."


def chosen_arms(options: ExperimentOptions) -> list[Arm]:
    return [arms.find(name) for name in options.arms]


def all_seeds(options: ExperimentOptions) -> list[int]:
    return list(range(options.first_seed, options.first_seed + options.seeds))


def seeds_of(arm: Arm, options: ExperimentOptions) -> list[int]:
    """The seeds of an arm's runs; 0 for the one of an arm that isn't trained."""
    return all_seeds(options) if arm.trained else [0]


def recipe_of(options: ExperimentOptions) -> Recipe:
    changes = {"learning_rate": options.learning_rate} if options.learning_rate else {}
    return RECIPES[options.recipe].model_copy(update=changes)


def runs_at_once(checkpoint: Checkpoint) -> int:
    """One on a GPU; else one a core, each with one thread: two processes of one thread do more than one of two (docs/log.md)."""
    device = str(checkpoint.options.get("device", "auto"))
    return 1 if device.startswith(("cuda", "mps")) or (device == "auto" and has_gpu()) else cores()


def mask_of_controls(store: Store) -> int:
    """The bits of the enabled filters by which samples that were made without a failure are judged: all that don't look at failures."""
    enabled = [setting for setting in settings.current(store).values() if setting.enabled and setting.filter in FILTERS.names()]
    return sum(1 << setting.bit for setting in enabled if not filter_class(setting.filter).judges_aim)


def _lacking(store: Store, round_: int, here: Stock, samples: int) -> list[Lack]:
    """The clusters of which there are too few samples that pass; most missing first."""
    wanted = arm_rows.quotas_of(here.examples, samples)
    titles = {row["cluster_id"]: row["title"] for row in store.rows("generate_clusters", round=round_)}
    short = arm_rows.lacking(here.pools["targeted"], wanted)
    found = [Lack(cluster, kind, titles.get(cluster) or kind, wanted[cluster, kind], n) for (cluster, kind), n in short.items()]
    return sorted(found, key=lambda lack: -lack.missing)


def _missing(have: int | None, samples: int) -> int:
    return 0 if have is None else max(0, samples - have)


def _seconds(store: Store, checkpoint: Checkpoint, runs: Sequence[Arm], steps: int, eval_count: int, parallel: int) -> tuple[float, bool]:
    """About how long all runs take, and whether that follows from measured ones."""
    speed = store.one("experiment_speed", _Speed, checkpoint_id=checkpoint.checkpoint_id)
    step, answer = speed.step or DEFAULT_STEP, speed.answer or DEFAULT_ANSWER
    work = sum(STARTUP + answer * eval_count + (step * steps if arm.trained else 0.0) for arm in runs)
    return round(work / min(parallel, max(1, len(runs)))), speed.step is not None
