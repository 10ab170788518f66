"""People's decisions on samples: approve, reject, reset, edit, undo. Appended, never overwritten; on disk when acknowledged."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from curation.filtering import bulk_limits
from curation.review import journal_lines
from curation.review.bulk_records import BulkPreview, BulkResult, LeftOut, SampleShown, UndoResult
from data.errors import MistakebookError
from data.records import FilterSetting, Record, SampleState, SampleStatus
from data.store import KeyTaken, Store
from data.transaction import Transaction

Action = Literal["approve", "reject", "reset"]
SampleFilter = Mapping[str, Any]  # which samples are meant: any of the parameters of {sample_filter} (data/sql/reviews.sql)
REASONS = (
    "wrong answer",
    "ambiguous question",
    "image doesn't match",
    "poor image",
    "duplicate",
    "off target",
    "too easy",
    "bad wording",
    "other",
)
LOGGED = ("sample_id", "revision", "action", "reason", "note", "event_id")  # of a decision


class StaleRevision(MistakebookError):
    """The sample was edited or drawn anew since it was shown: the decision names another revision or picture."""


class UnknownSample(MistakebookError):
    """There is no such sample."""

    status = 404


class BadText(MistakebookError):
    """A question, choices or an answer that can't be a sample's."""


class SelectionChanged(MistakebookError):
    """A bulk decision would touch another number of samples than its preview said."""


Refusal = StaleRevision | UnknownSample


@dataclass(frozen=True)
class Decision:
    """One decision of one reviewer; `event_id` is made by whoever decides, so that sending it twice changes nothing."""

    sample_id: int
    revision: int
    action: Action
    event_id: str
    reason: str | None = None
    note: str | None = None
    image: str | None = None  # the picture that was looked at; None where it isn't known
    settles: bool = False  # the decisions in dispute were looked at: this one counts over all of them (an adjudication)


@dataclass(frozen=True)
class SampleText(Record):
    """Question, choices (none: an open question) and answer of a sample."""

    question: str
    choices: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class _ToDecide(SampleState):
    decided: bool  # somebody's decision stands


@dataclass(frozen=True)
class _ToEdit(SampleState):
    known: bool  # the log holds the event already


@dataclass(frozen=True)
class _Status:
    sample_id: int
    status: SampleStatus


@dataclass(frozen=True)
class _Added:
    review_id: int
    sample_id: int


@dataclass(frozen=True)
class _StatusCount:
    status: str
    count: int
    leaking: int


@dataclass(frozen=True)
class _Batch:
    batch_id: int | None
    count: int


@dataclass(frozen=True)
class _Edit:
    sample_id: int
    revision: int


def decide(store: Store, decision: Decision, reviewer: str) -> SampleState:
    """Stores a decision; returns the sample's new state. Raises StaleRevision, UnknownSample."""
    (answer,) = decide_each(store, [decision], reviewer)
    if isinstance(answer, Exception):
        raise answer
    return answer


def decide_each(store: Store, decisions: Sequence[Decision], reviewer: str) -> list[SampleState | Refusal]:
    """Stores decisions on different samples in one transaction; of each the sample's new state, or why it was refused.

    Whether the log holds an event already is asked where it refuses one, or where a sample has changed: seldom, and it takes a while.
    """
    try:
        return _decide(store, decisions, reviewer)
    except KeyTaken:
        return _decide(store, decisions, reviewer, repeated=True)


def _decide(store: Store, decisions: Sequence[Decision], reviewer: str, repeated: bool = False) -> list[SampleState | Refusal]:
    ids = [decision.sample_id for decision in decisions]
    if len(set(ids)) < len(ids):
        raise ValueError("two of these decisions are on the same sample: send them one after another")
    with store.write() as write:
        rows = write.rows("samples_to_decide", _ToDecide, sample_ids=ids)
        states, decided = {row.sample_id: _state_of(row) for row in rows}, {row.sample_id for row in rows if row.decided}
        new, refused = list(decisions), _refused(decisions, states)
        if repeated or refused:
            events = [decision.event_id for decision in decisions]
            known = set(write.column("events_known", str, sample_ids=ids, event_ids=events))
            new = [decision for decision in decisions if decision.event_id not in known]
            refused = _refused(new, states)
        if new := [decision for decision in new if decision.sample_id not in refused]:
            for row in _append(write, new, states, decided, reviewer):
                states[row.sample_id] = replace(states[row.sample_id], status=row.status)
    return [refused.get(sample_id) or states[sample_id] for sample_id in ids]


def _refused(decisions: Sequence[Decision], states: Mapping[int, SampleState]) -> dict[int, Refusal]:
    refusals: dict[int, Refusal] = {}
    for decision in decisions:
        sample_id, state = decision.sample_id, states.get(decision.sample_id)
        if state is None:
            refusals[sample_id] = UnknownSample(f"there is no sample {sample_id}")
        elif state.revision != decision.revision:
            refusals[sample_id] = _edited_meanwhile(state)
        elif decision.image is not None and state.image != decision.image:
            refusals[sample_id] = StaleRevision(f"sample {sample_id} was redrawn meanwhile; look at it again")
    return refusals


def _edited_meanwhile(state: SampleState) -> StaleRevision:
    return StaleRevision(f"sample {state.sample_id} was edited meanwhile (revision {state.revision}); look at it again")


def _append(
    write: Transaction, decisions: Sequence[Decision], states: Mapping[int, SampleState], decided: set[int], reviewer: str
) -> list[_Status]:
    """Appends decisions to the log; returns the status of each sample. On those of `decided` somebody's decision stood before."""
    logged = [{name: getattr(decision, name) for name in LOGGED} for decision in decisions]
    added = write.rows("reviews_decided", _Added, decisions=logged, reviewer=reviewer)
    settled: set[int] = set()
    if settling := [decision.sample_id for decision in decisions if decision.settles]:
        settled = set(write.column("samples_to_adjudicate", int, sample_ids=settling))
        write.insert("adjudication", [vars(row) for row in added if row.sample_id in settled])
    write.note(journal_lines.decisions(decisions, states, settled, reviewer))
    changed: list[_Status] = []
    for action in ("approve", "reject"):
        if first := [decision.sample_id for decision in decisions if decision.action == action and decision.sample_id not in decided]:
            changed += write.rows("sample_state_first_decision", _Status, sample_ids=first, action=action, reviewer=reviewer)
    if rest := {decision.sample_id for decision in decisions} - {row.sample_id for row in changed}:
        changed += write.rows("sample_state_decide_these", _Status, sample_ids=list(rest))
    return changed


def preview_bulk(store: Store, matching: SampleFilter, action: Action = "approve", seed: int = 0) -> BulkPreview:
    """What a bulk decision would touch."""
    leaking = _barred_mask(store.rows("filters", FilterSetting), action)
    rows = store.rows("samples_matching_by_status", _StatusCount, leaking=leaking, **matching)
    counts = {row.status: row.count for row in rows}
    left_out = LeftOut(counts.get("undrawn", 0), sum(row.leaking for row in rows))
    total = sum(counts.values())
    members = store.rows("samples_matching_few", SampleShown, seed=seed, **matching)
    return BulkPreview(total, total - left_out.undrawn - left_out.leaking, left_out, counts, members)


def decide_bulk(
    store: Store,
    matching: SampleFilter,
    action: Action,
    reviewer: str,
    event_id: str,
    reason: str | None = None,
    expected: int | None = None,
    note: str | None = None,
) -> BulkResult:
    """One decision on every sample that a filter matches; undrawn samples, and those that leak (or were not compared yet), are left out.

    Sending the event again changes nothing. Raises SelectionChanged if not just `expected` samples would be decided (None: any number).
    """
    with store.write() as write:
        if done := write.row("batch_of_event", _Batch, event_id=event_id):
            return BulkResult(done.batch_id, done.count, 0)
        leaking = _barred_mask(write.rows("filters", FilterSetting), action)
        matched = sum(row.count for row in write.rows("samples_matching_by_status", _StatusCount, leaking=leaking, **matching))
        chosen = write.touched_by("touch_matching", leaking=leaking, **matching)
        if expected is not None and chosen != expected:
            raise SelectionChanged(f"{chosen:,} samples match now, not {expected:,}; look at the preview again")
        batch_id = write.one("next_batch", int) if chosen else None
        shared = {"action": action, "reason": reason, "note": note, "reviewer": reviewer, "batch_id": batch_id, "event_id": event_id}
        write.run("reviews_add", **shared)
        if chosen:
            write.note([journal_lines.bulk(write, event_id, reviewer, action, reason, note)])
    return BulkResult(batch_id, chosen, matched - chosen)


def edit(
    store: Store, sample_id: int, revision: int, question: str, choices: Sequence[str], answer: str, reviewer: str, event_id: str
) -> SampleState:
    """Appends a revision of a sample; returns its new state. Raises StaleRevision, UnknownSample, BadText."""
    text = checked_text(question, choices, answer)
    with store.write() as write:
        state = _to_edit(write, sample_id, event_id)
        if state.known:
            return _state_of(state)
        if state.revision != revision:
            raise _edited_meanwhile(state)
        write.insert("revision", [{"sample_id": sample_id, "revision": revision + 1, **text.to_row(), "reviewer": reviewer}])
        write.run("review_add", sample_id=sample_id, revision=revision + 1, action="edit", reviewer=reviewer, event_id=event_id)
        write.note([journal_lines.edit(event_id, reviewer, state, text.to_row())])
        write.touch([sample_id])
        write.refresh_states()
        return _state_of(_to_edit(write, sample_id))


def undo(store: Store, reviewer: str, event_id: str, batch_id: int | None = None, undone_event: str | None = None) -> UndoResult:
    """Appends the reversal of a bulk decision or of one event of this reviewer; an edit goes back to the text before it."""
    if batch_id is None and undone_event is None:
        raise ValueError("name a batch or an event to undo")
    with store.write() as write:
        if write.one("event_known", bool, event_id=event_id):
            return UndoResult(0, [])
        which = {"reviewer": reviewer, "batch_id": batch_id, "undone_event": undone_event}
        count = write.touched_by("touch_to_undo", **which)
        edits = write.rows("edits_to_undo", _Edit, **which)
        texts = [_restore_text(write, edited, reviewer) for edited in edits]
        if count:
            undone = undone_event or write.one("event_of_batch", str, batch_id=batch_id)
            write.note([journal_lines.undo(write, event_id, reviewer, undone, texts)])
        write.touch(edited.sample_id for edited in edits)
        write.run("reviews_reverse", **which, event_id=event_id)
        return UndoResult(count, write.column("touched_few", int))


def checked_text(question: str, choices: Sequence[str], answer: str) -> SampleText:
    """The text of a sample without blanks around it. Raises BadText if something is empty, or the answer is none of the choices' letters.

    >>> checked_text("What color is it? ", ["red", "blue"], "b")
    SampleText(question='What color is it?', choices=('red', 'blue'), answer='B')
    """
    text = SampleText(question.strip(), tuple(choice.strip() for choice in choices), answer.strip())
    if not text.question or not text.answer:
        raise BadText("question and answer must not be empty")
    if not text.choices:
        return text
    if len(text.choices) == 1 or not all(text.choices):
        raise BadText("give two or more choices, none of them empty, or no choices at all")
    letters = [chr(65 + i) for i in range(len(text.choices))]
    if text.answer.upper() not in letters:
        raise BadText(f"the answer {text.answer!r} is not the letter of a choice; there are: {', '.join(letters)}")
    return replace(text, answer=text.answer.upper())


def new_event() -> str:
    """An event id for decisions that don't come from a browser."""
    return uuid.uuid4().hex


def _restore_text(write: Transaction, edited: _Edit, reviewer: str) -> dict[str, Any]:
    """Undoing an edit appends the text before it as a further revision: nothing is taken out of the log. Returns that revision."""
    before = write.one("text_of_revision", SampleText, sample_id=edited.sample_id, revision=edited.revision - 1)
    newest = _to_edit(write, edited.sample_id).revision + 1
    revision = {"sample_id": edited.sample_id, "revision": newest, **before.to_row()}
    write.insert("revision", [{**revision, "reviewer": reviewer}])
    return revision


def _barred_mask(settings: Sequence[FilterSetting], action: Action) -> int:
    """The bits of the filters that a bulk approval may not override."""
    return bulk_limits.bits(settings) if action == "approve" else 0


def _to_edit(write: Transaction, sample_id: int, event_id: str | None = None) -> _ToEdit:
    row = write.row("sample_state_of", _ToEdit, sample_id=sample_id, event_id=event_id)
    if row is None:
        raise UnknownSample(f"there is no sample {sample_id}")
    return row


def _state_of(row: SampleState) -> SampleState:
    """The sample's state alone, without what a query tells beside it."""
    return SampleState(row.sample_id, row.revision, row.status, row.question, row.choices, row.answer, row.image)
