"""What each arm is trained on: pure functions of what the store holds, the number of samples and the seed.

The same seed draws the same rows, whatever other arms there are. Replay is the same for all arms of a seed: half of it is most similar to
the questions of all arms together, so that it suits none of them more than the others (curation/training/replay.py).
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from curation.experiments.arms import Arm, Pool
from curation.training import replay
from curation.training.plan import gold
from curation.training.replay import KnownExample
from data.records import Record

Source = Literal["sample", "real", "replay"]


@dataclass(frozen=True)
class TrainExample(KnownExample):
    """A train example, and how the checkpoint answered it."""

    known: bool  # answered right: may be replayed
    failed: bool
    label_error: bool
    teachable: bool


@dataclass(frozen=True)
class DrawnSample(Record):
    """A sample with its image. `control`: made without a failure; `passed`: by every filter that counts, and nobody rejected it."""

    sample_id: int
    revision: int
    dataset: str
    error_type: str
    route: str
    image: str
    question: str
    choices: tuple[str, ...]
    answer: str
    prompt_suffix: str
    control: bool
    approved: bool
    passed: bool


@dataclass(frozen=True)
class TrainRow(Record):
    """A row that an arm is trained on. `identity` is the sample's or the example's number; samples have a revision."""

    source: Source
    identity: int
    revision: int | None
    dataset: str
    group: str | None  # error type of a sample, kind of an example
    image: str
    question: str
    choices: tuple[str, ...]
    answer: str
    prompt_suffix: str


Pools = Mapping[Pool, Sequence[TrainRow]]
Draws = dict[str, list[TrainRow]]  # by arm


def pools(examples: Sequence[TrainExample], samples: Sequence[DrawnSample], approved_only: bool) -> dict[Pool, list[TrainRow]]:
    """What there is for each pool; that of `retrieved` are the candidates. Failures whose gold looks wrong are in none."""
    good = [example for example in examples if not example.label_error]
    made = [sample for sample in samples if not sample.control]
    taken = [sample for sample in made if (sample.approved if approved_only else sample.passed)]
    real = [real_row(example) for example in good]
    return {
        "real": real,
        "real_failures": [real_row(example) for example in good if example.failed],
        "retrieved": real,
        "targeted": [sample_row(sample) for sample in taken],
        "targeted_same": [sample_row(sample) for sample in taken if sample.route == "same_image"],
        "targeted_new": [sample_row(sample) for sample in taken if sample.route == "new_image"],
        "unfiltered": [sample_row(sample) for sample in made],
        "untargeted": [sample_row(sample) for sample in samples if sample.control and sample.passed],
    }


def draws(arms: Iterable[Arm], pools_: Pools, count: int, seed: int) -> Draws:
    """`count` rows of each arm's pool, in the order of their numbers; arms without a pool get none, and `retrieved` is drawn elsewhere.

    Raises ValueError if a pool holds fewer.
    """
    found: Draws = {}
    for arm in arms:
        if arm.pool is None or arm.pool == "retrieved":
            found[arm.name] = []
            continue
        pool = pools_[arm.pool]
        if len(pool) < count:
            raise ValueError(f"arm {arm.name}: {len(pool)} rows, {count} are needed")
        picked = random.Random(f"{arm.pool} {seed}").sample(range(len(pool)), count)
        found[arm.name] = [pool[i] for i in sorted(picked)]
    return found


def shared_replay(drawn: Draws, examples: Sequence[TrainExample], wanted: int, seed: int) -> list[TrainRow]:
    """The replay rows of a seed, for all arms: known examples that no arm of this seed is trained on anyway."""
    used = {row.identity for rows in drawn.values() for row in rows if row.source == "real"}
    known = [example for example in examples if example.known and not example.label_error and example.example_id not in used]
    random.Random(f"replay {seed}").shuffle(known)
    questions = [row.question for rows in drawn.values() for row in rows]
    return [example_row("replay", example) for example in replay.choose(questions, known, wanted, seed)]


def nearest_in_turns(order: Sequence[Sequence[int]], count: int) -> list[int]:
    """For each query in turn its nearest candidate that no earlier one took, until there are `count` (or none are left).

    `order` holds, a query, candidates with the nearest first.

    >>> nearest_in_turns([[5, 7], [5, 9]], 3)
    [5, 9, 7]
    """
    taken: dict[int, None] = {}
    rest = [iter(candidates) for candidates in order]
    while rest and len(taken) < count:
        left = []
        for candidates in rest:
            if len(taken) >= count:
                break
            for candidate in candidates:
                if candidate not in taken:
                    taken[candidate] = None
                    left.append(candidates)
                    break
        rest = left
    return list(taken)


def shuffled(rows: Sequence[TrainRow], seed: int) -> list[TrainRow]:
    """Rows in the order in which a run sees them first."""
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)
    return mixed


def real_row(example: TrainExample) -> TrainRow:
    return example_row("real", example)


def example_row(source: Source, example: KnownExample) -> TrainRow:
    return TrainRow(
        source,
        example.example_id,
        None,
        example.dataset,
        example.kind,
        example.image,
        example.question,
        example.choices,
        gold(example),
        example.prompt_suffix,
    )


def sample_row(sample: DrawnSample) -> TrainRow:
    return TrainRow(
        "sample",
        sample.sample_id,
        sample.revision,
        sample.dataset,
        sample.error_type,
        sample.image,
        sample.question,
        sample.choices,
        sample.answer,
        sample.prompt_suffix,
    )


def mix(rows: Sequence[TrainRow]) -> dict[str, int]:
    """How many rows of each error type or kind, most first."""
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.group or "other"] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
