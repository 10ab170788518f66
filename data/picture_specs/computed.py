"""Answers worked out from a spec's table, by a small expression: nothing is parsed or run, so nothing can hang.

{"op": "argmin", "column": "visitors", "label": "city"}                      the city with the fewest visitors
{"op": "argmax", "column": "visitors", "label": "city", "rank": 2}           … with the second most
{"op": "difference", "column": "visitors", "label": "city", "of": ["Oslo", "Bergen"]}
{"op": "sum", "column": "visitors", "where": [{"column": "year", "is": "=", "value": 2024}]}
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from data.errors import MistakebookError
from data.metrics import normalise, without_lead_in
from data.picture_specs.spec import Cell, PictureSpec

Op = Literal[
    "value", "argmax", "argmin", "first", "last", "next", "previous", "max", "min", "sum", "mean", "median", "range",
    "count", "distinct", "difference", "ratio", "percentage", "greater", "less", "exists",
]  # fmt: skip
ROUNDED = ("mean", "median", "ratio", "percentage")  # an answer to these may be rounded; others are exact
CLOSE = 1e-9  # relative difference up to which two numbers are the same
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}
_NUMBER = re.compile(r"(?P<number>-?\d[\d,\u202f\u00a0 ]*(?:\.\d+)?(?:[eE][-+]?\d+)?|-?\.\d+)\s*(?P<scale>[A-Za-z]+)?")


class CantCompute(MistakebookError):
    """The expression gives no one answer on this table; the text says why."""


class Condition(BaseModel):
    """A row counts if its cell of `column` is so."""

    model_config = ConfigDict(frozen=True)

    column: str
    relation: Literal["=", "!=", "<", "<=", ">", ">="] = "="
    value: Cell


class AnswerFrom(BaseModel):
    """How the answer follows from the table of a spec."""

    model_config = ConfigDict(frozen=True)

    op: Op = Field(
        description="value: the cell of `column` in the row named in `of`; argmax, argmin: the label of the row with the `rank`-th largest "
        "or smallest `column`; first, last: the label of the `rank`-th row from the start or end; next, previous: the label of the row "
        "beside the one in `of`; max, min, sum, mean, median, range (max - min), distinct: of `column`; count, exists: of rows; difference "
        "(without its sign), ratio, greater, less: of the two rows in `of`; percentage: of the rows in `of` in the whole `column`."
    )
    column: str | None = Field(default=None, description="The column of the values.")
    label: str | None = Field(default=None, description="The column that names the rows; the answer where a row is asked for.")
    of: list[Cell] = Field(default_factory=list, description="Labels of the rows meant; empty: all rows.")
    rank: int = Field(default=1, ge=1, le=500, description="1: the first or most extreme, 2: the second …")
    where: list[Condition] = Field(default_factory=list, description="Only rows that meet all of these; empty: all rows.")
    equals: Cell | None = Field(default=None, description="For yes-no questions: yes if the result is this.")


@dataclass(frozen=True)
class Computed:
    """The answer that the table gives: its text, and the number where it is one; `rounded`: an answer may be rounded."""

    answer: str
    number: float | None = None
    rounded: bool = False


@dataclass(frozen=True)
class Check:
    """A proposed answer held against the table. `answer` is None where nothing can be computed; then `problem` says why."""

    answer: str | None
    agrees: bool
    problem: str | None = None


def check(expression: AnswerFrom, spec: PictureSpec, proposed: str, choices: Sequence[str] = ()) -> Check:
    """Whether the table gives the proposed answer (the letter, where there are choices)."""
    try:
        computed = compute(expression, spec)
    except CantCompute as problem:
        return Check(None, False, str(problem))
    answer = proposed.strip()
    if choices:
        place = ord(answer) - 65 if len(answer) == 1 else -1
        if not 0 <= place < len(choices):
            return Check(computed.answer, False, f"“{answer}” is the letter of no option")
        answer = choices[place]
    return Check(computed.answer, agrees(computed, answer))


def compute(expression: AnswerFrom, spec: PictureSpec) -> Computed:
    """The answer by the table. Raises CantCompute: a column or row that isn't there, a tie, no row, text where numbers are needed."""
    rows = [row for row in spec.records() if all(_meets(row, condition, spec) for condition in expression.where)]
    computed = _OPS[expression.op](expression, spec, rows)
    if expression.equals is not None:
        return _yes(agrees(computed, str(expression.equals)))
    return computed


def agrees(found: Computed, answer: str) -> bool:
    """Whether an answer says what was computed: numbers by value, however they are written, texts after normalising."""
    bare = without_lead_in(answer).strip().rstrip(".")
    if found.number is None:
        return normalise(bare) == normalise(found.answer)
    written = _written_number(bare) or _written_number(normalise(bare))  # the latter knows "three"
    return any(_same(found.number, found.rounded, value, step) for value, step in written)


Rows = list[dict[str, Cell]]


def _value(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    if not e.of and len(rows) == 1:
        return _cell(rows[0][_column(e.column, "column", spec)])
    return _cell(_row(e, spec, rows, 0)[_column(e.column, "column", spec)])


def _extreme(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    rows = _meant(e, spec, rows)
    column, label = _column(e.column, "column", spec), _column(e.label, "label", spec)
    if e.rank > len(rows):
        raise CantCompute(f"there are {len(rows)} rows, so none is number {e.rank}")
    ordered = sorted(_numbers(column, rows), reverse=e.op == "argmax")
    tied = [row[label] for row in rows if row[column] == ordered[e.rank - 1]]
    if len(tied) > 1:
        raise CantCompute(f"{' and '.join(map(str, tied[:4]))} tie with {_text(ordered[e.rank - 1])}")
    return _cell(tied[0])


def _place(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    label = _column(e.label, "label", spec)
    if e.rank > len(rows):
        raise CantCompute(f"there are {len(rows)} rows, so none is number {e.rank}")
    return _cell(rows[e.rank - 1 if e.op == "first" else -e.rank][label])


def _beside(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    place = rows.index(_row(e, spec, rows, 0)) + (1 if e.op == "next" else -1)
    if not 0 <= place < len(rows):
        raise CantCompute(f"there is no row {'after' if e.op == 'next' else 'before'} {e.of[0]}")
    return _cell(rows[place][_column(e.label, "label", spec)])


def _aggregate(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    column = _column(e.column, "column", spec)
    rows = _meant(e, spec, rows)
    if e.op == "distinct":
        return _number(len({normalise(str(row[column])) for row in rows}))
    values = _numbers(column, rows)
    if not values:
        raise CantCompute("no row fits")
    made: dict[str, Callable[[list[float]], float]] = {
        "max": max, "min": min, "sum": math.fsum, "mean": fmean, "median": median, "range": lambda v: max(v) - min(v),
    }  # fmt: skip
    return _number(made[e.op](values), e.op in ROUNDED)


def _count(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    rows = [row for row in rows if not e.of or row[_column(e.label, "label", spec)] in _cells(e.of)]
    return _yes(bool(rows)) if e.op == "exists" else _number(len(rows))


def _pair(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    column = _column(e.column, "column", spec)
    if len(e.of) != 2:
        raise CantCompute(f"`of` must name two rows for {e.op}, it names {len(e.of)}")
    first, other = _numbers(column, [_row(e, spec, rows, 0), _row(e, spec, rows, 1)])
    if e.op == "difference":
        return _number(abs(first - other))
    if e.op == "ratio":
        if other == 0:
            raise CantCompute(f"{e.of[1]} is 0: there is no ratio")
        return _number(first / other, rounded=True)
    if first == other:
        raise CantCompute(f"{e.of[0]} and {e.of[1]} tie with {_text(first)}")
    return _yes((first > other) == (e.op == "greater"))


def _percentage(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Computed:
    column = _column(e.column, "column", spec)
    whole = math.fsum(_numbers(column, rows))
    if whole == 0:
        raise CantCompute(f"the sum of “{column}” is 0: there is no share")
    return _number(100 * math.fsum(_numbers(column, _meant(e, spec, rows))) / whole, rounded=True)


_OPS: dict[str, Callable[[AnswerFrom, PictureSpec, Rows], Computed]] = {
    "value": _value,
    **dict.fromkeys(("argmax", "argmin"), _extreme),
    **dict.fromkeys(("first", "last"), _place),
    **dict.fromkeys(("next", "previous"), _beside),
    **dict.fromkeys(("max", "min", "sum", "mean", "median", "range", "distinct"), _aggregate),
    **dict.fromkeys(("count", "exists"), _count),
    **dict.fromkeys(("difference", "ratio", "greater", "less"), _pair),
    "percentage": _percentage,
}


def _column(name: str | None, field: str, spec: PictureSpec) -> str:
    if name is None:
        raise CantCompute(f"the expression names no `{field}`")
    if name not in spec.columns:
        raise CantCompute(f"there is no column “{name}”; there are: {', '.join(spec.columns)}")
    return name


def _cells(labels: Sequence[Cell]) -> set[Cell]:
    """Labels as cells may hold them: also numbers that were written as text."""
    written = {value for label in labels if isinstance(label, str) and (value := _float(label)) is not None}
    return {*labels, *written, *(str(label) for label in labels)}


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _meant(e: AnswerFrom, spec: PictureSpec, rows: Rows) -> Rows:
    """The rows named in `of`; all where it names none. Each name must be there."""
    if not e.of:
        return rows
    return [row for i in range(len(e.of)) for row in [_row(e, spec, rows, i)]]


def _row(e: AnswerFrom, spec: PictureSpec, rows: Rows, place: int) -> dict[str, Cell]:
    """The one row whose label is named at a place of `of`."""
    if place >= len(e.of):
        raise CantCompute(f"`of` names no row for {e.op}")
    label = _column(e.label, "label", spec)
    named = [row for row in rows if row[label] in _cells([e.of[place]])]
    if len(named) != 1:
        raise CantCompute(f"{len(named) or 'no'} rows have the {label} “{e.of[place]}”; one was expected")
    return named[0]


def _numbers(column: str, rows: Rows) -> list[float]:
    values = [row[column] for row in rows]
    text = next((value for value in values if isinstance(value, str)), None)
    if text is not None:
        raise CantCompute(f"“{text}” in the column “{column}” is no number")
    return [float(value) for value in values]


def _meets(row: dict[str, Cell], condition: Condition, spec: PictureSpec) -> bool:
    cell, wanted = row[_column(condition.column, "where.column", spec)], condition.value
    if condition.relation in ("=", "!="):
        return (cell in _cells([wanted])) == (condition.relation == "=")
    number = _float(wanted) if isinstance(wanted, str) else float(wanted)
    if isinstance(cell, str) or number is None:
        raise CantCompute(f"“{cell}” {condition.relation} “{wanted}” compares no two numbers")
    return {"<": cell < number, "<=": cell <= number, ">": cell > number, ">=": cell >= number}[condition.relation]


def _cell(cell: Cell) -> Computed:
    return Computed(cell) if isinstance(cell, str) else _number(cell)


def _number(value: float, rounded: bool = False) -> Computed:
    return Computed(_text(value), float(value), rounded)


def _yes(holds: bool) -> Computed:
    return Computed("yes" if holds else "no")


def _text(value: float) -> str:
    """
    >>> _text(0.1 + 0.2), _text(1234567.0), _text(12.50)
    ('0.3', '1234567', '12.5')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"


def _written_number(text: str) -> list[tuple[float, float]]:
    """What a written number may mean, each with the value of its last digit; empty if it isn't one number.

    >>> _written_number("$1.2 million")
    [(1.2, 0.1), (1200000.0, 100000.0)]
    """
    numbers = _NUMBER.findall(text)
    if len(numbers) != 1:
        return []
    digits, word = re.sub(r"[^\deE.+-]", "", numbers[0][0]), numbers[0][1].lower()
    value, step = float(digits), 10.0 ** -len(re.split("[eE]", digits)[0].partition(".")[2])
    scale = _SCALES.get(word)
    return [(value, step), *([(value * scale, step * scale)] if scale else [])]


def _same(computed: float, rounded: bool, value: float, step: float) -> bool:
    """Whether a written number, whose last digit counts `step`, is the one computed."""
    whole = computed.is_integer() and value.is_integer()
    if computed == value or (not whole and math.isclose(computed, value, rel_tol=CLOSE, abs_tol=CLOSE)):
        return True
    return (rounded or step > 1) and abs(computed - value) <= step / 2 * (1 + CLOSE)
