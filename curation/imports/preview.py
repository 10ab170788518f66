"""Looking before importing: the first rows of a source beside the examples that they would become, and what could not be used."""

import base64
import io
import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from curation.imports import raw_rows
from curation.imports.raw_rows import RawRow, RawRows
from data import bounded_reading
from data.bounded_reading import NobodyWaits
from data.images import BadImage, load
from data.metrics import measure
from data.records import BadLine, Dataset, Record, Skipped, SourceExample, Split
from data.registry import DATASETS

if TYPE_CHECKING:
    from PIL.Image import Image

LOOK_AT = 1000  # items of the source
SECONDS = 8.0  # and no longer than this
ROWS = 5  # shown with their pictures
PREVIEWED = ("external_id", "split", "question", "golds", "choices", "kind", "source")
THUMB = 96  # pixels
LONGEST = 500  # characters of a text
MOST_WHOLE = 256 * 2**20  # bytes of a file that can only be read as a whole: this is the app's own memory


@dataclass(frozen=True)
class PreviewRow(Record):
    """An example that would be imported; `picture` is a data: address of a small copy, `source` its file and line."""

    external_id: str
    split: Split
    question: str
    golds: tuple[str, ...]
    choices: tuple[str, ...]
    kind: str | None
    source: str
    picture: str


@dataclass(frozen=True)
class DatasetPreview(Dataset):
    metric_title: str = ""


class ShownRow(BaseModel):
    """A row as it stands in the file, and what it would become: an example, or why not."""

    source: str
    cells: dict[str, str]
    item: PreviewRow | None
    said: str = Field(description="why it would not be imported")


class Preview(BaseModel):
    """A dataset as it would be imported: the first examples and the first bad lines."""

    about: DatasetPreview
    rows: list[PreviewRow] = Field(description="the first examples that would be imported")
    bad: list[BadLine] = Field(description="all lines that can't be used, of those that were looked at")
    looked: int = Field(description="items that were looked at, their pictures too")
    unusable: int = Field(description="of these")
    splits: dict[Split, int] = Field(description="of the usable ones")
    whole: bool = Field(description="whether all of the source was looked at")
    layout: str = Field(description="as which layout it was read, and why; empty where the format was named")
    skipped: dict[str, int] = Field(description="items that are left out, by reason")
    remarks: dict[str, int] = Field(description="examples of which something is passed over, by what")
    raw: list[ShownRow] = Field(description="the first rows as they stand in the file, with what each would become")
    columns: list[str] = Field(description="of the file, as far as it was looked at")
    fields: list[str] = Field(description="that a column can be chosen for; none where the format knows its own")
    mapping: dict[str, str] = Field(description="the column of each field: guessed, or as it was told")


def preview(format_: str, source: dict[str, Any]) -> Preview:
    """Reads the beginning of a source; nothing is stored. Raises UnknownPlugin, ValidationError."""
    plugin = DATASETS.make(format_, source)
    with bounded_reading.bounded(MOST_WHOLE, over=_Deadline()):
        return _Look(plugin).preview()


class _Deadline:
    """Says whether the time for a look is over."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS

    def __call__(self) -> bool:
        return time.monotonic() > self._end


class _Look:
    """What is found while the first items of a source are read."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.raw = RawRows(getattr(plugin, "plugin", plugin), ROWS)
        self.rows: list[PreviewRow] = []
        self.bad: list[BadLine] = []
        self.said: dict[str, str] = {}  # by source: why a row would not be imported
        self.splits: dict[Split, int] = {"train": 0, "dev": 0, "eval": 0}
        self.skipped: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self.looked, self.whole = 0, True
        self._flawed: dict[Path, str] = {}  # what is wrong with a picture that was looked at

    def preview(self) -> Preview:
        about = self.plugin.about()
        try:
            for item in islice(self.plugin.read(), LOOK_AT + 1):
                bounded_reading.still_wanted()
                if self.looked == LOOK_AT:
                    self.whole = False
                    break
                self.looked += 1
                self._take(item)
        except NobodyWaits:
            self.whole = False
        items = {row.source: row for row in self.rows}
        columns = self.raw.columns()
        return Preview(
            about=DatasetPreview(**vars(about), metric_title=measure(about.metric).title),
            rows=self.rows[:ROWS],
            bad=self.bad,
            looked=self.looked,
            unusable=len(self.bad),
            splits=self.splits,
            whole=self.whole,
            layout=self.plugin.why() if hasattr(self.plugin, "why") else "",
            skipped=dict(self.skipped),
            remarks=dict(self.remarks),
            raw=[self._shown(row, items.get(row.source)) for row in self.raw.first()],
            columns=columns,
            fields=self.raw.fields(),
            mapping=self.raw.mapping(columns),
        )

    def _take(self, item: SourceExample | BadLine | Skipped) -> None:
        if isinstance(item, Skipped):
            self.skipped[item.reason] += 1
            self.said[item.source] = item.reason
            return
        wanted = isinstance(item, SourceExample) and (len(self.rows) < ROWS or self.raw.has(item.source))
        usable = self._looked_at(item, wanted)
        if isinstance(usable, BadLine):
            self.bad.append(usable)
            self.said[usable.source] = usable.error
            return
        example, picture = usable
        self.remarks.update(example.remarks)
        self.splits[example.split] += 1
        if picture is not None:
            told = {name: getattr(example, name) for name in PREVIEWED}
            told |= {name: tuple(map(_cut, told[name])) for name in ("golds", "choices")} | {"question": _cut(example.question)}
            self.rows.append(PreviewRow(**told, picture=_thumbnail(picture)))

    def _looked_at(self, item: SourceExample | BadLine, wanted: bool) -> "BadLine | tuple[SourceExample, Image | None]":
        """An item with its picture where it is wanted, or what is wrong with it. A file that stands in many rows is decoded once."""
        if isinstance(item, BadLine):
            return item
        path = item.picture if isinstance(item.picture, Path) else None
        if path in self._flawed and not wanted:
            flaw = self._flawed[path]
            return BadLine(item.source or item.external_id, flaw) if flaw else (item, None)
        flaw, picture = "", None
        try:
            picture = load(item.picture, str(path or f"the image of {item.external_id}"))
        except (BadImage, OSError) as error:
            flaw = str(error)
        if path:
            self._flawed[path] = flaw
        return BadLine(item.source or item.external_id, flaw) if flaw else (item, picture if wanted else None)

    def _shown(self, row: RawRow, item: PreviewRow | None) -> ShownRow:
        said = self.said.get(row.source) or raw_rows.flaw(row.content)
        if not item and not said:
            said = self.bad[0].error if self.bad else "it was not reached in the time for a preview"
        return ShownRow(source=row.source, cells=raw_rows.cells(row.content), item=item, said="" if item else said)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _thumbnail(picture: "Image") -> str:
    """A data: address of a small copy."""
    picture.thumbnail((THUMB, THUMB))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
