"""Backups of a whole workspace: the store's tables, the journals of paid replies and of decisions, pictures, checkpoints.

FOLDER/store/*.parquet, manifest.json   the tables (data/store.py)
FOLDER/replies.sqlite                   the journal of paid replies
FOLDER/store.reviews.jsonl              the journal of decisions
FOLDER/images/, checkpoints/            hard links where the file system allows (their files never change), else copies
FOLDER/manifest.json                    size and SHA-256 of every file (curation/workspaces/backup_manifest.py)
"""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from curation.workspaces import backup_manifest
from curation.workspaces.backup_manifest import BackupDamaged
from data import store as stores
from data.files import PART, remove, whole
from data.images import REFERENCE
from data.records import Record
from data.store import Store
from data.store_errors import StoreError
from data.workspace import Workspace
from models.frontier import Journal

THUMBNAILS = "thumbnails"  # made again when asked for


@dataclass(frozen=True)
class Restored(Record):
    """What a restore has done. `checked`: every file was held against its SHA-256; backups of earlier versions have none."""

    folder: str
    files: int
    checked: bool


@dataclass(frozen=True)
class BackupMade(Record):
    """A backup that was written and read back: its folder, the rows of all tables, and the pictures in it."""

    folder: str
    rows: int
    pictures: int
    referenced: int = 0  # pictures that lie elsewhere and are not in it

    def in_words(self) -> str:
        """One line; says what the backup lacks."""
        words = f"backup written to {self.folder}: {self.rows:,} rows, {self.pictures:,} images"
        lacks = f". {self.referenced:,} pictures are referenced where they lie and are NOT in it: back up their folders too"
        return words + (lacks if self.referenced else "")


def backup(store: Store, workspace: Workspace, folder: Path | None = None) -> Path:
    """Writes a backup into a new folder, whole or not at all. Raises StoreError if the folder exists or a table reads back differently,
    LinkRefused for a symbolic link among pictures and checkpoints."""
    folder = folder or workspace.backups / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if folder.exists():
        raise StoreError(f"{folder} exists; name a new folder, nothing is overwritten")
    known = backup_manifest.known_files(latest) if (latest := newest(workspace)) else {}
    mark = store.one("backup_mark", str)
    with whole(folder) as part:
        part.mkdir()
        store.backup(part / "store")
        if workspace.journal.exists():
            journal = Journal(workspace.journal)
            journal.backup(part / workspace.journal.name)
            journal.close()
        if store.reviews.path.exists():
            shutil.copyfile(store.reviews.path, part / workspace.reviews.name)
        for source in (workspace.images, workspace.checkpoints):
            for path in backup_manifest.files_in(source):
                inside = path.relative_to(source)
                if inside.parts[0] != THUMBNAILS and not any(name.startswith(".") for name in inside.parts):
                    _link(path, part / source.name / inside)
            (part / source.name).mkdir(exist_ok=True)
        backup_manifest.make(part, known, mark).write(part)
    return folder


def restore(folder: Path, workspace: Workspace) -> Restored:
    """Makes the workspace from a backup, or only its store from one made before a migration. Nothing is overwritten.

    All is checked first, then written beside, then renamed: the workspace is there whole or not at all. Raises StoreError, BackupDamaged,
    LinkRefused.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is no folder; choose one from the backups of a workspace")
    if not (folder / "store").is_dir():
        return _restore_tables(folder, workspace)
    if workspace.root.exists() and any(workspace.root.iterdir()):
        raise StoreError(f"{workspace.root} exists and is left as it is; restore into another workspace: --workspace NAME")
    manifest = backup_manifest.read(folder)
    if manifest:
        backup_manifest.check(folder, manifest)
    with whole(workspace.root) as part:
        made = Workspace(part).create()
        count = 0
        for source, target in ((folder / made.images.name, made.images), (folder / made.checkpoints.name, made.checkpoints)):
            for path in backup_manifest.files_in(source) if source.is_dir() else ():
                count += 1
                _copied(path, target / path.relative_to(source), None if manifest else _content_name(path, source, made))
        for name in (made.journal.name, made.reviews.name):
            if (folder / name).is_file():
                count += 1
                _copied(folder / name, part / name)
        list(backup_manifest.files_in(folder / "store"))  # refuses links
        stores.restore(folder / "store", made.store)
        if made.journal.exists():
            Journal(made.journal).close()  # raises where it can't be opened
    return Restored(str(workspace.root), count, manifest is not None)


def verify(folder: Path) -> None:
    """Reads a backup through. Raises BackupDamaged; StoreError where it is of an earlier version and has nothing to be held against."""
    manifest = backup_manifest.read(folder)
    if manifest is None:
        raise StoreError(f"{folder} was made by an earlier version: it has no checksums")
    backup_manifest.check(folder, manifest)


def sweep(workspace: Workspace) -> None:
    """Removes what killed backups have left behind; to be called while none is being written."""
    for left in workspace.backups.glob(f".*{PART}"):
        remove(left)


def newest(workspace: Workspace) -> Path | None:
    """The latest backup of the workspace that has a manifest."""
    there = [path for path in workspace.backups.glob("*") if (path / "store").is_dir() and (path / backup_manifest.NAME).is_file()]
    return max(there, key=lambda path: (path / backup_manifest.NAME).stat().st_mtime, default=None)


def referenced(folder: Path) -> int:
    """How many pictures of a backup lie elsewhere, so that it only knows where."""
    return sum(1 for _ in (folder / "images").rglob(f"*{REFERENCE}"))


def row_count(folder: Path) -> int:
    """Rows of all tables in a backup."""
    return sum(json.loads((folder / "store" / "manifest.json").read_text(encoding="utf-8"))["tables"].values())


def _restore_tables(folder: Path, workspace: Workspace) -> Restored:
    """From a backup made before a migration: the store alone, where none is."""
    list(backup_manifest.files_in(folder))
    stores.restore(folder, workspace.store)
    workspace.create()
    return Restored(str(workspace.root), 1, False)


def _content_name(path: Path, source: Path, made: Workspace) -> str | None:
    """The SHA-256 that an image bears in its name; None for other files."""
    return path.stem if source.name == made.images.name and len(path.stem) == 64 else None


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _copied(source: Path, target: Path, digest: str | None = None) -> None:
    """Copies a file, held against a SHA-256 where one is known. Raises BackupDamaged."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if digest and backup_manifest.entry_of(target)[1] != digest:
        raise BackupDamaged(f"{source} is damaged: its content is not what its name says; nothing was restored. Restore another backup")
