"""What commands print. On a terminal rich draws it; elsewhere, or with NO_COLOR, it is plain text: no colours, no lines drawn."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from pydantic_core import to_jsonable_python

from curation.commands.exit_codes import FAILED

if TYPE_CHECKING:  # rich takes 50 ms to load: only where it draws something
    from rich.console import Console
    from rich.table import Table

NARROWEST = 16  # characters that a column of free text keeps where a terminal is too narrow
GAP = 2  # blanks between columns


def show(content: Any, as_json: bool, parts: Callable[[], "str | Table | Iterable[str | Table]"]) -> None:
    """The result on standard output: as one JSON document, or as lines and tables, which are made when needed."""
    if as_json:
        print(json.dumps(content, ensure_ascii=False, default=to_jsonable_python))
        return
    made = parts()
    for part in [made] if isinstance(made, str) or not isinstance(made, Iterable) else made:
        print(part if isinstance(part, str) else drawn(part, sys.stdout))


def print_error(message: str, as_json: bool) -> int:
    """A failure on standard error (and as JSON on standard output); returns the exit status."""
    print(f"mistakebook: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))
    return FAILED


def table(rows: Sequence[object], columns: Sequence[str]) -> "Table":
    """Rows (dictionaries, or objects with these fields) as a table, numbers to the right."""
    from rich.table import Table
    from rich.text import Text

    made = Table(show_edge=False, pad_edge=False)
    for name in columns:
        numeric = all(isinstance(_field(row, name), int | float | None) for row in rows)
        made.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(_cell(_field(row, name))) for name in columns))
    return made


def drawn(made: "Table", stream: TextIO) -> str:
    """A table as text for a stream: for its terminal, or plain. Nothing is cut off.

    On a terminal, free text is wrapped where the table is too wide; numbers, names and ids stay in one line.
    """
    from rich import box

    console, plain = console_of(stream), is_plain(stream)
    room = None if plain else console.width
    for column, width in zip(made.columns, _widths(made, room)):
        column.width = width
        column.header_style = "none" if plain else "bold"
    made.box, made.padding = (None, (0, GAP, 0, 0)) if plain else (box.SIMPLE_HEAD, (0, GAP - 1, 0, 0))  # the box draws one blank
    console.width = sum(column.width or 0 for column in made.columns) + GAP * len(made.columns)
    with console.capture() as captured:
        console.print(made)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").split("\n"))


def _widths(made: "Table", room: int | None) -> list[int]:
    """Characters for each column: as many as it needs; in less room the widest columns of free text get less."""
    from rich.cells import cell_len

    texts = [[str(cell) for cell in (column.header, *column.cells)] for column in made.columns]
    widths = [max(cell_len(line) for text in column for line in text.split("\n")) for column in texts]
    free = [i for i, column in enumerate(texts) if any(" " in text for text in column) and widths[i] > NARROWEST]
    while room is not None and free and sum(widths) + GAP * len(widths) > room:
        widest = max(free, key=lambda i: widths[i])
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    return widths


def console_of(stream: TextIO, live: bool = False) -> "Console":
    """rich's console on a stream. `live`: a terminal, whose lines are written over even where they are plain."""
    from rich.console import Console

    plain = is_plain(stream)
    terminal = True if live else False if plain else None
    return Console(file=stream, no_color=plain, force_terminal=terminal, highlight=False, markup=False, emoji=False)


def is_plain(stream: TextIO) -> bool:
    """Whether a stream gets plain text: it is no terminal, or NO_COLOR is set (https://no-color.org)."""
    return not stream.isatty() or bool(os.environ.get("NO_COLOR"))


def _field(row: object, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
