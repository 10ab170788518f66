"""What a round's money bought: by cluster, the gain on the eval examples assigned to it, over what the cluster has cost.

Gain is in points of accuracy over all compared eval examples: the sum of after - before over a cluster's examples, times 100, over the
number of all. So clusters add up to the whole, and a dollar that fixes a frequent kind is worth more than one that fixes a rare one.
Intervals (95 %) come from a bootstrap that draws whole images (curation/statistics/bootstrap.py); costs are taken as they were paid.
A gain is measured where it shows, whatever samples caused it: those of a neighbouring cluster may have helped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.results.eval_set import NO_CLUSTER, EvalSet, Score, eval_set, scores
from curation.statistics.bootstrap import group_sums, percentile_interval
from data.records import Checkpoint, Record
from data.store import Store

PARTS = ("diagnose_usd", "generate_usd", "draw_usd", "filter_usd")


@dataclass(frozen=True)
class Cost(Record):
    """A row of the query spend_by_cluster, which tells what is priced; None: nothing is."""

    cluster_id: int | None
    title: str
    error_type: str | None
    failures: int
    samples: int
    approved: int
    diagnose_usd: float | None
    generate_usd: float | None
    draw_usd: float | None
    filter_usd: float | None

    @property
    def usd(self) -> float | None:
        priced = [value for part in PARTS if (value := getattr(self, part)) is not None]
        return sum(priced) if priced else None


@dataclass(frozen=True)
class Return(Record):
    """A cluster: points gained of all accuracy, dollars paid, and points for each dollar, with 95 % intervals.

    `usd` None: nothing of it is priced; `per_dollar` None: nothing was paid. `per_100` is the gain for 100 approved samples.
    """

    name: str
    error_type: str | None
    items: int
    images: int
    before: float | None  # None: no compared example is in it
    after: float | None
    gain: float
    gain_low: float
    gain_high: float
    samples: int
    approved: int
    usd: float | None
    per_dollar: float | None
    per_dollar_low: float | None
    per_dollar_high: float | None
    per_100: float | None


@dataclass(frozen=True)
class Returns(Record):
    """A round: its clusters by gain, the whole, and what of the examples and dollars belongs to no line."""

    round: int
    before: str
    after: str
    examples: int
    total: Return
    clusters: list[Return]
    unassigned: int  # compared examples that are in no cluster
    unpriced: int  # clusters of which nothing has a price


def returns(store: Store, before: Checkpoint, after: Checkpoint, score: Score = "strict") -> Returns:
    """Gain per dollar of the round that led from one checkpoint to another. Raises ValueError if no example was answered by both."""
    round_ = store.one("round_of_pair", int, before=before.checkpoint_id, after=after.checkpoint_id)
    examples = eval_set(store, round_)
    old, new = (scores(store, examples, checkpoint, score) for checkpoint in (before, after))
    both = np.flatnonzero(np.isfinite(old) & np.isfinite(new))
    if not len(both):
        raise ValueError(f"{before.name} and {after.name} have no eval example in common; evaluate both on the eval split first")
    costs = _by_title(store.rows("spend_by_cluster", Cost, round=round_))
    lines, whole = _lines(examples, both, old, new, costs)
    unassigned = int((examples.clusters[both] == NO_CLUSTER).sum())
    unpriced = sum(cost.usd is None for cost in costs.values())
    return Returns(round_, before.name, after.name, len(both), whole, lines, unassigned, unpriced)


def _lines(found: EvalSet, both: np.ndarray, old: np.ndarray, new: np.ndarray, costs: dict[str, Cost]) -> tuple[list[Return], Return]:
    names = sorted({*found.clusters[both], *costs})
    place = {name: i for i, name in enumerate(names)}
    groups = np.array([place[name] for name in found.clusters[both]])
    images = np.unique(found.images[both], return_inverse=True)[1]
    change = new[both] - old[both]
    drawn = _padded(group_sums(change, groups, images), len(names))
    sizes = group_sums(np.ones(len(both)), groups, images).sum(axis=1, keepdims=True)
    gains = 100 * drawn / sizes
    low, high = percentile_interval(gains)
    total_low, total_high = percentile_interval(gains.sum(axis=1, keepdims=True))
    lines = []
    for i, name in enumerate(names):
        rows = both[groups == i]
        lines.append(_line(name, costs.get(name), found, rows, old, new, len(both), float(low[i]), float(high[i])))
    everything = _sum(list(costs.values()))
    whole = _line("all", everything, found, both, old, new, len(both), float(total_low[0]), float(total_high[0]))
    return sorted(lines, key=lambda line: (-line.gain, line.name)), whole


def _line(
    name: str, cost: Cost | None, found: EvalSet, rows: np.ndarray, old: np.ndarray, new: np.ndarray, all_: int, low: float, high: float
) -> Return:
    gain = 100 * float((new[rows] - old[rows]).sum()) / all_
    usd, approved = (cost.usd if cost else 0.0), (cost.approved if cost else 0)
    return Return(
        name=name,
        error_type=cost.error_type if cost else None,
        items=len(rows),
        images=len(np.unique(found.images[rows])),
        before=float(old[rows].mean()) if len(rows) else None,
        after=float(new[rows].mean()) if len(rows) else None,
        gain=gain,
        gain_low=low,
        gain_high=high,
        samples=cost.samples if cost else 0,
        approved=approved,
        usd=usd,
        per_dollar=gain / usd if usd else None,
        per_dollar_low=low / usd if usd else None,
        per_dollar_high=high / usd if usd else None,
        per_100=100 * gain / approved if approved else None,
    )


def _padded(sums: np.ndarray, columns: int) -> np.ndarray:
    """With columns of zeros for groups that no example is in."""
    return np.pad(sums, ((0, 0), (0, columns - sums.shape[1])))


def _by_title(costs: Sequence[Cost]) -> dict[str, Cost]:
    """Clusters of the same title are one line, as on the other results tables."""
    titles = dict.fromkeys(cost.title for cost in costs)
    groups = {title: [cost for cost in costs if cost.title == title] for title in titles}
    return {title: group[0] if len(group) == 1 else _sum(group) for title, group in groups.items()}


def _sum(costs: Sequence[Cost]) -> Cost:
    def total(part: str) -> float | None:
        priced = [value for cost in costs if (value := getattr(cost, part)) is not None]
        return sum(priced) if priced else None

    failures, samples, approved = (sum(getattr(cost, name) for cost in costs) for name in ("failures", "samples", "approved"))
    title = costs[0].title if len({cost.title for cost in costs}) == 1 else "all"
    return Cost(None, title, costs[0].error_type if costs else None, failures, samples, approved, *(total(part) for part in PARTS))
