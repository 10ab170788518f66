"""A corrected error type moves its failures at once: into the nearest cluster of that type, or a new one where the map has none.

It is a change to the clusters like those that people make themselves (curation/clusters/edit_rules.py), and is taken back with the
correction. Clusters that people put together keep their members.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.clusters import edits
from curation.clusters.stored_space import StoredSpace
from data.records import ClusterAction, ClusterChange, Record
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace


@dataclass(frozen=True)
class OutOfType(Record):
    """A failure in a cluster of another type than its corrected one, and its place on the map."""

    failure_id: int
    example_id: int
    round: int
    cluster_id: int
    x: float
    y: float


@dataclass(frozen=True)
class _Correction:
    """What all entries of the log that follow from a correction have in common."""

    round: int
    job_id: int  # of the map
    reviewer: str
    batch_id: str


def follow(
    write: Transaction, store: Store, workspace: Workspace, rows: Sequence[OutOfType], error_type: str, reviewer: str, batch_id: str
) -> int:
    """Moves failures into clusters of `error_type`; returns how many."""
    for round_ in sorted({row.round for row in rows}):
        edits.adopt(write, round_)
        here = [row for row in rows if row.round == round_]
        job_id = edits.layout_job(write, round_)
        about = _Correction(round_, job_id, reviewer, batch_id)
        known = write.column("clusters_of_type", int, round=round_, error_type=error_type)
        if known:
            targets, distances = _nearest(store, workspace, round_, here, known)
            _record(write, about, "move", here, targets, None)
        else:
            title = f"{error_type}: corrected manually"
            row = {"round": round_, "error_type": error_type, "title": title, "found_title": title, "job_id": job_id}
            (made,) = write.insert("cluster", [{**row, "name": f"by hand {batch_id}", "made_by": reviewer}], returning="cluster_id")
            targets, distances = [made] * len(here), []
            _record(write, about, "make", here, targets, title)
        # The latest change of all: what it moves is all that follows from it, so log and layouts need not be folded anew.
        ids = [row.failure_id for row in here]
        write.run("places_regroup", failure_ids=ids, cluster_ids=targets)
        if distances:
            write.run("distances_set", failure_ids=ids, distances=distances)
        for cluster_id in set(targets):
            examples = [row.example_id for row, target in zip(here, targets) if target == cluster_id]
            write.run("assignments_move", round=round_, cluster_id=cluster_id, example_ids=examples)
        write.touch_failures(ids)
    return len(rows)


def take_back(write: Transaction, batch_id: str, reviewer: str, event_id: str) -> dict[int, list[int]]:
    """Undoes what followed from a correction; returns the failures that moved, by round."""
    changes = write.rows("changes_of_batch", ClusterChange, batch_id=batch_id)
    for change in changes:
        edits.log_undo(write, change, reviewer, f"{event_id}:{change.change_id}")
    return {round_: edits.apply_state(write, round_) for round_ in sorted({change.round for change in changes})}


def _record(
    write: Transaction, about: _Correction, action: ClusterAction, rows: Sequence[OutOfType], targets: list[int], title: str | None
) -> None:
    """An entry of the log for each pair of clusters that failures go from and to."""
    pairs: dict[tuple[int | None, int], list[OutOfType]] = defaultdict(list)
    for row, target in zip(rows, targets):
        pairs[row.cluster_id if action == "move" else None, target].append(row)
    for (source, target), members in pairs.items():
        change = {
            "action": action,
            "cluster_ids": [] if source is None else [source],
            "into_id": target,
            "title": title,
            "failure_ids": [row.failure_id for row in members],
            "example_ids": sorted({row.example_id for row in members}),
            "undoes": None,
            "event_id": f"{about.batch_id}:{source or 'new'}:{target}",
        }
        write.insert("cluster_change", [{**vars(about), **change}])


def _nearest(store: Store, workspace: Workspace, round_: int, rows: Sequence[OutOfType], known: list[int]) -> tuple[list[int], list[float]]:
    """The nearest cluster of each failure, how far its centre is: by places on the map, without distances, where vectors are not kept."""
    space = StoredSpace.of_round(store, workspace, round_)
    order = np.argsort([row.failure_id for row in rows])
    ids, points = space.failures(np.array([row.failure_id for row in rows]))
    members = [store.columns("members_of_clusters", round=round_, cluster_ids=[cluster_id]) for cluster_id in known]
    kept = len(ids) == len(rows)
    if kept:
        centres = [space.failures(member["failure_id"])[1].mean(axis=0) for member in members]
    else:
        points = np.array([[rows[i].x, rows[i].y] for i in order])
        centres = [np.array([member["x"].mean(), member["y"].mean()]) for member in members]
    squares = ((points[:, None] - np.stack(centres)[None]) ** 2).sum(axis=2)
    back = np.argsort(order)
    nearest = squares.argmin(axis=1)[back]
    return [known[i] for i in nearest], np.sqrt(squares.min(axis=1))[back].tolist() if kept else []
