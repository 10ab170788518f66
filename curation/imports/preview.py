"""Looking before importing: the first rows of a benchmark and the lines that can't be used; and files that come by upload."""

import base64
import io
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from data.files import whole
from data.images import BadImage, load
from data.records import BadLine, SourceExample
from data.registry import DATASETS
from data.workspace import Workspace

LOOK_AT = 300  # items of the source
SECONDS = 8.0  # and no longer than this
ROWS = 8  # shown with their pictures
BAD = 50
THUMB = 96  # pixels
MOST_BYTES = 4 * 2**30  # of one uploaded file


class BadUpload(ValueError):
    """An uploaded file that can't be kept."""


def preview(format_: str, source: dict[str, Any]) -> dict[str, Any]:
    """The dataset as it would be imported, its first examples and its first bad lines, pictures looked at too.

    Raises UnknownPlugin, ValidationError. `whole` tells whether all of the source was looked at.
    """
    plugin = DATASETS.make(format_, source)
    about, deadline = plugin.about(), time.monotonic() + SECONDS
    rows: list[dict[str, Any]] = []
    bad: list[dict[str, str]] = []
    looked, whole, splits = 0, True, {"train": 0, "dev": 0, "eval": 0}
    for item in islice(plugin.read(), LOOK_AT + 1):
        if looked == LOOK_AT or time.monotonic() > deadline:
            whole = False
            break
        looked += 1
        problem, picture = _problem(item)
        if problem:
            bad.append(problem)
            continue
        splits[item.split] += 1
        if len(rows) < ROWS:
            fields = {name: value for name, value in item.to_row().items() if name != "picture"}
            rows.append({**fields, "picture": _thumbnail(picture)})
    return {
        "about": about.to_row(),
        "rows": rows,
        "bad": bad[:BAD],
        "looked": looked,
        "unusable": len(bad),
        "splits": splits,
        "whole": whole,
    }


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
        raise BadUpload(f"{batch!r} names no upload")
    if not parts or any(part in ("..", "/") or part.startswith(".") or "\0" in part or ":" in part or len(part) > 200 for part in parts):
        raise BadUpload(f"{name!r} can't be the name of a file here; rename it (no leading dots, no colons)")
    return workspace.root.joinpath("uploads", batch, *parts)


def _problem(item: SourceExample | BadLine) -> tuple[dict[str, str] | None, Any]:
    """What is wrong with an item, else its picture."""
    if isinstance(item, BadLine):
        return {"source": item.source, "error": item.error}, None
    try:
        return None, load(item.picture, str(item.picture) if isinstance(item.picture, Path) else f"the picture of {item.external_id}")
    except (BadImage, OSError) as error:
        return {"source": item.external_id, "error": str(error)}, None


def _thumbnail(picture: Any) -> str:
    """A data: address of a small copy."""
    picture.thumbnail((THUMB, THUMB))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
