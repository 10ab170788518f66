"""People's triage of failures: model error, label error, scorer artefact, or another error type. An event log; an undo is an event too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from curation.clusters import splitting, type_corrections
from curation.clusters.type_corrections import OutOfType
from data.errors import MistakebookError
from data.records import Record
from data.store import Store
from data.workspace import Workspace


class InvalidTriage(MistakebookError):
    """A triage event that can't be recorded; the text says why."""


@dataclass(frozen=True)
class TriageRequest:
    """A label or an error type that a person gives to failures in one go. `event_id` comes from the sender: sent twice it counts once."""

    failure_ids: Sequence[int]
    event_id: str
    reviewer: str
    label: str | None = None
    error_type: str | None = None


@dataclass(frozen=True)
class Recorded(Record):
    """For how many failures an event was new, and how many changed their cluster."""

    new: int
    moved: int


@dataclass(frozen=True)
class Undone(Record):
    """How many failures an event was undone for, and how many changed their cluster."""

    undone: int
    moved: int


@dataclass(frozen=True)
class BatchEvent(Record):
    """A triage event of a batch, and whether it was undone."""

    failure_id: int
    event_id: str
    label: str | None
    error_type: str | None
    round: int
    undone: bool


@dataclass(frozen=True)
class TriageLine(Record):
    """What was said in one go: a label or an error type for some failures, one of them `failure_id`."""

    batch_id: str
    label: str | None
    error_type: str | None
    reviewer: str
    created_at: datetime
    failures: int
    failure_id: int
    undone: bool


def record(store: Store, workspace: Workspace, request: TriageRequest) -> Recorded:
    """Appends an event; failures whose error type is corrected join a cluster of that type at once.

    Raises InvalidTriage for an unknown failure.
    """
    known = set(store.column("failures_known", int, failure_ids=list(request.failure_ids)))
    if unknown := [failure_id for failure_id in request.failure_ids if failure_id not in known]:
        raise InvalidTriage(f"there is no failure {unknown[0]} in this workspace")
    columns = {"label": request.label, "error_type": request.error_type, "reviewer": request.reviewer, "batch_id": request.event_id}
    rows = [{"failure_id": failure_id, "event_id": f"{request.event_id}:{failure_id}", **columns} for failure_id in request.failure_ids]
    kind, moved = request.error_type, 0
    with store.write() as write:
        elsewhere = write.rows("failures_out_of_type", OutOfType, failure_ids=list(request.failure_ids), error_type=kind) if kind else []
        new = set(write.insert("triage", rows, returning="failure_id"))
        write.refresh_states()
        moving = [row for row in elsewhere if row.failure_id in new]
        if kind and moving:
            moved = type_corrections.follow(write, store, workspace, moving, kind, request.reviewer, request.event_id)
    return Recorded(len(new), moved)


def is_recorded(store: Store, event_id: str) -> bool:
    """Whether an event is in the log."""
    return bool(store.rows("triage_batch", BatchEvent, batch_id=event_id))


def undo(store: Store, workspace: Workspace, batch_id: str, reviewer: str, event_id: str) -> Undone:
    """Undoes an event, whatever came after it; failures that moved for it go back. Raises InvalidTriage."""
    with store.write() as write:
        rows = write.rows("triage_batch", BatchEvent, batch_id=batch_id)
        if not rows:
            raise InvalidTriage("there is no triage event with this number; reload the page")
        undos = [{"failure_id": row.failure_id, "event_id": f"{event_id}:{row.failure_id}", "undoes": row.event_id} for row in rows]
        if all(row.undone for row in rows):
            again = {row["event_id"] for row in undos} <= set(write.one("triage_undos", tuple[str, ...], batch_id=batch_id))
            if again:  # sent twice
                return Undone(0, 0)
            raise InvalidTriage("it has already been undone; label again instead")
        write.insert("triage", [{**row, "label": None, "error_type": None, "reviewer": reviewer} for row in undos])
        moved = type_corrections.take_back(write, batch_id, reviewer, event_id)
    for round_, failure_ids in moved.items():
        splitting.measure_again(store, workspace, round_, failure_ids)
    return Undone(len(rows), sum(map(len, moved.values())))


def history(store: Store, rounds: Sequence[str], limit: int = 50) -> list[TriageLine]:
    """The events on failures of some rounds, newest first."""
    return store.rows("triage_history", TriageLine, round=list(rounds), limit=limit)
