"""How the next round's samples should be split over the error types: recommended, then accepted or edited by a person.

The weight of an error type is the product of

- what is still missing: its share of the eval examples times (1 - accuracy); per-type accuracy sets the quota (DPE, arXiv 2602.22859);
- how well samples taught it: points gained for 100 approved samples, relative to all types, shrunk towards 1 by its own uncertainty
  (empirical Bayes; James & Stein 1961) and kept within 1/2 and 2; 1 where it had no samples;
- whether its examples are solved at a rate of .3 to .8 on train: 1 inside this band, 1/2 outside (what is never solved may be out of
  reach, what is nearly always solved has little left to teach).

Quotas are whole numbers that add up to the total (largest remainder). A type without teachable failures gets none: there is nothing to
make samples from.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from curation.results.eval_set import OTHER, eval_set, scores
from curation.statistics.bootstrap import group_sums, percentile_interval
from data.difficulty import at_the_edge
from data.errors import MistakebookError
from data.records import Checkpoint, Record
from data.store import Store

OUTSIDE = 0.5  # the weight of what is solved less or more often
LIMITS = (0.5, 2.0)  # how far teaching well or badly may change a weight
NEVER = ("label-error", "scorer-artefact")  # a model can't be taught out of them


class BadSplit(MistakebookError):
    """A split that can't be accepted; the text says what is wrong with it."""


@dataclass(frozen=True)
class TypeState(Record):
    """What the recommendation looks at: shares are of the eval examples, rates from 0 to 1."""

    name: str
    share: float
    accuracy: float
    solved: float | None  # on train, by the checkpoint that the next round starts from
    teachable: int  # failures that samples can be made from
    approved: int  # samples of the last round
    gain: float  # points of all accuracy
    deviation: float  # standard error of the gain


@dataclass(frozen=True)
class Quota(Record):
    """Samples for an error type, of how much weight, and why; `low` and `high` are the 95 % interval of the quota."""

    name: str
    samples: int
    low: int
    high: int
    share: float
    accuracy: float
    missing: float
    taught: float
    solved: float | None
    in_band: bool
    teachable: int


@dataclass(frozen=True)
class Split(Record):
    """A recommendation for a number of samples; `left_out` says of types that get none, why."""

    round: int
    before: str
    after: str
    total: int
    quotas: list[Quota]
    left_out: dict[str, str]


@dataclass(frozen=True)
class AcceptedSplit(Record):
    """A row of the table budget_split: what a person accepted, for the launches of generate that follow."""

    split_id: int
    round: int
    before: str
    after: str
    quotas: dict[str, int]
    recommended: dict[str, int]
    author: str
    created_at: datetime


@dataclass(frozen=True)
class SplitShown(Record):
    """The recommendation (`reason` says why there is none) and the split that stands."""

    recommended: Split | None
    reason: str | None
    accepted: AcceptedSplit | None


@dataclass(frozen=True)
class _Counts:
    error_type: str
    teachable: int
    approved: int
    solved: float | None


def weights(states: Sequence[TypeState], gains: np.ndarray | None = None) -> np.ndarray:
    """The weight of each error type, 0 or more. `gains` (types,) in place of those of the states: a bootstrap replicate.

    >>> one = TypeState("counting", 0.5, 0.6, 0.6, 9, 0, 0.0, 0.0)
    >>> weights([one, TypeState("negation", 0.5, 0.8, 0.9, 9, 0, 0.0, 0.0)]).round(3).tolist()
    [0.2, 0.05]
    """
    missing = np.array([state.share * (1 - state.accuracy) for state in states])
    band = np.array([1.0 if in_band(state.solved) else OUTSIDE for state in states])
    usable = np.array([state.teachable > 0 and state.name not in NEVER for state in states], dtype=float)
    weight: np.ndarray = missing * band * taught(states, gains) * usable
    return weight


def taught(states: Sequence[TypeState], gains: np.ndarray | None = None) -> np.ndarray:
    """How well samples of each type taught, relative to all: 1 is average."""
    gained = np.array([state.gain for state in states]) if gains is None else gains
    approved = np.array([state.approved for state in states], dtype=float)
    known = approved > 0
    factors = np.ones(len(states))
    pooled = gained[known].sum() / approved[known].sum() if known.any() else 0.0
    if pooled <= 0:
        return factors  # nothing was gained on the whole: no type can be said to teach better than it
    rates = gained[known] / approved[known] / pooled
    noise = (np.array([state.deviation for state in states])[known] / approved[known] / pooled) ** 2
    spread = max(0.0, float(np.mean((rates - 1) ** 2 - noise)))  # of the true rates, by the method of moments
    keep = np.divide(spread, spread + noise, out=np.zeros_like(noise), where=spread + noise > 0)
    factors[known] = np.clip(1 + keep * (rates - 1), *LIMITS)
    return factors


def in_band(solved: float | None) -> bool:
    """Whether a type's examples are solved at a rate from which most is learnt; a rate that is not known counts as one."""
    return solved is None or at_the_edge(solved)


def apportion(shares: Sequence[float] | np.ndarray, total: int) -> list[int]:
    """Whole numbers in proportion to shares, that add up to `total` (Hamilton's method: largest remainders).

    >>> apportion([5, 3, 1], 10)
    [6, 3, 1]
    """
    values = np.asarray(shares, dtype=np.float64)
    if not len(values) or values.sum() <= 0:
        return [0] * len(values)
    exact = total * values / values.sum()
    floors = np.floor(exact + 1e-9).astype(int)
    for place in np.argsort(floors - exact, kind="stable")[: total - int(floors.sum())]:
        floors[place] += 1
    return [int(value) for value in floors]


def recommend(store: Store, before: Checkpoint, after: Checkpoint, total: int) -> Split:
    """The split of `total` samples for the round that starts from `after`. Raises ValueError, BadSplit."""
    if total < 1:
        raise BadSplit(f"{total} samples can't be split; give a number of at least 1")
    states, gains = _states(store, before, after)
    weighted = weights(states)
    if not weighted.sum() > 0:
        raise BadSplit("no error type has teachable failures; start the next round and diagnose its failures first")
    counts, relative = apportion(weighted, total), taught(states)
    drawn = np.stack([weights(states, draw) for draw in gains])
    spread = total * drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-12)
    low, high = percentile_interval(spread)
    quotas = [
        Quota(
            name=state.name,
            samples=counts[i],
            low=int(min(counts[i], np.floor(low[i]))),
            high=int(max(counts[i], np.ceil(high[i]))),
            share=state.share,
            accuracy=state.accuracy,
            missing=100 * state.share * (1 - state.accuracy),
            taught=float(relative[i]),
            solved=state.solved,
            in_band=in_band(state.solved),
            teachable=state.teachable,
        )
        for i, state in enumerate(states)
        if counts[i] > 0
    ]
    left_out = {state.name: _why_none(state) for i, state in enumerate(states) if not counts[i]}
    round_ = store.one("round_of_pair", int, before=before.checkpoint_id, after=after.checkpoint_id)
    return Split(round_, before.name, after.name, total, sorted(quotas, key=lambda one: -one.samples), left_out)


def accept(store: Store, recommended: Split, quotas: Mapping[str, int], author: str) -> AcceptedSplit:
    """Keeps a split, as recommended or edited: it becomes the quotas of the launches of generate that follow. Raises BadSplit."""
    negative = [name for name, samples in quotas.items() if samples < 0]
    if negative:
        raise BadSplit(f"quota of {', '.join(negative)} is below 0")
    kept = {name: samples for name, samples in quotas.items() if samples}
    if not kept:
        raise BadSplit("every quota is 0: such a round would generate nothing. To go on without quotas, clear the split")
    row = {
        "round": recommended.round,
        "before": recommended.before,
        "after": recommended.after,
        "quotas": json.dumps(kept),
        "recommended": json.dumps({quota.name: quota.samples for quota in recommended.quotas}),
        "author": author,
    }
    with store.write() as write:
        write.insert("budget_split", [row])
    return store.one("budget_split_latest", AcceptedSplit)


def clear(store: Store, author: str) -> None:
    """Launches of generate go without quotas again; the splits that were accepted stay in the log."""
    with store.write() as write:
        write.insert("budget_split", [{"round": 0, "before": "", "after": "", "quotas": "{}", "recommended": "{}", "author": author}])


def accepted(store: Store) -> AcceptedSplit | None:
    """The split that stands; None where none was accepted, or it was cleared."""
    row = store.row("budget_split_latest", AcceptedSplit)
    return row if row and row.quotas else None


def _states(store: Store, before: Checkpoint, after: Checkpoint) -> tuple[list[TypeState], np.ndarray]:
    """What is known of every error type, and replicates of its gain: (replicates, types)."""
    round_ = store.one("round_of_pair", int, before=before.checkpoint_id, after=after.checkpoint_id)
    examples = eval_set(store, round_)
    old, new = (scores(store, examples, checkpoint, "strict") for checkpoint in (before, after))
    both = np.flatnonzero(np.isfinite(old) & np.isfinite(new))
    if not len(both):
        raise ValueError(f"{before.name} and {after.name} have no eval example in common; evaluate both on the eval split first")
    rows = store.rows("split_counts", _Counts, round=round_, checkpoint_id=after.checkpoint_id)
    counts = {row.error_type: row for row in rows}
    names = sorted({*examples.error_types[both], *counts} - {OTHER}) + [OTHER] * (OTHER in examples.error_types[both])
    place = {name: i for i, name in enumerate(names)}
    groups = np.array([place[name] for name in examples.error_types[both]])
    images = np.unique(examples.images[both], return_inverse=True)[1]
    drawn = group_sums(new[both] - old[both], groups, images)
    gains = 100 * np.pad(drawn, ((0, 0), (0, len(names) - drawn.shape[1]))) / len(both)
    states = []
    for i, name in enumerate(names):
        members, one = both[groups == i], counts.get(name)
        states.append(
            TypeState(
                name=name,
                share=len(members) / len(both),
                accuracy=float(new[members].mean()) if len(members) else 1.0,
                solved=one.solved if one else None,
                teachable=one.teachable if one else 0,
                approved=one.approved if one else 0,
                gain=100 * float((new[members] - old[members]).sum()) / len(both),
                deviation=float(gains[:, i].std(ddof=1)),
            )
        )
    return states, gains


def _why_none(state: TypeState) -> str:
    if state.name in NEVER:
        return "a model can't be taught out of it"
    if not state.teachable:
        return "no teachable failure"
    return "no eval example of it" if not state.share else "nothing is missing" if state.accuracy >= 1 else "its share is below one sample"
