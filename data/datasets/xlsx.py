"""A table of Excel (.xlsx), for any dataset of one's own: the first sheet, with a header line. The columns are those of `_lists.py`."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.datasets._lists import ListFormat, ListOptions, Row
from data.datasets._source import Source
from data.datasets._table import BETWEEN, check_header
from data.json_text import BadFile, encoding_of


class Xlsx(ListFormat):
    """A list of examples in the first sheet of a workbook."""

    class Options(ListOptions):
        pass

    format, rank = "xlsx", 9
    endings = (".xlsx",)
    expected = "a workbook of Excel"
    has_header = True

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = source.ending(*cls.endings)
        return f"{', '.join(map(source.named, found[:6]))}: the first sheet of a workbook" if found else None

    def columns(self, path: Path) -> list[str]:
        with _cells(path) as rows:
            return [name for name in _header(rows) if name]

    def rows(self, path: Path) -> Iterator[Row]:
        with _cells(path) as rows:
            header = _header(rows)
            lists = self.list_columns(header)
            for number, cells in enumerate(rows, 2):
                row = {name: _value(cell, name in lists) for name, cell in zip(header, cells) if name}
                if any(value is not None for value in row.values()):
                    yield f"{path}:{number}", row


@contextmanager
def _cells(path: Path) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The rows of the first sheet, one at a time. Raises BadFile."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(_regular(path), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise BadFile(f"is no workbook of Excel ({error}); save it as .xlsx") from error
    try:
        yield iter(book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()


def _regular(path: Path) -> Path:
    encoding_of(path)  # refuses pipes and devices
    return path


def _header(rows: Iterator[tuple[Any, ...]]) -> list[str]:
    header = ["" if cell is None else str(cell).strip() for cell in next(rows, ())]
    if not any(header):
        raise BadFile("its first line is empty, expected the names of the columns; add it")
    if twice := check_header(header):
        raise BadFile(twice)
    return header


def _value(cell: Any, is_list: bool) -> Any:
    if isinstance(cell, str):
        cell = cell.strip()
        if is_list and BETWEEN in cell and not cell.startswith("["):
            return [part.strip() for part in cell.split(BETWEEN)]
    return None if cell == "" else cell
