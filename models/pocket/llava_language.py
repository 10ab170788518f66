"""The second step of pocket-llava's training: projector and language model learn to answer, from a frozen tower's features.

Two things make a small model learn to look up ("the shape of the red one") within minutes instead of hours: the projector first
learns to put a patch near the words for what it shows, and keys start as a copy of queries, so that like attends to like.
"""

import random
import time
from collections.abc import Iterator

import numpy as np

from models.pocket import llava_parts, llava_vision
from models.pocket.llava_lessons import Item, Pool, lessons

BATCH = 32
AHEAD = 8  # batches that are drawn at once and sorted by length: little padding
LEARNING_RATE = 1.2e-3
ALIGN_STEPS, ALIGN_PICTURES = 800, 4000
UNKNOWN = -100  # PyTorch's label for "don't score this"
Row = tuple[Item, list[int], list[int]]  # with the tokens of the question and of the answer


def teach(model, words, pool: Pool, steps: int, seed: int, device: str, rate: float = LEARNING_RATE, log=print) -> float:
    """Trains everything but the tower for so many batches, in bfloat16 with float32 weights; returns the last mean loss."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)
    tower = model.model.vision_tower.requires_grad_(False).eval()
    seen = _features(tower, pool.pictures, device)
    trained = [parameter for name, parameter in model.named_parameters() if "vision_tower" not in name]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    trouble = dict.fromkeys(pool.by_kind, 1.0)  # the loss of late per kind: what is hard takes more turns
    batches = _batches(words, lessons(pool, random.Random(f"pocket-llava lessons {seed}"), trouble), random.Random(seed))
    image, pad, recent, start = words.convert_tokens_to_ids("<image>"), words.pad_token_id, [], time.time()
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * max(0.01, min(1, (1 - step / steps) / 0.7))
        rows = next(batches)
        longest = max(len(asked) + len(answer) for _, asked, answer in rows)
        ids = torch.tensor([asked + answer + [pad] * (longest - len(asked) - len(answer)) for _, asked, answer in rows])
        wanted = torch.full_like(ids, UNKNOWN)
        for row, (_, asked, answer) in enumerate(rows):
            wanted[row, len(asked) : len(asked) + len(answer)] = torch.tensor(answer)
        ids, wanted = ids.to(device), wanted.to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            vectors = model.get_input_embeddings()(ids)
            pictures = model.model.multi_modal_projector(seen[[item.picture for item, _, _ in rows]].float().to(device))
            vectors = vectors.masked_scatter((ids == image)[..., None], pictures.to(vectors.dtype))
            hidden = model.model.language_model(inputs_embeds=vectors, attention_mask=(ids != pad).long()).last_hidden_state
            chosen = wanted[:, 1:] >= 0
            each = functional.cross_entropy(model.lm_head(hidden[:, :-1][chosen]).float(), wanted[:, 1:][chosen], reduction="none")
        loss = each.mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        recent.append(loss.item())
        of_row = torch.zeros(len(rows), device=device).index_add_(0, chosen.nonzero()[:, 0], each.detach()).tolist()
        for (item, _, _), value in zip(rows, of_row):
            if item.kind in trouble:
                trouble[item.kind] = 0.98 * trouble[item.kind] + 0.02 * value
        if (step + 1) % 200 == 0:
            hard = ", ".join(f"{kind} {value:.2f}" for kind, value in trouble.items() if value > 0.1)
            log(f"language step {step + 1} of {steps}, loss {np.mean(recent[-200:]):.4f}, {time.time() - start:.0f} s; {hard}", flush=True)
    model.eval()
    return float(np.mean(recent[-200:]))


def start(model, words, seed: int, device: str, log=print) -> None:
    """The weights that `teach` starts from: keys like queries, patches near their words."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and "vision_tower" not in name:
            nn.init.normal_(parameter, 0, 0.08)
    for layer in model.model.language_model.layers:
        layer.self_attn.k_proj.weight.data.copy_(layer.self_attn.q_proj.weight.data)
    _align(model, words, model.model.vision_tower.requires_grad_(False).eval(), seed, device, log)


def _align(model, words, tower, seed: int, device: str, log=print) -> None:
    """Projector and embeddings learn that a patch lies nearest to the words for its own shape, colour and size."""
    import torch
    from torch.nn import functional

    rng = random.Random(f"pocket-llava align {seed}")
    drawn = [llava_vision.labelled(rng) for _ in range(ALIGN_PICTURES)]
    easy, easy_labels = llava_vision.easy_labelled()
    seen = _features(tower, np.concatenate([np.stack([picture for picture, _ in drawn]), easy]), device)
    labels = torch.from_numpy(np.concatenate([np.stack([label for _, label in drawn]), easy_labels]))
    names = {"shape": llava_vision.ALL_SHAPES[1:], "colour": llava_vision.ALL_COLOURS[1:], "size": ("small", "large")}
    tokens = {head: torch.tensor([words(f" {w}", add_special_tokens=False)["input_ids"][0] for w in of]) for head, of in names.items()}
    embeddings = model.get_input_embeddings().weight
    optimiser = torch.optim.AdamW([*model.model.multi_modal_projector.parameters(), embeddings], lr=1e-3, weight_decay=0.0)
    chooser = torch.Generator().manual_seed(seed)
    for _ in range(ALIGN_STEPS):
        index = torch.randint(len(seen), (64,), generator=chooser)
        patches = functional.normalize(model.model.multi_modal_projector(seen[index].float().to(device)), dim=-1)
        losses = []
        for head, own in tokens.items():
            label = labels[index][..., list(llava_vision.HEADS).index(head)].flatten().to(device)
            near = patches @ functional.normalize(embeddings[own.to(device)], dim=-1).T
            losses.append(functional.cross_entropy(10 * near.flatten(0, 1), torch.where(label > 0, label - 1, UNKNOWN)))
        loss = sum(losses[1:], losses[0])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    log(f"aligned, loss {loss.item():.3f}", flush=True)


def _features(tower, pictures: np.ndarray, device: str):
    """(n, patches, width) float16, on the CPU: what LLaVA takes from the tower."""
    import torch

    with torch.inference_mode():
        parts = [
            tower(pixel_values=llava_parts.pixel_values(pictures[start : start + 256], device)).last_hidden_state[:, 1:].half().cpu()
            for start in range(0, len(pictures), 256)
        ]
    return torch.cat(parts).clone()  # outside of inference mode a clone may take part in training


def _batches(words, series: Iterator[Item], rng: random.Random) -> Iterator[list[Row]]:
    """Batches of BATCH rows of similar length, in random order."""
    known: dict[str, list[int]] = {}

    def tokens(text: str) -> list[int]:
        if text not in known:
            known[text] = words(text, add_special_tokens=False)["input_ids"]
        return known[text]

    head = [*tokens("USER: "), *[words.convert_tokens_to_ids("<image>")] * llava_parts.PATCHES, *tokens("\n")]
    while True:
        rows = []
        for _ in range(AHEAD * BATCH):
            item = next(series)
            rows.append((item, head + tokens(f"{item.text} ASSISTANT:"), [*tokens(f" {item.answer}"), words.eos_token_id]))
        rows.sort(key=lambda row: len(row[1]) + len(row[2]))
        batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        rng.shuffle(batches)
        yield from batches
