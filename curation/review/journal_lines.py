"""What the journal of decisions holds of each kind of decision (data/review_journal.py says how a line is kept).

`ids`, `revisions` and `marks` name the samples as they were looked at, side by side. Beside them:

approve, reject, reset   why, note; settles (the ids that it settles), bulk (decided together, by a filter)
edit                     text: question, choices, answer of the new revision
undo                     undoes: the event that is taken back; texts: revisions that were appended to go back to an earlier text
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.records import Record, SampleState
from data.review_journal import Line, mark_of
from data.transaction import Transaction


@dataclass(frozen=True)
class Marked(Record):
    """A sample as a line names it."""

    sample_id: int
    revision: int
    mark: str


def of_state(state: SampleState) -> Marked:
    return Marked(state.sample_id, state.revision, mark_of(state.question, state.choices, state.answer, state.image))


def decisions(decided: Iterable[Any], states: Mapping[int, SampleState], settled: Collection[int], reviewer: str) -> list[Line]:
    """A line a decision (curation/review/decisions.py: Decision)."""
    return [
        {
            **_head(decision.event_id, reviewer, decision.action),
            **_samples([of_state(states[decision.sample_id])]),
            **_given(why=decision.reason, note=decision.note, settles=[decision.sample_id] if decision.sample_id in settled else None),
        }
        for decision in decided
    ]


def bulk(write: Transaction, event_id: str, reviewer: str, action: str, reason: str | None, note: str | None) -> Line:
    """One line for all touched samples; to be called while they are touched."""
    marked = write.rows("touched_marks", Marked)
    return {**_head(event_id, reviewer, action), **_samples(marked), **_given(why=reason, note=note), "bulk": True}


def edit(event_id: str, reviewer: str, before: SampleState, text: Mapping[str, Any]) -> Line:
    return {**_head(event_id, reviewer, "edit"), **_samples([of_state(before)]), "text": dict(text)}


def undo(write: Transaction, event_id: str, reviewer: str, undone_event: str, texts: Sequence[Mapping[str, Any]]) -> Line:
    """To be called while the samples are touched and their texts are as before."""
    marked = write.rows("touched_marks", Marked)
    return {**_head(event_id, reviewer, "undo"), **_samples(marked), "undoes": undone_event, **_given(texts=list(texts) or None)}


def _head(event_id: str, reviewer: str, action: str) -> Line:
    return {"event": event_id, "who": reviewer, "do": action}


def _samples(marked: Sequence[Marked]) -> Line:
    return {
        "ids": [row.sample_id for row in marked],
        "revisions": [row.revision for row in marked],
        "marks": [row.mark for row in marked],
    }


def _given(**values: Any) -> Line:
    return {name: value for name, value in values.items() if value is not None}
