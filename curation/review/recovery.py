"""Decisions that the store has lost, brought back from the journal of decisions (data/review_journal.py).

A store may be behind its journal: its write-ahead log was damaged, or a backup from before some decisions was restored. Decisions that
the store's log holds are left alone; the others are put back in their order, under their own events, so that doing it twice changes
nothing. One that was made on a text or image that the store doesn't have is left out, and said.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.review.journal_lines import Marked
from data.errors import MistakebookError
from data.review_journal import JournalRead, Line, ReviewJournal
from data.store import Store
from data.transaction import Transaction

AT_ONCE = 2000  # lines whose events are looked up together


class _DryRun(MistakebookError):
    """Undoes the transaction."""


@dataclass(frozen=True)
class Recovery:
    """What a recovery does, or would do. Counted are decisions on one sample each."""

    lines: int  # of the journal that are sound
    since: str | None  # when its first line was written, ISO 8601
    known: int  # the store's log has them
    brought_back: int
    by_action: dict[str, int]  # of those brought back
    other_text: int  # left out: the sample's text or image is another than was looked at
    superseded: int  # left out: the store has a later decision of the same person on the sample
    no_sample: int  # left out: no sample of the store has that text and image
    damaged_lines: list[int]  # by number, from 1
    missing_lines: int
    applied: bool

    @property
    def left_out(self) -> int:
        return self.other_text + self.superseded + self.no_sample


@dataclass(frozen=True)
class _Logged:
    event_id: str
    sample_id: int
    review_id: int
    revision: int


@dataclass(frozen=True)
class _Added:
    review_id: int
    sample_id: int


@dataclass
class _Counts:
    known: int = 0
    other_text: int = 0
    superseded: int = 0
    no_sample: int = 0
    brought_back: Counter[str] = field(default_factory=Counter)


def recover(store: Store, apply: bool, journal_file: Path | None = None) -> Recovery:
    """Brings back what the journal (by default the store's own) has and the store has not; without `apply` it is only counted.

    All of it or nothing.
    """
    journal = (ReviewJournal(journal_file) if journal_file else store.reviews).read()
    counts = _Counts()
    try:
        with store.write() as write:
            chunks = [journal.lines[start : start + AT_ONCE] for start in range(0, len(journal.lines), AT_ONCE)]
            latest = _latest_known(write, chunks)
            for lines in chunks:
                _bring_back(write, lines, latest, counts)
            if not apply:
                raise _DryRun
    except _DryRun:
        pass
    return _summed(journal, counts, apply)


def _summed(journal: JournalRead, counts: _Counts, applied: bool) -> Recovery:
    return Recovery(
        lines=len(journal.lines),
        since=journal.lines[0]["at"] if journal.lines else None,
        known=counts.known,
        brought_back=counts.brought_back.total(),
        by_action=dict(counts.brought_back),
        other_text=counts.other_text,
        superseded=counts.superseded,
        no_sample=counts.no_sample,
        damaged_lines=journal.damaged,
        missing_lines=journal.missing,
        applied=applied,
    )


def _known(write: Transaction, lines: Sequence[Line]) -> set[tuple[str, int]]:
    events = list({line["event"] for line in lines})
    return {(row.event_id, row.sample_id) for row in write.rows("reviews_known", _Logged, event_ids=events)}


def _latest_known(write: Transaction, chunks: Sequence[Sequence[Line]]) -> dict[tuple[str, int], int]:
    """By person and sample: the last line of the journal that the store has; what comes before it is not put behind it."""
    latest: dict[tuple[str, int], int] = {}
    for lines in chunks:
        known = _known(write, lines)
        latest |= {
            (line["who"], sample_id): line["n"] for line in lines for sample_id in line["ids"] if (line["event"], sample_id) in known
        }
    return latest


def _bring_back(write: Transaction, lines: Sequence[Line], latest: dict[tuple[str, int], int], counts: _Counts) -> None:
    known = _known(write, lines)
    for line in lines:
        named = [Marked(*marked) for marked in zip(line["ids"], line["revisions"], line["marks"])]
        lost = [marked for marked in named if (line["event"], marked.sample_id) not in known]
        counts.known += len(named) - len(lost)
        in_time = [marked for marked in lost if latest.get((line["who"], marked.sample_id), 0) < line["n"]]
        counts.superseded += len(lost) - len(in_time)
        lost = in_time
        if lost:
            resolved = _resolved(write, lost, counts)
            counts.brought_back[line["do"]] += _put(write, line, resolved)
            known |= {(line["event"], sample.sample_id) for sample in resolved}


def _resolved(write: Transaction, lost: Sequence[Marked], counts: _Counts) -> list[Marked]:
    """The samples of the store that a line means: those of its numbers where text and image are the same, else by text and image."""
    present = {row.sample_id: row for row in write.rows("samples_marked", Marked, sample_ids=[marked.sample_id for marked in lost])}
    resolved, astray = [], []
    for decision in lost:
        state = present.get(decision.sample_id)
        if state and (state.revision > decision.revision or (state.revision == decision.revision and state.mark == decision.mark)):
            resolved.append(decision)  # a later revision: the decision belongs to the history of this sample
        else:
            astray.append(decision)
    if astray:
        alike = write.rows("samples_with_marks", Marked, marks=[marked.mark for marked in astray])
        elsewhere, times = {row.mark: row for row in alike}, Counter(row.mark for row in alike)
        for decision in astray:
            if times[decision.mark] == 1:  # which of several is meant can't be told
                resolved.append(elsewhere[decision.mark])
            elif decision.sample_id in present:
                counts.other_text += 1
            else:
                counts.no_sample += 1
    return resolved


def _put(write: Transaction, line: Line, samples: Sequence[Marked]) -> int:
    """Appends a line's decision to the log, for these samples; returns on how many (what an undo took back must be there)."""
    if not samples:
        return 0
    action, reviewer = line["do"], line["who"]
    revisions = {sample.sample_id: sample.revision + (action == "edit") for sample in samples}
    if action == "undo":
        undone = write.rows("reviews_known", _Logged, event_ids=[line["undoes"]])
        rows: list[dict[str, int | None]] = [
            {"sample_id": row.sample_id, "revision": row.revision, "undoes": row.review_id} for row in undone if row.sample_id in revisions
        ]
    else:
        rows = [{"sample_id": sample_id, "revision": revision, "undoes": None} for sample_id, revision in revisions.items()]
    shared: dict[str, Any] = {"action": action, "reviewer": reviewer, "event_id": line["event"], "created_at": line["at"]}
    shared |= {"reason": line.get("why"), "note": line.get("note"), "batch_id": write.one("next_batch", int) if line.get("bulk") else None}
    added = write.rows("reviews_restore", _Added, samples=rows, **shared)
    settled = set(line.get("settles", ()))
    write.insert("adjudication", [vars(row) for row in added if row.sample_id in settled])
    if action == "edit":
        texts = [{"sample_id": sample_id, "revision": revision, **line["text"]} for sample_id, revision in revisions.items()]
    else:
        texts = [text for text in line.get("texts", ()) if text["sample_id"] in revisions]
    write.insert("revision", [{**text, "reviewer": reviewer} for text in texts])
    write.touch(revisions)
    write.refresh_states()
    return len(added)
