"""A table with a header line, comma-separated, for any dataset of one's own. The columns are the fields of `_lists.py`.

Several answers or choices stand in one cell, with | between them.

id,image,question,answers,choices,split,kind
7,photos/7.jpg,What color is the bus?,red|red|dark red,,eval,attribute/colour
"""

import csv
from collections.abc import Iterator
from contextlib import closing
from functools import partial

from data import bounded_reading
from data.datasets._lists import ListOptions, about_list, example_of
from data.datasets._reading import Unusable, guarded, unique
from data.records import BadLine, Dataset, SourceExample

LISTS = ("answers", "choices")
BETWEEN = "|"


class Csv:
    """A list of examples as a comma-separated table, UTF-8."""

    class Options(ListOptions):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def about(self) -> Dataset:
        return about_list(self.options, "csv")

    def read(self) -> Iterator[SourceExample | BadLine]:
        return unique(self._lines())

    def _lines(self) -> Iterator[tuple[str, SourceExample | BadLine]]:
        path = self.options.path
        try:
            with closing(bounded_reading.text_lines(path, "utf-8-sig", "surrogateescape")) as file:
                rows = csv.reader(file)
                header = _header(rows)
                if missing := {"image", "question"} - set(header):
                    error = (
                        f"the first line names no column {' and '.join(sorted(missing))}; expected a header like id,image,question,answer"
                    )
                    yield f"{path}:1", BadLine(f"{path}:1", error)
                    return
                while True:
                    source = f"{path}:{rows.line_num + 1}"
                    try:
                        cells = next(rows)
                    except StopIteration:
                        return
                    except csv.Error as error:
                        yield source, BadLine(source, f"not a line of a table ({error}); check its quotation marks")
                        continue
                    if any(cell.strip() for cell in cells):
                        yield source, guarded(source, partial(self._example, header, cells, rows.line_num))
        except OSError as error:
            yield str(path), BadLine(str(path), f"can't be read ({error.strerror}); expected a comma-separated file, check the path")

    def _example(self, header: list[str], cells: list[str], number: int) -> SourceExample:
        if len(cells) > len(header):
            raise Unusable(f"{len(cells)} cells under {len(header)} columns; put quotation marks round a cell with commas")
        fields = {name: cell.strip() for name, cell in zip(header, cells) if cell.strip()}
        split = {name: [part.strip() for part in fields[name].split(BETWEEN)] for name in LISTS if name in fields}
        return example_of(fields | split, number, self.options)


def _header(rows: Iterator[list[str]]) -> list[str]:
    """The names of the columns; none if the first line isn't one of a table."""
    try:
        return [name.strip().lower() for name in next(rows, [])]
    except csv.Error:
        return []
