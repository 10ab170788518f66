"""A workspace is one folder: the store, pictures, jobs, checkpoints, backups. It lies outside the repository."""

import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import MistakebookError
from data.files import write_whole

DEFAULT_NAME = "built-in"


class UnwritableHome(MistakebookError):
    """The folder of the workspaces can't be written to."""


class BadWorkspaceName(MistakebookError):
    """The name can't be that of a folder."""


@dataclass(frozen=True)
class Workspace:
    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def store(self) -> Path:
        return self.root / "store.duckdb"

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def journal(self) -> Path:
        return self.root / "replies.sqlite"

    @property
    def reviews(self) -> Path:
        """The journal of decisions (data/review_journal.py)."""
        return self.root / "store.reviews.jsonl"

    @property
    def search(self) -> Path:
        """The index of the free-text search; made anew from the store where it is missing."""
        return self.root / "search.sqlite"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def prices(self) -> Path:
        return self.root / "prices.json"

    @property
    def address(self) -> Path:
        """Where the app that owns the workspace can be reached; mode 600, see curation/workspaces/owner.py."""
        return self.root / "app.json"

    def job(self, job_id: int) -> Path:
        return self.root / "jobs" / str(job_id)

    def create(self) -> "Workspace":
        """Makes the folders; does nothing to what is there. Raises UnwritableHome, or OSError with ENOSPC on a full disk."""
        for folder in (self.root, self.images, self.root / "jobs", self.checkpoints, self.backups):
            try:
                if folder == self.root and not folder.parent.exists():
                    folder.parent.mkdir(parents=True, mode=0o700)  # the home: nobody else's business
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
                    raise
                raise UnwritableHome(_unwritable(folder, error.strerror)) from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise UnwritableHome(_unwritable(folder, "no permission, or a read-only disk"))
        return self


def _unwritable(folder: Path, why: str | None) -> str:
    return f"{folder} can't be made or written to ({why}): change its permissions, or set MISTAKEBOOK_HOME to a folder of your own"


def home() -> Path:
    """The parent of all workspaces: MISTAKEBOOK_HOME, else ~/.mistakebook."""
    return Path(os.environ.get("MISTAKEBOOK_HOME") or Path.home() / ".mistakebook").expanduser()


def find(name: str = DEFAULT_NAME) -> Workspace:
    """The workspace of that name, not created yet. Raises BadWorkspaceName unless it is a plain folder name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}", name):
        raise BadWorkspaceName(f"workspace name {name!r}: use letters, digits, '-', '_', '.' and spaces, at most 80")
    return Workspace(home() / name)


def names() -> list[str]:
    """The workspaces that exist, sorted."""
    return sorted(path.parent.name for path in home().glob("*/store.duckdb"))


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON that only its owner may read (mode 600), atomically."""
    write_whole(path, json.dumps(content), mode=0o600)
