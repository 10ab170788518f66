"""The eye of pocket-teacher: what is in a picture, from its pixels alone.

A light, plain background is assumed, as both built-in benchmarks have it. Blobs are parted from it by colour, fitted
with shapes (outlines.py) and named; a blob's blur, a chart's bars and a doubtful picture are told too.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from data.scenes import RADII, SIZE
from models.pocket.teacher import charts
from models.pocket.teacher.blobs import box, label
from models.pocket.teacher.outlines import Outline, outline
from models.pocket.teacher.words import PALETTE

CONTRAST = 42.0  # RGB distance (Euclidean) from the background from which a pixel belongs to something
NOISE = 2.6  # ... but at least so many times the median pixel's distance, which grainy backgrounds raise
FAINTEST = 30.0  # a picture with no pixel farther from its background shows nothing
SHARP = 0.2  # steepest edge, as a share of the contrast per pixel, below which a picture is blurred
SMALLEST = 10.0  # pixels of area; less is a speck
SPLINTER = 0.14  # a part of a blob of another colour smaller than this share is a fringe or a stain
ONE_SHAPE = 0.16  # the misfit up to which a blob of several colours is one shape, not two that touch
CORE = 0.6  # of a blob's strongest contrast: what has more is no edge
LARGE = sum(RADII.values()) / 2  # pixels of radius
MOST = 8  # more blobs than this is no drawn scene
# how often the best shape is right, by how much more of its area the next best differs: 3,358 objects that were warped, blurred
# and strewn with noise (tests/models/pocket/teacher/test_eyes.py draws such)
RIGHT_BY_MARGIN = ((0, 0.003, 0.006, 0.01, 0.015, 0.03), (0.4, 0.65, 0.85, 0.94, 0.96, 0.99))
PLAIN = 0.3  # the share of the picture that the background must have

_NAMES = [name for name, values in PALETTE.items() for _ in values]
_COLOURS = np.array([value for values in PALETTE.values() for value in values], dtype=np.float32)
_FIRST = np.array([_NAMES.index(name) for name in _NAMES])  # a colour's two values count as one
# PocketVQA's colours waver when a diffusion model draws them; easy-VQA's own four are always exact
_EXACT = np.array([name in ("black", "gray", "teal", "brown") for name in _NAMES])
_HUES = np.flatnonzero(~np.isin(_NAMES, ("gray", "teal", "brown")))  # directions from white in which no two are alike
_TOWARDS = (240.0 - _COLOURS[_HUES]).T / np.linalg.norm(240.0 - _COLOURS[_HUES], axis=1)
_PURE = np.array([set(value.astype(int)) <= {0, 255} for value in _COLOURS]) | _EXACT


@dataclass(frozen=True)
class Object:
    """One thing seen; places and lengths in pixels of a picture of 64, from the top left."""

    shape: str  # "unclear" in a blurred picture
    colour: str
    size: str
    x: float
    y: float
    radius: float
    confidence: float  # of the shape, 0 to 1
    flat: bool  # painted in one of easy-VQA's exact colours: that benchmark calls a square a rectangle
    colour_confidence: float = 0.97  # low where several colours run into each other
    rgb: tuple[int, int, int] = field(default=(0, 0, 0), compare=False)  # as it is painted

    @property
    def words(self) -> str:
        return f"{self.size} {self.colour} {self.shape}"


@dataclass(frozen=True)
class Paint:
    """A blob's colour, how sure, and whether it is one of easy-VQA's exact ones."""

    colour: str
    sure: float
    flat: bool
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class Seen:
    """What the eye makes of a picture: either `things` or `bars` (from the left) is filled, or neither."""

    things: tuple[Object, ...] = ()
    bars: tuple[charts.Bar, ...] = ()
    blurred: bool = False
    sharpness: float = 1.0
    confidence: float = 1.0  # that it is a drawn scene and read off rightly
    background: tuple[int, int, int] = field(default=(240, 240, 240), compare=False)

    @property
    def words(self) -> str:
        """A description in one sentence."""
        if self.bars:
            return f"A bar chart of {len(self.bars)} bars: " + ", ".join(f"{bar.colour} ({bar.height:.0f} px)" for bar in self.bars) + "."
        if not self.things:
            return "Nothing can be made out on the background." if self.confidence > 0.5 else "The picture is no drawn scene."
        if self.blurred:
            return "A heavily blurred photo of something " + " and something ".join(thing.colour for thing in self.things) + "."
        placed = (
            f"a {t.words} at the {'top' if t.y < SIZE / 2 else 'bottom'} {'left' if t.x < SIZE / 2 else 'right'}" for t in self.things
        )
        return "A plain background with " + " and ".join(placed) + "."


def see(image: Image.Image) -> Seen:
    """What a picture shows. Any mode and size; larger ones are shrunk to 64 pixels first."""
    pixels, scale = _pixels(image)
    background = _background(pixels)
    away = background - pixels
    distance = np.sqrt((away * away).sum(2))
    strongest = float(distance.max())
    if strongest < FAINTEST:
        return Seen()
    contrast = min(max(CONTRAST, NOISE * float(np.median(distance))), 2 * CONTRAST)
    if (distance < contrast).mean() < PLAIN:
        return Seen(confidence=0.1)
    sharpness = _steepest(pixels) / strongest / scale
    if sharpness < SHARP:
        return Seen(_blurred_things(away, distance, strongest, scale), (), True, sharpness, 0.95)
    mask = distance > contrast
    axes, mask = charts.take_axes(mask, pixels)
    blobs = _blobs(mask, away, distance)
    if len(blobs) > MOST:
        return Seen(sharpness=sharpness, confidence=0.1)
    found = [thing for blob in blobs if (thing := _thing(blob, background, pixels)) is not None]
    bars = charts.bars([(paint.colour, shape) for paint, shape in found], axes)
    if bars:
        return Seen(bars=tuple(replace(bar, x=bar.x * scale, height=bar.height * scale) for bar in bars), sharpness=sharpness)
    things = tuple(_named(*part, scale) for part in found)
    if len(things) > 1:  # easy-VQA shows one thing
        things = tuple(replace(thing, flat=False) for thing in things)
    return Seen(things, (), False, sharpness, min((thing.confidence for thing in things), default=1.0), _rgb(background))


def _pixels(image: Image.Image) -> tuple[np.ndarray, float]:
    """(h, w, 3) float32, and how many pixels of a 64-pixel picture one of them is long. What is transparent is white."""
    longest = max(image.size)
    if longest > SIZE:
        image.draft("RGB", (2 * SIZE, 2 * SIZE))  # a JPEG is decoded small
        image = image if image.mode in ("RGB", "RGBA", "L") else image.convert("RGBA")
        image = image.resize([max(1, round(side * SIZE / longest)) for side in image.size], Image.Resampling.BOX, reducing_gap=2.0)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(image.convert("RGB"), dtype=np.float32), SIZE / min(longest, SIZE)


def _background(pixels: np.ndarray) -> np.ndarray:
    """The mean of the commonest colour's pixels, found on a grid of 16 levels a channel."""
    flat = pixels.reshape(-1, 3)
    coarse = (flat / 16).astype(np.int32)
    commonest = np.bincount(coarse[:, 0] * 256 + coarse[:, 1] * 16 + coarse[:, 2], minlength=4096).argmax()
    centre = np.array([commonest // 256, commonest // 16 % 16, commonest % 16], dtype=np.float32) * 16 + 8
    near = np.abs(flat - centre).max(1) < 20
    return flat[near].mean(0)


def _steepest(pixels: np.ndarray) -> float:
    """The largest difference between neighbouring pixels, RGB distance."""
    across, down = np.diff(pixels, axis=1), np.diff(pixels, axis=0)
    return float(np.sqrt(max((across * across).sum(2).max(initial=0), (down * down).sum(2).max(initial=0))))


def _hues(away: np.ndarray) -> np.ndarray:
    """For each (n, 3) difference from the background the colour of the palette that lies in that direction, whatever it covers."""
    return _FIRST[_HUES][(away @ _TOWARDS).argmax(1)]


def _blobs(mask: np.ndarray, away: np.ndarray, distance: np.ndarray) -> list[np.ndarray]:
    """Boolean masks (h, w) of the connected parts, split where two colours touch."""
    labels, count = label(mask)
    blobs = []
    for number in range(1, count + 1):
        blob = labels == number
        if blob.sum() < SMALLEST:
            continue
        blobs += _parted(blob, away, distance)
    return blobs


def _parted(blob: np.ndarray, away: np.ndarray, distance: np.ndarray) -> list[np.ndarray]:
    """The blob, or its parts of different colours; one shape in several colours stays whole. An edge's pixel goes to the nearer part."""
    hues = _hues(away[blob & (distance > CORE * distance[blob].max())])
    names, counts = np.unique(hues, return_counts=True)
    large = names[counts > max(SPLINTER * len(hues), SMALLEST)]
    if len(large) < 2:
        return [blob]
    every = np.full(blob.shape, -1)
    every[blob] = _hues(away[blob])
    parts = []
    for name in large:
        labels, count = label(every == name)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        parts += [labels == k for k in range(1, count + 1) if sizes[k] > max(SMALLEST, SPLINTER * counts.max())]
    whole, apart = _misfit([blob]), _misfit(parts)
    return [blob] if not parts or whole < min(ONE_SHAPE, apart) else parts


def _misfit(masks: list[np.ndarray]) -> float:
    """The share of the masks' area that differs from the shapes that fit them best."""
    areas = [float(mask.sum()) for mask in masks]
    return sum(area * _outline(mask.astype(np.float32)).misfit for area, mask in zip(areas, masks)) / max(sum(areas), 1)


def _outline(cover: np.ndarray, row: int = 0, column: int = 0) -> Outline:
    """The outline of a blob whose cover begins at a row and column of the picture."""
    height, width = cover.shape
    return outline(cover, np.arange(height)[:, None] + row + 0.5, np.arange(width)[None] + column + 0.5)


def _thing(blob: np.ndarray, background: np.ndarray, pixels: np.ndarray) -> tuple[Paint, Outline] | None:
    """Colour and outline of one blob; None for a speck."""
    rows, columns = box(blob)
    window = (slice(max(rows.start - 2, 0), rows.stop + 2), slice(max(columns.start - 2, 0), columns.stop + 2))
    patch, own = pixels[window], blob[window]
    away = background - patch
    distance = np.sqrt((away * away).sum(2))
    core = own & (distance > CORE * distance[own].max())
    hues = _hues(away[core])
    counts = np.bincount(hues)
    share = counts.max() / len(hues)
    if share > 1 - SPLINTER:  # of one colour: how much of the colour there is tells how much of a pixel is covered
        value = np.median(patch[own & (distance >= np.median(distance[own]))], axis=0)
        towards = background - value
        cover = np.where(_grown(own), np.clip((away @ towards) / (towards @ towards), 0, 1), 0)
    else:
        value, cover = np.median(patch[core][hues == counts.argmax()], axis=0), own.astype(np.float32)
    if cover.sum() < SMALLEST:
        return None
    return _paint(value, share), _outline(cover, window[0].start, window[1].start)


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and one pixel around it: a blob's faint rim counts, its neighbours don't."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def _paint(value: np.ndarray, share: float) -> Paint:
    """The palette's colour nearest to an RGB value that a share of a thing has."""
    apart = np.sqrt(((_COLOURS - value) ** 2).sum(1))
    apart += np.where(_EXACT & (apart > 40), 60, 0)
    best = int(apart.argmin())
    margin = apart[[name != _NAMES[best] for name in _NAMES]].min() - apart[best]
    sure = float(min(share if share < 1 - SPLINTER else 1, np.interp(margin, (0, 25), (0.5, 0.97))))
    return Paint(_NAMES[best], sure, bool(_PURE[best] and np.abs(value - _COLOURS[best]).max() < 12), _rgb(value))


def _rgb(value: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (round(float(channel)) for channel in value)
    return red, green, blue


def _named(paint: Paint, shape: Outline, scale: float) -> Object:
    size = "large" if shape.radius * scale > LARGE else "small"
    confidence = float(np.interp(shape.margin, *RIGHT_BY_MARGIN))
    place = shape.x * scale, shape.y * scale, shape.radius * scale
    return Object(shape.shape, paint.colour, size, *place, confidence, paint.flat, paint.sure, paint.rgb)


def _blurred_things(away: np.ndarray, distance: np.ndarray, strongest: float, scale: float) -> tuple[Object, ...]:
    """One thing a colour where the picture is strong; shapes don't survive blur, colours and places do."""
    mask = distance > 0.6 * strongest
    hues = np.full(mask.shape, -1)
    hues[mask] = _hues(away[mask])
    things = []
    for hue in np.unique(hues[mask]):
        labels, count = label(hues == hue)
        for number in range(1, count + 1):
            rows, columns = np.nonzero(labels == number)
            if len(rows) > max(20, 0.1 * mask.sum()):
                x, y = (columns.mean() + 0.5) * scale, (rows.mean() + 0.5) * scale
                things.append(Object("unclear", _NAMES[hue], "large", float(x), float(y), LARGE, 0.0, False))
    return tuple(things)
