"""Pictures and questions for a workspace of any size: some thousand real pictures, and every question that can be asked about each."""

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from data.images import ImageStore, image_row, png_bytes
from data.scenes import COLOURS, HEAVY_BLUR, SIDES, Scene, Thing, draw, random_chart, random_things

SIDE = 256  # pixels of a picture


@dataclass(frozen=True)
class Kind:
    """A kind of question: its dataset, how often it is asked and failed, and what clusters of its failures are called."""

    dataset: str
    name: str
    weight: float
    failed: float
    titles: tuple[str, ...]


P, C, Q, K = "pocket-photo", "pocket-chart", "pocket-quiz", "pocket-knowledge"
KINDS = (
    Kind(P, "negation/existence", 20, 0.80, (
        "Negated questions answered as if not negated", "“Not” overlooked beside a second object", "Double negation taken for agreement")),
    Kind(P, "counting/three", 14, 0.66, (
        "More than two objects are counted as two", "Objects of one colour counted once", "Small objects left out")),
    Kind(P, "counting/few", 12, 0.22, ("A single object counted twice", "Two touching shapes counted as one")),
    Kind(P, "spatial/top-bottom", 13, 0.61, ("Above and below confused with left and right", "Objects near the middle put at the top")),
    Kind(P, "spatial/relation", 11, 0.44, ("Left and right swapped between two objects", "The relation told from the wrong side")),
    Kind(P, "unanswerable/blur", 9, 0.86, ("Answers although the photo is too blurred", "Names the commonest shape in a blurred photo")),
    Kind(P, "attribute/colour", 14, 0.18, (
        "Orange read as yellow in small shapes", "Purple and blue confused", "The neighbour's colour is named")),
    Kind(P, "attribute/size", 7, 0.31, ("Small triangles called large", "Size judged against the other object")),
    Kind(P, "recognition/shape", 15, 0.12, (
        "Pentagons taken for circles", "Hexagons taken for circles", "Squares at the edge called triangles")),
    Kind(P, "multi-step-reasoning/corners", 8, 0.58, ("Corners of only one shape are added", "Corners of circles counted as one")),
    Kind(C, "comparison/shortest", 9, 0.70, ("Lowest bar named as the tallest", "Second lowest bar named")),
    Kind(C, "comparison/tallest", 6, 0.10, ("Neighbour of the tallest bar named",)),
    Kind(C, "chart-or-table/bars", 8, 0.36, ("Four bars counted as three", "Bars of like colour merged")),
    Kind(K, "external-knowledge/sides", 10, 0.60, ("Side counts of hexagon and pentagon", "A circle is given four sides")),
    Kind(Q, "instruction-or-format/letter", 9, 0.52, ("Never chooses option C", "Answers with the word in place of the letter")),
)  # fmt: skip
OWNERS = (
    "Ada", "Bela", "Chidi", "Dana", "Emre", "Farah", "Goran", "Hana", "Igor", "Jun", "Kofi", "Lena", "Mina", "Noor", "Oskar", "Priya",
    "Quinn", "Rosa", "Sami", "Tariq", "Uma", "Vera", "Wanda", "Xenia", "Yusuf", "Zoe",
)  # fmt: skip
MEDIA = (
    "drawing", "sketch", "print", "poster", "card", "stamp", "sticker", "slide", "page", "photo", "tile", "badge", "label", "flyer",
    "cover", "sheet",
)  # fmt: skip
PLACES = (
    "by the window", "above the desk", "on the shelf", "in the hallway", "near the kitchen", "on the notice board", "inside the folder",
    "at the workshop", "from the museum", "under the lamp", "on the fridge", "in the library", "behind the counter", "at the station",
)  # fmt: skip
OPENINGS = (
    "In the {medium} {place}",
    "Look at {owner}'s {medium}",
    "On {owner}'s {medium} {place}",
    "Judging by the {medium} {place}",
    "{owner} holds up a {medium}",
    "For the {medium} that {owner} keeps {place}",
)


@dataclass(frozen=True)
class Pool:
    """Questions, one row each; `scene` and `kind` are places in `images` and KINDS."""

    images: list[dict]
    captions: list[str]
    scene: np.ndarray
    kind: np.ndarray
    question: np.ndarray
    choices: list[list[str]]
    gold: np.ndarray
    wrong: np.ndarray
    of_kind: list[np.ndarray]  # rows by kind
    of_scene: list[np.ndarray]  # rows by scene

    def of_kinds(self, kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A random question of each of these kinds."""
        rows = np.empty(len(kinds), np.int64)
        for kind, choice in enumerate(self.of_kind):
            mine = np.flatnonzero(kinds == kind)
            rows[mine] = rng.choice(choice, len(mine))
        return rows

    def like(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each question a random one about the same picture."""
        sizes = np.array([len(questions) for questions in self.of_scene])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        scenes = self.scene[rows]
        return np.concatenate(self.of_scene)[starts[scenes] + (rng.random(len(rows)) * sizes[scenes]).astype(np.int64)]


def make_pool(images_root: Path, pictures: int, seed: int, processes: int = 2) -> Pool:
    """Draws the pictures into the folder and asks everything about them."""
    parts = [range(start, pictures, processes) for start in range(processes)]
    if pictures < 500:
        drawn = [_draw_some(images_root, part, seed) for part in parts]
    else:
        with ProcessPoolExecutor(processes) as workers:
            drawn = list(workers.map(_draw_some, [images_root] * processes, parts, [seed] * processes))
    images = [row for _, row in sorted(pair for part in drawn for pair in part)]
    scenes = [_scene(number, seed) for number in range(pictures)]
    rows = [(number, *row) for number, scene in enumerate(scenes) for row in questions(scene, random.Random(f"q{seed}-{number}"))]
    names = [kind.name for kind in KINDS]
    scene, kind = np.array([row[0] for row in rows]), np.array([names.index(row[1]) for row in rows])
    order = np.argsort(scene, kind="stable")
    of_scene = np.split(order, np.cumsum(np.bincount(scene, minlength=pictures))[:-1])
    of_kind = [np.flatnonzero(kind == number) for number in range(len(KINDS))]
    text = [np.array([row[place] for row in rows], dtype=object) for place in (2, 4, 5)]
    captions = [_caption(scene) for scene in scenes]
    return Pool(images, captions, scene, kind, text[0], [row[3] for row in rows], text[1], text[2], of_kind, of_scene)


def openings(count: int, rng: np.random.Generator) -> np.ndarray:
    """Half sentences that set questions apart."""
    words = product(OPENINGS, MEDIA, PLACES, OWNERS)
    every = np.array([form.format(medium=medium, place=place, owner=owner) for form, medium, place, owner in words], dtype=object)
    return every[rng.integers(0, len(every), count)]


def questions(scene: Scene, rng: random.Random) -> list[tuple[str, str, list[str], str, str]]:
    """All questions about a scene: kind, question, choices, gold answer, and the wrong answer that this kind of failure gives."""
    if scene.bars:
        bars = sorted(scene.bars, key=lambda bar: bar.height)
        low, high, second = bars[0].colour, bars[-1].colour, bars[-2].colour
        return [
            ("comparison/shortest", "which bar is the shortest?", [], low, high),
            ("comparison/shortest", "which colour has the lowest bar?", [], low, bars[1].colour),
            ("comparison/tallest", "which bar is the tallest?", [], high, second),
            ("chart-or-table/bars", "how many bars are there?", [], str(len(bars)), "3" if len(bars) == 4 else "2"),
        ]
    if scene.blur:
        words = ("what shape is the object?", "which shape is the object?")
        return [("unanswerable/blur", text, [], "unanswerable", rng.choice(tuple(SIDES))) for text in words]
    asked = [q for thing in scene.things for q in _about(scene, thing, rng)]
    count = len(scene.things)
    kind, wrong = ("counting/three", "2") if count == 3 else ("counting/few", str(3 - count))
    asked += [(kind, text, [], str(count), wrong) for text in ("how many objects are there?", "how many shapes can you see?")]
    if count == 2:
        first, other = scene.things
        left, right = ("left", "right") if first.x < other.x else ("right", "left")
        where = f"is the {first.colour} {first.shape} left or right of the {other.colour} {other.shape}?"
        sides = SIDES[first.shape], SIDES[other.shape]
        corners = "how many corners do both shapes have together?"
        asked.append(("spatial/relation", where, [], left, right))
        asked.append(("multi-step-reasoning/corners", corners, [], str(sum(sides)), str(sides[0] or 1)))
    return asked


def _about(scene: Scene, thing: Thing, rng: random.Random) -> list[tuple[str, str, list[str], str, str]]:
    words, shapes = f"{thing.colour} {thing.shape}", sorted(SIDES)
    absent = rng.choice([shape for shape in shapes if all(other.shape != shape for other in scene.things)])
    options = rng.sample([shape for shape in shapes if shape != thing.shape], 2)
    options.insert(place := rng.choice((0, 1, 2, 2)), thing.shape)
    letter = "ABC"[place]
    top = "top" if thing.y < 32 else "bottom"
    other_size = "large" if thing.size == "small" else "small"
    shape_of = f"what shape is the {thing.colour} object?"
    return [
        ("negation/existence", f"is there not a {words}?", [], "no", "yes"),
        ("negation/existence", f"is there no {thing.colour} {absent}?", [], "yes", "no"),
        ("spatial/top-bottom", f"is the {words} at the top or at the bottom?", [], top, rng.choice(("left", "right"))),
        ("attribute/colour", f"what color is the {thing.shape}?", [], thing.colour, rng.choice([c for c in COLOURS if c != thing.colour])),
        ("attribute/size", f"is the {words} small or large?", [], thing.size, other_size),
        ("recognition/shape", shape_of, [], thing.shape, "circle" if thing.shape != "circle" else "pentagon"),
        ("external-knowledge/sides", f"how many sides does the {thing.colour} shape have?", [], str(SIDES[thing.shape] or "none"), "4"),
        ("instruction-or-format/letter", shape_of, options, letter, "A" if letter != "A" else "B"),
    ]


def _draw_some(images_root: Path, numbers: range, seed: int) -> list[tuple[int, dict]]:
    images, made = ImageStore(images_root), []
    for number in numbers:
        picture = draw(_scene(number, seed)).resize((SIDE, SIDE))
        made.append((number, image_row(images.add(png_bytes(picture)))))
    return made


def _scene(number: int, seed: int) -> Scene:
    rng = random.Random(f"{seed}-{number}")
    match number % 6:
        case 0:
            return random_chart(rng)
        case 1:
            return random_things(rng, 1, HEAVY_BLUR)
        case 2:
            return random_things(rng, 3)
        case 3:
            return random_things(rng, 1)
        case _:
            return random_things(rng, 2)


def _caption(scene: Scene) -> str:
    """An image prompt's words."""
    if scene.bars:
        return "a bar chart with " + ", ".join(f"a {bar.colour} bar" for bar in scene.bars)
    return ("a very blurry photo of " if scene.blur else "") + " and ".join(f"a {thing.words}" for thing in scene.things)
