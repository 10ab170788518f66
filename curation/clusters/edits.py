"""People's changes to the clusters, in the store: recorded, undone, and laid over what the jobs found (curation/clusters/edit_rules.py)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from curation.clusters.edit_rules import NOBODY, Change, ClusterState, Layout, cluster_state
from data.errors import MistakebookError
from data.reader import Reader
from data.records import ClusterAction, ClusterChange, Record
from data.store import Store
from data.transaction import Transaction

TITLE = 120  # characters


class BadChange(MistakebookError):
    """A change that can't be made; the text says why."""


@dataclass(frozen=True)
class EditRequest:
    """An edit that a person asks for. For split and make `title` names the new cluster; `example_ids` go along with the failures."""

    action: ClusterAction
    reviewer: str
    event_id: str
    cluster_ids: Sequence[int] = ()
    into_id: int | None = None
    title: str | None = None
    failure_ids: Sequence[int] = ()
    example_ids: Sequence[int] = ()


@dataclass(frozen=True)
class EditResult:
    """What came of it: the entry of the log, the cluster it concerns, and the failures that are in another cluster now."""

    change_id: int
    action: ClusterAction
    cluster_id: int | None
    moved: list[int]


@dataclass(frozen=True)
class LoggedChange(ClusterChange):
    """An entry of the log, and whether a later one takes it back."""

    undone: bool


@dataclass(frozen=True)
class ChangeLine(Record):
    """An edit as the history shows it: clusters by the titles that they were found with, failures by their number."""

    change_id: int
    action: ClusterAction
    reviewer: str
    created_at: datetime
    title: str | None
    failures: int
    undoes: int | None
    titles: tuple[str, ...] | None
    into_title: str | None
    undone: bool


@dataclass(frozen=True)
class LayoutJob(Record):
    """A job whose map a round has shown; `adds`: only failures that were new."""

    job_id: int
    adds: bool


def new_event() -> str:
    return uuid.uuid4().hex


def make(store: Store, round_: int, request: EditRequest) -> EditResult:
    """Records a change and puts it into force. Sent twice it counts once. Raises BadChange."""
    with store.write() as write:
        if earlier := _by_event(write, request.event_id):
            return _answer(earlier)
        adopt(write, round_)
        shown = {int(c) for c in np.unique(write.columns("places_of_round", round=round_)["cluster_id"])}
        _check(request, shown)
        job_id = layout_job(write, round_)
        into = _new_cluster(write, round_, job_id, request) if request.action in ("split", "make") else request.into_id
        own = write.column("examples_of_failures", int, failure_ids=list(request.failure_ids))
        row = {
            "round": round_,
            "job_id": job_id,
            "action": request.action,
            "cluster_ids": list(request.cluster_ids),
            "into_id": into,
            "title": request.title and request.title.strip(),
            "failure_ids": list(request.failure_ids),
            "example_ids": sorted({*own, *request.example_ids}) if request.action != "rename" else [],
            "undoes": None,
            "reviewer": request.reviewer,
            "event_id": request.event_id,
        }
        write.insert("cluster_change", [row])
        moved = apply_state(write, round_)
        return _answer(write.one("cluster_change_by_event", ClusterChange, event_id=request.event_id), moved)


def undo(store: Store, round_: int, change_id: int, reviewer: str, event_id: str) -> EditResult:
    """Takes one change back, whatever came after it. Raises BadChange."""
    with store.write() as write:
        if earlier := _by_event(write, event_id):
            return _answer(earlier)
        edit = next((change for change in _log(write, round_) if change.change_id == change_id), None)
        if edit is None:
            raise BadChange(f"round {round_} has no change {change_id}")
        if edit.action == "undo" or edit.undone:
            raise BadChange(
                f"change {change_id} {'is an undo' if edit.action == 'undo' else 'has already been undone'}; repeat the edit instead"
            )
        log_undo(write, edit, reviewer, event_id)
        moved = apply_state(write, round_)
        return _answer(write.one("cluster_change_by_event", ClusterChange, event_id=event_id), moved)


def log_undo(write: Transaction, change: ClusterChange, reviewer: str, event_id: str) -> None:
    """Adds the entry of the log that takes a change back; `apply_state` does the rest."""
    row = {name: getattr(change, name) for name in ("round", "job_id", "into_id", "title", "batch_id")}
    nothing: dict[str, list[int]] = {"failure_ids": [], "example_ids": []}
    about = {"action": "undo", "undoes": change.change_id, "reviewer": reviewer, "event_id": event_id}
    write.insert("cluster_change", [{**row, **nothing, **about, "cluster_ids": list(change.cluster_ids)}])


def of_event(store: Store, event_id: str) -> EditResult | None:
    """What came of an event that is in the log; None if it is new."""
    earlier = _by_event(store, event_id)
    return _answer(earlier) if earlier else None


def adopt(write: Transaction, round_: int) -> None:
    """A map that was laid before layouts were kept: its places are what its job found."""
    if layouts(write, round_):
        return
    job_id = write.value("places_job", int, round=round_)
    if job_id is None:
        return
    write.insert("layout", [{"round": round_, "job_id": job_id, "adds": False}])
    for name in ("assignments_adopt", "titles_adopt"):
        write.run(name, round=round_)
    write.run("layout_adopt", round=round_, job_id=job_id)


def layouts(reader: Reader, round_: int) -> list[LayoutJob]:
    """The jobs whose maps a round has shown, oldest first."""
    return reader.rows("layouts", LayoutJob, round=round_)


def layout_job(write: Transaction, round_: int) -> int:
    """The job whose map a round shows. Raises BadChange where it has no map."""
    job_id = write.value("layout_job", int, round=round_)
    if job_id is None:
        raise BadChange(f"round {round_} has no map yet; cluster its failures first")
    return job_id


def state_of(write: Transaction, round_: int) -> ClusterState:
    """The clusters of a round: every layout and every change that was not undone, applied."""
    return cluster_state(_layouts(write, round_), _changes(write, round_))


def apply_state(write: Transaction, round_: int) -> list[int]:
    """Writes the state of a round's clusters into place, assignment and titles; a job calls it when its places are stored.

    Returns the failures that are in another cluster now.
    """
    state = state_of(write, round_)
    now = write.columns("places_of_round", round=round_)
    _, here, there = np.intersect1d(now["failure_id"], state.failures, assume_unique=True, return_indices=True)
    moved = now["cluster_id"][here] != state.clusters[there]
    failures, clusters = state.failures[there][moved].tolist(), state.clusters[there][moved].tolist()
    if failures:
        write.run("places_regroup", failure_ids=failures, cluster_ids=clusters)
    successors = {old: state.current(old) for old in state.successors}
    named = state.example_clusters()
    write.run(
        "assignments_regroup",
        round=round_,
        cluster_ids=list(successors),
        heir_ids=list(successors.values()),
        example_ids=list(named),
        named_ids=list(named.values()),
    )
    write.run("cluster_titles", round=round_, cluster_ids=list(state.titles), titles=list(state.titles.values()))
    write.touch_failures(failures)
    return failures


def history(store: Store, round_: int, limit: int = 50) -> list[ChangeLine]:
    """The latest changes, newest first."""
    return store.rows("cluster_history", ChangeLine, round=round_, limit=limit)


def _check(request: EditRequest, shown: set[int]) -> None:
    named = [*request.cluster_ids, *([request.into_id] if request.into_id is not None else [])]
    if missing := [c for c in named if c not in shown]:
        raise BadChange(f"there is no cluster {missing[0]} on the map any more; reload the page")
    if request.title is not None and not 0 < len(request.title.strip()) <= TITLE:
        raise BadChange(f"a title must have 1 to {TITLE} characters")
    needs = {
        "rename": (len(request.cluster_ids) == 1 and request.title is not None, "rename one cluster, with a title"),
        "merge": (
            request.into_id is not None and set(request.cluster_ids) - {request.into_id},
            "merge at least two clusters, into one of them",
        ),
        "split": (len(request.cluster_ids) == 1 and len(request.failure_ids) > 0, "split one cluster, with the failures of the new one"),
        "make": (len(request.failure_ids) > 0 and request.title is not None, "a new cluster needs failures and a title"),
        "move": (request.into_id is not None and len(request.failure_ids) > 0, "move failures into a cluster"),
    }
    fits, wanted = needs[request.action]
    if not fits:
        raise BadChange(f"{request.action}: {wanted}")


def _new_cluster(write: Transaction, round_: int, job_id: int, request: EditRequest) -> int:
    """A row for a cluster that a person makes; its error type is that of most of its failures."""
    error_type = write.value("error_types_of_failures", str, failure_ids=list(request.failure_ids))
    if error_type is None:
        raise BadChange("none of these failures is diagnosed; only diagnosed failures are in clusters")
    title = (request.title or "").strip()
    row = {"round": round_, "error_type": error_type, "title": title, "found_title": title, "job_id": job_id}
    return write.insert("cluster", [{**row, "name": f"by hand {request.event_id}", "made_by": request.reviewer}], returning="cluster_id")[0]


def _layouts(write: Transaction, round_: int) -> list[Layout]:
    collected = []
    for job in layouts(write, round_):
        columns = write.columns("grouped_of_job", job_id=job.job_id)
        collected.append(Layout(job.job_id, columns["failure_id"], columns["cluster_id"], job.adds))
    return collected


def _changes(write: Transaction, round_: int) -> list[Change]:
    return [
        Change(row.change_id, row.job_id, row.action, row.cluster_ids, row.into_id, row.title, _ids(row.failure_ids), _ids(row.example_ids))
        for row in _log(write, round_)
        if row.action != "undo" and not row.undone
    ]


def _log(write: Transaction, round_: int) -> list[LoggedChange]:
    """All entries of a round, oldest first."""
    return write.rows("cluster_changes", LoggedChange, round=round_)


def _by_event(reader: Reader, event_id: str) -> ClusterChange | None:
    return reader.row("cluster_change_by_event", ClusterChange, event_id=event_id)


def _ids(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int64) if values else NOBODY


def _answer(change: ClusterChange, moved: Sequence[int] = ()) -> EditResult:
    cluster_id = change.into_id if change.into_id is not None else next(iter(change.cluster_ids), None)
    return EditResult(change.change_id, change.action, cluster_id, list(moved))
