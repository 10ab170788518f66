"""Backups of a whole workspace: the store's tables, the journal of paid replies, pictures, checkpoints.

FOLDER/store/*.parquet, manifest.json   the tables (data/store.py)
FOLDER/replies.sqlite                   the journal
FOLDER/images/, checkpoints/            hard links where the file system allows (their files never change), else copies
"""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from data import store as stores
from data.files import whole
from data.store import Store, StoreError
from data.workspace import Workspace
from models.frontier import Journal

THUMBNAILS = "thumbnails"  # made again when asked for


def backup(store: Store, workspace: Workspace, folder: Path | None = None) -> Path:
    """Writes a backup into a new folder, whole or not at all. Raises StoreError if the folder exists or a table reads back differently."""
    folder = folder or workspace.backups / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if folder.exists():
        raise StoreError(f"{folder} exists; name a new folder, nothing is overwritten")
    with whole(folder) as part:
        part.mkdir()
        store.backup(part / "store")
        if workspace.journal.exists():
            journal = Journal(workspace.journal)
            journal.backup(part / workspace.journal.name)
            journal.close()
        for source in (workspace.images, workspace.checkpoints):
            shutil.copytree(source, part / source.name, ignore=shutil.ignore_patterns(THUMBNAILS, ".*"), copy_function=_link)
    return folder


def restore(folder: Path, workspace: Workspace) -> None:
    """Makes the workspace from a backup, or only its store from one made before a migration. Raises StoreError; nothing is overwritten."""
    tables = folder / "store" if (folder / "store").is_dir() else folder
    workspace.create()
    for source, target in (
        (folder / workspace.images.name, workspace.images),
        (folder / workspace.checkpoints.name, workspace.checkpoints),
    ):
        if source.is_dir():
            shutil.copytree(source, target, copy_function=_unless_there, dirs_exist_ok=True)
    journal = folder / workspace.journal.name
    if journal.is_file() and not workspace.journal.exists():
        shutil.copyfile(journal, workspace.journal)
    stores.restore(tables, workspace.store)


def row_count(folder: Path) -> int:
    """Rows of all tables in a backup."""
    return sum(json.loads((folder / "store" / "manifest.json").read_text(encoding="utf-8"))["tables"].values())


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _unless_there(source: str, target: str) -> None:
    if not Path(target).exists():
        shutil.copyfile(source, target)
