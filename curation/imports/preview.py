"""Looking before importing: the first rows of a benchmark and the lines that can't be used."""

import base64
import io
import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from data import bounded_reading
from data.bounded_reading import NobodyWaits
from data.images import BadImage, load
from data.metrics import measure
from data.records import BadLine, Dataset, Record, Skipped, SourceExample, Split
from data.registry import DATASETS

if TYPE_CHECKING:
    from PIL.Image import Image

LOOK_AT = 300  # items of the source
SECONDS = 8.0  # and no longer than this
ROWS = 8  # shown with their pictures
BAD = 50
PREVIEWED = ("external_id", "split", "question", "golds", "choices", "kind")
THUMB = 96  # pixels
MOST_WHOLE = 256 * 2**20  # bytes of a file that can only be read as a whole: this is the app's own memory


@dataclass(frozen=True)
class PreviewRow(Record):
    """An example that would be imported; `picture` is a data: address of a small copy."""

    external_id: str
    split: Split
    question: str
    golds: tuple[str, ...]
    choices: tuple[str, ...]
    kind: str | None
    picture: str


@dataclass(frozen=True)
class DatasetPreview(Dataset):
    metric_title: str = ""


class Preview(BaseModel):
    """A dataset as it would be imported: the first examples and the first bad lines."""

    about: DatasetPreview
    rows: list[PreviewRow]
    bad: list[BadLine]
    looked: int = Field(description="items that were looked at, their pictures too")
    unusable: int = Field(description="of these")
    splits: dict[Split, int] = Field(description="of the usable ones")
    whole: bool = Field(description="whether all of the source was looked at")
    layout: str = Field(description="as which layout it was read, and why; empty where the format was named")
    skipped: dict[str, int] = Field(description="items that are left out, by reason")
    remarks: dict[str, int] = Field(description="examples of which something is passed over, by what")


def preview(format_: str, source: dict[str, Any]) -> Preview:
    """Reads the beginning of a source; nothing is stored. Raises UnknownPlugin, ValidationError."""
    plugin = DATASETS.make(format_, source)
    about, deadline = plugin.about(), time.monotonic() + SECONDS
    rows: list[PreviewRow] = []
    bad: list[BadLine] = []
    splits: dict[Split, int] = {"train": 0, "dev": 0, "eval": 0}
    skipped: Counter[str] = Counter()
    remarks: Counter[str] = Counter()
    looked, whole = 0, True
    try:
        with bounded_reading.bounded(MOST_WHOLE, over=lambda: time.monotonic() > deadline):
            for item in islice(plugin.read(), LOOK_AT + 1):
                if looked == LOOK_AT or time.monotonic() > deadline:
                    whole = False
                    break
                looked += 1
                if isinstance(item, Skipped):
                    skipped[item.reason] += 1
                    continue
                usable = _looked_at(item)
                if isinstance(usable, BadLine):
                    bad.append(usable)
                    continue
                example, picture = usable
                remarks.update(example.remarks)
                splits[example.split] += 1
                if len(rows) < ROWS:
                    told = {name: getattr(example, name) for name in PREVIEWED}
                    rows.append(PreviewRow(**told, picture=_thumbnail(picture)))
    except NobodyWaits:
        whole = False
    shown = DatasetPreview(**vars(about), metric_title=measure(about.metric).title)
    return Preview(
        about=shown,
        rows=rows,
        bad=bad[:BAD],
        looked=looked,
        unusable=len(bad),
        splits=splits,
        whole=whole,
        layout=plugin.why() if hasattr(plugin, "why") else "",
        skipped=dict(skipped),
        remarks=dict(remarks),
    )


def _looked_at(item: SourceExample | BadLine) -> "BadLine | tuple[SourceExample, Image]":
    """An item with its picture, or what is wrong with it."""
    if isinstance(item, BadLine):
        return item
    try:
        return item, load(item.picture, str(item.picture) if isinstance(item.picture, Path) else f"the image of {item.external_id}")
    except (BadImage, OSError) as error:
        return BadLine(item.external_id, str(error))


def _thumbnail(picture: "Image") -> str:
    """A data: address of a small copy."""
    picture.thumbnail((THUMB, THUMB))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
