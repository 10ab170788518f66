"""The clusters of a round: a fold over the log of layouts (what jobs found) and edits (what people changed). Plain arrays in and out.

A job finds a cluster for each failure. People rename clusters, merge them, split them, make new ones of a selection, and move
failures. Their changes are a log, and a change that was undone counts as never made. What stands follows from jobs and log in
the order in which they came:

1. A change wins over what any job found, earlier or later, for the clusters and failures that it names.
2. *People's clusters* are those that others were merged into, that were split off, or that were made of a selection. They keep
   their number, title and members when the map is laid anew.
3. All other failures are grouped anew. The *successor* of a cluster is the new one that holds most of its members (of equals
   the one with the smaller number). A title that people gave goes to the successor; where two such titles meet, the one of the
   cluster with more members there stands.
4. A failure that was moved stays where it was moved to, or in the successor of that cluster.
5. A new cluster joins one of people's clusters that holds more than half of those of its members that were on the map before:
   so new failures follow.
6. A change that names a cluster which isn't there any more holds for its successor, or for the cluster that it was merged into.
   Where there is neither, because what made it was undone, the change has no effect.
7. Failures that a job only added take the cluster that it found for them, or that one's successor. Examples follow the cluster
   they were assigned to; those that a change names go where it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

NOBODY = np.zeros(0, np.int64)
NONE = -1


@dataclass(frozen=True)
class Layout:
    """What a job found: `clusters[i]` is the number of the cluster of `failures[i]`; failures are ascending."""

    job_id: int
    failures: np.ndarray
    clusters: np.ndarray
    adds: bool = False  # only failures that were new


@dataclass(frozen=True)
class Change:
    """One entry of the log that was not undone. `into_id` is where failures go (for split and make: a new cluster)."""

    change_id: int
    job_id: int  # of the layout it was made on
    action: str  # rename, merge, split, make, move
    cluster_ids: tuple[int, ...] = ()
    into_id: int | None = None
    title: str | None = None
    failure_ids: np.ndarray = field(default_factory=lambda: NOBODY)
    example_ids: np.ndarray = field(default_factory=lambda: NOBODY)


class ClusterState:
    """The clusters after layouts and edits were applied, one after the other."""

    def __init__(self) -> None:
        self.failures = self.clusters = self.moved = NOBODY  # `moved`: where a person moved each to, or NONE
        self.titles: dict[int, str] = {}
        self.successors: dict[int, int] = {}  # of clusters that are gone: what they were merged into, or their successor
        self.examples: dict[int, int] = {}  # named by a change, and the cluster they were put into
        self._peoples: set[int] = set()
        self._known: set[int] = set()

    def current(self, cluster_id: int) -> int | None:
        """The cluster that stands for this one now; None if there is none."""
        while cluster_id in self.successors:
            cluster_id = self.successors[cluster_id]
        return cluster_id if cluster_id in self._known else None

    def example_clusters(self) -> dict[int, int]:
        """The cluster of each example that a change named."""
        return {example: now for example, cluster in self.examples.items() if (now := self.current(cluster)) is not None}

    def apply_layout(self, layout: Layout) -> None:
        """A job's map is taken up."""
        if layout.adds:
            new = ~np.isin(layout.failures, self.failures)
            targets = np.array([self.current(int(c)) or int(c) for c in layout.clusters[new]], np.int64)
            failures = np.concatenate([self.failures, layout.failures[new]])
            order = np.argsort(failures, kind="stable")
            self.failures = failures[order]
            self.clusters = np.concatenate([self.clusters, targets])[order]
            self.moved = np.concatenate([self.moved, np.full(int(new.sum()), NONE)])[order]
            return
        before = self._carried(self.clusters, layout.failures)
        moved = self._carried(self.moved, layout.failures)
        self._known |= set(np.unique(layout.clusters).tolist())
        moved = self._only_moved_to(before, moved)
        kept = np.isin(before, list(self._peoples))
        self._join(layout, before, kept)
        self._succeed(layout, before, kept | (moved != NONE))
        self.failures, self.moved = layout.failures, moved
        self.clusters = np.where(kept, before, self._currents(layout.clusters))
        by_hand = ~kept & (moved != NONE)
        self.clusters[by_hand] = self._currents(moved[by_hand])

    def apply_edit(self, change: Change) -> None:
        """A person's edit is taken up."""
        if change.action in ("split", "make"):
            self._gather(change)
            return
        sources = list(dict.fromkeys(now for c in change.cluster_ids if (now := self.current(c)) is not None))
        into = self.current(change.into_id) if change.into_id is not None else None
        if change.action == "rename" and sources and change.title is not None:
            self.titles[sources[0]] = change.title
        elif change.action == "merge" and into is not None and set(sources) - {into}:
            self._merge([c for c in sources if c != into], into, change.title)
        elif change.action == "move" and into is not None:
            rows = np.isin(self.failures, change.failure_ids)
            self.clusters[rows] = self.moved[rows] = into
            self.examples.update(dict.fromkeys(change.example_ids.tolist(), into))

    def _gather(self, change: Change) -> None:
        """Failures into a new cluster: of a split only those that still are in the cluster it was made in."""
        if change.into_id is None:
            raise ValueError(f"change {change.change_id} ({change.action}) names no new cluster")
        rows = np.isin(self.failures, change.failure_ids)
        if change.action == "split":
            rows &= np.isin(self.clusters, [c for c in map(self.current, change.cluster_ids) if c is not None])
        self._known.add(change.into_id)
        self._peoples.add(change.into_id)
        self.clusters[rows], self.moved[rows] = change.into_id, NONE
        self.examples.update(dict.fromkeys(change.example_ids.tolist(), change.into_id))

    def _merge(self, sources: list[int], into: int, title: str | None) -> None:
        self.clusters[np.isin(self.clusters, sources)] = into
        self.successors.update(dict.fromkeys(sources, into))
        self._peoples.add(into)
        if title:
            self.titles[into] = title

    def _carried(self, values: np.ndarray, failures: np.ndarray) -> np.ndarray:
        """The values of these failures; NONE for those that are new."""
        carried = np.full(len(failures), NONE)
        _, here, there = np.intersect1d(failures, self.failures, assume_unique=True, return_indices=True)
        carried[here] = values[there]
        return carried

    def _only_moved_to(self, before: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """A cluster all of whose members were moved there is people's as well: no job can say who succeeds it."""
        for cluster in np.unique(before[moved != NONE]).tolist():
            if (moved[before == cluster] != NONE).all():
                self._peoples.add(cluster)
        return np.where(np.isin(before, list(self._peoples)), NONE, moved)

    def _join(self, layout: Layout, before: np.ndarray, kept: np.ndarray) -> None:
        """Rule 5."""
        known = before != NONE
        earlier = dict(zip(*_counts(layout.clusters[known])))
        for (new, old), count in _pairs(layout.clusters[kept], before[kept]):
            if 2 * count > earlier[new]:
                self.successors[new] = old

    def _succeed(self, layout: Layout, before: np.ndarray, by_people: np.ndarray) -> None:
        """Rule 3: successors, and titles that go to them."""
        rows = (before != NONE) & ~by_people
        best: dict[int, tuple[int, int]] = {}
        for (old, new), count in _pairs(before[rows], layout.clusters[rows]):
            if old != new and count > best.get(old, (0, 0))[1]:
                best[old] = new, count
        titled: dict[int, tuple[int, str]] = {}
        for old, (new, count) in best.items():
            self.successors[old] = new
            now = self.current(new)
            if now is not None and old in self.titles and now not in self._peoples and count > titled.get(now, (0, ""))[0]:
                titled[now] = count, self.titles.pop(old)
        self.titles.update({cluster: title for cluster, (_, title) in titled.items()})

    def _currents(self, clusters: np.ndarray) -> np.ndarray:
        """The clusters that stand for these."""
        numbers, index = np.unique(clusters, return_inverse=True)
        return np.array([self.current(int(c)) or int(c) for c in numbers], np.int64)[index]


def cluster_state(layouts: Sequence[Layout], changes: Sequence[Change]) -> ClusterState:
    """Layouts in the order in which they were taken up, and the edits that were made on each, oldest first."""
    state = ClusterState()
    for layout in layouts:
        state.apply_layout(layout)
        for change in changes:
            if change.job_id == layout.job_id:
                state.apply_edit(change)
    return state


def _counts(values: np.ndarray) -> tuple[list[int], list[int]]:
    numbers, counts = np.unique(values, return_counts=True)
    return numbers.tolist(), counts.tolist()


def _pairs(one: np.ndarray, other: np.ndarray) -> list[tuple[tuple[int, int], int]]:
    """How often each pair of values stands side by side, in ascending order of the pairs."""
    pairs, counts = np.unique(np.stack([one, other]), axis=1, return_counts=True)
    return [((int(a), int(b)), int(count)) for a, b, count in zip(*pairs, counts)]
