"""The first step of pocket-llava's training: its vision tower learns what is where, from dense labels.

Each patch is asked for the object, bar and picture it belongs to (shape, colour, size, position, rank, blur, count), so
that the features hold whatever a question could ask for, also skills that the language model isn't taught.
"""

import random
import time

import numpy as np

from data.datasets.easy_vqa import COLOURS as EASY_COLOURS
from data.scenes import COLOURS, HEAVY_BLUR, RADII, SHAPES, SIZE, Scene, draw, random_chart, random_things
from models.pocket.llava_parts import PATCH, pixel_values

GRID = SIZE // PATCH
ALL_SHAPES = ("none", *SHAPES, "rectangle", "bar")
ALL_COLOURS = ("none", *COLOURS, *(name for name in EASY_COLOURS if name not in COLOURS))
HEADS = {  # what each patch is asked for, and into how many classes
    "shape": len(ALL_SHAPES),
    "colour": len(ALL_COLOURS),
    "size": 3,  # none, small, large
    "across": 3,  # of the object: none, left, right
    "down": 3,
    "rank": 4,  # of the bar: none, tallest, between, shortest
    "place": 4,  # of the bar: none, first, between, last
    "count": 4,  # of the whole picture: a chart, 1, 2, 3 objects
    "blur": 2,
    "main_shape": len(ALL_SHAPES),  # of the largest object: of the whole picture
    "main_colour": len(ALL_COLOURS),
}
UNKNOWN = -100  # PyTorch's label for "don't score this"
BATCH = 64


def labelled(rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """A picture (64, 64, 3) uint8 and its labels (patches, heads)."""
    draw_of = rng.random()
    if draw_of < 0.25:
        scene = random_chart(rng)
    elif draw_of < 0.35:
        scene = random_things(rng, 1, blur=HEAVY_BLUR)
    else:
        scene = random_things(rng)
    return np.asarray(draw(scene, 3)), scene_labels(scene)


def scene_labels(scene: Scene) -> np.ndarray:
    """(patches, heads) int64."""
    label = {name: np.zeros((GRID, GRID), np.int64) for name in HEADS}
    label["blur"][:] = scene.blur >= HEAVY_BLUR
    label["count"][:] = len(scene.things)
    rows, columns = (np.indices((GRID, GRID)) + 0.5) * PATCH
    for thing in scene.things:
        reach = RADII[thing.size] + PATCH / 2 - 2
        inside = (abs(columns - thing.x) < reach) & (abs(rows - thing.y) < reach)
        label["shape"][inside] = UNKNOWN if scene.blur else ALL_SHAPES.index(thing.shape)
        label["colour"][inside] = ALL_COLOURS.index(thing.colour)
        label["size"][inside] = 1 + (thing.size == "large")
        label["across"][inside] = 1 + (thing.x > SIZE / 2)
        label["down"][inside] = 1 + (thing.y > SIZE / 2)
    if scene.things:
        main = max(scene.things, key=lambda thing: RADII[thing.size])
        alone = sum(thing.size == main.size for thing in scene.things) == 1 and not scene.blur
        label["main_shape"][:] = ALL_SHAPES.index(main.shape) if alone else UNKNOWN
        label["main_colour"][:] = ALL_COLOURS.index(main.colour) if alone else UNKNOWN
    order = sorted(range(len(scene.bars)), key=lambda i: -scene.bars[i].height)
    step = 54 / max(1, len(scene.bars))
    for i, bar in enumerate(scene.bars):
        left = 9 + i * step
        beside = (columns > left - PATCH / 2 + 1) & (columns < left + step - 4 + PATCH / 2 - 1)
        inside = beside & (rows < 58) & (rows > 58 - bar.height - PATCH / 2)
        label["shape"][inside] = ALL_SHAPES.index("bar")
        label["colour"][inside] = ALL_COLOURS.index(bar.colour)
        rank = order.index(i)
        label["rank"][inside] = 1 if rank == 0 else 3 if rank == len(order) - 1 else 2
        label["place"][inside] = 1 if i == 0 else 3 if i == len(scene.bars) - 1 else 2
    return np.stack([label[name].reshape(-1) for name in HEADS], axis=1)


def easy_labelled() -> tuple[np.ndarray, np.ndarray]:
    """The train pictures of easy-VQA (n, 64, 64, 3) with labels (n, patches, heads), from its questions' answers."""
    import easy_vqa
    from PIL import Image

    _, answers, ids = easy_vqa.get_train_questions()
    facts: dict[int, dict[str, str]] = {}
    for answer, image_id in zip(answers, ids):
        if answer not in ("yes", "no"):
            facts.setdefault(image_id, {})["colour" if answer in EASY_COLOURS else "shape"] = answer
    pictures, labels = [], []
    for image_id, path in easy_vqa.get_train_image_paths().items():
        if image_id % 10 == 9:  # of the dev split
            continue
        picture = np.asarray(Image.open(path).convert("RGB"))
        pictures.append(picture)
        labels.append(_easy_labels(picture, facts.get(image_id, {})))
    return np.stack(pictures), np.stack(labels)


def _easy_labels(picture: np.ndarray, facts: dict[str, str]) -> np.ndarray:
    label = {name: np.full((GRID, GRID), UNKNOWN, np.int64) for name in HEADS}
    background = np.median(picture.reshape(-1, 3), axis=0)
    drawn = (abs(picture.astype(int) - background).sum(axis=2) > 60).reshape(GRID, PATCH, GRID, PATCH).mean(axis=(1, 3)) > 0.1
    for name in ("rank", "place", "blur"):
        label[name][:] = 0
    label["count"][:] = 1
    for name, names in (("shape", ALL_SHAPES), ("colour", ALL_COLOURS)):
        value = names.index(facts[name]) if name in facts else UNKNOWN
        label[name] = np.where(drawn, value, 0)
        label[f"main_{name}"][:] = value
    return np.stack([label[name].reshape(-1) for name in HEADS], axis=1)


def pretrain(tower, steps: int, seed: int = 0, device: str = "cpu", pool: int = 24_000, log=print) -> dict[str, float]:
    """Trains the tower for so many batches; returns each head's accuracy on pictures not trained on."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)
    rng = random.Random(f"pocket-llava tower {seed}")
    made = [labelled(rng) for _ in range(pool)]
    easy, easy_labels = easy_labelled()
    pictures = np.concatenate([np.stack([picture for picture, _ in made]), easy])
    labels = torch.from_numpy(np.concatenate([np.stack([label for _, label in made]), easy_labels]))
    held_out = torch.from_numpy(np.stack([label for _, label in made[:500]])), pictures[:500]
    sizes = list(HEADS.values())
    heads = nn.Linear(tower.config.hidden_size, sum(sizes)).to(device)
    parameters = [*tower.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, betas=(0.9, 0.98))
    start, noise = time.time(), torch.Generator().manual_seed(seed)

    def losses(index: np.ndarray):
        seen = tower(pixel_values=_varied(pixel_values(pictures[index]), noise).to(device)).last_hidden_state[:, 1:]
        outputs = heads(seen).split(sizes, dim=-1)
        wanted = labels[index].to(device)
        return [functional.cross_entropy(o.flatten(0, 1), wanted[..., i].flatten(), ignore_index=UNKNOWN) for i, o in enumerate(outputs)]

    chooser = np.random.default_rng(seed)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1, (step + 1) / 100) * max(0.02, min(1, (1 - step / steps) / 0.6))
        index = np.where(chooser.random(BATCH) < 0.25, chooser.integers(pool, len(pictures), BATCH), chooser.integers(500, pool, BATCH))
        parts = losses(index)
        optimiser.zero_grad()
        sum(parts).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if (step + 1) % 500 == 0:
            report = " ".join(f"{name} {part.item():.3f}" for name, part in zip(HEADS, parts))
            log(f"tower step {step + 1} of {steps}, {time.time() - start:.0f} s: {report}", flush=True)
    tower.eval()
    return _accuracies(tower, heads, sizes, *held_out, device)


def _varied(pixels, generator):
    """Half of a batch with other brightness and noise: a drawn picture that was generated or saved as JPEG is no other picture."""
    import torch

    count = len(pixels)
    chosen = (torch.rand(count, 1, 1, 1, generator=generator) < 0.5).float()
    brightness = 0.12 * torch.randn(count, 3, 1, 1, generator=generator)
    strength = 0.15 * torch.rand(count, 1, 1, 1, generator=generator)
    return pixels + chosen * (brightness + strength * torch.randn(pixels.shape, generator=generator))


def _accuracies(tower, heads, sizes, wanted, pictures, device) -> dict[str, float]:
    """Per head: the share of patches, of those that aren't "none", that are told right."""
    import torch

    with torch.inference_mode():
        outputs = heads(tower(pixel_values=pixel_values(pictures, device)).last_hidden_state[:, 1:]).split(sizes, dim=-1)
    found = {}
    for i, name in enumerate(HEADS):
        chosen = wanted[..., i] > (-1 if name in ("blur", "count") else 0)
        found[name] = float((outputs[i].argmax(-1).cpu() == wanted[..., i])[chosen].float().mean())
    return found
