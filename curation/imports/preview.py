"""Looking before importing: the first rows of a benchmark and the lines that can't be used."""

import base64
import io
import time
from itertools import islice
from pathlib import Path
from typing import Any

from data.images import BadImage, load
from data.metrics import measure
from data.records import BadLine, SourceExample
from data.registry import DATASETS

LOOK_AT = 300  # items of the source
SECONDS = 8.0  # and no longer than this
ROWS = 8  # shown with their pictures
BAD = 50
THUMB = 96  # pixels


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
        "about": about.to_row() | {"metric_title": measure(about.metric).title},
        "rows": rows,
        "bad": bad[:BAD],
        "looked": looked,
        "unusable": len(bad),
        "splits": splits,
        "whole": whole,
    }


def _problem(item: SourceExample | BadLine) -> tuple[dict[str, str] | None, Any]:
    """What is wrong with an item, else its picture."""
    if isinstance(item, BadLine):
        return {"source": item.source, "error": item.error}, None
    try:
        return None, load(item.picture, str(item.picture) if isinstance(item.picture, Path) else f"the image of {item.external_id}")
    except (BadImage, OSError) as error:
        return {"source": item.external_id, "error": str(error)}, None


def _thumbnail(picture: Any) -> str:
    """A data: address of a small copy."""
    picture.thumbnail((THUMB, THUMB))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
