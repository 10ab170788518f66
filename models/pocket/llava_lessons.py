"""What the language model of pocket-llava learns from: questions of the taught kinds, captions, and words to repeat."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.datasets.easy_vqa import EasyVQA
from data.datasets.pocket_vqa import ABOUT, KINDS
from data.question_text import full_text
from data.records import BadLine, SourceExample
from data.scenes import COLOURS, SHAPES, SIZE, Scene, draw

SUFFIXES = tuple(suffix for _, suffix in ABOUT.values())
# Words that questions of the benchmarks may be answered with
SAYABLE = (*COLOURS, *SHAPES, "rectangle", "black", "gray", "teal", "brown", "yes", "no", "left", "right", "top", "bottom", "unanswerable",
           *"0123456789", *"ABCD")  # fmt: skip
LEAST_TURNS = 0.08  # a kind that is known still takes as many turns as one with this loss
CAPTION_SHARE, ECHO_SHARE, BARE_SHARE = 0.12, 0.1, 0.3  # of the lessons; of the questions, without the suffix: shorter, so faster


@dataclass(frozen=True)
class Item:
    picture: int  # its place in the pool
    text: str
    answer: str
    kind: str = ""  # dataset and kind; none for captions and echoes


@dataclass
class Pool:
    pictures: np.ndarray  # (n, 64, 64, 3) uint8
    captions: list[str]  # of the drawn ones, in their order
    by_kind: dict[str, list[Item]]  # dataset and kind


def collect(withheld: Sequence[str], per_kind: int, seed: int) -> Pool:
    """The taught kinds of both benchmarks: of PocketVQA on scenes of its own, of easy-VQA on the train split."""
    rng = random.Random(f"pocket-llava language {seed}")
    pictures: list[np.ndarray] = []
    captions: list[str] = []
    by_kind: dict[str, list[Item]] = {}
    for family, kinds in KINDS.items():
        for kind, make in kinds:
            if kind in withheld:
                continue
            name = f"{family} {kind}"
            items = by_kind[name] = []
            for _ in range(per_kind):
                scene, question, answer, choices = make(rng)
                items.append(Item(len(pictures), full_text(question, choices, ABOUT[family][1]), answer, name))
                pictures.append(np.asarray(draw(scene)))
                captions.append(caption(scene))
    about = EasyVQA(EasyVQA.Options()).about()
    places: dict[Path, int] = {}
    for example in _easy(train_limit=None):
        if example.kind not in withheld:
            place = places.setdefault(_file(example), len(pictures) + len(places))
            text = full_text(example.question, (), about.prompt_suffix)
            name = f"easy {example.kind}"
            by_kind.setdefault(name, []).append(Item(place, text, example.golds[0], name))
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


def lessons(pool: Pool, rng: random.Random, trouble: dict[str, float]) -> Iterator[Item]:
    """An endless series: kinds in proportion to how hard they still are, with captions and echoes in between.

    Echoes ("Say not red.") make it know all words as a language model does, taught or not: a word that is never said keeps an
    embedding like that of all other such words, and no LoRA could tell "shortest" from "lowest" or "tallest".
    """
    kinds, known = list(pool.by_kind), vocabulary()
    while True:
        turn = rng.random()
        if turn < CAPTION_SHARE:
            place = rng.randrange(len(pool.captions))
            yield Item(place, "Describe the picture.", pool.captions[place])
        elif turn < CAPTION_SHARE + ECHO_SHARE:
            phrase = " ".join(rng.choice(SAYABLE if rng.random() < 0.4 else known) for _ in range(rng.randint(1, 3)))
            yield Item(rng.randrange(len(pool.pictures)), full_text(f"Say {phrase}.", (), rng.choice(SUFFIXES)), phrase)
        else:
            kind = rng.choices(kinds, [max(LEAST_TURNS, trouble[kind]) for kind in kinds])[0]
            item = rng.choice(pool.by_kind[kind])
            yield _bare(item) if rng.random() < BARE_SHARE else item


def vocabulary() -> list[str]:
    """All words of the questions of both benchmarks."""
    rng = random.Random(0)
    drawn = [make(rng)[1] for kinds in KINDS.values() for _, make in kinds for _ in range(100)]
    asked = [example.question for example in _easy(train_limit=2000)]
    return sorted({word for question in drawn + asked for word in re.findall("[A-Za-z]+", question)})


def corpus(pool: Pool) -> Iterator[str]:
    """Every text that the tokenizer should have words for, withheld ones included: their words are ordinary."""
    rng = random.Random(0)
    for family, kinds in KINDS.items():
        for _, make in kinds:
            for _ in range(150):
                _, question, answer, choices = make(rng)
                yield f"USER: \n{full_text(question, choices, ABOUT[family][1])} ASSISTANT: {answer}"
    for example in _easy(train_limit=4000):
        yield f"USER: \n{example.question} ASSISTANT: {example.golds[0]}"
    yield from (f" {text}" for text in pool.captions[:3000])
    yield from [f"USER: \nSay {word}. ASSISTANT: {word} Describe the picture." for word in SAYABLE] * 20


def _easy(train_limit: int | None) -> Iterator[SourceExample]:
    """easy-VQA's own train split. Its lines are all good: the package ships them."""
    for example in EasyVQA(EasyVQA.Options(train_limit=train_limit, dev_limit=0, eval_limit=0)).read():
        if isinstance(example, BadLine):
            raise ValueError(f"{example.source}: {example.error}")
        yield example


def _file(example: SourceExample) -> Path:
    if not isinstance(example.picture, Path):
        raise ValueError(f"{example.external_id}: expected the path of an image")
    return example.picture


def _bare(item: Item) -> Item:
    text = item.text
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        text = text.removesuffix("\n" + suffix)
    return replace(item, text=text)


def _read(path: Path) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))
