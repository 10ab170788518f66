"""Scenes that pocket-teacher makes up for new images: chosen so that they practise a skill, and told in an image prompt."""

import random

from data.scenes import CENTRES, COLOURS, HEAVY_BLUR, RADII, SHAPES, Scene, Thing, caption
from models.pocket.teacher.eyes import Object, Seen
from models.pocket.teacher.questions import Question

BACKGROUND = ", plain light background"
FLAT_SHAPES = ("circle", "triangle")  # what both easy-VQA and PocketVQA have, so that an image generator trained on the latter draws it
FLAT_COLOURS = ("red", "green", "blue", "yellow")
EASIER, HARDER = "easier", "harder"
THINGS = {EASIER: (1,), HARDER: (2, 2, 3)}  # in a scene, by the difficulty asked for
AS_THE_SEED = (1, 1, 2)  # one thing is drawn faithfully more often than two
SAME = 0.5  # the share of scenes with the very value that the model got wrong, where the skill doesn't fix it


def imagine(seed: Question, gold: str, blur: bool, flat: bool, rng: random.Random, difficulty: str = "") -> tuple[Seen, str, set[str]]:
    """A scene as it will be seen, its prompt, and the axes along which the prompt fixes places.

    `gold` is the seed's right answer, in the plainest form; `blur`: the seed is about a picture that is too blurred;
    `flat`: it is about one of easy-VQA's pictures, which show a single thing; `difficulty`: EASIER, HARDER or another for neither.
    """
    count = 1 if flat else _count(seed, gold, blur, rng, difficulty)
    shapes, colours = (FLAT_SHAPES, FLAT_COLOURS) if flat else (SHAPES, tuple(COLOURS))
    looks = rng.sample([(shape, colour) for shape in shapes for colour in colours], count)
    first = _first(seed, gold, looks, rng)
    looks[0] = first if first[0] in shapes and first[1] in colours else looks[0]
    column = count == 2 and ("top-bottom" in (seed.skill, seed.relation) or (seed.relation in ("above", "below")) or rng.random() < 0.3)
    places = _places(count, column, rng)
    things = tuple(Thing(shape, colour, rng.choice(tuple(RADII)), *place) for (shape, colour), place in zip(looks, places))
    scene = Scene((240, 240, 240), things, blur=HEAVY_BLUR if blur else 0.0)
    axes = {"top-bottom" if column else "left-right"} if count == 2 else set()
    return _as_seen(scene, flat), caption(scene) + BACKGROUND, axes


def _count(seed: Question, gold: str, blur: bool, rng: random.Random, difficulty: str) -> int:
    if blur:
        return 1
    if seed.skill in ("left-right", "top-bottom", "relation", "relation-choice") or seed.relation:
        return 2
    if seed.skill.startswith("count"):
        return int(gold) if gold in ("1", "2", "3") else rng.randint(1, 3)
    return rng.choice(THINGS.get(difficulty, AS_THE_SEED))


def _first(seed: Question, gold: str, looks: list[tuple[str, str]], rng: random.Random) -> tuple[str, str]:
    """The first thing's shape and color: as often as SAME what the model got wrong, never the look of another thing."""
    shape, colour = looks[0]
    if seed.skill == "sides":
        shape = {"3": "triangle", "4": "square", "5": "pentagon", "6": "hexagon"}.get(gold, shape)
    elif rng.random() < SAME:
        shape = gold if gold in SHAPES else shape
        colour = gold if gold in COLOURS else colour
    if seed.skill == "sides" and shape == "circle":
        shape = rng.choice(SHAPES[1:])
    return looks[0] if (shape, colour) in looks[1:] else (shape, colour)


def _places(count: int, column: bool, rng: random.Random) -> list[tuple[int, int]]:
    if count != 2:
        return rng.sample(CENTRES, count)
    line = rng.choice((17, 47))
    places = [(line, y) for y in (17, 47)] if column else [(x, line) for x in (17, 47)]
    return rng.sample(places, 2)


def _as_seen(scene: Scene, flat: bool) -> Seen:
    if scene.blur:
        return Seen(tuple(Object("unclear", t.colour, t.size, t.x, t.y, RADII[t.size], 0.0, False) for t in scene.things), (), True)
    return Seen(tuple(Object(t.shape, t.colour, t.size, t.x, t.y, RADII[t.size], 1.0, flat) for t in scene.things))
