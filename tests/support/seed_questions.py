"""The questions of the seeded store (tests/support/seed.py): pictures, kinds of question, and the wrong answer each kind provokes."""

import io
import random
from dataclasses import dataclass

from data.images import ImageStore
from data.scenes import HEAVY_BLUR, SIDES, Scene, draw, random_chart, random_things

PICTURES = 240  # different pictures at most; questions share them


@dataclass(frozen=True)
class Kind:
    """A kind of question: how often it is failed, and what the cluster of its failures is called."""

    dataset: str
    name: str
    weight: int
    failed: float
    title: str


KINDS = (
    Kind("pocket-photo", "negation/existence", 22, 0.82, "Negated questions answered as if not negated"),
    Kind("pocket-photo", "counting/3", 18, 0.69, "More than two objects are counted as two"),
    Kind("pocket-photo", "spatial/top-bottom", 14, 0.64, "Above and below confused with left and right"),
    Kind("pocket-photo", "unanswerable/blur", 9, 0.88, "Answers although the photo is too blurred"),
    Kind("pocket-chart", "comparison/shortest", 9, 0.71, "Lowest bar named as the tallest"),
    Kind("pocket-knowledge", "external-knowledge/hexagon", 7, 0.67, "Side counts of hexagon and pentagon"),
    Kind("pocket-quiz", "instruction-or-format/C", 6, 0.79, "Never chooses option C"),
    Kind("pocket-photo", "attribute/colour", 12, 0.19, "Orange read as yellow in small shapes"),
    Kind("pocket-photo", "recognition/shape", 14, 0.10, "Pentagons taken for circles"),
)


@dataclass(frozen=True)
class Question:
    scene: int
    question: str
    choices: list[str]
    gold: str
    wrong: str


class Pictures:
    """Scenes by theme, drawn and kept."""

    def __init__(self, images: ImageStore, rng: random.Random, count: int = PICTURES):
        self.scenes: list[Scene] = []
        self.shas: list[str] = []
        self.themes: dict[str, list[int]] = {"photo": [], "blur": [], "chart": [], "three": []}
        self.rows = []
        makers = {
            "photo": lambda: random_things(rng),
            "blur": lambda: random_things(rng, 1, HEAVY_BLUR),
            "chart": lambda: random_chart(rng),
            "three": lambda: random_things(rng, 3),
        }
        for number in range(count):
            theme = ("photo", "photo", "three", "chart", "blur")[number % 5]
            scene = makers[theme]()
            self.themes[theme].append(number)
            self.scenes.append(scene)
            info = images.add(_png(scene))
            self.shas.append(info.sha256)
            row = info.to_row()
            self.rows.append({"image": row.pop("sha256"), **row})


def _png(scene: Scene) -> bytes:
    buffer = io.BytesIO()
    draw(scene).resize((256, 256)).save(buffer, "PNG")
    return buffer.getvalue()


def ask(kind: Kind, pictures: Pictures, rng: random.Random) -> Question:
    """A question of that kind on one of the pictures, with the wrong answer the kind of failure would give."""
    name, _, detail = kind.name.partition("/")
    theme = {"counting": "three", "comparison": "chart", "unanswerable": "blur"}.get(name, "photo")
    number = rng.choice(pictures.themes[theme])
    scene = pictures.scenes[number]
    if name == "comparison":
        bars = sorted(scene.bars, key=lambda bar: bar.height)
        return Question(number, f"Which bar is the {detail}?", [], bars[0].colour, bars[-1].colour)
    thing = rng.choice(scene.things)
    if name == "negation":
        present = rng.random() < 0.5
        shape = thing.shape if present else rng.choice([s for s in SIDES if all(t.shape != s for t in scene.things)])
        question = rng.choice((f"Is there not a {thing.colour} {shape}?", f"Does the photo not contain a {thing.colour} {shape}?"))
        return Question(number, question, [], *(("no", "yes") if present else ("yes", "no")))
    if name == "counting":
        return Question(number, rng.choice(("How many objects are there?", "How many shapes can you see?")), [], "3", "2")
    if name == "spatial":
        right = "top" if thing.y < 32 else "bottom"
        return Question(
            number, f"Is the {thing.colour} {thing.shape} at the top or at the bottom?", [], right, rng.choice(("left", "right"))
        )
    if name == "unanswerable":
        return Question(number, "What shape is the object?", [], "unanswerable", rng.choice(tuple(SIDES)))
    if name == "external-knowledge":
        return Question(number, f"How many sides does the {thing.colour} shape have?", [], str(SIDES[thing.shape] or "none"), "4")
    if name == "instruction-or-format":
        others = rng.sample([shape for shape in SIDES if shape != thing.shape], 2)
        return Question(number, f"What shape is the {thing.colour} object?", [*others, thing.shape], "C", rng.choice("AB"))
    if name == "attribute":
        return Question(number, f"What color is the {thing.shape}?", [], thing.colour, "yellow" if thing.colour != "yellow" else "orange")
    return Question(
        number, f"What shape is the {thing.colour} object?", [], thing.shape, "circle" if thing.shape != "circle" else "pentagon"
    )
