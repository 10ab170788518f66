"""Checkpoints and rounds: adding and finding them, asking them, handing one to a job's child in its folder."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.stage import NothingToDo
from data.errors import MistakebookError
from data.reader import Reader
from data.records import Checkpoint, Record
from data.registry import BASELINES
from data.store import Store
from data.transaction import Transaction
from models import pocket
from models.weights import files
from models.weights.chat import read_template

FILE = "checkpoint.json"
IMPORTED = "imported"  # in place of a plugin's name: only its answers were imported, so it can't be asked


@dataclass(frozen=True)
class ListedCheckpoint(Record):
    """A checkpoint with where it comes from and how often it was asked."""

    checkpoint_id: int
    name: str
    baseline: str
    model: str
    adapter: str | None
    options: dict[str, Any]
    parent: int | None  # what it was trained from
    run_id: int | None  # the finetune that made it
    created_at: datetime
    predictions: int


@dataclass(frozen=True)
class CheckpointUse(Record):
    """What a checkpoint is needed for."""

    rounds: int
    children: int
    run_id: int | None
    experiments: int
    predictions: int

    def in_words(self) -> str:
        """Why it can't be removed; empty if it can."""
        needs = [
            f"{self.rounds} round(s) started from it" if self.rounds else "",
            f"{self.children} checkpoint(s) were trained from it" if self.children else "",
            f"run {self.run_id} made it" if self.run_id else "",
            f"{self.experiments} experiment(s) started from it" if self.experiments else "",
        ]
        return ", ".join(filter(None, needs))


@dataclass(frozen=True)
class CheckpointAdded(Record):
    """The checkpoint that was added."""

    checkpoint_id: int
    name: str
    round: int  # the current one; 0 before the first


@dataclass(frozen=True)
class CheckpointRemoved(Record):
    """The checkpoint that was removed, and how many predictions with it."""

    name: str
    predictions: int


class BadCheckpoint(MistakebookError):
    """A checkpoint that can't be added; the text says what to give instead."""


def find(store: Store, name: str | None = None) -> Checkpoint:
    """A checkpoint by name, the current round's if `name` is empty. Raises NothingToDo with the names there are."""
    checkpoint = store.row("checkpoint_by_name", Checkpoint, name=name) if name else store.row("checkpoint_of_round", Checkpoint)
    if checkpoint is None:
        names = ", ".join(row.name for row in listed(store)) or "none"
        raise NothingToDo(
            f"no checkpoint {name!r}; there are: {names}. Add one: mistakebook checkpoints add, or under Data & models."
            if name
            else "no round has started yet. Begin one from a checkpoint: mistakebook rounds --begin NAME."
        )
    return checkpoint


def listed(store: Store) -> list[ListedCheckpoint]:
    """All checkpoints, oldest first."""
    return store.rows("checkpoints", ListedCheckpoint)


def askable(store: Store) -> list[str]:
    """The names of those that can be asked: not of those whose answers were imported."""
    return [row.name for row in listed(store) if row.baseline != IMPORTED]


def current_round(store: Reader) -> int:
    """The number of the latest round; 0 before the first."""
    return store.value("current_round", int) or 0


def make_baseline(checkpoint: Checkpoint):
    """The baseline plugin of a checkpoint, ready to be asked."""
    return BASELINES.make(checkpoint.baseline, {"model": checkpoint.model, "adapter": checkpoint.adapter, **checkpoint.options})


def register(store: Store, checkpoint: Checkpoint, parent: int | None = None, run_id: int | None = None) -> int:
    """Adds a checkpoint, or finds the one of that name; returns its id."""
    with store.write() as write:
        return register_within(write, checkpoint, parent, run_id)


def register_within(write: Transaction, checkpoint: Checkpoint, parent: int | None = None, run_id: int | None = None) -> int:
    """As `register`, together with what else a transaction changes."""
    row = {k: v for k, v in checkpoint.to_row().items() if k != "checkpoint_id"} | {"parent": parent, "run_id": run_id}
    write.insert("checkpoint", [row])
    return write.one("checkpoint_by_name", int, name=checkpoint.name)


def add_checkpoint(store: Store, name: str, baseline: str, model: str, adapter: str | None, options: dict[str, Any]) -> CheckpointAdded:
    """Adds a model that can be asked from now on. Of weights on this machine the files are checked, nothing is loaded.

    Raises BadCheckpoint, BadWeights, UnknownPlugin, ValidationError.
    """
    name = name.strip()
    if name in {row.name for row in listed(store)}:
        raise BadCheckpoint(f"there is a checkpoint {name!r} already; choose another name")
    checkpoint = described(name, baseline, model, adapter, options)
    parent = None
    if checkpoint.adapter:
        parent = next((row.checkpoint_id for row in listed(store) if row.model == checkpoint.model and not row.adapter), None)
    return CheckpointAdded(register(store, checkpoint, parent), name, current_round(store))


def described(name: str, baseline: str, model: str, adapter: str | None, options: dict[str, Any]) -> Checkpoint:
    """A checkpoint that isn't kept yet, its files and options checked. Raises as `add_checkpoint`."""
    model = model.strip()
    if not name or not model:
        raise BadCheckpoint("a checkpoint needs a name and the folder or hub name of its weights")
    model = checked_model(model)
    if options.get("revision") and (model in pocket.FOLDERS or Path(model).is_absolute()):
        raise BadCheckpoint(f"{model} is a folder, which has no revisions ({options['revision']!r} was given); give a hub name, or none")
    if options.get("template"):
        read_template(options["template"])
    if adapter:
        adapter = checked_adapter(adapter, model)
    checkpoint = Checkpoint(name, baseline, model, adapter, options)
    make_baseline(checkpoint)  # validates the options
    return checkpoint


def checked_model(model: str) -> str:
    """The model as it is kept: a built-in name, a hub name, or the absolute path of a checked folder. Raises BadWeights."""
    if model in pocket.FOLDERS:
        return model
    folder = Path(model).expanduser()
    if not model.startswith(("/", "~", ".")) and not folder.is_dir():
        return model
    folder = folder.resolve()
    files.check_model(folder)
    return str(folder)


def checked_adapter(adapter: str, model: str) -> str:
    """The absolute path of an adapter of this model. Raises BadWeights, BadCheckpoint where it was trained on another one."""
    folder = Path(adapter.strip()).expanduser().resolve()
    config = files.check_adapter(folder)
    base = str(pocket.folder(model)) if model in pocket.FOLDERS else model
    if not files.same_base(config, base):
        raise BadCheckpoint(
            f"{folder} was trained on {config['base_model_name_or_path']}, not on {model}: give that model; "
            f"if {model} is a renamed copy of it, correct base_model_name_or_path in {files.ADAPTER_CONFIG}"
        )
    return str(folder)


def remove_checkpoint(store: Store, name: str, with_predictions: bool = False) -> CheckpointRemoved:
    """Takes a checkpoint out of the workspace; its files stay. Raises BadCheckpoint where rounds, runs or other checkpoints need it,
    or where it has predictions and `with_predictions` doesn't say that these go too."""
    checkpoint = find(store, name)
    with store.write() as write:
        use = write.rows("checkpoint_use", CheckpointUse, checkpoint_id=checkpoint.checkpoint_id)[0]
        if needed := use.in_words():
            raise BadCheckpoint(f"{name} is kept: {needed}")
        if use.predictions and not with_predictions:
            raise BadCheckpoint(
                f"{name} has {use.predictions:,} predictions; to delete them with it: mistakebook checkpoints remove {name} --predictions"
            )
        for query in ("checkpoint_forget_nearest", "checkpoint_forget_predictions", "checkpoint_forget"):
            write.run(query, checkpoint_id=checkpoint.checkpoint_id)
    return CheckpointRemoved(name, use.predictions)


def begin_round(store: Store, checkpoint_name: str) -> int:
    """Starts the next round from a checkpoint; its predictions on the train split, if there are any, become failures."""
    checkpoint_id = find(store, checkpoint_name).checkpoint_id
    assert checkpoint_id is not None
    with store.write() as write:
        return begin_round_within(write, checkpoint_id)


def begin_round_within(write: Transaction, checkpoint_id: int) -> int:
    """As `begin_round`, together with what else a transaction changes."""
    number = current_round(write) + 1
    write.insert("round", [{"round": number, "checkpoint_id": checkpoint_id}])
    write.touch_failures(write.run("failures_from_predictions", int, checkpoint_id=checkpoint_id))
    return number


def write_to_folder(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes a checkpoint into a job's folder, for its child."""
    (folder / FILE).write_text(json.dumps(checkpoint.to_row()), encoding="utf-8")


def read_from_folder(folder: Path) -> Checkpoint:
    """The checkpoint that `write_to_folder` wrote."""
    return Checkpoint.from_row(json.loads((folder / FILE).read_text(encoding="utf-8")))
