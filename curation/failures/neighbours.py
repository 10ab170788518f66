"""The failures most alike to one: nearest on the map, or nearest in the space of question and picture that the map was laid from."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from curation.clusters.stored_space import StoredSpace
from curation.failures.records import FailureThumbnail, NearFailure
from data.records import Record
from data.store import Store
from data.workspace import Workspace

By = Literal["place", "vector"]


@dataclass(frozen=True)
class Neighbours(Record):
    """Other failures of the same round, nearest first. `by` is "place" where no vector of it was kept; by vector there is no distance."""

    by: By
    rows: list[NearFailure]


def of_failure(store: Store, workspace: Workspace, failure_id: int, by: By, limit: int) -> Neighbours:
    """The failures most alike to one."""
    if by == "vector":
        ids = _by_vector(store, workspace, failure_id, limit)
        if len(ids):
            order = {number: rank for rank, number in enumerate(ids.tolist())}
            rows = store.rows("failure_thumbnails", FailureThumbnail, failure_ids=list(order))
            nearest = sorted(rows, key=lambda row: order[row.failure_id])
            return Neighbours("vector", [NearFailure(**vars(row), distance=None) for row in nearest])
    return Neighbours("place", store.rows("failure_neighbours", NearFailure, failure_id=failure_id, limit=limit))


def _by_vector(store: Store, workspace: Workspace, failure_id: int, limit: int) -> np.ndarray:
    placed = store.columns("failures_of_same_map", failure_id=failure_id)
    if not len(placed["failure_id"]):
        return np.empty(0, np.int64)
    ids, points = StoredSpace.of_round(store, workspace, int(placed["round"][0])).failures(placed["failure_id"])
    own = np.flatnonzero(ids == failure_id)
    if not len(own):
        return np.empty(0, np.int64)
    distances = ((points - points[own[0]]) ** 2).sum(axis=1)
    distances[own[0]] = np.inf
    nearest = np.argpartition(distances, min(limit, len(ids) - 1))[:limit]
    return ids[nearest[np.argsort(distances[nearest], kind="stable")]][: len(ids) - 1]
