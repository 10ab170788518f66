"""The folder of an export: made equal to what is exported, without touching what others have put there.

.mistakebook-export.json    the files that exports wrote, so that a later one knows which of them to remove
.mistakebook-export.part    what is being written; moved to its place when all of it is there
"""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data.errors import MistakebookError
from data.files import remove, write_whole
from data.records import Record

MANIFEST = ".mistakebook-export.json"
PART = ".mistakebook-export.part"
ROOM = 16 * 2**20  # bytes that stay free


class BadExportFolder(MistakebookError):
    """A folder that can't be exported to; the text says why and what to do."""


@dataclass(frozen=True)
class Equalised(Record):
    """What became of a folder: files of this export, files of earlier ones that were removed, files of others that were left alone."""

    files: int
    removed: int
    foreign: int


def equalise(folder: Path, write: Callable[[Path], None], needed: int = 0) -> Equalised:
    """Makes a folder hold what `write` writes into the folder that it is given, and beside that only what no export wrote.

    Files that earlier exports wrote and this one doesn't are removed; files of others stay, and one of them in the place of a file of
    this export is a reason to refuse. Where `write` fails the folder is as it was. `needed`: about how many bytes it will write.
    Raises BadExportFolder, OSError.
    """
    made = not folder.exists()
    try:
        with _locked(folder):
            _check_room(folder, needed)
            part = folder / PART
            remove(part)  # of an export that was killed
            part.mkdir()
            try:
                write(part)
                return _moved(folder, part)
            finally:
                remove(part)
    except PermissionError as error:
        raise BadExportFolder(f"{folder} can't be written to ({error.strerror}); choose another one, or change its permissions") from error
    except OSError as error:
        if error.errno == errno.EROFS:
            raise BadExportFolder(f"{folder} lies on a disk that is read-only; choose another folder") from error
        raise
    finally:
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def written_by_exports(folder: Path) -> set[str]:
    """The files that earlier exports have written, relative to the folder. Raises BadExportFolder where the list is damaged."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return set()
    try:
        listed = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        if not all(isinstance(name, str) for name in listed):
            raise TypeError
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise BadExportFolder(f"{manifest} can't be read; delete it and what the export wrote, or choose another folder") from error
    return {name for name in listed if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the folder, which is made if need be, so that two exports never write to it at once."""
    if folder.exists() and not folder.is_dir():
        raise BadExportFolder(f"{folder} is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadExportFolder(f"{folder}: a part of this path is a file; name a folder") from error
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BadExportFolder(f"another export is writing to {folder}; wait for its end, or choose another folder") from error
    finally:
        os.close(descriptor)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed and free < needed + ROOM:
        raise BadExportFolder(f"the disk of {folder} is too full: about {needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free")


def _moved(folder: Path, part: Path) -> Equalised:
    new = sorted(_files(part), key=lambda name: ("/" not in name, name == "README.md", name))  # pictures, lists, what tells of them
    old = written_by_exports(folder)
    _check_places(folder, new, old)
    _note(folder, [*new, *sorted(old.difference(new))])  # of both: killed from here on, the next export still knows which are ours
    for name in new:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (part / name).replace(target)
    gone = [name for name in old.difference(new) if (folder / name).is_file() or (folder / name).is_symlink()]
    for name in gone:
        (folder / name).unlink()
    for parent in sorted({(folder / name).parent for name in gone} - {folder}, reverse=True):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
    _note(folder, new)
    remove(part)
    return Equalised(len(new), len(gone), sum(1 for name in _files(folder) if name != MANIFEST) - len(new))


def _check_places(folder: Path, new: list[str], old: set[str]) -> None:
    """Raises BadExportFolder where a file would take the place of somebody else's, or would land outside by a symbolic link."""
    taken = [name for name in new if (os.path.lexists(folder / name) if name not in old else (folder / name).is_dir())]
    if taken:
        more = f" and {len(taken) - 1:,} more" if len(taken) > 1 else ""
        raise BadExportFolder(f"{folder / taken[0]}{more} was not written by an export and would be replaced; choose an empty folder")
    for parent in {(folder / name).parent for name in new} - {folder}:
        if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
            raise BadExportFolder(f"{parent} is not a folder of its own (a link or a file); choose an empty folder")


def _note(folder: Path, names: list[str]) -> None:
    write_whole(folder / MANIFEST, json.dumps({"about": "files written by exports of Mistakebook", "files": names}, indent=0))


def _files(folder: Path) -> list[str]:
    """All files below a folder, relative to it; links are not followed."""
    return [f"{Path(at).relative_to(folder).as_posix()}/{name}".removeprefix("./") for at, _, names in os.walk(folder) for name in names]
