"""Bars: rectangles of one width that stand on one floor, with thin gray axes beside and below."""

from dataclasses import dataclass
from statistics import median

import numpy as np

from models.pocket.teacher.blobs import box, label
from models.pocket.teacher.outlines import Outline

LONG = 0.5  # of the picture's width: a gray line at least so long is an axis
THIN = 0.2  # an axis fills at most this share of its box
NEUTRAL = 40.0  # largest difference between a gray pixel's channels


@dataclass(frozen=True)
class Bar:
    colour: str
    x: float  # pixels of a picture of 64
    height: float


def take_axes(mask: np.ndarray, pixels: np.ndarray) -> tuple[bool, np.ndarray]:
    """Whether there are axes, and the mask (h, w) without them."""
    neutral = mask & (np.ptp(pixels, axis=2) < NEUTRAL)
    if neutral.sum() < LONG * mask.shape[1]:
        return False, mask
    labels, count = label(neutral, diagonal=True)
    for number in range(1, count + 1):
        own = labels == number
        window = box(own)
        patch = own[window]
        if patch.shape[1] > LONG * mask.shape[1] and patch.mean() < THIN:
            return True, mask & ~own
    return False, mask


def bars(found: list[tuple[str, Outline]], axes: bool) -> list[Bar]:
    """The bars from the left, or none if this is no chart: all blobs must be upright boxes of one width on one floor."""
    if len(found) < (2 if axes else 3):
        return []
    shapes = [shape for _, shape in found]
    floor, width = median(s.y + s.height / 2 for s in shapes), median(s.width for s in shapes)
    if any(abs(s.y + s.height / 2 - floor) > 3 or abs(s.width - width) > 3 for s in shapes):
        return []
    if any(s.shape not in ("square", "rectangle") for s in shapes) and not axes:
        return []
    return sorted((Bar(colour, s.x, s.height) for colour, s in found), key=lambda bar: bar.x)
