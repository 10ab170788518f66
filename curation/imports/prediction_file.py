"""The items of a file of predictions, one at a time: an object a line, a JSON array, an object that holds or numbers them, or a table."""

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from curation.imports import harness_items
from data import bounded_reading
from data.datasets._columns import is_empty
from data.datasets._lists import ListOptions
from data.errors import MistakebookError
from data.json_text import BadFile, Flawed, NoNumber, elements, members, peek
from data.registry import DATASETS

TABLES = {".csv": "csv", ".tsv": "tsv", ".xlsx": "xlsx"}  # the format of datasets that reads files with this ending
EXPECTED = 'expected {"id": …, "answer": …}; correct or delete the line'
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
Found = tuple[str, Any]  # file and line, what it holds


class BadPredictions(MistakebookError):
    """A file of predictions that can't be used at all; the text says why and what to do."""


class NotUsed(MistakebookError):
    """An item that gives no prediction; `reason` is one of `Joined.REASONS`."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Number(str):
    """A number of JSON or of a table as it is written."""


class PredictionFile:
    """A file whose items may be read more than once. `note` says where they stand, if that isn't plain.

    Raises BadPredictions if it is no text in UTF-8 or holds an object without items.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.note = path, ""
        self._reader = self._chosen()

    def items(self) -> Iterator[Found]:
        """(file and line, content) of each; NotUsed where that can't be read. Raises BadPredictions where the file ends being JSON."""
        try:
            yield from self._reader()
        except BadFile as error:
            raise BadPredictions(f"{self.path}: {error}") from error
        except bounded_reading.TooLarge as error:
            raise BadPredictions(f"{self.path}: {error.strerror}") from error

    def _chosen(self) -> Callable[[], Iterator[Found]]:
        if self.path.suffix.lower() in TABLES:
            return self._rows
        with bounded_reading.opened(self.path) as file:
            start = file.read(64)
        if (encoding := _OTHER_ENCODINGS.get(start[:2])) or b"\0" in start:
            raise BadPredictions(f"{self.path} is in {encoding or 'no text encoding'}, expected UTF-8; save it as UTF-8 and import again")
        first = start.removeprefix(_BOM).lstrip()[:1]
        if first == b"[":
            return partial(self._elements, None)
        seen = peek(self.path) if first == b"{" else None
        if seen is None or seen.kind != "object" or harness_items.is_item(seen.head):
            return self._lines
        if harness_items.numbers_items(seen.head):
            return self._members
        lists = [name for name, element in seen.lists.items() if isinstance(element, dict)]
        under = "logs" if "logs" in lists else lists[0] if len(lists) == 1 else None  # lmms-eval before 0.3 has `logs` among others
        if under is None:
            names = ", ".join(map(repr, [*seen.lists, *seen.head][:8]))
            raise BadPredictions(
                f"{self.path} holds one object ({names}) and {'more than one' if lists else 'no'} list of predictions in it; "
                'expected an object a line, {"id": …, "answer": …}, or an array of them'
            )
        self.note = f"items of its field {under!r}"
        return partial(self._elements, under)

    def _elements(self, under: str | None) -> Iterator[Found]:
        for number, (_, value) in enumerate(elements(self.path, under, numbers=Number), 1):
            yield f"{self.path}#{number}", _unreadable(value)

    def _members(self) -> Iterator[Found]:
        for number, (_, name, value) in enumerate(members(self.path, numbers=Number), 1):
            item = {**value, harness_items.PLACE: int(name)} if isinstance(value, dict) and name.isdecimal() else value
            yield f"{self.path}#{number}", _unreadable(item)

    def _lines(self) -> Iterator[Found]:
        for number, raw in bounded_reading.lines(self.path):
            source = f"{self.path}:{number}"
            if raw is None:
                yield source, NotUsed("unreadable", f"{bounded_reading.LONG_LINE}; {EXPECTED}")
            elif line := raw.removeprefix(_BOM).strip():
                try:
                    yield source, _parsed(line)
                except (ValueError, RecursionError) as error:
                    yield source, NotUsed("unreadable", f"the line is not valid JSON ({error}); {EXPECTED}")

    def _rows(self) -> Iterator[Found]:
        """The rows of a table, a number as it is written, an empty cell or NaN as none."""
        table = DATASETS.load(TABLES[self.path.suffix.lower()])(ListOptions(path=self.path))
        for source, row in table.rows(self.path):
            yield source, _unreadable(row) if isinstance(row, Flawed) else {name: _cell(value) for name, value in row.items()}


def _unreadable(value: Any) -> Any:
    return NotUsed("unreadable", value.error) if isinstance(value, Flawed) else value


def _cell(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return NoNumber()
    if is_empty(value):
        return None
    return Number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _parsed(line: bytes) -> Any:
    return _DECODER.decode(line.decode())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"field {twice[:80]!r} stands twice in one object")
    return dict(pairs)


_DECODER = json.JSONDecoder(
    parse_int=Number, parse_float=Number, parse_constant=lambda _: NoNumber(), object_pairs_hook=_object
)  # one for all lines: making it takes as long as reading a short one
