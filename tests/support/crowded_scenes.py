"""A benchmark that no built-in part was made for: drawn scenes of six things, asked how they stand among each other.

It differs from PocketVQA in what can be tuned for: more and smaller things, another canvas, other words ("item", "share", "lie"), questions
that hang on several things at once. Its file states no kinds; `write` returns them, for measuring what was made of the questions.

    {"question": "Which form does the item closest to the red one have?", "answer": "rectangle", "kind": "nearest-form", "picture": <PNG>}
"""

import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

SIDE = 100  # pixels
RADIUS = 8
COLOURS = {
    "red": (214, 45, 40),
    "green": (40, 160, 70),
    "blue": (50, 90, 210),
    "orange": (240, 130, 25),
    "yellow": (232, 196, 30),
    "gray": (120, 120, 120),
}
FORMS = ("circle", "rectangle")  # what it calls a square: a stranger's word for it
BACKGROUND = (238, 236, 228)
CLEAR = 6  # pixels by which what a question compares differs at least


@dataclass(frozen=True)
class Item:
    colour: str
    form: str
    x: int
    y: int

    def apart(self, other: "Item") -> float:
        return ((self.x - other.x) ** 2 + (self.y - other.y) ** 2) ** 0.5


@dataclass(frozen=True)
class Asked:
    """A question about a picture; `picture` is its number."""

    picture: int
    kind: str
    question: str
    answer: str


Scene = tuple[Item, ...]
Maker = Callable[[Scene, Item, random.Random], tuple[tuple[str, ...], str] | None]  # wordings and the answer; None: too close to call


def scene(rng: random.Random) -> Scene:
    """Six items, one of each colour, that don't touch."""
    places: list[tuple[int, int]] = []
    while len(places) < len(COLOURS):
        x, y = rng.randint(RADIUS + 2, SIDE - RADIUS - 2), rng.randint(RADIUS + 2, SIDE - RADIUS - 2)
        if all((x - a) ** 2 + (y - b) ** 2 > (2.6 * RADIUS) ** 2 for a, b in places):
            places.append((x, y))
    return tuple(Item(colour, rng.choice(FORMS), *place) for colour, place in zip(COLOURS, places))


def draw(items: Scene) -> bytes:
    """The picture as PNG."""
    picture = Image.new("RGB", (SIDE, SIDE), BACKGROUND)
    pen = ImageDraw.Draw(picture)
    for item in items:
        box = (item.x - RADIUS, item.y - RADIUS, item.x + RADIUS, item.y + RADIUS)
        (pen.ellipse if item.form == "circle" else pen.rectangle)(box, fill=COLOURS[item.colour])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _form(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str]:
    return (f"What form does the {one.colour} item have?", f"Name the form of the {one.colour} item."), one.form


def _left_half(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str] | None:
    texts = (f"Does the {one.colour} item lie in the left half?", f"Is the {one.colour} item on the left-hand side of the picture?")
    return None if abs(one.x - SIDE / 2) < CLEAR / 2 else (texts, "yes" if one.x < SIDE / 2 else "no")


def _upper_half(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str] | None:
    texts = (f"Does the {one.colour} item lie in the upper half?", f"Is the {one.colour} item in the top half of the picture?")
    return None if abs(one.y - SIDE / 2) < CLEAR / 2 else (texts, "yes" if one.y < SIDE / 2 else "no")


def _by_distance(items: Scene, one: Item) -> list[Item]:
    return sorted((item for item in items if item is not one), key=one.apart)


def _nearest(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str] | None:
    order = _by_distance(items, one)
    texts = (
        f"What is the form of the item nearest to the {one.colour} one?",
        f"Which form does the item closest to the {one.colour} one have?",
    )
    return None if one.apart(order[1]) - one.apart(order[0]) < CLEAR else (texts, order[0].form)


def _furthest(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str] | None:
    order = _by_distance(items, one)
    texts = (
        f"What is the color of the item furthest from the {one.colour} one?",
        f"Which color does the item farthest away from the {one.colour} one have?",
    )
    return None if one.apart(order[-1]) - one.apart(order[-2]) < CLEAR else (texts, order[-1].colour)


def _same_form(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str]:
    others = sum(item.form == one.form for item in items) - 1
    texts = (
        f"How many other items share the form of the {one.colour} one?",
        f"How many items have the same form as the {one.colour} one?",
    )
    return texts, str(others)


def _count_left(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str] | None:
    texts = (f"How many items lie to the left of the {one.colour} one?", f"How many items are further left than the {one.colour} one?")
    others = [item.x for item in items if item is not one]
    return None if any(abs(x - one.x) < CLEAR / 2 for x in others) else (texts, str(sum(x < one.x for x in others)))


def _left_of(items: Scene, one: Item, rng: random.Random) -> tuple[tuple[str, ...], str] | None:
    other = rng.choice([item for item in items if item is not one])
    texts = (
        f"Does the {one.colour} item lie to the left of the {other.colour} one?",
        f"Is the {one.colour} item further left than the {other.colour} one?",
    )
    return None if abs(one.x - other.x) < CLEAR else (texts, "yes" if one.x < other.x else "no")


KINDS: dict[str, Maker] = {
    "form": _form,
    "left-half": _left_half,
    "upper-half": _upper_half,
    "nearest-form": _nearest,
    "furthest-color": _furthest,
    "count-same-form": _same_form,
    "count-left": _count_left,
    "left-of": _left_of,
}


def questions(split: str, pictures: int, seed: int = 0) -> tuple[list[bytes], list[Asked]]:
    """So many pictures, each asked once for every kind."""
    rng = random.Random(f"crowded {split} {seed}")
    drawn, asked = [], []
    for number in range(pictures):
        items = scene(rng)
        drawn.append(draw(items))
        for kind, make in KINDS.items():
            made = None
            while made is None:  # another item, where this one is too close to call
                made = make(items, rng.choice(items), rng)
                if made is None and rng.random() < 0.05:
                    break
            if made:
                asked.append(Asked(number, kind, rng.choice(made[0]), made[1]))
    return drawn, asked


def write(folder: Path, train: int = 75, evaluated: int = 50, seed: int = 0) -> dict[str, str]:
    """Writes `scenes.jsonl` and its pictures as a stranger would; returns the kind of each id, which the file doesn't state."""
    kinds = {}
    with (folder / "scenes.jsonl").open("w", encoding="utf-8") as out:
        for split, count in (("train", train), ("eval", evaluated)):
            drawn, asked = questions(split, count, seed)
            for number, picture in enumerate(drawn):
                (folder / f"{split}-{number}.png").write_bytes(picture)
            for i, one in enumerate(asked):
                identity = f"{split}-{i}"
                kinds[identity] = one.kind
                line = {
                    "id": identity,
                    "image": f"{split}-{one.picture}.png",
                    "question": one.question,
                    "answer": one.answer,
                    "split": split,
                }
                out.write(json.dumps(line) + "\n")
    return kinds


_ASKS = (  # in this order: the first that fits a question tells its kind, in whatever words
    ("nearest-form", r"(?=.*\b(nearest|closest)\b)(?=.*\b(form|shape)\b)"),
    ("furthest-color", r"(?=.*\b(furthest|farthest|distant)\b)(?=.*\bcolou?r\b)"),
    ("count-same-form", r"(?=.*\b(how many|number of)\b)(?=.*\b(same|share)\b)(?=.*\b(form|shape)\b)"),
    ("count-left", r"(?=.*\b(how many|number of)\b)(?=.*\b(left of|further left|right of|further right)\b)"),
    ("left-of", r"^(is|does)\b(?=.*\b(left of|further left|right of|further right)\b)(?!.*\bpicture\b)"),
    ("left-half", r"^(is|does)\b(?=.*\b(left|right)\b)(?!.*\bor\b)"),
    ("upper-half", r"^(is|does)\b(?=.*\b(upper|lower|top|bottom)\b)(?!.*\bor\b)"),
    ("form", r"^(what|which|name)\b(?=.*\b(form|shape)\b)(?!.*\b(left|right|above|below|top|bottom|nearest|closest|furthest|farthest)\b)"),
)


def kind_of(question: str) -> str:
    """The kind that a question practises, by its words alone, also by those of other tasks; "none" if none of the benchmark's."""
    plain = question.lower()
    return next((kind for kind, pattern in _ASKS if re.search(pattern, plain)), "none")
