"""What each arm is trained on: pure functions of what the store holds, the number of samples and the seed.

The same seed draws the same rows, whatever other arms there are. Arms of samples that are made from failures are drawn by quotas: each
cluster has its share of the N, in proportion to its failures (curation/statistics/quotas.py), so that none starves whose samples often
fail a filter, and none fills the arm because its samples never do. Replay is the same for all arms of a seed: half of it is most similar
to the questions of all arms together, so that it suits none of them more than the others (curation/training/replay.py).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from curation.experiments.arms import Arm, Pool
from curation.statistics import quotas
from curation.training import replay
from curation.training.plan import gold
from curation.training.replay import KnownExample
from data.records import Record

Source = Literal["sample", "real", "replay"]
SPLIT: quotas.Split = "failures"  # in proportion to failures; damped quotas made no clear difference (docs/log.md)
OTHER = "other"  # the error type of a failure that was never diagnosed


@dataclass(frozen=True)
class TrainExample(KnownExample):
    """A train example, and how the checkpoint answered it."""

    known: bool  # answered right: may be replayed
    failed: bool
    label_error: bool
    teachable: bool
    cluster: int | None = None  # of a failure, as error_type
    error_type: str | None = None


@dataclass(frozen=True)
class DrawnSample(Record):
    """A sample with its image. `control`: made without a failure; `passed`: by every filter that counts, and nobody rejected it.

    `cluster` is that of the failure that it was made from.
    """

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
    cluster: int | None = None


@dataclass(frozen=True)
class TrainRow(Record):
    """A row that an arm is trained on. `identity` is the sample's or the example's number; samples have a revision.

    `cluster` and `error_type` are those of the failure that it is, or was made from.
    """

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
    cluster: int | None = None
    error_type: str | None = None


Kind = tuple[int | None, str]  # a cluster of failures and its error type
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


def quotas_of(examples: Sequence[TrainExample], count: int) -> dict[Kind, int]:
    """How many of `count` samples each cluster of teachable failures gets (its error type, where it is in none); most first."""
    failures = Counter(_kind(example) for example in examples if example.failed and example.teachable and not example.label_error)
    found = quotas.shares(failures, count, SPLIT)
    return dict(sorted(found.items(), key=lambda item: (-item[1], str(item[0]))))


def draws(arms: Iterable[Arm], pools_: Pools, count: int, seed: int, wanted: Mapping[Kind, int]) -> Draws:
    """`count` rows of each arm's pool, in the order of their numbers; arms without a pool get none, and `retrieved` is drawn elsewhere.

    `wanted`: the clusters' quotas, for the arms that have them. Raises ValueError if a pool holds fewer rows.
    """
    found: Draws = {}
    for arm in arms:
        if arm.pool is None or arm.pool == "retrieved":
            found[arm.name] = []
            continue
        pool = pools_[arm.pool]
        if len(pool) < count:
            raise ValueError(f"arm {arm.name}: {len(pool)} rows, {count} are needed")
        rng = random.Random(f"{arm.pool} {seed}")
        picked = _by_quotas(pool, count, wanted, rng) if arm.by_quotas else rng.sample(range(len(pool)), count)
        found[arm.name] = [pool[i] for i in sorted(picked)]
    return found


def _by_quotas(pool: Sequence[TrainRow], count: int, wanted: Mapping[Kind, int], rng: random.Random) -> list[int]:
    """Places of `count` rows. What a cluster lacks goes to the others by their quotas, and then to rows of clusters without one."""
    places: dict[Kind, list[int]] = defaultdict(list)
    for place, row in enumerate(pool):
        places[_kind(row)].append(place)
    parts = quotas.shares({kind: len(own) for kind, own in places.items()}, count, weights=wanted)
    picked = [place for kind, own in places.items() for place in rng.sample(own, parts[kind])]
    rest = sorted(set(range(len(pool))) - set(picked))
    return picked + rng.sample(rest, count - len(picked))


def lacking(pool: Sequence[TrainRow], wanted: Mapping[Kind, int]) -> dict[Kind, int]:
    """How many rows of each cluster a pool has too few for its quotas; those that lack some."""
    have = Counter(_kind(row) for row in pool)
    return {kind: quota - have[kind] for kind, quota in wanted.items() if have[kind] < quota}


def _kind(one: TrainExample | TrainRow) -> Kind:
    return one.cluster, one.error_type or OTHER


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
    return replace(example_row("real", example), cluster=example.cluster, error_type=example.error_type)


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
        sample.cluster,
        sample.error_type,
    )


def mix(rows: Sequence[TrainRow]) -> dict[str, int]:
    """How many rows of each error type or kind, most first."""
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.group or "other"] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
