"""Specs as models write them, and what of them is refused before anything is rendered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.picture_specs import safety
from data.picture_specs.spec import KINDS, LONGEST_TEXT, MOST_ROWS, BadSpec, PictureSpec

BAR = {"mark": "bar", "encoding": {"x": {"field": "city"}, "y": {"field": "n", "type": "quantitative"}}}
CITIES = {"columns": ["city", "n"], "rows": [["Oslo", 3], ["Bergen", 2]]}


def chart(marks=BAR, **more):
    return PictureSpec.model_validate({"kind": "vega-lite", **CITIES, "vega_lite": json.dumps(marks), **more})


def test_the_ways_in_which_models_write_a_spec_are_one():
    plain = chart()
    as_object = PictureSpec.model_validate({"kind": "vega-lite", **CITIES, "vega_lite": BAR})
    rows = [{"city": "Oslo", "n": 3}, {"city": "Bergen", "n": 2}]
    as_records = PictureSpec.model_validate({"kind": "vega-lite", "columns": ["city", "n"], "rows": rows, "vega_lite": BAR, "title": None})
    inside = PictureSpec.model_validate({"kind": "vega-lite", "columns": [], "rows": [], "vega_lite": {**BAR, "data": {"values": rows}}})
    assert plain == as_object == as_records == inside
    assert plain.seed == inside.seed and PictureSpec.model_validate(plain.model_dump()) == plain
    assert safety.marks(plain)["datasets"] == {"table": rows}


def test_a_column_of_written_numbers_holds_numbers_and_no_other():
    rows = [["1", "01", "2", 3.0], ["-2.50", "7", "two", 4]]
    spec = PictureSpec(kind="table", columns=list("abcd"), rows=rows)
    assert spec.rows == [[1, "01", "2", 3], [-2.5, "7", "two", 4]]


@pytest.mark.parametrize(
    ("marks", "says"),
    [
        ({**BAR, "data": {"url": "https://example.com/d.csv"}}, "nothing is fetched"),
        ({"layer": [{**BAR, "data": {"url": "file:///etc/passwd"}}]}, "nothing is fetched"),
        ({**BAR, "transform": [{"lookup": "a", "from": {"data": {"url": "x.csv"}, "key": "a"}}]}, "nothing is fetched"),
        ({"mark": "image", "encoding": {"url": {"field": "city"}}}, "nothing is fetched"),
        ({"mark": {"type": "image", "url": "http://x/y.png"}}, "nothing is fetched"),
        ({"mark": "geoshape"}, "maps can't be drawn"),
        ({"mark": {"type": "bar", "href": "http://x"}}, "no links"),
        ({"layer": [{**BAR, "data": {"sequence": {"start": 0, "stop": 10**12}}}]}, "the data stands in `rows`"),
        ({**BAR, "transform": [{"calculate": "random() * 9", "as": "r"}]}, "come out the same"),
        ({**BAR, "transform": [{"calculate": "now ()", "as": "r"}]}, "come out the same"),
        ({**BAR, "transform": [{"sample": 3}]}, "come out the same"),
        ({**BAR, "width": 10**7}, "1 to 2000 pixels"),
        ({**BAR, "height": {"step": -4}}, "1 to 2000 pixels"),
        ({**BAR, "datasets": {"other": []}}, "the data stands in `rows`"),
        ({"layer": [{**BAR, "data": {"name": "other"}}]}, "the data stands in `rows`"),
        ({"layer": [{**BAR, "data": {"values": [{"a": i} for i in range(501)]}}]}, "at most 500"),
        ({"encoding": {}}, "no mark"),
        ({"$schema": "https://vega.github.io/schema/vega/v6.json", "marks": []}, "Vega-Lite is expected"),
        ([BAR], "must be a JSON object"),
        ({**BAR, "usermeta": {"embedOptions": {"loader": "x"}}}, "web page"),
    ],
)
def test_what_is_fetched_random_endless_or_no_chart_is_refused_with_its_place(marks, says):
    with pytest.raises(BadSpec, match=says):
        safety.check(chart(marks))


def test_hostile_texts_are_refused():
    for text, says in (
        ("{" * 9000, "no JSON"),
        ("[" * 9000 + "]" * 9000, "no JSON|nested"),
        ("", "JSON object"),
        ("x" * 30_000, "characters"),
    ):
        with pytest.raises(BadSpec, match=says):
            safety.check(PictureSpec(kind="vega-lite", **CITIES, vega_lite=text))
    deep = BAR
    for _ in range(40):
        deep = {"layer": [deep]}
    with pytest.raises(BadSpec, match="nested"):
        safety.check(chart(deep))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"rows": []}, "no data"),
        ({"rows": [["a", 1]] * (MOST_ROWS["vega-lite"] + 1)}, "501 rows"),
        ({"rows": [["a"]]}, "row 1 has 1 cells"),
        ({"columns": ["n", "n"]}, "must differ"),
        ({"columns": ["", "n"]}, "must differ"),
        ({"columns": [f"c{i}" for i in range(21)], "rows": [list(range(21))]}, "21 columns"),
        ({"title": "x" * (LONGEST_TEXT + 1)}, "201 characters"),
        ({"rows": [["a", 1e301]]}, "too large to be drawn"),
    ],
)
def test_a_table_that_is_too_large_or_crooked_is_refused(more, says):
    with pytest.raises(BadSpec, match=says):
        safety.check(chart(**more))


KEYS = ["data", "mark", "url", "values", "layer", "x"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.text(max_size=5), json_values, max_size=3),
    st.lists(st.lists(st.text(max_size=3) | st.floats(), max_size=3)),
)
def test_whatever_is_in_a_spec_it_passes_or_is_refused(kind, marks, rows):
    spec = PictureSpec(kind=kind, columns=["a", "b"], rows=rows, vega_lite=json.dumps(marks))
    assert PictureSpec.model_validate_json(spec.model_dump_json()).seed == spec.seed
    try:
        safety.check(spec)
    except BadSpec as bad:
        assert str(bad)
