"""Unpacks a workspace of an earlier version: NAME.tar.xz beside this file, made by make_NAME.py."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.store import Store
from data.workspace import Workspace

HERE = Path(__file__).parent
INPUTS = ("spec.json", "input.jsonl", "run.json")  # of a job; its results stay as they are: the store holds a byte offset into them
ROWS = ("train.parquet", "dev.parquet")


@dataclass(frozen=True)
class OldWorkspace:
    workspace: Workspace
    facts: dict[str, Any]  # facts.json: what the version that made it answered

    @property
    def home(self) -> Path:
        return self.workspace.root.parent


def unpack(name: str, folder: Path) -> OldWorkspace:
    """Unpacks the workspace into `folder`; the inputs of its jobs name the new place.

    Jobs name their workspace and their pictures by absolute paths, and a workspace can't be moved while a job is unfinished. So the
    paths in the inputs of its jobs are rewritten here, and `move_models` rewrites those in the store once it is open.
    """
    with tarfile.open(HERE / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    old = OldWorkspace(Workspace(folder / "home" / name), facts)
    for job in (old.workspace.root / "jobs").iterdir():
        for path in (job / name for name in INPUTS if (job / name).exists()):
            path.write_text(path.read_text(encoding="utf-8").replace(facts["home"], str(old.home)), encoding="utf-8")
        for path in (job / name for name in ROWS if (job / name).exists()):
            _move_rows(path, facts["home"], str(old.home))
    return old


def move_models(old: OldWorkspace, store: Store) -> None:
    """Rewrites the paths of checkpoints whose model lies in the old home."""
    store._cursor().execute("UPDATE checkpoint SET model = replace(model, ?, ?)", [old.facts["home"], str(old.home)])


def _move_rows(path: Path, before: str, after: str) -> None:
    table = pq.read_table(path)
    column = table.schema.get_field_index("image_path")
    moved = pc.replace_substring(table.column(column), before, after).cast(pa.string())
    pq.write_table(table.set_column(column, "image_path", moved), path)
