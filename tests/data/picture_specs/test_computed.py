"""Answers from a table, held against pandas; and how an answer that was written by hand is read."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.picture_specs.computed import AnswerFrom, CantCompute, Computed, agrees, check, compute
from data.picture_specs.spec import PictureSpec

NAMES = ["Oslo", "Bergen", "Bodø", "Tromsø", "Moss", "Hamar"]
TABLE = PictureSpec(
    kind="table",
    columns=["city", "year", "visitors"],
    rows=[["Oslo", 2023, 31], ["Bergen", 2023, 18], ["Bodø", 2023, 24.5], ["Oslo", 2024, 33], ["Bergen", 2024, 18], ["Bodø", 2024, 20]],
)
IN_2023 = [{"column": "year", "value": 2023}]
tables = st.lists(
    st.tuples(st.sampled_from("xyz"), st.integers(-1000, 1000) | st.floats(-1e6, 1e6, allow_nan=False)), min_size=1, max_size=len(NAMES)
).map(lambda cells: [[name, group, value] for name, (group, value) in zip(NAMES, cells)])


def spec_of(rows):
    return PictureSpec(kind="table", columns=["name", "group", "value"], rows=rows)


def answer(spec, **expression):
    return compute(AnswerFrom.model_validate(expression), spec)


def answer_or_none(spec, **expression):
    try:
        return answer(spec, **expression)
    except CantCompute:
        return None


def is_close(one, other):
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


@given(tables)
def test_aggregates_are_those_of_pandas(rows):
    spec, frame = spec_of(rows), pd.DataFrame(rows, columns=["name", "group", "value"])
    value = frame["value"].astype(float)
    expected = {"max": value.max(), "min": value.min(), "sum": value.sum(), "mean": value.mean(), "median": value.median()}
    for op, number in {**expected, "range": value.max() - value.min()}.items():
        assert is_close(answer(spec, op=op, column="value").number, number), op
    assert answer(spec, op="count").number == len(frame)
    assert answer(spec, op="distinct", column="group").number == frame["group"].nunique()


@given(tables, st.sampled_from("xyz"))
def test_conditions_are_those_of_pandas(rows, group):
    spec, frame = spec_of(rows), pd.DataFrame(rows, columns=["name", "group", "value"])
    for relation, mask in (("=", frame["group"] == group), ("!=", frame["group"] != group)):
        where = [{"column": "group", "relation": relation, "value": group}]
        assert answer(spec, op="count", where=where).number == mask.sum()
        assert answer(spec, op="exists", where=where).answer == ("yes" if mask.any() else "no")
        total = answer_or_none(spec, op="sum", column="value", where=where)
        assert (total is None) == (not mask.any()) and (total is None or is_close(total.number, frame["value"][mask].astype(float).sum()))
    limit = float(frame["value"].iloc[0])
    where = [{"column": "value", "relation": ">=", "value": limit}]
    assert answer(spec, op="count", where=where).number == (frame["value"].astype(float) >= limit).sum()


@given(tables, st.integers(1, 6), st.booleans())
def test_ranks_are_those_of_pandas_and_ties_have_no_answer(rows, rank, highest):
    spec, frame = spec_of(rows), pd.DataFrame(rows, columns=["name", "group", "value"])
    place = answer_or_none(spec, op="argmax" if highest else "argmin", column="value", label="name", rank=rank)
    ordered = frame.assign(value=frame["value"].astype(float)).sort_values("value", ascending=not highest)
    if rank > len(frame) or (ordered["value"] == ordered["value"].iloc[rank - 1]).sum() > 1:
        assert place is None
    else:
        assert place.answer == ordered["name"].iloc[rank - 1]


@given(tables, st.data())
def test_pairs_and_shares_are_those_of_pandas(rows, data):
    spec = spec_of(rows)
    values = pd.DataFrame(rows, columns=["name", "group", "value"]).set_index("name")["value"].astype(float)
    first, other = data.draw(st.sampled_from(values.index.tolist())), data.draw(st.sampled_from(values.index.tolist()))
    pair = {"column": "value", "label": "name", "of": [first, other]}
    assert is_close(answer(spec, op="difference", **pair).number, abs(values[first] - values[other]))
    ratio = answer_or_none(spec, op="ratio", **pair)
    assert (ratio is None) == (values[other] == 0) and (ratio is None or is_close(ratio.number, values[first] / values[other]))
    greater, less = answer_or_none(spec, op="greater", **pair), answer_or_none(spec, op="less", **pair)
    if values[first] == values[other]:
        assert greater is less is None
    else:
        assert {greater.answer, less.answer} == {"yes", "no"} and (greater.answer == "yes") == (values[first] > values[other])
    share = answer_or_none(spec, op="percentage", column="value", label="name", of=[first])
    assert share is None or is_close(share.number, 100 * values[first] / math.fsum(values))


def test_places_and_cells():
    assert answer(TABLE, op="value", column="visitors", label="city", of=["Bodø"], where=IN_2023).answer == "24.5"
    assert answer(TABLE, op="first", label="city", rank=2).answer == "Bergen"
    assert answer(TABLE, op="last", label="city", where=IN_2023).answer == "Bodø"
    assert answer(TABLE, op="next", label="city", of=["Oslo"], where=IN_2023).answer == "Bergen"
    assert answer(TABLE, op="previous", label="city", of=["Bodø"], where=IN_2023).answer == "Bergen"
    assert answer(TABLE, op="argmax", column="visitors", label="city", of=["Bergen", "Bodø"], where=IN_2023).answer == "Bodø"
    assert answer(TABLE, op="argmin", column="visitors", label="city", where=IN_2023, equals="Bergen").answer == "yes"


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ({"op": "max", "column": "height"}, "no column “height”; there are: city, year, visitors"),
        ({"op": "argmax", "column": "visitors"}, "names no `label`"),
        ({"op": "sum", "column": "city"}, "“Oslo” in the column “city” is no number"),
        ({"op": "argmin", "column": "visitors", "label": "city"}, "Bergen and Bergen tie with 18"),
        ({"op": "argmax", "column": "visitors", "label": "city", "rank": 9}, "there are 6 rows"),
        ({"op": "value", "column": "visitors", "label": "city", "of": ["Oslo"]}, "2 rows have the city “Oslo”"),
        ({"op": "value", "column": "visitors", "label": "city", "of": ["Rome"]}, "no rows have the city “Rome”"),
        ({"op": "difference", "column": "visitors", "label": "city", "of": ["Oslo"], "where": IN_2023}, "must name two rows"),
        ({"op": "mean", "column": "visitors", "where": [{"column": "year", "value": 1999}]}, "no row fits"),
        ({"op": "next", "label": "city", "of": ["Bodø"], "where": IN_2023}, "no row after Bodø"),
        ({"op": "count", "where": [{"column": "city", "relation": "<", "value": 3}]}, "compares no two numbers"),
    ],
)
def test_what_gives_no_one_answer_says_why(expression, says):
    with pytest.raises(CantCompute, match=says):
        answer(TABLE, **expression)


@pytest.mark.parametrize(
    ("found", "written", "same"),
    [
        (Computed("Bergen"), "bergen.", True),
        (Computed("Bergen"), "The answer is Bergen", True),
        (Computed("Northern region A"), "Northern region B", False),
        (Computed("1234567", 1234567.0), "1,234,567", True),
        (Computed("1234567", 1234567.0), "$1.23 million", True),
        (Computed("1234567", 1234567.0), "1.24 million", False),
        (Computed("3", 3.0), "three", True),
        (Computed("3.4", 3.4), "3", False),  # a cell is exact
        (Computed("3.333333333", 10 / 3, True), "3.3", True),
        (Computed("3.333333333", 10 / 3, True), "3.4", False),
        (Computed("66.66666667", 200 / 3, True), "67 %", True),
        (Computed("5", 5.0), "-5", False),
        (Computed("31", 31.0), "31 visitors", True),
        (Computed("31", 31.0), "31 of 40", False),
        (Computed("yes"), "Yes", True),
        (Computed("yes"), "no", False),
    ],
)
def test_an_answer_is_read_as_people_write_it(found, written, same):
    assert agrees(found, written) == same


@given(st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9, allow_nan=False))
def test_a_number_agrees_with_itself_however_it_is_grouped(value):
    computed = answer(spec_of([["Oslo", "x", value]]), op="max", column="value")
    assert agrees(computed, computed.answer)
    if isinstance(value, int):
        assert agrees(computed, f"{value:,}") and not agrees(computed, f"{value + 1:,}")


def test_a_letter_stands_for_its_option():
    lowest = AnswerFrom(op="argmin", column="visitors", label="city", where=IN_2023)
    choices = ("Oslo", "Bergen", "Bodø")
    assert [check(lowest, TABLE, letter, choices).agrees for letter in "ABC"] == [False, True, False]
    assert check(lowest, TABLE, "D", choices).problem == "“D” is the letter of no option"
    untold = check(AnswerFrom(op="max", column="x"), TABLE, "3")
    assert (untold.answer, untold.agrees) == (None, False) and "no column" in untold.problem
