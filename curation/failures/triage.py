"""People's triage of failures: model error, label error, scorer artefact, or another error type. An event log; an undo is an event too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.clusters import splitting, type_corrections
from data.errors import MistakebookError
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


def record(store: Store, workspace: Workspace, request: TriageRequest) -> dict[str, int]:
    """Appends an event; failures whose error type is corrected join a cluster of that type at once.

    Returns {"new": failures for which it was new, "moved": failures that changed their cluster}. Raises InvalidTriage for an unknown
    failure.
    """
    known = set(store.column("failures_known", failure_ids=list(request.failure_ids)))
    if unknown := [failure_id for failure_id in request.failure_ids if failure_id not in known]:
        raise InvalidTriage(f"there is no failure {unknown[0]} in this workspace")
    columns = {"label": request.label, "error_type": request.error_type, "reviewer": request.reviewer, "batch_id": request.event_id}
    rows = [{"failure_id": failure_id, "event_id": f"{request.event_id}:{failure_id}", **columns} for failure_id in request.failure_ids]
    kind, moved = request.error_type, 0
    with store.write() as write:
        elsewhere = write.run("failures_out_of_type", failure_ids=list(request.failure_ids), error_type=kind) if kind else []
        new = set(write.insert("triage", rows, returning="failure_id"))
        write.refresh_states()
        moving = [row for row in elsewhere if row["failure_id"] in new]
        if kind and moving:
            moved = type_corrections.follow(write, store, workspace, moving, kind, request.reviewer, request.event_id)
    return {"new": len(new), "moved": moved}


def is_recorded(store: Store, event_id: str) -> bool:
    """Whether an event is in the log."""
    return bool(store.rows("triage_batch", batch_id=event_id))


def undo(store: Store, workspace: Workspace, batch_id: str, reviewer: str, event_id: str) -> dict[str, int]:
    """Undoes an event, whatever came after it; failures that moved for it go back. Raises InvalidTriage.

    Returns {"undone": failures, "moved": failures that changed their cluster}.
    """
    with store.write() as write:
        rows = write.run("triage_batch", batch_id=batch_id)
        if not rows:
            raise InvalidTriage("there is no triage event with this number; reload the page")
        undos = [
            {"failure_id": row["failure_id"], "event_id": f"{event_id}:{row['failure_id']}", "undoes": row["event_id"]} for row in rows
        ]
        if all(row["undone"] for row in rows):
            again = {row["event_id"] for row in undos} <= set(write.run("triage_undos", batch_id=batch_id)[0]["events"])
            if again:  # sent twice
                return {"undone": 0, "moved": 0}
            raise InvalidTriage("it has already been undone; label again instead")
        write.insert("triage", [{**row, "label": None, "error_type": None, "reviewer": reviewer} for row in undos])
        moved = type_corrections.take_back(write, batch_id, reviewer, event_id)
    for round_, failure_ids in moved.items():
        splitting.measure_again(store, workspace, round_, failure_ids)
    return {"undone": len(rows), "moved": sum(map(len, moved.values()))}


def history(store: Store, rounds: Sequence[str], limit: int = 50) -> list[dict[str, Any]]:
    """The events on failures of some rounds, newest first, each with whether it was undone."""
    return store.rows("triage_history", round=list(rounds), limit=limit)
