"""The arm of retrieved examples: the train examples most similar to the failures, by the embeddings of question and image.

Each failure in turn takes its nearest example that no earlier one took; itself it may not take, another failure it may: what is like
failures was often failed. The child of the job works it out, for it needs the embedders; the app writes what there is to choose from.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from curation.experiments.arm_rows import TrainRow, nearest_in_turns
from data.files import write_whole

FILE = "retrieval.json"
IMAGE_WEIGHT = 0.5  # beside 1 of the question, as the map of failures weighs them
DEPTH = 200  # nearest candidates that a failure may choose from
PORTION = 1_024  # failures compared at once

Embed = Callable[[Sequence[str], Sequence[str]], tuple[np.ndarray, np.ndarray]]  # questions and images to vectors of length 1


@dataclass(frozen=True)
class Retrieval:
    """What there is to choose from: candidates, which of them are failures, and what a seed may not take (its replay)."""

    count: int
    candidates: list[TrainRow]
    failures: list[int]  # identities
    barred: dict[int, list[int]]  # identities, by seed

    def write(self, folder: Path) -> None:
        plain = {"count": self.count, "candidates": [asdict(row) for row in self.candidates]}
        write_whole(folder / FILE, json.dumps({**plain, "failures": self.failures, "barred": self.barred}, ensure_ascii=False))

    @classmethod
    def read(cls, folder: Path) -> "Retrieval":
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        rows = [TrainRow.from_row(row) for row in found["candidates"]]
        return cls(found["count"], rows, found["failures"], {int(seed): ids for seed, ids in found["barred"].items()})


def retrieved(what: Retrieval, seeds: Sequence[int], embed: Embed) -> dict[int, list[TrainRow]]:
    """The rows by seed. The seed decides in which order failures choose. Raises ValueError if there are too few."""
    texts, images = embed([row.question for row in what.candidates], [row.image for row in what.candidates])
    vectors = np.concatenate([texts, IMAGE_WEIGHT * images], axis=1)
    places = {row.identity: place for place, row in enumerate(what.candidates)}
    queries = [places[identity] for identity in what.failures if identity in places]
    nearest = _nearest(vectors, queries)
    return {seed: _of_seed(what, seed, queries, nearest, places) for seed in seeds}


def _of_seed(what: Retrieval, seed: int, queries: Sequence[int], nearest: np.ndarray, places: dict[int, int]) -> list[TrainRow]:
    barred = {places[identity] for identity in what.barred.get(seed, []) if identity in places}
    order = list(range(len(queries)))
    random.Random(f"retrieved {seed}").shuffle(order)
    chosen = nearest_in_turns([[c for c in nearest[i].tolist() if c not in barred] for i in order], what.count)
    if len(chosen) < what.count:
        raise ValueError(f"only {len(chosen)} examples are similar to the {len(queries)} failures, {what.count} are needed; lower N")
    return [what.candidates[place] for place in sorted(chosen)]


def _nearest(vectors: np.ndarray, queries: Sequence[int]) -> np.ndarray:
    """For each query the places of its nearest vectors, nearest first, without itself: (queries, up to DEPTH)."""
    depth = min(DEPTH, len(vectors) - 1)
    found = np.zeros((len(queries), depth), np.int64)
    for start in range(0, len(queries), PORTION):
        some = np.array(queries[start : start + PORTION], np.int64)
        likeness = vectors[some] @ vectors.T
        likeness[np.arange(len(some)), some] = -np.inf
        part = np.argpartition(-likeness, depth - 1, axis=1)[:, :depth] if depth < likeness.shape[1] else np.argsort(-likeness, axis=1)
        order = np.argsort(-np.take_along_axis(likeness, part, axis=1), axis=1, kind="stable")
        found[start : start + len(some)] = np.take_along_axis(part, order, axis=1)[:, :depth]
    return found
