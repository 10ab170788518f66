"""Backups that are made by themselves while the app runs: one a day, or as the settings say, held against its manifest; old ones go."""

import logging
import re
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

from curation.config import variables
from curation.workspaces import backup_manifest, backups
from data.store import Store
from data.workspace import Workspace

PREFIX = "auto-"
LOOK_EVERY = 600.0  # seconds
DAYS, WEEKS = 7, 4  # kept: the latest of each of the last 7 days that have one, and of each of the last 4 weeks that do
log = logging.getLogger(__name__)


def watch(store: Store, workspace: Workspace, stopped: threading.Event) -> None:
    """Makes backups when they are due until `stopped` is set; a thread's work."""
    while not stopped.wait(LOOK_EVERY):
        try:
            if hours := variables().backup_hours:
                make_if_due(store, workspace, hours)
        except Exception:  # a full disk, say: the next look may be luckier, and `mistakebook doctor` tells how old the newest backup is
            if not stopped.is_set():
                log.exception("the scheduled backup failed")


def make_if_due(store: Store, workspace: Workspace, hours: float) -> Path | None:
    """A backup, if the newest is older than `hours` and somebody has decided or a job has ended since; checked. Raises BackupDamaged."""
    latest = backups.newest(workspace)
    mark = store.one("backup_mark", str)
    if latest and (_age_hours(latest) < hours or _mark_of(latest) == mark):
        return None
    folder = backups.backup(store, workspace, workspace.backups / f"{PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S}")
    backups.verify(folder)
    forget_old(workspace)
    return folder


def forget_old(workspace: Workspace) -> None:
    """Removes automatic backups that the rule doesn't keep; those that people made stay."""
    there = sorted((path for path in workspace.backups.iterdir() if re.fullmatch(PREFIX + r"\d{8}-\d{6}", path.name)), reverse=True)
    days: dict[str, Path] = {}
    weeks: dict[tuple[int, int], Path] = {}
    for path in there:
        moment = datetime.strptime(path.name, f"{PREFIX}%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        days.setdefault(path.name[: len(PREFIX) + 8], path)
        weeks.setdefault(moment.isocalendar()[:2], path)
    kept = {*list(days.values())[:DAYS], *list(weeks.values())[:WEEKS]}
    for path in there:
        if path not in kept:
            shutil.rmtree(path)


def _age_hours(folder: Path) -> float:
    """By the clock; a backup from the future (the clock was set back) counts as old."""
    seconds = datetime.now(UTC).timestamp() - (folder / backup_manifest.NAME).stat().st_mtime
    return seconds / 3600 if seconds >= 0 else float("inf")


def _mark_of(folder: Path) -> str | None:
    """What the store was at when the backup was made."""
    manifest = backup_manifest.read(folder)
    return manifest.mark if manifest else None
