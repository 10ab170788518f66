"""What a finetune would train on and how: its options, the approved samples, the size of the replay, the recipe."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field

from curation.stage import Job, NothingToDo
from curation.training.replay import KnownExample, TrainingExample, replay_count
from data.records import Checkpoint, Record, Route, SampleStatus
from data.store import Store
from models.finetuning.spec import RECIPES, Recipe

SNAPSHOT = "snapshot.json"  # in the job's folder


class Snapshot(BaseModel):
    """What a launch froze: numbers and revisions of the approved samples, and how many examples are replayed."""

    samples: list[tuple[int, int]]
    replay: int

    def write(self, folder: Path) -> None:
        """Into a job's folder."""
        (folder / SNAPSHOT).write_text(self.model_dump_json(), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """That of a job's folder; None where the launch came to none."""
        path = folder / SNAPSHOT
        return cls.model_validate_json(path.read_bytes()) if path.is_file() else None


@dataclass(frozen=True)
class ApprovedSample(Record):
    """A revision of a sample that people or a rule approved, with what its dataset appends to questions."""

    sample_id: int
    round: int
    revision: int
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str
    error_type: str
    route: Route
    prompt_suffix: str
    dataset: str
    status: SampleStatus


class FinetuneOptions(BaseModel):
    checkpoint: str | None = Field(default=None, description="Name of the checkpoint to train from; that of the round if empty.")
    name: str | None = Field(  # also a folder's name
        default=None,
        max_length=80,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._()+-]*$",
        description="Name of the new checkpoint; from round and job if empty.",
    )
    recipe: str = Field(default="pocket", description="Training recipe: " + ", ".join(RECIPES) + ".")
    replay_share: float = Field(
        default=0.75, ge=0, le=0.95, description="Share of replay (what the model already knows) in the training mix."
    )
    epochs: float | None = Field(default=None, gt=0, description="Epochs over the training mix; the recipe's if empty.")
    learning_rate: float | None = Field(default=None, gt=0, description="Learning rate; the recipe's if empty.")
    earlier_rounds: bool = Field(default=True, description="Also train on samples approved in earlier rounds.")
    seed: int = Field(default=0, description="Random seed of the mix and the training.")


def recipe(options: FinetuneOptions) -> Recipe:
    """The chosen recipe with the options that override it. Raises NothingToDo if there is no such recipe."""
    if options.recipe not in RECIPES:
        raise NothingToDo(f"no recipe {options.recipe!r}; there are: {', '.join(RECIPES)}")
    changes = {name: value for name in ("epochs", "learning_rate") if (value := getattr(options, name)) is not None}
    return RECIPES[options.recipe].model_copy(update=changes)


def training_mix(
    store: Store, round_: int, checkpoint: Checkpoint, options: FinetuneOptions
) -> tuple[list[ApprovedSample], list[KnownExample], int]:
    """Approved samples, the examples that may be replayed beside them, and how many of these the replay share asks for."""
    approved = store.rows("samples_to_train", ApprovedSample, round=round_)
    samples = [sample for sample in approved if options.earlier_rounds or sample.round == round_]
    known = store.rows("examples_answered_right", KnownExample, checkpoint_id=checkpoint.checkpoint_id)
    return samples, known, replay_count(len(samples), len(known), options.replay_share)


def launch_problem(store: Store, samples: int, name: str | None) -> str | None:
    """Why a finetune on so many approved samples can't start under this name (None: one of its own); None if it can."""
    if not samples:
        return "no sample is approved yet. Review samples first (or approve all that pass every filter)."
    if name and store.value("checkpoint_by_name", int, name=name) is not None:
        return f"a checkpoint named {name!r} exists already; choose another name."
    return None


def gold(example: TrainingExample) -> str:
    """The answer that most annotators gave."""
    return Counter(example.golds).most_common(1)[0][0]


def new_name(job: Job[FinetuneOptions]) -> str:
    """The name of the checkpoint that a job makes."""
    return job.options.name or f"round-{job.round}-run-{job.job_id}"
