"""Replay: which examples that a checkpoint answers right are trained on beside the new samples, against forgetting.

Half of them are similar to samples: for each sample, the known example whose question is most similar ("Is there a red cup?"
beside "Is there not a red cup?"). A finetune breaks these first (docs/log.md). In the other half all datasets, kinds and answers
take turns.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data.records import Record

SIMILAR_SHARE = 0.5  # share of the replay
AS_NEAR = 0.85  # of the best likeness: kinds that come so near take turns. "lowest" is as near to "last" as to "highest", which it breaks
QUESTIONS = 4_000  # different questions that are compared at most, on either side: the cost grows with their product

Kind = tuple[str, str | None]  # dataset and kind of question


@dataclass(frozen=True)
class TrainingExample(Record):
    """An example with what its dataset appends to questions."""

    example_id: int
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    prompt_suffix: str


@dataclass(frozen=True)
class KnownExample(TrainingExample):
    """A train example that the checkpoint answers right."""

    dataset: str
    kind: str | None


def replay_count(samples: int, known: int, share: float) -> int:
    """How many of `known` examples are replayed beside so many samples: `share` (below 1) of all rows, if there are as many."""
    return min(known, round(samples * share / (1 - share)))


def choose(questions: Sequence[str], known: Sequence[KnownExample], wanted: int, seed: int = 0) -> list[KnownExample]:
    """`wanted` of the known examples (or all there are), none twice, for samples with these questions; the same seed gives the same."""
    rng = random.Random(seed)
    chosen = most_similar(questions, known, round(SIMILAR_SHARE * wanted), rng)
    taken = {id(example) for example in chosen}
    return chosen + balanced_draw([example for example in known if id(example) not in taken], wanted - len(chosen), rng)


def most_similar(questions: Sequence[str], known: Sequence[KnownExample], wanted: int, rng: random.Random) -> list[KnownExample]:
    """`wanted` known examples: for each question in turn one that is nearest to it in words, of its nearest kinds in turn."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    if not questions or not known or wanted <= 0:
        return []
    by_question: dict[tuple[str, str | None, str], list[KnownExample]] = defaultdict(list)
    for example in rng.sample(list(known), len(known)):
        by_question[example.dataset, example.kind, example.question.lower()].append(example)
    stock = list(by_question.values())[:QUESTIONS]
    kinds = [(examples[0].dataset, examples[0].kind) for examples in stock]
    asked = [question.lower() for question in rng.sample(list(questions), len(questions))]
    different = list(dict.fromkeys(asked))[:QUESTIONS]
    words = [question.split() for question in different], [examples[0].question.lower().split() for examples in stock]
    likeness = process.cdist(*words, scorer=Indel.normalized_similarity, dtype=np.float32)
    near = {question: _Near(likeness[i], kinds, stock) for i, question in enumerate(different)}
    turns = (near[asked[i % len(asked)]] for i in range(wanted) if asked[i % len(asked)] in near)
    return [example for nearest in turns for example in nearest.take()]


class _Near:
    """Known examples by how near they are to one question; kinds as near as the nearest take turns, then any."""

    def __init__(self, likeness: np.ndarray, kinds: list[Kind], stock: list[list[KnownExample]]) -> None:
        self.stock, self.turn = stock, 0
        order = np.argsort(-likeness, kind="stable").astype(np.int32)
        nearest = list(dict.fromkeys(kinds[i] for i in order if likeness[i] >= AS_NEAR * likeness[order[0]]))
        self.of_kind = [iter([i for i in order if kinds[i] == kind]) for kind in nearest]
        self.now: list[int | None] = [next(places) for places in self.of_kind]
        self.any = iter(order)
        self.last = next(self.any)

    def take(self) -> list[KnownExample]:
        """The next example; none when there are none left at all."""
        self.turn = (self.turn + 1) % len(self.of_kind)
        self.now[self.turn] = self._left(self.of_kind[self.turn], self.now[self.turn])
        place = self.now[self.turn]
        if place is None:
            place = self.last = self._left(self.any, self.last)
        return [] if place is None else [self.stock[place].pop()]

    def _left(self, places: Iterator[int], place: int | None) -> int | None:
        """The first of the places, from this one on, that has examples left."""
        while place is not None and not self.stock[place]:
            place = next(places, None)
        return place


def balanced_draw(examples: Sequence[KnownExample], wanted: int, rng: random.Random) -> list[KnownExample]:
    """`wanted` examples (or all there are), drawn so that datasets, kinds and answers take turns."""
    groups: dict[tuple[str, str | None, str], list[KnownExample]] = defaultdict(list)
    for example in examples:
        groups[example.dataset, example.kind, example.golds[0]].append(example)
    by_kind: dict[Kind, list[list[KnownExample]]] = defaultdict(list)
    for (dataset, kind, _), group in sorted(groups.items(), key=lambda item: str(item[0])):
        rng.shuffle(group)
        by_kind[dataset, kind].append(group)
    return _turns([_turns(answers) for answers in by_kind.values()])[: max(0, wanted)]


def _turns(queues: list[list[KnownExample]]) -> list[KnownExample]:
    """Examples of several queues, one of each in turn until all are empty."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]
