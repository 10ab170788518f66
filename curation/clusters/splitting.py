"""What is computed at once when people change clusters: halves by likeness, the examples that go along, who is nearest the centre.

All from the vectors that the map's job kept (curation/clusters/stored_space.py), or from the places on the map where it kept none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.clusters.edits import BadChange
from curation.clusters.grouping import halves
from curation.clusters.stored_space import StoredSpace
from data.records import Record
from data.store import Store
from data.workspace import Workspace


@dataclass(frozen=True)
class KnownCluster(Record):
    """A cluster that a round has had, shown or not."""

    cluster_id: int
    job_id: int
    error_type: str
    title: str
    found_title: str | None
    made_by: str | None


@dataclass(frozen=True)
class Part:
    """What is split off a cluster: failures, the examples that go along, and the title of the whole."""

    failure_ids: list[int]
    example_ids: list[int]
    title: str


def part_of(store: Store, workspace: Workspace, round_: int, cluster_id: int, failure_ids: Sequence[int] | None) -> Part:
    """The failures to split off: those given that are in the cluster, else the smaller of two halves. Raises BadChange."""
    members = store.columns("members_of_clusters", round=round_, cluster_ids=[cluster_id])
    ids = members["failure_id"]
    if not len(ids):
        raise BadChange(f"there is no cluster {cluster_id} on the map any more; reload the page")
    if failure_ids is None:
        points = _points(StoredSpace.of_round(store, workspace, round_), members)
        half = halves(points)
        if half.all():
            raise BadChange("its failures all have the same embeddings; select some on the map and split these off")
        part = ids[half] if half.sum() <= len(ids) / 2 else ids[~half]
    else:
        part = np.intersect1d(ids, failure_ids)
        if not 0 < len(part) < len(ids):
            share = "none" if not len(part) else "all"
            raise BadChange(f"{share} of the {len(failure_ids):,} selected failures are in this cluster; select some of its {len(ids):,}")
    title = next(cluster.title for cluster in store.rows("clusters_known", KnownCluster, round=round_) if cluster.cluster_id == cluster_id)
    return Part(part.tolist(), examples_nearest(store, workspace, round_, part), title)


def examples_nearest(store: Store, workspace: Workspace, round_: int, failure_ids: Sequence[int]) -> list[int]:
    """Examples of the clusters that these failures are in, and that lie nearer to them than to the clusters' other failures."""
    space = StoredSpace.of_round(store, workspace, round_)
    part, points = space.failures(np.asarray(failure_ids))
    if not len(part):
        return []
    centre, nearer = points.mean(axis=0), []
    for cluster_id in store.column("clusters_of_failures", int, failure_ids=part.tolist()):
        members = store.columns("members_of_clusters", round=round_, cluster_ids=[cluster_id])["failure_id"]
        _, rest = space.failures(np.setdiff1d(members, part))
        assigned = store.columns("examples_of_clusters", round=round_, cluster_ids=[cluster_id])["example_id"]
        ids, places = space.examples(assigned)
        if len(ids):
            other = rest.mean(axis=0) if len(rest) else np.full_like(centre, np.inf)
            nearer += ids[_square(places, centre) < _square(places, other)].tolist()
    return nearer


def measure_again(store: Store, workspace: Workspace, round_: int, failure_ids: Sequence[int], whole: Sequence[int] = ()) -> None:
    """Writes how far these failures, and all members of the `whole` clusters, are from the centre of the cluster they are in now.

    Only as far as the map's job kept vectors.
    """
    space = StoredSpace.of_round(store, workspace, round_)
    asked, failures, distances = np.asarray(failure_ids, np.int64), [], []
    for cluster_id in sorted({*whole, *store.column("clusters_of_failures", int, failure_ids=asked.tolist())}) if space.folders else ():
        members = store.columns("members_of_clusters", round=round_, cluster_ids=[cluster_id])["failure_id"]
        ids, points = space.failures(members)
        if len(ids):
            rows = np.ones(len(ids), bool) if cluster_id in whole else np.isin(ids, asked)
            failures += ids[rows].tolist()
            distances += np.sqrt(_square(points[rows], points.mean(axis=0))).tolist()
    if failures:
        with store.write() as write:
            write.run("distances_set", failure_ids=failures, distances=distances)
            write.touch_failures(failures)


def _points(space: StoredSpace, members: dict[str, np.ndarray]) -> np.ndarray:
    """The members' vectors, in their order; their places on the map where not all have one."""
    ids, points = space.failures(members["failure_id"])
    if len(ids) == len(members["failure_id"]):
        return points
    return np.stack([members["x"], members["y"]], axis=1).astype(np.float32)


def _square(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Squared distances (n,) from a centre (d,)."""
    return ((points - centre) ** 2).sum(axis=1)
