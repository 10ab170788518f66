"""Cells that a spreadsheet would take for formulas."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as some

from data.spreadsheets import FORMULA, plain_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("http://evil","x")'])
def test_formulas_become_texts(text):
    assert plain_cell(text) == "'" + text


@given(some.one_of(some.text(), some.integers(), some.floats(allow_nan=False), some.none(), some.booleans()))
def test_all_others_stay_and_none_is_left(value):
    cell = plain_cell(value)
    assert cell == value or (isinstance(value, str) and cell == f"'{value}")
    written = io.StringIO()
    csv.writer(written).writerow([cell if isinstance(cell, str) else "x"])
    assert not next(csv.reader(io.StringIO(written.getvalue(), newline="")))[0].lstrip(" ").startswith(FORMULA)
