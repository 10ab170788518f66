"""The first rows of a source as they stand in its file, for a look before the import: columns, cells as short texts, the mapping."""

import json
from dataclasses import dataclass
from itertools import islice
from typing import Any

from data.bounded_reading import NobodyWaits
from data.datasets._columns import FIELDS, guessed, mapping
from data.datasets._lists import REMARKS, ListFormat
from data.datasets._reading import Unusable
from data.json_text import BadFile, Flawed

LONGEST = 300  # characters of a cell
MOST_COLUMNS = 200


@dataclass(frozen=True)
class RawRow:
    """A row as its format reads it: an object of columns, or what stands in its place. `source` is its file and line."""

    source: str
    content: Any


class RawRows:
    """Keeps the first rows that a format reads. Formats that have no rows of somebody's own keep none."""

    def __init__(self, reader: Any, most: int) -> None:
        self._reader, self._most = reader, most
        self._rows: list[RawRow] = []
        if hasattr(reader, "on_row"):
            reader.on_row = self._keep

    def has(self, source: str) -> bool:
        return any(row.source == source for row in self._rows)

    def first(self) -> list[RawRow]:
        """The rows; where the file was refused for its columns, they are read all the same."""
        if not self._rows and isinstance(self._reader, ListFormat):
            try:
                for path in self._reader.files()[:1]:
                    self._rows += [RawRow(*row) for row in islice(self._reader.rows(path), self._most)]
            except (BadFile, OSError, NobodyWaits):
                return []
        return self._rows

    def columns(self) -> list[str]:
        """The columns of the first file; none for formats that know their own."""
        if not isinstance(self._reader, ListFormat):
            return []
        try:
            found = [column for path in self._reader.files()[:1] for column in self._reader.columns(path)]
        except (BadFile, OSError, NobodyWaits):
            found = [str(name) for row in self._rows if isinstance(row.content, dict) for name in row.content]
        return list(dict.fromkeys(found))[:MOST_COLUMNS]

    def fields(self) -> list[str]:
        return list(FIELDS) if isinstance(self._reader, ListFormat) else []

    def mapping(self, columns: list[str]) -> dict[str, str]:
        """The column of each field; what was told wrongly is left out, for it stands among the errors."""
        if not isinstance(self._reader, ListFormat):
            return {}
        made = guessed(columns)
        for field, column in self._reader.options.map.items():
            try:
                made = mapping(columns, {**made, field: column})
            except Unusable:
                continue
        return {field: made[field] for field in FIELDS if field in made}

    def _keep(self, source: str, content: Any) -> None:
        if len(self._rows) < self._most:
            self._rows.append(RawRow(source, content))


def cells(content: Any) -> dict[str, str]:
    """The cells of a row as short texts, by column. What has no columns is one cell."""
    if isinstance(content, Flawed):
        return {}
    if not isinstance(content, dict):
        return {"": _short(content)}
    return {str(name)[:LONGEST]: _short(value) for name, value in islice(content.items(), MOST_COLUMNS) if name != REMARKS}


def flaw(content: Any) -> str:
    """What is wrong with a row that can't be read at all."""
    return content.error if isinstance(content, Flawed) else ""


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value):,} bytes)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_short)
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
