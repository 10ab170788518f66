"""What the Vega-Lite text of a spec may hold: marks and encodings of the spec's own table, and nothing that is fetched, random or endless.

Rendering runs in a child process with limits besides (models/rendering): this check gives the clear error beforehand.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from data.picture_specs.spec import LONGEST_MARKS, BadSpec, PictureSpec

TABLE = "table"  # the name of the spec's data in Vega-Lite
DEEPEST = 30  # objects and lists within each other
LARGEST_SIDE = 2000  # pixels, of a view
MOST_VALUES = 500  # of further inline data, such as the place of a line
_RANDOM = re.compile(r"\b(random|now|sample(?:Normal|LogNormal|Uniform))\s*\(")
_FETCHED = {  # key: why a spec can't have it
    "url": "nothing is fetched when a picture is rendered",
    "href": "a picture has no links",
    "sequence": "the data stands in `rows`",
    "graticule": "maps can't be drawn: their outlines would have to be fetched",
    "sphere": "maps can't be drawn: their outlines would have to be fetched",
    "sample": "a picture has to come out the same each time",
    "usermeta": "it tells a web page what to load",
}
_MARKS = {
    "image": "nothing is fetched when a picture is rendered",
    "geoshape": "maps can't be drawn: their outlines would have to be fetched",
}


def marks(spec: PictureSpec) -> dict[str, Any]:
    """The Vega-Lite object of a checked spec of the kind vega-lite, its data put in. Raises BadSpec."""
    spec.check()
    if len(spec.vega_lite) > LONGEST_MARKS:
        raise BadSpec(f"the Vega-Lite spec has {len(spec.vega_lite):,} characters; at most {LONGEST_MARKS:,} are rendered")
    try:
        chart = json.loads(spec.vega_lite or "null")
    except (ValueError, RecursionError) as error:
        raise BadSpec(f"the Vega-Lite spec is no JSON: {str(error)[:200]}") from error
    if not isinstance(chart, dict) or not chart:
        raise BadSpec("the Vega-Lite spec must be a JSON object with a mark and an encoding")
    schema = str(chart.get("$schema", ""))
    if "vega-lite" not in schema and ("vega/" in schema or "marks" in chart or "signals" in chart):
        raise BadSpec("this is a Vega spec; Vega-Lite is expected: mark and encoding")
    if not {"mark", "layer", "hconcat", "vconcat", "concat", "facet", "repeat"} & set(chart):
        raise BadSpec("the Vega-Lite spec has no mark: it would draw nothing")
    for where, key, value in _walk(chart, "", 0):
        _check(where, key, value)
    made = {name: value for name, value in chart.items() if name != "$schema"}
    titled = {"title": spec.title} if spec.title and "title" not in made else {}
    return {**titled, **made, "data": {"name": TABLE}, "datasets": {TABLE: spec.records()}}


def check(spec: PictureSpec) -> None:
    """Raises BadSpec for what can be told to be wrong before rendering."""
    if spec.kind == "vega-lite":
        marks(spec)
    else:
        spec.check()


def _walk(node: Any, where: str, depth: int) -> Iterator[tuple[str, str, Any]]:
    """(path, key, value) of everything in a JSON value. Raises BadSpec where it is too deep."""
    if depth > DEEPEST:
        raise BadSpec(f"the Vega-Lite spec is nested more than {DEEPEST} deep")
    pairs = node.items() if isinstance(node, dict) else ((str(i), item) for i, item in enumerate(node)) if isinstance(node, list) else ()
    for key, value in pairs:
        path = f"{where}.{key}" if where else str(key)
        yield path, str(key) if isinstance(node, dict) else "", value
        yield from _walk(value, path, depth + 1)


def _check(where: str, key: str, value: Any) -> None:
    """Raises BadSpec if a part of a Vega-Lite spec may not be there."""
    if key in _FETCHED and "values" not in where.split("."):
        raise BadSpec(f"`{where}`: {_FETCHED[key]}")
    if key in ("mark", "type") and isinstance(value, str) and value in _MARKS:
        raise BadSpec(f"`{where}` is {value}: {_MARKS[value]}")
    if key == "datasets" or (key == "name" and value != TABLE and where.endswith("data.name")):
        raise BadSpec(f'`{where}`: the data stands in `rows` and is called {{"name": "{TABLE}"}}')
    if key == "values" and isinstance(value, list) and len(value) > MOST_VALUES:
        raise BadSpec(f"`{where}` has {len(value):,} values; at most {MOST_VALUES} may stand beside the table")
    if (
        (key in ("width", "height") or where.endswith(("width.step", "height.step")))
        and isinstance(value, int | float)
        and not 0 < value <= LARGEST_SIDE
    ):
        raise BadSpec(f"`{where}` is {value:g}; 1 to {LARGEST_SIDE} pixels can be drawn")
    if isinstance(value, str) and (match := _RANDOM.search(value)):
        raise BadSpec(f"`{where}` uses {match[1]}(): a picture has to come out the same each time")
