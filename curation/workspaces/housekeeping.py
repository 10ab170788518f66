"""Looking after a workspace: what takes space and what of it can go, backups that are there, new and archived workspaces."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from curation.jobs.job_folder import JobFolder
from curation.workspaces import backups, builtin, owner
from data import workspace as workspaces
from data.errors import MistakebookError
from data.files import PART
from data.records import Record
from data.store import Store
from data.workspace import Workspace

ARCHIVE = "archived"
OLD = 7  # days since a job's end, before its files count as leftovers


class WorkspaceConflict(MistakebookError):
    """What was asked of a workspace can't be done; the text says what to do first."""


@dataclass(frozen=True)
class DiskUse(Record):
    """Bytes: by part of the workspace, what could be freed of which, and what is free on the disk."""

    parts: dict[str, int]
    freeable: dict[str, int]
    free: int


@dataclass(frozen=True)
class ListedBackup(Record):
    """A backup of the workspace; one that was made before a migration holds the tables alone (not `whole`)."""

    name: str
    folder: str
    whole: bool
    rows: int
    made_at: str  # ISO 8601
    bytes: int


def disk(store: Store, workspace: Workspace) -> DiskUse:
    """What the workspace takes of the disk."""
    thumbnails = workspace.images / backups.THUMBNAILS
    parts = {
        "images": _size([workspace.images]) - _size([thumbnails]),
        "thumbnails": _size([thumbnails]),
        "checkpoints": _size([workspace.checkpoints]),
        "store": _size(workspace.root.glob("store.duckdb*")),
        "paid replies": _size(workspace.root.glob("replies.sqlite*")),
        "jobs": _size([workspace.root / "jobs"]),
        "vectors": _size([workspace.root / "vectors"]),
        "uploads": _size([workspace.root / "uploads"]),
        "backups": _size([workspace.backups]),
    }
    freeable = {"thumbnails": parts["thumbnails"], "jobs": _size(_leftovers(store, workspace)), "uploads": parts["uploads"]}
    return DiskUse(parts, freeable, shutil.disk_usage(workspace.root).free)


def clean(store: Store, workspace: Workspace, what: str) -> int:
    """Frees thumbnails (made again when asked for), jobs (inputs and results of old jobs that are in the store) or uploads.

    Returns the bytes. Logs, events and settings of jobs stay.
    """
    parts = {
        "thumbnails": [workspace.images / backups.THUMBNAILS],
        "jobs": _leftovers(store, workspace),
        "uploads": [workspace.root / "uploads"],
    }
    if what not in parts:
        raise WorkspaceConflict(f"{what!r} can't be cleaned up; there are: {', '.join(parts)}")
    size = _size(parts[what])
    for path in parts[what]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return size


def backups_there(workspace: Workspace) -> list[ListedBackup]:
    """Backups of the workspace, newest first."""
    listed = []
    for folder in workspace.backups.iterdir():
        whole = (folder / "store" / "manifest.json").is_file()
        manifest = folder / "store" / "manifest.json" if whole else folder / "manifest.json"
        if folder.suffix in (".new", PART) or not manifest.is_file():
            continue
        rows = sum(json.loads(manifest.read_text(encoding="utf-8"))["tables"].values())
        made = datetime.fromtimestamp(manifest.stat().st_mtime, UTC).isoformat()
        listed.append(ListedBackup(folder.name, str(folder), whole, rows, made, _size([folder])))
    return sorted(listed, key=lambda backup: backup.made_at, reverse=True)


def new_workspace(name: str) -> Workspace:
    """Makes an empty workspace with the filters' default settings. Raises WorkspaceConflict, BadWorkspaceName."""
    made = workspaces.find(name.strip())
    if made.root.exists():
        raise WorkspaceConflict(f"there is a folder {made.root} already; choose another name")
    made.create()
    store = Store(made.store, made.backups)
    builtin.prepare(store)
    store.close()
    return made


def archive(name: str, open_here: Workspace) -> Path:
    """Moves a workspace that no app has open out of the list, into the folder `archived`; nothing is deleted. Returns where it lies."""
    archived = workspaces.find(name)
    if not archived.store.exists():
        raise WorkspaceConflict(f"there is no workspace {name!r}; there are: {', '.join(workspaces.names())}")
    if archived.root.resolve() == open_here.root.resolve():
        raise WorkspaceConflict(f"{name} is open here; stop this app, start it on another workspace and archive it from there")
    if holder := owner.find(archived):
        raise WorkspaceConflict(f"{name} is open in process {holder.pid} at {holder.address}; stop that app first")
    target = archived.root.parent / ARCHIVE / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    target.parent.mkdir(exist_ok=True)
    return archived.root.rename(target)


def _leftovers(store: Store, workspace: Workspace) -> list[Path]:
    """Inputs and results of old jobs: all that is in the store."""
    leftovers: list[Path] = []
    for job_id in store.column("jobs_with_leftovers", days=OLD):
        files = JobFolder(workspace.job(job_id))
        leftovers += [
            path for path in (files.input, files.results, *files.folder.glob("*.parquet"), files.folder / "examples.jsonl") if path.exists()
        ]
    return leftovers


def _size(paths: Iterable[Path]) -> int:
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.stat().st_size for file in files if file.is_file())
