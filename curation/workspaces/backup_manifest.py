"""The manifest of a backup: size and SHA-256 of every file, so that what a disk or a copy has damaged is named before anything is restored.

FOLDER/manifest.json: {"format": 2, "made_at": ISO 8601, "files": {"images/ab/abc….png": [bytes, "sha256"], …}}. Paths are relative.
Symbolic links are refused on both ways: one could name any file of the machine.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from data.errors import MistakebookError
from data.files import write_whole

NAME = "manifest.json"
FORMAT = 2
NAMED = 12  # of what is wrong, that many are named
Entry = tuple[int, str]  # bytes, SHA-256


class BackupDamaged(MistakebookError):
    """A backup is not what its manifest says; the text names what differs."""


class LinkRefused(MistakebookError):
    """A symbolic link in a workspace or a backup."""


@dataclass(frozen=True)
class Manifest:
    made_at: str
    files: dict[str, Entry]
    mark: str | None = None  # what the store was at (query backup_mark)

    def write(self, folder: Path) -> None:
        files = {name: list(entry) for name, entry in sorted(self.files.items())}
        content = {"format": FORMAT, "made_at": self.made_at, "mark": self.mark, "files": files}
        write_whole(folder / NAME, json.dumps(content, indent=0), durable=True)


def make(folder: Path, known: dict[tuple[int, int], Entry] | None = None, mark: str | None = None) -> Manifest:
    """Of all files in a folder. `known`: entries by device and inode, of files that need not be read again (`known_files`)."""
    files: dict[str, Entry] = {}
    for path in files_in(folder):
        about = path.stat()
        entry = (known or {}).get((about.st_dev, about.st_ino))
        files[path.relative_to(folder).as_posix()] = entry if entry and entry[0] == about.st_size else entry_of(path)
    return Manifest(datetime.now(UTC).isoformat(timespec="seconds"), files, mark)


def read(folder: Path) -> Manifest | None:
    """None for a backup of an earlier version, which has no manifest. Raises BackupDamaged."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content: Any = json.loads(path.read_bytes())
        if "files" not in content and "tables" in content:  # only tables, made before a migration: their own manifest
            return None
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in content["files"].items()}
        return Manifest(content["made_at"], files, content.get("mark"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(f"{path} is damaged ({type(error).__name__}: {error}); nothing was restored. Restore another backup") from error


def check(folder: Path, manifest: Manifest) -> None:
    """Reads every file. Raises BackupDamaged with what is missing, other than it was, or not listed; LinkRefused."""
    there = {path.relative_to(folder).as_posix(): path for path in files_in(folder)}
    there.pop(NAME, None)
    wrong = []
    for name, (size, digest) in manifest.files.items():
        path = there.pop(name, None)
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            wrong.append(f"{name}: leads out of the backup")
        elif path is None:
            wrong.append(f"{name}: is missing")
        elif path.stat().st_size != size:
            wrong.append(f"{name}: has {path.stat().st_size:,} of {size:,} bytes")
        elif entry_of(path)[1] != digest:
            wrong.append(f"{name}: its content is another (SHA-256)")
    wrong += [f"{name}: is not in the manifest" for name in there]
    if wrong:
        more = f"; and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else ""
        raise BackupDamaged(
            f"the backup {folder} is damaged, nothing was restored: {'; '.join(wrong[:NAMED])}{more}. Restore another backup"
        )


def known_files(folder: Path) -> dict[tuple[int, int], Entry]:
    """What an earlier backup's manifest knows, by device and inode: a hard link of such a file has the same content."""
    try:
        manifest = read(folder)
    except BackupDamaged:
        return {}
    known: dict[tuple[int, int], Entry] = {}
    for name, entry in (manifest.files if manifest else {}).items():
        path = folder / name
        if path.is_file() and not path.is_symlink():
            about = path.stat()
            known[about.st_dev, about.st_ino] = entry
    return known


def files_in(folder: Path) -> Iterator[Path]:
    """All regular files below a folder. Raises LinkRefused."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise LinkRefused(f"{path} is a symbolic link (to {path.readlink()}): remove it, or put the file itself in its place")
        if path.is_file():
            yield path


def entry_of(path: Path) -> Entry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest
