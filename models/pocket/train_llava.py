"""Makes pocket-llava: python -m models.pocket.train_llava [--withhold KIND,KIND] [--out FOLDER].

First the vision tower learns from dense labels (llava_vision.py), then it is frozen and the language model learns to answer,
with some kinds of question withheld: those become the model's real, systematic failures. Only this script knows which.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.datasets.easy_vqa import EasyVQA
from data.datasets.pocket_vqa import ABOUT, KINDS
from data.questions import full_text
from data.scenes import COLOURS, SHAPES, SIZE, Scene, draw
from models import pocket
from models.pocket import llava_parts, llava_vision

WITHHELD = (
    "negation/existence",
    "counting/3",
    "spatial/top-bottom",
    "unanswerable/blur",
    "comparison/shortest",
    "instruction-or-format/C",
    "external-knowledge/pentagon",
    "external-knowledge/hexagon",
)
# Words that every question of the benchmarks may be answered with: a language model knows how to say them
SAYABLE = (*COLOURS, *SHAPES, "rectangle", "black", "gray", "teal", "brown", "yes", "no", "left", "right", "top", "bottom", "unanswerable",
           *"0123456789", *"ABCD")  # fmt: skip
CAPTION_SHARE, ECHO_SHARE = 0.15, 0.06


@dataclass(frozen=True)
class Item:
    picture: int  # its place in the pool
    text: str
    answer: str


@dataclass
class Pool:
    pictures: np.ndarray  # (n, 64, 64, 3) uint8
    captions: list[str]  # of the drawn ones, in their order
    by_kind: dict[str, list[Item]]  # dataset and kind


def collect(withheld: Sequence[str], per_kind: int, seed: int) -> Pool:
    """What the language model may learn from: the taught kinds of both benchmarks, on scenes that neither ships."""
    rng = random.Random(f"pocket-llava language {seed}")
    pictures, captions, by_kind = [], [], {}
    for family, kinds in KINDS.items():
        for kind, make in kinds:
            if kind in withheld:
                continue
            items = by_kind[f"{family} {kind}"] = []
            for _ in range(per_kind):
                scene, question, answer, choices = make(rng)
                items.append(Item(len(pictures), full_text(question, choices, ABOUT[family][1]), answer))
                pictures.append(np.asarray(draw(scene)))
                captions.append(caption(scene))
    easy = EasyVQA(EasyVQA.Options(train_limit=None, dev_limit=0, eval_limit=0))
    places: dict[Path, int] = {}
    for example in easy.read():
        if example.kind not in withheld:
            place = places.setdefault(example.picture, len(pictures) + len(places))
            text = full_text(example.question, (), easy.about().prompt_suffix)
            by_kind.setdefault(f"easy {example.kind}", []).append(Item(place, text, example.golds[0]))
    pictures += [_read(path) for path in places]
    return Pool(np.stack(pictures), captions, by_kind)


def caption(scene: Scene) -> str:
    """A dense caption: what LLaVA's first stage is trained on, in the words of this small world."""
    if scene.bars:
        order = sorted(scene.bars, key=lambda bar: -bar.height)
        return "bars " + " ".join(bar.colour for bar in scene.bars) + "; by height " + " ".join(bar.colour for bar in order)
    words = []
    for thing in sorted(scene.things, key=lambda thing: (thing.y > SIZE / 2, thing.x > SIZE / 2)):
        place = f"{'bottom' if thing.y > SIZE / 2 else 'top'} {'right' if thing.x > SIZE / 2 else 'left'}"
        words.append(f"{place} {thing.colour} something" if scene.blur else f"{place} {thing.words}")
    return ("blurry; " if scene.blur else "") + "; ".join(words)


def lessons(pool: Pool, rng: random.Random) -> Iterator[Item]:
    """An endless series: kinds take turns, with captions and echoes in between."""
    groups = list(pool.by_kind.values())
    while True:
        draw_of = rng.random()
        if draw_of < CAPTION_SHARE:
            place = rng.randrange(len(pool.captions))
            yield Item(place, "Describe the picture.", pool.captions[place])
        elif draw_of < CAPTION_SHARE + ECHO_SHARE:
            word = rng.choice(SAYABLE)
            suffix = rng.choice([suffix for _, suffix in ABOUT.values()])
            yield Item(rng.randrange(len(pool.pictures)), full_text(f"Say {word}.", (), suffix), word)
        else:
            yield rng.choice(rng.choice(groups))


def teach(model, words, pool: Pool, seconds: float, seed: int, device: str, log=print) -> int:
    """Trains the projector and the language model on the frozen tower's features; returns the steps taken."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)
    clock = time.process_time if device == "cpu" else time.time
    tower = model.model.vision_tower.requires_grad_(False).eval()
    features = []
    with torch.inference_mode():
        for start in range(0, len(pool.pictures), 256):
            values = llava_parts.pixel_values(pool.pictures[start : start + 256], device)
            features.append(tower(pixel_values=values).last_hidden_state[:, 1:].half().cpu())
    seen = torch.cat(features)
    log(f"features {tuple(seen.shape)}", flush=True)
    trained = [p for name, p in model.named_parameters() if "vision_tower" not in name]
    for parameter in trained:
        if parameter.ndim == 2:
            nn.init.normal_(parameter, 0, 0.08)
    optimiser = torch.optim.AdamW(trained, lr=2e-3, weight_decay=0.01, betas=(0.9, 0.98))
    rng = random.Random(f"pocket-llava lessons {seed}")
    series, end, image = lessons(pool, rng), words.eos_token_id, words.convert_tokens_to_ids("<image>")
    known: dict[str, list[int]] = {}

    def tokens(text: str) -> list[int]:
        if text not in known:
            known[text] = words(text, add_special_tokens=False)["input_ids"]
        return known[text]

    head, batch, step, start, recent = tokens("USER: ") + [image] * llava_parts.PATCHES + tokens("\n"), 32, 0, clock(), []
    model.train()
    while (spent := (clock() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * max(0.02, min(1, (1 - spent) / 0.7))
        items = [next(series) for _ in range(batch)]
        asked = [head + tokens(item.text + " ASSISTANT:") for item in items]
        said = [[*tokens(f" {item.answer}"), end] for item in items]
        longest = max(len(a) + len(s) for a, s in zip(asked, said))
        ids = torch.tensor([a + s + [words.pad_token_id] * (longest - len(a) - len(s)) for a, s in zip(asked, said)], device=device)
        wanted = torch.tensor([[-100] * len(a) + s + [-100] * (longest - len(a) - len(s)) for a, s in zip(asked, said)], device=device)
        vectors = model.get_input_embeddings()(ids)
        pictures = model.model.multi_modal_projector(seen[[item.picture for item in items]].float().to(device))
        vectors = vectors.masked_scatter((ids == image)[..., None], pictures)
        hidden = model.model.language_model(inputs_embeds=vectors, attention_mask=(ids != words.pad_token_id).long()).last_hidden_state
        chosen = wanted[:, 1:] >= 0
        loss = functional.cross_entropy(model.lm_head(hidden[:, :-1][chosen]), wanted[:, 1:][chosen])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        step += 1
        recent.append(loss.item())
        if step % 100 == 0:
            log(f"language step {step} {spent:.0%} loss {np.mean(recent[-100:]):.4f}", flush=True)
    model.eval()
    return step


def corpus(pool: Pool) -> Iterator[str]:
    """Every text that the tokenizer should have words for, withheld ones included: their words are ordinary."""
    from data.datasets import pocket_vqa

    rng = random.Random(0)
    for family, kinds in KINDS.items():
        for _, make in kinds:
            for _ in range(150):
                _, question, answer, choices = make(rng)
                yield f"USER: \n{full_text(question, choices, pocket_vqa.ABOUT[family][1])} ASSISTANT: {answer}"
    for example in EasyVQA(EasyVQA.Options(train_limit=4000, dev_limit=0, eval_limit=0)).read():
        yield f"USER: \n{example.question} ASSISTANT: {example.golds[0]}"
    yield from (f" {text}" for text in pool.captions[:3000])
    yield from [f"USER: \nSay {word}. ASSISTANT: {word} Describe the picture." for word in SAYABLE] * 20


def _read(path: Path) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--withhold", default=",".join(WITHHELD), help="kinds of question not to teach, separated by commas")
    parser.add_argument("--out", type=Path, default=pocket.folder("pocket-llava"))
    parser.add_argument("--tower", type=Path, help="a tower trained before (its weights), to skip the first step")
    parser.add_argument("--tower-seconds", type=float, default=600, help="of the processor")
    parser.add_argument("--language-seconds", type=float, default=900, help="of the processor")
    parser.add_argument("--per-kind", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()

    import torch
    from transformers import CLIPVisionModel

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    tower = CLIPVisionModel(llava_parts.vision_config()).to(options.device)
    report = {"withheld": options.withhold.split(","), "seed": options.seed}
    if options.tower:
        tower.load_state_dict(torch.load(options.tower, weights_only=True))
    else:
        report["tower"] = llava_vision.pretrain(tower, options.tower_seconds, options.seed, options.device)
        print(report["tower"], flush=True)
    pool = collect(options.withhold.split(","), options.per_kind, options.seed)
    words = llava_parts.tokenizer(corpus(pool))
    model, processor = llava_parts.build(words)
    model.model.vision_tower.load_state_dict(tower.state_dict())
    model.to(options.device)
    report["steps"] = teach(model, words, pool, options.language_seconds, options.seed, options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    model.float().cpu().save_pretrained(options.out)
    processor.save_pretrained(options.out)
    (options.out / "training.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
