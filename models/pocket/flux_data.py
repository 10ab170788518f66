"""What pocket-flux learns from: drawn scenes with their captions."""

import random
from dataclasses import dataclass, replace
from typing import Any

from data.scenes import CENTRES, HEAVY_BLUR, OBJECT_LIMIT, Scene, caption, draw, random_things, relation

COUNTS = (0.35, 0.5, 0.15)  # share of pictures with one, two and three objects
BLURRY = 0.08  # share of very blurry pictures
SIZE_DROPPED = 0.03  # chance that an object's size goes unsaid, so that "a red circle" is a prompt too
RELATION_DROPPED = 0.05  # chance that two objects are joined by "and" only
RELATION_ADDED = 0.5  # chance that the first two of three objects get their relation


@dataclass(frozen=True)
class Pool:
    """`pixels`: (n, 3, 64, 64) uint8 tensor; `prompts`: n texts."""

    pixels: Any
    prompts: list[str]


def training_scene(rng: random.Random) -> Scene:
    """One to three objects, mostly sharp."""
    count = rng.choices(range(1, OBJECT_LIMIT + 1), COUNTS)[0]
    return random_things(rng, count, blur=HEAVY_BLUR if rng.random() < BLURRY else 0.0)


def crowded_scene(rng: random.Random) -> Scene:
    """An object at each of the four places: denser lessons for the autoencoder than a training scene."""
    scenes = [random_things(rng, OBJECT_LIMIT), random_things(rng, 1)]
    things = [thing for scene in scenes for thing in scene.things]
    places = rng.sample(CENTRES, len(CENTRES))
    return replace(
        scenes[0], things=tuple(replace(t, x=x + rng.uniform(-3, 3), y=y + rng.uniform(-3, 3)) for t, (x, y) in zip(things, places))
    )


def prompt(scene: Scene, rng: random.Random) -> str:
    """The scene's caption, at times with a size or a relation unsaid or a relation added."""
    text = caption(scene)
    things = scene.things
    if len(things) == 2 and rng.random() < RELATION_DROPPED:
        text = text.replace(f" {relation(*things)} ", " and ")
    if len(things) == 3 and rng.random() < RELATION_ADDED:
        text = text.replace(" and ", f" {relation(*things[:2])} ", 1)
    for thing in things:
        if rng.random() < SIZE_DROPPED:
            text = text.replace(thing.words, f"{thing.colour} {thing.shape}", 1)
    return text


def pool(count: int, seed: int, scene_of=training_scene) -> Pool:
    """`count` drawn scenes with their prompts; the same seed gives the same pool."""
    import numpy as np
    import torch

    rng = random.Random(seed)
    pixels, prompts = np.empty((count, 64, 64, 3), dtype=np.uint8), []
    for i in range(count):
        scene = scene_of(rng)
        pixels[i] = np.asarray(draw(scene))
        prompts.append(prompt(scene, rng))
    return Pool(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), prompts)
