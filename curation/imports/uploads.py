"""Files that come by upload, kept in the workspace until they are imported."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from data.errors import MistakebookError
from data.files import whole
from data.workspace import Workspace

MOST_BYTES = 4 * 2**30  # of one uploaded file


class BadUpload(MistakebookError):
    """An uploaded file that can't be kept."""


async def keep_upload(workspace: Workspace, batch: str, name: str, chunks: AsyncIterator[bytes]) -> Path:
    """Writes an uploaded file into the workspace, under the batch's folder; `name` may have folders. Raises BadUpload; returns the path."""
    target = _target(workspace, batch, name)
    size = 0
    with whole(target) as part, part.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                raise BadUpload(f"{name} is larger than {MOST_BYTES // 2**30} GB; copy it to this machine and give its path instead")
            file.write(chunk)
    return target


def new_batch() -> str:
    """A folder's name for the files of one upload."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"


def _target(workspace: Workspace, batch: str, name: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not batch.replace("-", "").isdecimal():
        raise BadUpload(f"{batch!r} is not an upload")
    if not parts or any(part in ("..", "/") or part.startswith(".") or "\0" in part or ":" in part or len(part) > 200 for part in parts):
        raise BadUpload(f"{name!r} can't be the name of a file here; rename it (no leading dots, no colons)")
    return workspace.root.joinpath("uploads", batch, *parts)
