"""Checkpoints and rounds: finding them, asking them, taking one along in a job's folder."""

import json
from pathlib import Path

from curation.stage import NothingToDo
from data.records import Checkpoint
from data.registry import BASELINES
from data.store import Store

FILE = "checkpoint.json"


def find(store: Store, name: str | None = None) -> Checkpoint:
    """A checkpoint by name, the current round's if `name` is empty. Raises NothingToDo with the names there are."""
    checkpoint = store.row("checkpoint_by_name", Checkpoint, name=name) if name else store.row("checkpoint_of_round", Checkpoint)
    if checkpoint is None:
        names = ", ".join(r["name"] for r in store.rows("checkpoints")) or "none"
        raise NothingToDo(
            f"no checkpoint {name!r}; there are: {names}. Add one under Data & models." if name else "no round has begun yet."
        )
    return checkpoint


def current_round(store: Store) -> int:
    """The number of the latest round; 0 before the first."""
    return store.value("current_round", int) or 0


def make_baseline(checkpoint: Checkpoint):
    """The baseline plugin of a checkpoint, ready to be asked."""
    return BASELINES.make(checkpoint.baseline, {"model": checkpoint.model, "adapter": checkpoint.adapter, **checkpoint.options})


def register(store: Store, checkpoint: Checkpoint, parent: int | None = None, run_id: int | None = None) -> int:
    """Adds a checkpoint, or finds the one of that name; returns its id."""
    row = {k: v for k, v in checkpoint.to_row().items() if k != "checkpoint_id"} | {"parent": parent, "run_id": run_id}
    with store.write() as write:
        write.insert("checkpoint", [row])
    return store.one("checkpoint_by_name", int, name=checkpoint.name)


def begin_round(store: Store, checkpoint_name: str) -> int:
    """Starts the next round from a checkpoint; its predictions on the train split, if there are any, become failures."""
    checkpoint = find(store, checkpoint_name)
    with store.write() as write:
        number = current_round(store) + 1
        write.insert("round", [{"round": number, "checkpoint_id": checkpoint.checkpoint_id}])
        write.touch_failures(write.run("failures_from_predictions", int, checkpoint_id=checkpoint.checkpoint_id))
    return number


def take_along(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes a checkpoint into a job's folder, for its child."""
    (folder / FILE).write_text(json.dumps(checkpoint.to_row()), encoding="utf-8")


def taken_along(folder: Path) -> Checkpoint:
    """The checkpoint that was taken along."""
    return Checkpoint.from_row(json.loads((folder / FILE).read_text(encoding="utf-8")))
