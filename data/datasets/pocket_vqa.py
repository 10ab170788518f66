"""PocketVQA: questions about drawn scenes, in four families that mirror the benchmarks of the paper and their metrics.

One dataset a family: photo (like VizWiz: VQA accuracy, sometimes unanswerable), chart (like InfoVQA: ANLS), quiz (like
ScienceQA: multiple choice), knowledge (like OK-VQA: a fact that isn't in the picture). An item of pocket-photo:

    {"question": "Is there not a red circle?", "golds": ["no"] * 10, "kind": "negation/existence", "picture": <PNG, 64 x 64>}
"""

import random
from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import BaseModel, Field

from data.images import png_bytes
from data.records import BadLine, Dataset, Metric, SourceExample, Split
from data.scenes import COLOURS, HEAVY_BLUR, SHAPES, SIDES, SIZE, Scene, Thing, draw, random_chart, random_things

ANNOTATORS = 10  # VizWiz and OK-VQA have ten answers a question
Item = tuple[Scene, str, str, tuple[str, ...]]  # scene, question, answer, choices

ABOUT: dict[str, tuple[Metric, str]] = {
    "photo": ("vqa_accuracy", "When the image does not suffice, answer unanswerable. Answer with one word."),
    "chart": ("anls", "Answer with one word."),
    "quiz": ("multiple_choice", "Answer with the option's letter."),
    "knowledge": ("vqa_accuracy", "Answer with one word."),
}
COUNTS = {"photo": (1800, 200, 900), "chart": (600, 60, 400), "quiz": (600, 60, 400), "knowledge": (600, 60, 400)}
SPLITS: tuple[Split, ...] = ("train", "dev", "eval")


class PocketVQA:
    """Deterministic from the seed. Splits never share a scene: each has a generator of its own, and no picture comes twice."""

    class Options(BaseModel):
        family: Literal["photo", "chart", "quiz", "knowledge"] = Field(description="Which of the four families.")
        train: int | None = Field(default=None, ge=0, description="Questions to mine; the family's default if empty.")
        dev: int | None = Field(default=None, ge=0, description="Questions that steer.")
        eval: int | None = Field(default=None, ge=0, description="Questions that are only measured.")
        seed: int = Field(default=0, description="Another seed draws other scenes.")

    def __init__(self, options: Options):
        self.options = options

    def about(self) -> Dataset:
        metric, suffix = ABOUT[self.options.family]
        letters = "the letter of the right choice: A, B or C"
        return Dataset(
            name=f"pocket-{self.options.family}",
            title=f"PocketVQA {self.options.family}",
            metric=metric,
            format="pocket_vqa",
            prompt_suffix=suffix,
            answer_form=letters if self.options.family == "quiz" else "one word or number, lower case",
            source="built in: drawn scenes (data/scenes.py)",
            licence="Apache-2.0",
        )

    def read(self) -> Iterator[SourceExample | BadLine]:
        for split, default in zip(SPLITS, COUNTS[self.options.family]):
            wanted = getattr(self.options, split)
            yield from self._split(split, default if wanted is None else wanted)

    def _split(self, split: Split, count: int) -> Iterator[SourceExample]:
        # a scene's coordinates are real numbers: two generators never draw the same one
        rng = random.Random(f"pocket-vqa {self.options.family} {split} {self.options.seed}")
        kinds = KINDS[self.options.family]
        for i in range(count):
            kind, make = kinds[i % len(kinds)]
            scene, question, answer, choices = make(rng)
            golds = (answer,) * (ANNOTATORS if ABOUT[self.options.family][0] == "vqa_accuracy" else 1)
            yield SourceExample(f"{split}-{i:05d}", split, question, golds, png_bytes(draw(scene)), choices, kind)


def _with_unique(rng: random.Random, by: str, count: int | None = None) -> tuple[Scene, Thing]:
    """A scene and one of its objects that is the only one of its colour or shape."""
    while True:
        scene = random_things(rng, count)
        values = [getattr(thing, by) for thing in scene.things]
        alone = [thing for thing in scene.things if values.count(getattr(thing, by)) == 1]
        if alone:
            return scene, rng.choice(alone)


def shape(rng: random.Random) -> Item:
    if rng.random() < 0.25:  # the very questions that a blurred photo can't answer
        scene = random_things(rng, 1)
        return scene, rng.choice(BLUR_QUESTIONS), scene.things[0].shape, ()
    scene, thing = _with_unique(rng, "colour")
    return scene, rng.choice((f"What shape is the {thing.colour} object?", f"Which shape is {thing.colour}?")), thing.shape, ()


def colour(rng: random.Random) -> Item:
    scene, thing = _with_unique(rng, "shape")
    return scene, rng.choice((f"What color is the {thing.shape}?", f"Which color does the {thing.shape} have?")), thing.colour, ()


def _present(rng: random.Random) -> tuple[Scene, str, bool]:
    """A scene, the words of an object, and whether it is there; if not, mostly half of it is."""
    scene = random_things(rng)
    looks = {(thing.colour, thing.shape) for thing in scene.things}
    if rng.random() < 0.5:
        return scene, " ".join(rng.choice(sorted(looks))), True
    subject = rng.choice(scene.things)
    absent = [(c, s) for c in COLOURS for s in SHAPES if (c, s) not in looks]
    near = [look for look in absent if subject.colour in look or subject.shape in look]
    return scene, " ".join(rng.choice(near if rng.random() < 0.6 else absent)), False


def existence(rng: random.Random) -> Item:
    scene, what, there = _present(rng)
    return scene, rng.choice((f"Is there a {what}?", f"Does the photo contain a {what}?")), "yes" if there else "no", ()


def negation(rng: random.Random) -> Item:
    scene, what, there = _present(rng)
    asked = rng.choice((f"Is there not a {what}?", f"Does the photo not contain a {what}?", f"Is no {what} present?"))
    return scene, asked, "no" if there else "yes", ()


def counting(count: int) -> Callable[[random.Random], Item]:
    def make(rng: random.Random) -> Item:
        return random_things(rng, count), rng.choice(("How many objects are there?", "How many shapes can you see?")), str(count), ()

    return make


def left_right(rng: random.Random) -> Item:
    scene = random_things(rng)
    thing = rng.choice(scene.things)
    side = "left" if thing.x < SIZE / 2 else "right"
    return scene, f"Is the {thing.colour} {thing.shape} on the left or on the right?", side, ()


def top_bottom(rng: random.Random) -> Item:
    scene = random_things(rng)
    thing = rng.choice(scene.things)
    side = "top" if thing.y < SIZE / 2 else "bottom"
    return scene, f"Is the {thing.colour} {thing.shape} at the top or at the bottom?", side, ()


BLUR_QUESTIONS = ("What shape is the object?", "Which shape is shown?")


def blur(rng: random.Random) -> Item:
    return random_things(rng, 1, blur=HEAVY_BLUR), rng.choice(BLUR_QUESTIONS), "unanswerable", ()


def tallest(rng: random.Random) -> Item:
    scene = random_chart(rng)
    answer = max(scene.bars, key=lambda bar: bar.height).colour
    return scene, rng.choice(("Which bar is the tallest?", "What color is the highest bar?")), answer, ()


def shortest(rng: random.Random) -> Item:
    scene = random_chart(rng)
    answer = min(scene.bars, key=lambda bar: bar.height).colour
    return scene, rng.choice(("Which bar is the shortest?", "What color is the lowest bar?")), answer, ()


def first(rng: random.Random) -> Item:
    scene = random_chart(rng)
    return scene, "What color is the first bar?", scene.bars[0].colour, ()


def last(rng: random.Random) -> Item:
    scene = random_chart(rng)
    return scene, "What color is the last bar?", scene.bars[-1].colour, ()


def quiz(letter: str) -> Callable[[random.Random], Item]:
    def make(rng: random.Random) -> Item:
        if rng.random() < 0.5:
            scene, thing = _with_unique(rng, "shape")
            question, right, pool = f"What color is the {thing.shape}?", thing.colour, [c for c in COLOURS if c != thing.colour]
        else:
            scene, thing = _with_unique(rng, "colour")
            question, right, pool = f"What shape is the {thing.colour} object?", thing.shape, [s for s in SHAPES if s != thing.shape]
        choices = rng.sample(pool, 2)
        choices.insert("ABC".index(letter), right)
        return scene, question, letter, tuple(choices)

    return make


def sides(shape_name: str) -> Callable[[random.Random], Item]:
    def make(rng: random.Random) -> Item:
        while True:
            scene, thing = _with_unique(rng, "colour")
            if thing.shape == shape_name:
                what = rng.choice(("sides", "corners"))
                return scene, f"How many {what} does the {thing.colour} shape have?", str(SIDES[shape_name]), ()

    return make


KINDS: dict[str, tuple[tuple[str, Callable[[random.Random], Item]], ...]] = {
    "photo": (
        ("recognition/shape", shape),
        ("attribute/colour", colour),
        ("recognition/existence", existence),
        ("negation/existence", negation),
        *((f"counting/{n}", counting(n)) for n in (1, 2, 3)),
        ("spatial/left-right", left_right),
        ("spatial/top-bottom", top_bottom),
        ("unanswerable/blur", blur),
    ),
    "chart": (
        ("comparison/tallest", tallest),
        ("comparison/shortest", shortest),
        ("chart-or-table/first", first),
        ("chart-or-table/last", last),
    ),
    "quiz": tuple((f"instruction-or-format/{letter}", quiz(letter)) for letter in "ABC"),
    "knowledge": tuple((f"external-knowledge/{name}", sides(name)) for name in SHAPES if SIDES[name]),
}
