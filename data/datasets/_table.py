"""Tables as files of separated cells: their dialect is told by the first line, and every row by where it stands."""

import csv
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from data import bounded_reading
from data.datasets._columns import guessed
from data.datasets._lists import ListFormat, Row
from data.json_text import BadFile, Flawed, encoding_of, no_utf8, unreadable

BETWEEN = "|"  # several answers or choices in one cell
DELIMITERS = (",", ";", "\t", "|")


class TableFormat(ListFormat):
    """Rows of cells under a header line. A column is what the header calls it; a name that stands twice is refused."""

    has_header = True
    delimiters: tuple[str, ...] = DELIMITERS

    def columns(self, path: Path) -> list[str]:
        with self._table(path) as (table, _):
            return [name for name in _header(table) if name]

    def rows(self, path: Path) -> Iterator[Row]:
        with self._table(path) as (table, before):
            header = _header(table)
            yield from _rows(path, table, before, header, self.list_columns(header))

    @contextmanager
    def _table(self, path: Path) -> Iterator[tuple[Any, int]]:
        """The rows of cells of a file, and how many lines stand before them. Raises BadFile."""
        csv.field_size_limit(sys.maxsize)  # pictures in base64 stand in cells
        try:
            with closing(bounded_reading.text_lines(path, encoding_of(path), "surrogateescape")) as lines:
                start = next(lines, "")
                marked = start.lower().startswith("sep=")  # Excel's line that names the delimiter
                delimiter = start.rstrip("\r\n")[4:5] if marked else self._delimiter(start)
                yield csv.reader(lines if marked else chain([start], lines), delimiter=delimiter or ","), int(marked)
        except OSError as error:
            raise unreadable(error) from error

    def _delimiter(self, header: str) -> str:
        """The delimiter under which the header holds most columns that are known, then most columns."""
        return max(self.delimiters, key=lambda one: (len(guessed(_cells(header, one))), len(_cells(header, one))))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _header(table: Any) -> list[str]:
    """The names of the columns. Raises BadFile."""
    try:
        header = [name.strip() for name in next(table, [])]
    except csv.Error as error:
        raise BadFile(f"its first line is no line of a table ({error}); check its quotation marks") from error
    if not any(header):
        raise BadFile("its first line is empty, expected the names of the columns; add it")
    if twice := check_header(header):
        raise BadFile(twice)
    return header


def _rows(path: Path, table: Any, before: int, header: list[str], split: set[str]) -> Iterator[Row]:
    said = ""  # of lines in another encoding, looked up once
    while True:
        source = f"{path}:{before + table.line_num + 1}"
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield source, Flawed(f"not a line of a table ({error}); check its quotation marks")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if not _is_text(cells):
            said = said or no_utf8(path)
            yield source, Flawed(said)
            continue
        if len(cells) > len(header):
            yield source, Flawed(f"{len(cells)} cells under {len(header)} columns; put quotation marks round a cell with commas")
            continue
        yield source, {name: _value(cell.strip(), name in split) for name, cell in zip_longest(header, cells, fillvalue="") if name}


def _is_text(cells: list[str]) -> bool:
    """Whether all bytes of a line were text: others stand as surrogates in it."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def check_header(header: list[str]) -> str:
    """Why a header can't be used: two columns of one name; else nothing."""
    plain = [name.lower() for name in header if name]
    twice = next((name for name in plain if plain.count(name) > 1), None)
    return f"column {twice!r} stands twice in the first line; rename or delete one of the two" if twice else ""


def _value(cell: str, is_list: bool) -> Any:
    if not cell:
        return None
    if is_list and BETWEEN in cell and not cell.startswith("["):
        return [part.strip() for part in cell.split(BETWEEN)]
    return cell
