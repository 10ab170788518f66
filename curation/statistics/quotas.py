"""Which failures are practised where not all are: each cluster gets its share of the failures, damped or not, or all the same.

Failures in no cluster count by their error type. Inside a cluster datasets and skills are passed through evenly.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from math import gcd
from typing import Any, Literal, TypeVar

Split = Literal["failures", "sqrt", "equal", "accepted"]
_EXPONENTS: dict[Split, float] = {"failures": 1.0, "sqrt": 0.5, "equal": 0.0, "accepted": 0.0}
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def shares(counts: Mapping[K, int], total: int, split: Split = "failures", weights: Mapping[K, float] | None = None) -> dict[K, int]:
    """`total` parted among groups of these sizes, none above its size: in proportion (Webster's method), damped, or in equal parts.

    Each group gets at least one as long as there are enough: a kind that fails seldom isn't forgotten. What is more than all groups
    hold is left out. Damped ("sqrt") is in proportion to the square roots of the sizes, as languages of unlike size are mixed in training
    (Conneau et al. 2020, with an exponent of .5). With `weights` the shares are in proportion to these, and groups without a weight get
    nothing.

    >>> shares({"negation": 80, "counting": 15, "spatial": 1}, 20)
    {'negation': 16, 'counting': 3, 'spatial': 1}
    >>> shares({"negation": 81, "counting": 16, "spatial": 1}, 14, "sqrt")
    {'negation': 9, 'counting': 4, 'spatial': 1}
    """
    sizes = {key: size for key, size in counts.items() if size > 0 and (weights is None or weights.get(key, 0) > 0)}
    given = {key: int(0 < len(sizes) <= total and key in sizes) for key in counts}
    weight = {key: weights[key] if weights is not None else size ** _EXPONENTS[split] for key, size in sizes.items()}
    waiting = [(-weight[key] / (2 * given[key] + 1), n, key) for n, key in enumerate(sizes) if given[key] < sizes[key]]
    heapify(waiting)
    for _ in range(total - sum(given.values())):
        if not waiting:
            break
        _, n, key = heappop(waiting)
        given[key] += 1
        if given[key] < sizes[key]:
            heappush(waiting, (-weight[key] / (2 * given[key] + 1), n, key))
    return given


def choose(
    rows: Sequence[T],
    limit: int | None,
    group: Callable[[T], K],
    within: Callable[[T], Any],
    split: Split = "failures",
    weights: Mapping[K, float] | None = None,
) -> list[T]:
    """At most `limit` of the rows by the groups' shares; groups take turns, so that a shorter list of them holds all sorts too.

    `within` orders a group before it is passed through in even steps: every part of it gets its share.
    """
    groups: dict[K, list[T]] = defaultdict(list)
    for row in rows:
        groups[group(row)].append(row)
    wanted = len(rows) if limit is None else limit
    parts = shares({key: len(members) for key, members in groups.items()}, wanted, split, weights)
    chosen = {key: evenly(sorted(members, key=within), parts[key]) for key, members in groups.items() if parts[key]}
    spread = [((i + 0.5) / len(members), n, row) for n, members in enumerate(chosen.values()) for i, row in enumerate(members)]
    return [row for _, _, row in sorted(spread, key=lambda one: one[:2])]


def evenly(rows: Sequence[T], count: int) -> list[T]:
    """`count` of the rows in even steps, in an order in which any first part of them is spread as well.

    >>> sorted(evenly(range(10), 3))
    [0, 3, 6]
    """
    count = min(count, len(rows))
    picked = [rows[i * len(rows) // count] for i in range(count)]
    step = next((step for step in range(int(len(picked) * 0.618) or 1, 0, -1) if gcd(step, len(picked)) == 1), 1)
    return [picked[i * step % len(picked)] for i in range(len(picked))]
