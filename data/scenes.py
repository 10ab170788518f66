"""Drawn scenes: the pictures of PocketVQA, 64 x 64 pixels, made of shapes or of a bar chart.

A scene is a description; `draw` turns it into a picture, `caption` into the words pocket-flux is trained on.
Everything follows from the random generator that is passed in: the same seed gives the same picture.
"""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

SIZE = 64  # pixels, both ways
COLOURS = {
    "red": (216, 52, 43),
    "green": (42, 161, 72),
    "blue": (47, 91, 216),
    "yellow": (232, 194, 31),
    "purple": (142, 63, 176),
    "orange": (240, 128, 20),
}
SIDES = {"circle": 0, "triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6}
SHAPES = tuple(SIDES)
RADII = {"small": 7.0, "large": 12.0}  # pixels
CENTRES = ((17, 17), (47, 17), (17, 47), (47, 47))  # top left, top right, bottom left, bottom right
JITTER = 3.0  # pixels around a centre
OBJECT_LIMIT = 3
HEAVY_BLUR = 8.0  # pixels: the colour survives, the shape does not
BAR_HEIGHTS = (10, 50)  # pixels, shortest and tallest
BAR_STEP = 7  # pixels by which any two bars differ at least


@dataclass(frozen=True)
class Thing:
    """One object: its centre is (x, y) in pixels from the top left."""

    shape: str
    colour: str
    size: str
    x: float
    y: float

    @property
    def words(self) -> str:
        return f"{self.size} {self.colour} {self.shape}"


@dataclass(frozen=True)
class Bar:
    colour: str
    height: float  # pixels


@dataclass(frozen=True)
class Scene:
    """Either `things` or `bars` is filled. `blur` is the radius of a Gaussian in pixels."""

    background: tuple[int, int, int]
    things: tuple[Thing, ...] = ()
    bars: tuple[Bar, ...] = ()
    blur: float = 0.0


def random_things(rng: random.Random, count: int | None = None, blur: float = 0.0) -> Scene:
    """A scene of `count` objects (one to three by default), no two alike in both shape and colour."""
    count = count or rng.randint(1, OBJECT_LIMIT)
    looks = rng.sample([(shape, colour) for shape in SHAPES for colour in COLOURS], count)
    things = tuple(
        Thing(shape, colour, rng.choice(tuple(RADII)), x + rng.uniform(-JITTER, JITTER), y + rng.uniform(-JITTER, JITTER))
        for (shape, colour), (x, y) in zip(looks, rng.sample(CENTRES, count))
    )
    return Scene(background(rng), things=things, blur=blur)


def random_chart(rng: random.Random) -> Scene:
    """A bar chart of three or four bars of different colours and clearly different heights."""
    count = rng.randint(3, 4)
    low, high = BAR_HEIGHTS
    spare = (high - low) - BAR_STEP * (count - 1)
    offsets = sorted(rng.uniform(0, spare) for _ in range(count))
    heights = [low + offset + BAR_STEP * i for i, offset in enumerate(offsets)]
    rng.shuffle(heights)
    colours = rng.sample(tuple(COLOURS), count)
    return Scene(background(rng), bars=tuple(Bar(c, h) for c, h in zip(colours, heights)))


def draw(scene: Scene, scale: int = 4) -> Image.Image:
    """The picture, RGB, SIZE x SIZE pixels, drawn `scale` times larger and shrunk for smooth edges."""
    picture = Image.new("RGB", (SIZE * scale, SIZE * scale), scene.background)
    pen = ImageDraw.Draw(picture)
    if scene.bars:
        _draw_chart(pen, scene.bars, scale)
    for thing in scene.things:
        _draw_thing(pen, thing, scale)
    picture = picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return picture.filter(ImageFilter.GaussianBlur(scene.blur)) if scene.blur else picture


def caption(scene: Scene) -> str:
    """The words of a scene of objects, as an image prompt fixes them: sizes, colours, shapes, relation.

    >>> caption(Scene((250, 250, 250), things=(Thing("circle", "red", "large", 17, 17),)))
    'a large red circle'
    """
    words = [f"a {thing.words}" for thing in scene.things]
    text = f"{words[0]} {relation(*scene.things)} {words[1]}" if len(words) == 2 else " and ".join(words)
    return f"a very blurry photo of {text}" if scene.blur >= HEAVY_BLUR else text


def relation(one: Thing, other: Thing) -> str:
    """Where `one` is as seen from `other`; left and right go before above and below."""
    if abs(one.x - other.x) > 2 * JITTER + 1:
        return "left of" if one.x < other.x else "right of"
    return "above" if one.y < other.y else "below"


def background(rng: random.Random) -> tuple[int, int, int]:
    """A light, nearly gray color, RGB."""
    grey = rng.randint(228, 252)
    red, green, blue = (min(255, grey + rng.randint(-4, 4)) for _ in range(3))
    return red, green, blue


def _draw_thing(pen: ImageDraw.ImageDraw, thing: Thing, scale: int) -> None:
    x, y, radius, fill = thing.x * scale, thing.y * scale, RADII[thing.size] * scale, COLOURS[thing.colour]
    if thing.shape == "circle":
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)
    elif thing.shape == "square":
        pen.rectangle([x - 0.9 * radius, y - 0.9 * radius, x + 0.9 * radius, y + 0.9 * radius], fill=fill)
    else:
        sides = SIDES[thing.shape]
        reach = radius * (1.2 if sides == 3 else 1.08)
        turns = [2 * math.pi * i / sides - math.pi / 2 for i in range(sides)]
        pen.polygon([(x + reach * math.cos(turn), y + reach * math.sin(turn)) for turn in turns], fill=fill)


def _draw_chart(pen: ImageDraw.ImageDraw, bars: tuple[Bar, ...], scale: int) -> None:
    floor, left = 58, 6
    pen.line([(left * scale, 5 * scale), (left * scale, floor * scale), (61 * scale, floor * scale)], fill=(140, 140, 140), width=scale)
    step = (60 - left) / len(bars)
    for i, bar in enumerate(bars):
        x = left + 3 + i * step
        pen.rectangle([x * scale, (floor - bar.height) * scale, (x + step - 4) * scale, (floor - 1) * scale], fill=COLOURS[bar.colour])
