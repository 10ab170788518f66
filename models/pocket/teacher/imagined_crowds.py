"""Scenes of many things that pocket-teacher makes up for new images: as the seed's picture, rendered exactly from a spec.

The built-in generator draws two or three things; where a question hangs on five or six, each place has to be right.
"""

import json
import random
from math import hypot
from typing import Any

from data.scenes import SIZE
from models.pocket.teacher.eyes import Object, Seen
from models.pocket.teacher.imagined import EASIER, HARDER

SCALE = 2  # pixels of the rendered picture a pixel of a picture of 64
COLUMNS = ["shape", "color", "x", "y", "size"]
CHANGE = {EASIER: (-2, -1), HARDER: (0, 1)}  # things more than in the seed's picture, by the difficulty asked for
AS_THE_SEED = (-1, 0, 0)
GAP = 1.5  # pixels between two things at least
_PATHS = {  # unit outlines for the renderer, whose side is 2; the built-in ones for circle and square
    "triangle": "M0,-1L0.866,0.5L-0.866,0.5Z",
    "pentagon": "M0,-1L0.951,-0.309L0.588,0.809L-0.588,0.809L-0.951,-0.309Z",
    "hexagon": "M0,-1L0.866,-0.5L0.866,0.5L0,1L-0.866,0.5L-0.866,-0.5Z",
}


def imagine_crowd(like: Seen, rng: random.Random, difficulty: str = "") -> tuple[Seen, dict[str, Any]] | None:
    """A scene as it will be seen, and its spec (data/picture_specs): other places, the seed's shapes, colors, sizes and background.

    None where things of these sizes find no room.
    """
    count = max(3, len(like.things) + rng.choice(CHANGE.get(difficulty, AS_THE_SEED)))
    models = rng.sample(like.things, min(count, len(like.things))) + rng.choices(like.things, k=max(0, count - len(like.things)))
    shapes = [thing.shape for thing in like.things]
    things: list[Object] = []
    for model in models:
        placed = _placed(model, rng.choice(shapes), things, rng)
        if placed is None:
            return None
        things.append(placed)
    return Seen(tuple(things), background=like.background), _spec(things, like.background)


def _placed(model: Object, shape: str, things: list[Object], rng: random.Random) -> Object | None:
    for _ in range(200):
        reach = 1.2 * model.radius + GAP
        x, y = rng.uniform(reach, SIZE - reach), rng.uniform(reach, SIZE - reach)
        if all(hypot(x - thing.x, y - thing.y) > 1.3 * (model.radius + thing.radius) + GAP for thing in things):
            return Object(shape, model.colour, model.size, x, y, model.radius, 1.0, False, rgb=model.rgb)
    return None


def _spec(things: list[Object], background: tuple[int, int, int]) -> dict[str, Any]:
    """A Vega-Lite chart of points without axes: each row is a thing, its place in pixels, its size the area of the square around it."""
    rows = [[_symbol(t), _hex(t.rgb), round(t.x, 1), round(t.y, 1), round((2 * SCALE * t.radius * _reach(t)) ** 2)] for t in things]
    scale = {"domain": [0, SIZE], "nice": False, "zero": False}
    marks = {
        "width": SCALE * SIZE,
        "height": SCALE * SIZE,
        "padding": 0,
        "background": _hex(background),
        "view": {"stroke": None},
        "mark": {"type": "point", "filled": True, "opacity": 1},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "axis": None, "scale": scale},
            "y": {"field": "y", "type": "quantitative", "axis": None, "scale": {**scale, "reverse": True}},
            "shape": {"field": "shape", "type": "nominal", "scale": None},
            "color": {"field": "color", "type": "nominal", "scale": None},
            "size": {"field": "size", "type": "quantitative", "scale": None},
        },
    }
    return {"kind": "vega-lite", "title": "", "columns": COLUMNS, "rows": rows, "vega_lite": json.dumps(marks)}


def _symbol(thing: Object) -> str:
    return _PATHS.get(thing.shape, "square" if thing.shape == "rectangle" else thing.shape)


def _reach(thing: Object) -> float:
    """Half the side of the renderer's symbol, a radius long (data/scenes.py draws its shapes so)."""
    return {"square": 0.9, "rectangle": 0.9, "triangle": 1.2, "pentagon": 1.08, "hexagon": 1.08}.get(thing.shape, 1.0)


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)
