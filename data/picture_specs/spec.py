"""The spec of a picture: what a renderer draws, and the table of data that it shows.

{"kind": "vega-lite", "title": "Visitors", "columns": ["city", "n"], "rows": [["Oslo", 31], ["Bergen", 18]],
 "vega_lite": "{\\"mark\\": \\"bar\\", \\"encoding\\": {\\"x\\": {\\"field\\": \\"city\\"}, \\"y\\": {\\"field\\": \\"n\\"}}}"}
"""

import hashlib
import json
import math
import re
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data.errors import MistakebookError

SpecKind = Literal["vega-lite", "table", "document", "diagram", "bars"]
Cell = str | int | float
KINDS: tuple[SpecKind, ...] = get_args(SpecKind)
MOST_ROWS = {"vega-lite": 500, "table": 40, "document": 60, "diagram": 60, "bars": 12}
MOST_COLUMNS = {"vega-lite": 20, "table": 12, "document": 2, "diagram": 3, "bars": 2}
LEAST_COLUMNS = {"vega-lite": 1, "table": 1, "document": 2, "diagram": 2, "bars": 2}
LONGEST_TEXT = 200  # characters of a cell, a column's name or the title
LONGEST_MARKS = 20_000  # characters of `vega_lite`
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?")


class BadSpec(MistakebookError):
    """A spec that can't be rendered; the text says what is wrong with it and what was expected."""


class PictureSpec(BaseModel):
    """A picture that is rendered exactly. What a frontier model replies, what the store keeps, what exports write."""

    model_config = ConfigDict(frozen=True)

    kind: SpecKind = Field(
        description="vega-lite: any chart; table: the data as a table; document: lines of a form or receipt, a label and a value a row; "
        "diagram: arrows between boxes, a row each: from, to and maybe a label; bars: a small bar chart without text, "
        "a color and a height a row."
    )
    title: str = Field(default="", description="Printed above the picture; empty: none.")
    columns: list[str] = Field(description="Names of the data's columns.")
    rows: list[list[Cell]] = Field(description="The data, a cell a column; numbers as plain numbers.")
    vega_lite: str = Field(
        default="", description='For vega-lite: the Vega-Lite spec as JSON text, without its data: it reads {"name": "table"}. Else empty.'
    )

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, given: Any) -> Any:
        """Takes the ways in which models write a spec: Vega-Lite as an object, rows as objects, the data inside the Vega-Lite spec."""
        if not isinstance(given, dict):
            return given
        made = dict(given)
        for name in ("title", "vega_lite"):
            if made.get(name) is None:
                made.pop(name, None)
        marks = _object(made.get("vega_lite"))
        inside = marks.get("data") if marks else None
        values = inside.get("values") if isinstance(inside, dict) else None
        if marks and not made.get("rows") and isinstance(values, list):
            made |= {"rows": values, "columns": [], "vega_lite": {name: value for name, value in marks.items() if name != "data"}}
        if isinstance(made.get("vega_lite"), dict):
            made["vega_lite"] = json.dumps(made["vega_lite"], ensure_ascii=False)
        rows = made.get("rows")
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            columns = made.get("columns") or list(dict.fromkeys(name for row in rows for name in row))
            made |= {"columns": columns, "rows": [[row.get(name, "") for name in columns] for row in rows]}
        if isinstance(made.get("rows"), list):
            made["rows"] = [[_cell(cell) for cell in row] if isinstance(row, list) else row for row in made["rows"]]
        return made

    @field_validator("rows")
    @classmethod
    def _numbers(cls, rows: list[list[Cell]]) -> list[list[Cell]]:
        """A column whose cells are all plain numbers holds numbers, also where they were written as text ("01" is none)."""
        width = max(map(len, rows), default=0)
        plain = [all(_is_plain(row[i]) for row in rows if i < len(row)) for i in range(width)]
        return [[_number(cell) if plain[i] else cell for i, cell in enumerate(row)] for row in rows]

    def records(self) -> list[dict[str, Cell]]:
        """The rows as objects, as Vega-Lite takes them."""
        return [dict(zip(self.columns, row)) for row in self.rows]

    @property
    def seed(self) -> int:
        """The seed of its first picture, below 2**31: samples with the same spec show the same picture."""
        text = json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False)
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big") >> 1

    def check(self) -> None:
        """Raises BadSpec if its table is too large or not rectangular. What `vega_lite` may hold: safety.py."""
        kind, width = self.kind, len(self.columns)
        if not self.rows:
            raise BadSpec(f"the {kind} has no data: `columns` and `rows` are needed")
        if len(self.rows) > MOST_ROWS[kind]:
            raise BadSpec(f"{len(self.rows):,} rows of data; a {kind} has at most {MOST_ROWS[kind]}")
        if not LEAST_COLUMNS[kind] <= width <= MOST_COLUMNS[kind]:
            raise BadSpec(f"{width} columns; a {kind} has {LEAST_COLUMNS[kind]} to {MOST_COLUMNS[kind]}")
        if len(set(self.columns)) < width or not all(name.strip() for name in self.columns):
            raise BadSpec("the names of the columns must differ and not be empty")
        for place, row in enumerate(self.rows, 1):
            if len(row) != width:
                raise BadSpec(f"row {place} has {len(row)} cells, there are {width} columns")
        texts = [self.title, *self.columns, *(cell for row in self.rows for cell in row if isinstance(cell, str))]
        if longest := max(texts, key=len)[LONGEST_TEXT:]:
            raise BadSpec(f"a text of {LONGEST_TEXT + len(longest):,} characters; at most {LONGEST_TEXT} are drawn")
        if not all(_is_finite(cell) for row in self.rows for cell in row):
            raise BadSpec("a number in the data is too large to be drawn")


def _object(value: Any) -> dict[str, Any]:
    """An object, or the object in a JSON text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if len(value) <= LONGEST_MARKS else None
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _cell(cell: Any) -> Any:
    """A cell as JSON can hold it: an empty one is an empty text, an infinite number is written out."""
    if cell is None:
        return ""
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell


def _is_plain(cell: Cell) -> bool:
    return not isinstance(cell, str) or bool(_PLAIN_NUMBER.fullmatch(cell.strip()))


def _number(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else cell
    return float(cell) if "." in cell else int(cell)


def _is_finite(cell: Cell) -> bool:
    return isinstance(cell, str) or abs(cell) < 1e300
