"""The text encoders of pocket-flux learn to read before the transformer learns to draw, as FLUX.1's did.

They read scene prompts and tell what is in them: T5 at each word the object that the word belongs to, CLIP in its one
vector all objects. Without this the transformer has to teach them to read through its own noise.
"""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from data.scenes import COLOURS, OBJECT_LIMIT, RADII, SHAPES
from models.pocket.flux_data import prompt, training_scene
from models.pocket.flux_parts import TEXT_LENGTH, build_denoiser, tokenizer

SIDES = {"left": ("left", "right"), "right": ("right", "left"), "above": ("above", "below"), "below": ("below", "above")}
KINDS = (tuple(COLOURS), SHAPES, tuple(RADII), tuple(SIDES))  # what is told of an object: colour, shape, size, side
BATCH = 256
ENCODERS = ("text_encoder", "text_encoder_2")


def reading(words: Sequence[str]) -> list[tuple[int, list[int]]]:
    """For each word its object's number and that object's colour, shape, size and side: indices into KINDS, from 1; 0 is unsaid.

    >>> reading(["large", "red", "circle", "left", "blue", "square"])[4]
    (1, [3, 3, 0, 2])
    """
    numbers, objects, sides = [], [[0, 0, 0, 0]], None
    for word in words:
        numbers.append(len(objects) - 1)
        for slot, kind in enumerate(KINDS[:3]):
            if word in kind:
                objects[-1][slot] = kind.index(word) + 1
        if word in SIDES and len(objects) == 2 and sides is None:
            sides = SIDES[word]
        if word in SHAPES:  # the noun ends its object
            objects.append([0, 0, 0, 0])
    for thing, side in zip(objects, sides or ()):
        thing[3] = KINDS[3].index(side) + 1
    return [(number, objects[number]) for number in numbers]


def lessons(count: int, seed: int):
    """Token ids (n, TEXT_LENGTH) and what they say: of each token's object (n, TEXT_LENGTH, 5), -1 beyond the end; of the whole (n, 13)."""
    import torch

    rng, words = random.Random(seed), tokenizer()
    texts = [prompt(training_scene(rng), rng) for _ in range(count)]
    ids = words(texts, padding="max_length", max_length=TEXT_LENGTH, truncation=True, return_tensors="pt")["input_ids"]
    of_tokens = torch.full((count, TEXT_LENGTH, 5), -1)
    of_texts = torch.zeros(count, OBJECT_LIMIT * 4 + 1, dtype=torch.long)
    for i, row in enumerate(words.batch_decode(ids, skip_special_tokens=True)):
        words_of_row = row.split()
        of_texts[i, -1] = int("blurry" in words_of_row)
        for place, (number, thing) in enumerate(reading(words_of_row)):
            if number < OBJECT_LIMIT:
                of_tokens[i, place] = torch.tensor([number, *thing])
                of_texts[i, number * 4 : number * 4 + 4] = torch.tensor(thing)
    return ids, of_tokens, of_texts


def train_words(work: Path, device: str, steps: int, seed: int, log: Callable[[str], None]) -> None:
    """Train both encoders and save their weights to `work`/words.pt; the heads that read them out are thrown away."""
    import torch
    import torch.nn.functional as F

    torch.manual_seed(seed)
    ids, of_tokens, of_texts = (part.to(device) for part in lessons(30_000, seed + 200))
    parts = {name: part.to(device).train() for name, part in build_denoiser(tokenizer()).items() if name in ENCODERS}
    sizes = [len(kind) + 1 for kind in KINDS]
    token_sizes, text_sizes = [OBJECT_LIMIT, *sizes], [*(sizes * OBJECT_LIMIT), 2]
    token_head = torch.nn.Linear(parts["text_encoder_2"].config.d_model, sum(token_sizes)).to(device)
    text_head = torch.nn.Linear(parts["text_encoder"].config.hidden_size, sum(text_sizes)).to(device)
    weights = [w for part in (*parts.values(), token_head, text_head) for w in part.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    began = time.process_time()
    for step in range(steps):
        chosen = torch.randint(0, len(ids), (BATCH,), device=device)
        by_token = token_head(parts["text_encoder_2"](ids[chosen])[0]).split(token_sizes, -1)
        by_text = text_head(parts["text_encoder"](ids[chosen]).pooler_output).split(text_sizes, -1)
        token_losses = [
            F.cross_entropy(scores.flatten(0, 1), of_tokens[chosen, :, i].flatten(), ignore_index=-1) for i, scores in enumerate(by_token)
        ]
        text_losses = [F.cross_entropy(scores, of_texts[chosen, i]) for i, scores in enumerate(by_text)]
        token_loss, text_loss = sum(token_losses[1:], token_losses[0]), sum(text_losses[1:], text_losses[0])
        optimizer.zero_grad()
        (token_loss + text_loss).backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            cpu = time.process_time() - began
            log(f"words {step + 1} cpu {cpu:.0f}s token loss {token_loss.item():.4f} text loss {text_loss.item():.4f}")
    torch.save({name: part.state_dict() for name, part in parts.items()}, work / "words.pt")
