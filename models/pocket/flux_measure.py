"""How faithfully a generator draws scenes, judged by the teacher's eye, which looks at the pixels alone."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from data.scenes import Scene, caption, random_things, relation
from models.pocket.teacher.eyes import Object

KINDS = {"one object": 1, "two objects": 2, "three objects": 3}
HELD_OUT = 20_261_122  # seed of the prompts; training uses others


@dataclass(frozen=True)
class Faithfulness:
    """Shares of pictures in which that part of the prompt is right; `whole` means all of them at once."""

    count: float
    colours: float
    shapes: float
    sizes: float
    relation: float
    whole: float


def measure(model: str, steps: Sequence[int], guidance: float, prompts: int) -> None:
    """Print faithfulness and pictures a second for each number of steps, `prompts` prompts a kind."""
    from models.image_generators.diffusers import Diffusers
    from models.pocket.teacher.eyes import see

    for number in steps:
        options = {"model": model, "steps": number, "guidance": guidance, "device": "cpu", "batch_size": 32}
        generator = Diffusers(Diffusers.Options.model_validate(options))
        for kind, count in KINDS.items():
            rng = random.Random(HELD_OUT + count)
            scenes = [random_things(rng, count) for _ in range(prompts)]
            generator.draw(["a large red circle"], [0])  # loads the weights
            began = time.process_time()
            pictures = generator.draw([caption(scene) for scene in scenes], range(prompts))
            speed = prompts / (time.process_time() - began)
            found = faithfulness(scenes, [see(_drawn(picture)).things for picture in pictures])
            shares = "  ".join(f"{name} {value:.3f}" for name, value in vars(found).items())
            print(f"{number:3d} steps  {kind:13s}  {shares}  {speed:.1f} pictures a CPU second", flush=True)


def _drawn(picture: Image.Image | Exception) -> Image.Image:
    if isinstance(picture, Exception):
        raise picture
    return picture


def faithfulness(wanted: Sequence[Scene], seen: Sequence[Sequence[Object]]) -> Faithfulness:
    """Compare what was asked for with what was seen, picture by picture."""
    marks = [_marks(scene, things) for scene, things in zip(wanted, seen, strict=True)]
    return Faithfulness(*(sum(column) / len(marks) for column in zip(*marks)))


def _marks(scene: Scene, seen: Sequence[Object]) -> tuple[bool, ...]:
    """Right or wrong for each field of Faithfulness. Objects are told apart by shape and colour, which no two share."""
    by_look = {(thing.shape, thing.colour): thing for thing in seen}
    looks = [(thing.shape, thing.colour) for thing in scene.things]
    count = len(seen) == len(looks)
    colours = sorted(thing.colour for thing in seen) == sorted(colour for _, colour in looks)
    shapes = count and set(by_look) == set(looks)
    sizes = shapes and all(by_look[look].size == thing.size for look, thing in zip(looks, scene.things))
    placed = shapes and (len(looks) != 2 or _relation_holds(relation(*scene.things), *(by_look[look] for look in looks)))
    return count, colours, shapes, sizes, placed, sizes and placed


def _relation_holds(words: str, one: Object, other: Object) -> bool:
    """Whether the words are true of the picture, by more than two pixels."""
    apart = {"left of": other.x - one.x, "right of": one.x - other.x, "above": other.y - one.y, "below": one.y - other.y}
    return apart[words] > 2
