"""What shape a blob is: each known shape of the blob's own area is laid over it, and the one that differs least is it.

A blob's `cover` is how much of each pixel it covers, from 0 to 1, so that shapes of 7 pixels' radius can be told apart.
"""

from dataclasses import dataclass

import numpy as np

from data.scenes import SIDES
from models.pocket.teacher.words import CORNERS

TOO_SMALL = 5.0  # pixels of radius below which five and six corners can't be told from none
PIXEL = 0.29  # pixels: the softness of an edge that is as sharp as pixels can be
SOFT = 0.45  # pixels from which an edge counts as soft
SQUARE_ENOUGH = 1.25  # longest to shortest side of what is called a square
AREA_OF_RADIUS = {  # area of a drawn shape by its radius squared (data/scenes.py draws them so)
    "circle": np.pi,
    "square": (2 * 0.9) ** 2,
    "rectangle": (2 * 0.9) ** 2,
    **{
        name: sides / 2 * (1.2 if sides == 3 else 1.08) ** 2 * np.sin(2 * np.pi / sides)
        for name, sides in SIDES.items()
        if sides not in (0, 4)
    },
}


@dataclass(frozen=True)
class Outline:
    """The best shape, and how sure: `misfit` is the share of its area that differs, `margin` by how much more the next best differs."""

    shape: str
    x: float
    y: float
    width: float
    height: float
    radius: float
    misfit: float
    margin: float


def outline(cover: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Outline:
    """The outline of a blob; `cover` is (h, w), `rows` (h, 1) and `columns` (1, w) are the pixels' centres in pixels."""
    area = float(cover.sum())
    by_column, by_row = cover.sum(0), cover.sum(1)
    x, y = float(by_column @ columns[0]) / area, float(by_row @ rows[:, 0]) / area
    dx, dy = columns - x, rows - y
    spread_x = max(float(by_column @ dx[0] ** 2) / area, 0.1)
    spread_y = max(float(by_row @ dy[:, 0] ** 2) / area, 0.1)
    width, height = np.sqrt(12 * spread_x), np.sqrt(12 * spread_y)  # of a rectangle that spreads so
    names, inside = _candidates(area, dx, dy, width, height)
    layers = _softened(np.clip(inside + 0.5, 0, 1), _softness(cover, area))
    misfits = np.abs(layers - cover).sum((1, 2)) / area
    order = np.argsort(misfits)
    shape = names[order[0]]
    if shape == "square" and max(width, height) > SQUARE_ENOUGH * min(width, height):
        shape = "rectangle"
    rival = next((i for i in order if names[i] != names[order[0]]), order[0])
    radius = float(np.sqrt(area / AREA_OF_RADIUS[shape]))
    return Outline(shape, x, y, float(width), float(height), radius, float(misfits[order[0]]), float(misfits[rival] - misfits[order[0]]))


def _candidates(area: float, dx: np.ndarray, dy: np.ndarray, width: float, height: float) -> tuple[list[str], np.ndarray]:
    """Names and distances to the edge, positive inside, (n, h, w) in pixels. All have the blob's centre and spread or area."""
    names, layers = ["circle", "square", "triangle"], [np.sqrt(area / np.pi) - np.sqrt(dx * dx + dy * dy)]
    layers.append(np.minimum(width / 2 - np.abs(dx), height / 2 - np.abs(dy)))
    # an isosceles triangle of base b and height h spreads by b²/24 across and h²/18 along; its centre is h/3 above its base
    base, tall = np.sqrt(2) * width, np.sqrt(1.5) * height
    slope = np.hypot(tall, base / 2)
    flank = ((base / 2) * (dy + tall * 2 / 3) - tall * np.abs(dx)) / slope
    layers.append(np.minimum(flank, tall / 3 - dy))
    if np.sqrt(area / np.pi) >= TOO_SMALL:
        for name in ("pentagon", "hexagon"):
            sides = CORNERS[name]
            apothem = np.sqrt(area / (sides * np.tan(np.pi / sides)))
            turns = 2 * np.pi * (np.arange(sides) + 0.5) / sides - np.pi / 2  # a corner points up
            away = np.cos(turns)[:, None, None] * dx + np.sin(turns)[:, None, None] * dy
            names.append(name)
            layers.append(apothem - away.max(0))
    return names, np.stack([np.broadcast_to(layer, (dy.size, dx.size)) for layer in layers])


def _softness(cover: np.ndarray, area: float) -> float:
    """The Gaussian's radius in pixels that would make a sharp blob's edge as soft as this one's.

    Along an edge of radius r the sum of cover * (1 - cover) is r / sqrt(pi) a pixel of length; the outline is taken for a rough circle.
    """
    length = 2.2 * np.sqrt(np.pi * area)
    return float(np.sqrt(np.pi) * (cover * (1 - cover)).sum() / length)


def _softened(layers: np.ndarray, softness: float) -> np.ndarray:
    """The layers (n, h, w) blurred by so much more than a pixel's own area does."""
    if softness < SOFT:
        return layers
    radius = np.sqrt(min(softness, 3.0) ** 2 - PIXEL**2)
    down, across = (_gaussian(side, radius) for side in layers.shape[1:])
    return down @ layers @ across


def _gaussian(side: int, radius: float) -> np.ndarray:
    apart = np.subtract.outer(np.arange(side), np.arange(side))
    return np.exp(-(apart**2) / (2 * radius**2)) / (np.sqrt(2 * np.pi) * radius)
