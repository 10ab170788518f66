"""People's words on failures: model error, label error, scorer artefact, or another error type. A log; taking back appends too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.clusters import splitting, type_corrections
from data.store import Store
from data.workspace import Workspace


class BadWord(ValueError):
    """What was said or taken back can't be; the text says why."""


@dataclass(frozen=True)
class Word:
    """What a person says on failures in one go. `event_id` comes from whoever sends it: sent twice it counts once."""

    failure_ids: Sequence[int]
    event_id: str
    reviewer: str
    label: str | None = None
    error_type: str | None = None


def say(store: Store, workspace: Workspace, word: Word) -> dict[str, int]:
    """Appends a word; failures whose error type is corrected join a cluster of that type at once.

    Answers how many words were new and how many failures moved. Raises BadWord for an unknown failure.
    """
    known = set(store.column("failures_known", failure_ids=list(word.failure_ids)))
    if unknown := [failure_id for failure_id in word.failure_ids if failure_id not in known]:
        raise BadWord(f"there is no failure {unknown[0]} in this workspace")
    said = {"label": word.label, "error_type": word.error_type, "reviewer": word.reviewer, "batch_id": word.event_id}
    rows = [{"failure_id": failure_id, "event_id": f"{word.event_id}:{failure_id}", **said} for failure_id in word.failure_ids]
    with store.write() as write:
        elsewhere = (
            write.run("failures_out_of_type", failure_ids=list(word.failure_ids), error_type=word.error_type) if word.error_type else []
        )
        new = set(write.insert("triage", rows, returning="failure_id"))
        write.refresh_states()
        moving = [row for row in elsewhere if row["failure_id"] in new]
        moved = type_corrections.follow(write, store, workspace, moving, word.error_type, word.reviewer, word.event_id) if moving else 0
    return {"new": len(new), "moved": moved}


def undo(store: Store, workspace: Workspace, batch_id: str, reviewer: str, event_id: str) -> dict[str, int]:
    """Takes back what was said in one go, whatever was said since; failures that moved for it go back. Raises BadWord."""
    with store.write() as write:
        rows = write.run("triage_batch", batch_id=batch_id)
        if not rows:
            raise BadWord("nothing was said under this number; reload the page")
        words = [
            {"failure_id": row["failure_id"], "event_id": f"{event_id}:{row['failure_id']}", "undoes": row["event_id"]} for row in rows
        ]
        if all(row["undone"] for row in rows):
            again = {row["event_id"] for row in words} <= set(write.run("triage_undos", batch_id=batch_id)[0]["events"])
            if again:  # sent twice
                return {"undone": 0, "moved": 0}
            raise BadWord("it was taken back already; say it anew instead")
        write.insert("triage", [{**row, "label": None, "error_type": None, "reviewer": reviewer} for row in words])
        moved = type_corrections.take_back(write, batch_id, reviewer, event_id)
    for round_, failure_ids in moved.items():
        splitting.measure_again(store, workspace, round_, failure_ids)
    return {"undone": len(rows), "moved": sum(map(len, moved.values()))}


def history(store: Store, rounds: Sequence[str], limit: int = 50) -> list[dict[str, Any]]:
    """What was said in one go on failures of some rounds, newest first, each with whether it was taken back."""
    return store.rows("triage_history", round=list(rounds), limit=limit)
