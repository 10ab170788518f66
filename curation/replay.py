"""Replay: which of the things that a checkpoint knows are repeated while it learns new ones, so that it doesn't forget them.

Half of it are twins: for each sample, something known that is asked most alike ("Is there a red cup?" beside "Is there not a red
cup?"). These are what a finetune breaks first (docs/log.md). The other half lets all datasets, kinds and answers take turns.
"""

import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

TWINS = 0.5  # share of the replay
QUESTIONS = 4_000  # different questions that are compared at most, on either side: the cost grows with their product

Row = dict  # with question, dataset, kind and golds


def choose(samples: Sequence[Row], known: Sequence[Row], wanted: int, seed: int = 0) -> list[Row]:
    """`wanted` rows of `known` (or all there are), no row twice; the same seed gives the same rows."""
    rng = random.Random(seed)
    found = twins(samples, known, min(round(TWINS * wanted), len(samples)), rng)
    taken = {id(row) for row in found}
    return found + in_turns([row for row in known if id(row) not in taken], wanted - len(found), rng)


def twins(samples: Sequence[Row], known: Sequence[Row], wanted: int, rng: random.Random) -> list[Row]:
    """For `wanted` of the samples the row whose question is nearest to theirs in its words and not taken yet."""
    from rapidfuzz import fuzz, process

    if not samples or not known or wanted <= 0:
        return []
    by_question: dict[str, list[Row]] = defaultdict(list)
    for row in rng.sample(list(known), len(known)):
        by_question[row["question"].lower()].append(row)
    questions = list(by_question)[:QUESTIONS]
    asked = [row["question"].lower() for row in rng.sample(list(samples), min(wanted, len(samples)))]
    different = list(dict.fromkeys(asked))[:QUESTIONS]
    likeness = process.cdist(different, questions, scorer=fuzz.token_sort_ratio, dtype=np.uint8)
    nearest = {question: np.argsort(-likeness[i].astype(int), kind="stable") for i, question in enumerate(different)}
    found = []
    for question in asked:
        order = nearest.get(question)
        place = next((i for i in order if by_question[questions[i]]), None) if order is not None else None
        if place is not None:
            found.append(by_question[questions[place]].pop())
    return found


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
