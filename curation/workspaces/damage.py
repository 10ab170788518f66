"""What is known of a damaged write-ahead log of this workspace: told on every page and by `mistakebook doctor` until somebody has read it.

The store writes `damaged/TIME/report.json` beside what it kept (data/store_opening.py); what the journal of decisions brought back, and
that it was read, is added here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import MistakebookError
from data.files import write_whole
from data.store_opening import DAMAGED, REPORT
from data.workspace import Workspace


class UnknownDamage(MistakebookError):
    """There is no such report."""

    status = 404


@dataclass(frozen=True)
class Damage:
    """A log that was damaged. Bytes are of the log."""

    name: str  # of the folder in `damaged/`
    folder: str
    at: str  # ISO 8601
    log_bytes: int
    replayed_bytes: int
    brought_back: int | None  # decisions from their journal; None: not tried
    left_out: int  # decisions that the journal has and that could not be brought back
    lines_lost: int  # of the journal: damaged or missing
    read_by: str | None
    backup: str | None  # the newest one before it

    @property
    def text(self) -> str:
        lost = self.log_bytes - self.replayed_bytes
        said = [
            f"The write-ahead log of the store was damaged (found {self.at[:16].replace('T', ' ')} UTC). "
            f"{self.replayed_bytes:,} of its {self.log_bytes:,} bytes were replayed; what stood in the last {lost:,} is not in the store."
        ]
        if self.brought_back is None:
            said.append("Decisions may be missing: mistakebook recover shows which the journal of decisions holds.")
        else:
            said.append(f"{self.brought_back:,} decisions were brought back from the journal of decisions, {self.left_out:,} could not be.")
        if self.lines_lost:
            said.append(f"{self.lines_lost:,} lines of the journal are damaged or missing.")
        said.append("Results of jobs that were running are read again from their folders; other changes of those moments may be missing.")
        said.append(f"File and log are kept in {self.folder}.")
        said.append(f"The newest backup is {self.backup}." if self.backup else "There is no backup.")
        return " ".join(said)


def note_recovery(folder: Path, brought_back: int, left_out: int, lines_lost: int) -> None:
    """Adds to a report what the journal of decisions brought back."""
    _add(folder, {"brought_back": brought_back, "left_out": left_out, "lines_lost": lines_lost})


def damages(workspace: Workspace, unread: bool = False) -> list[Damage]:
    """All damages that were found, latest first; `unread`: only those that nobody has marked as read."""
    found = []
    for path in sorted((workspace.root / DAMAGED).glob(f"*/{REPORT}"), reverse=True):
        row = json.loads(path.read_text(encoding="utf-8"))
        if not (unread and row.get("read_by")):
            found.append(_damage(workspace, path.parent, row))
    return found


def mark_read(workspace: Workspace, name: str, reader: str) -> None:
    """Somebody has read it: pages tell of it no longer. Raises UnknownDamage."""
    if name not in {damage.name for damage in damages(workspace)}:
        raise UnknownDamage(f"there is no report of a damage named {name!r}")
    _add(workspace.root / DAMAGED / name, {"read_by": reader})


def _damage(workspace: Workspace, folder: Path, row: dict[str, Any]) -> Damage:
    backups = sorted(path for path in workspace.backups.glob("*") if (path / "store" / "manifest.json").is_file())
    return Damage(
        name=folder.name,
        folder=str(folder),
        at=row["at"],
        log_bytes=row["log_bytes"],
        replayed_bytes=row["replayed_bytes"],
        brought_back=row.get("brought_back"),
        left_out=row.get("left_out", 0),
        lines_lost=row.get("lines_lost", 0),
        read_by=row.get("read_by"),
        backup=str(backups[-1]) if backups else None,
    )


def _add(folder: Path, more: dict[str, Any]) -> None:
    path = folder / REPORT
    row = json.loads(path.read_text(encoding="utf-8"))
    write_whole(path, json.dumps({**row, **more}, indent=1), durable=True)
