"""Replay: which of the things that a checkpoint knows are repeated while it learns new ones, so that it doesn't forget them.

Half of it are twins: for each sample, something known that is asked most alike ("Is there a red cup?" beside "Is there not a red
cup?"). These are what a finetune breaks first (docs/log.md). In the other half all datasets, kinds and answers take turns.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

TWINS = 0.5  # share of the replay
AS_NEAR = 0.85  # of the best likeness: kinds that come so near take turns. "lowest" is as near to "last" as to "highest", which it breaks
QUESTIONS = 4_000  # different questions that are compared at most, on either side: the cost grows with their product

Row = dict  # with question, dataset, kind and golds


def choose(samples: Sequence[Row], known: Sequence[Row], wanted: int, seed: int = 0) -> list[Row]:
    """`wanted` rows of `known` (or all there are), no row twice; the same seed gives the same rows."""
    rng = random.Random(seed)
    found = twins(samples, known, round(TWINS * wanted), rng)
    taken = {id(row) for row in found}
    return found + in_turns([row for row in known if id(row) not in taken], wanted - len(found), rng)


def twins(samples: Sequence[Row], known: Sequence[Row], wanted: int, rng: random.Random) -> list[Row]:
    """`wanted` known rows: for each sample in turn one whose question is nearest to its own in words, of its nearest kinds in turn."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    if not samples or not known or wanted <= 0:
        return []
    by_question: dict[tuple, list[Row]] = defaultdict(list)
    for row in rng.sample(list(known), len(known)):
        by_question[row["dataset"], row["kind"], row["question"].lower()].append(row)
    stock = list(by_question.values())[:QUESTIONS]
    kinds = [(rows[0]["dataset"], rows[0]["kind"]) for rows in stock]
    asked = [row["question"].lower() for row in rng.sample(list(samples), len(samples))]
    different = list(dict.fromkeys(asked))[:QUESTIONS]
    words = [question.split() for question in different], [rows[0]["question"].lower().split() for rows in stock]
    likeness = process.cdist(*words, scorer=Indel.normalized_similarity, dtype=np.float32)
    near = {question: _Near(likeness[i], kinds, stock) for i, question in enumerate(different)}
    turns = (near[asked[i % len(asked)]] for i in range(wanted) if asked[i % len(asked)] in near)
    return [row for nearest in turns for row in nearest.take()]


class _Near:
    """Known rows by how near they are to one question; kinds as near as the nearest take turns, then any."""

    def __init__(self, likeness: np.ndarray, kinds: list[tuple], stock: list[list[Row]]) -> None:
        self.stock, self.turn = stock, 0
        order = np.argsort(-likeness, kind="stable").astype(np.int32)
        nearest = list(dict.fromkeys(kinds[i] for i in order if likeness[i] >= AS_NEAR * likeness[order[0]]))
        self.of_kind = [iter([i for i in order if kinds[i] == kind]) for kind in nearest]
        self.now: list = [next(places) for places in self.of_kind]
        self.any = iter(order)
        self.last = next(self.any)

    def take(self) -> list[Row]:
        """The next row; none when there are none left at all."""
        self.turn = (self.turn + 1) % len(self.of_kind)
        self.now[self.turn] = self._left(self.of_kind[self.turn], self.now[self.turn])
        place = self.now[self.turn]
        if place is None:
            place = self.last = self._left(self.any, self.last)
        return [] if place is None else [self.stock[place].pop()]

    def _left(self, places: Iterator[int], place: int | None) -> int | None:
        """The first of the places, from this one on, that has rows left."""
        while place is not None and not self.stock[place]:
            place = next(places, None)
        return place


def in_turns(rows: Sequence[Row], wanted: int, rng: random.Random) -> list[Row]:
    """`wanted` rows (or all there are), drawn so that datasets, kinds and answers take turns."""
    groups: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["dataset"], row["kind"], row["golds"][0]].append(row)
    by_kind: dict[tuple, list[list[Row]]] = defaultdict(list)
    for (dataset, kind, _), group in sorted(groups.items(), key=lambda item: str(item[0])):
        rng.shuffle(group)
        by_kind[dataset, kind].append(group)
    return _turns([_turns(answers) for answers in by_kind.values()])[: max(0, wanted)]


def _turns(queues: list[list[Row]]) -> list[Row]:
    """Rows of several queues, one of each in turn until all are empty."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]
