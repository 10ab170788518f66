"""People's decisions on samples: approve, reject, reset, edit, undo. Appended, never overwritten; on disk when acknowledged."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from curation.filtering import bulk_limits
from data.errors import MistakebookError
from data.records import FilterSetting
from data.store import KeyTaken, Store
from data.transaction import Transaction

Action = Literal["approve", "reject", "reset"]
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
FILTER_FIELDS = (
    "statuses",
    "error_types",
    "datasets",
    "routes",
    "rounds",
    "failed_bit",
    "failing",
    "failure_id",
    "sample_ids",
    "found",
    "queue_of",
    "queue_done",
    "known_to",
    "audited",
    "beside",
)


class StaleRevision(MistakebookError):
    """The sample was edited or drawn anew since it was shown: the decision names another revision or picture."""


class UnknownSample(MistakebookError):
    """There is no such sample."""

    status = 404


class BadText(MistakebookError):
    """A question, choices or an answer that can't be a sample's."""


class SelectionChanged(MistakebookError):
    """A bulk decision would touch another number of samples than its preview said."""


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


def decide(store: Store, decision: Decision, reviewer: str) -> dict:
    """Stores a decision; returns the sample's new state. Raises StaleRevision, UnknownSample."""
    (answer,) = decide_each(store, [decision], reviewer)
    if isinstance(answer, Exception):
        raise answer
    return answer


def decide_each(store: Store, decisions: Sequence[Decision], reviewer: str) -> list[dict | StaleRevision | UnknownSample]:
    """Stores decisions on different samples in one transaction; of each the sample's new state, or why it was refused.

    Whether the log holds an event already is asked where it refuses one, or where a sample has changed: seldom, and it takes a while.
    """
    try:
        return _decide(store, decisions, reviewer)
    except KeyTaken:
        return _decide(store, decisions, reviewer, repeated=True)


def _decide(store: Store, decisions: Sequence[Decision], reviewer: str, repeated: bool = False) -> list:
    ids = [one.sample_id for one in decisions]
    if len(set(ids)) < len(ids):
        raise ValueError("two of these decisions are on the same sample: send them one after another")
    with store.write() as write:
        states = {row["sample_id"]: row for row in write.run("samples_to_decide", sample_ids=ids)}
        spoken = {sample_id for sample_id, state in states.items() if state.pop("decided")}
        new, refused = decisions, _refused(decisions, states)
        if repeated or refused:
            known = set(write.column("events_known", str, sample_ids=ids, event_ids=[one.event_id for one in decisions]))
            new = [one for one in decisions if one.event_id not in known]
            refused = _refused(new, states)
        if new := [one for one in new if one.sample_id not in refused]:
            for row in _append(write, new, spoken, reviewer):
                states[row["sample_id"]]["status"] = row["status"]
    return [refused.get(sample_id) or states[sample_id] for sample_id in ids]


def _refused(decisions: Sequence[Decision], states: dict[int, dict]) -> dict[int, StaleRevision | UnknownSample]:
    found = {}
    for one in decisions:
        state = states.get(one.sample_id)
        if state is None:
            found[one.sample_id] = UnknownSample(f"there is no sample {one.sample_id}")
        elif state["revision"] != one.revision:
            text = f"sample {one.sample_id} was edited meanwhile (revision {state['revision']}); look at it again"
            found[one.sample_id] = StaleRevision(text)
        elif one.image is not None and state["image"] != one.image:
            found[one.sample_id] = StaleRevision(f"sample {one.sample_id} was drawn anew meanwhile; look at it again")
    return found


def _append(write: Transaction, decisions: Sequence[Decision], spoken: set[int], reviewer: str) -> list[dict]:
    """Appends decisions to the log; returns {"sample_id", "status"} of each sample. On those of `spoken` somebody's word stood before."""
    rows = [{name: getattr(one, name) for name in LOGGED} for one in decisions]
    added = write.run("reviews_decided", decisions=rows, reviewer=reviewer)
    if settling := [one.sample_id for one in decisions if one.settles]:
        settled = {row["sample_id"] for row in write.run("samples_to_adjudicate", sample_ids=settling)}
        write.insert("adjudication", [row for row in added if row["sample_id"] in settled])
    found = []
    for action in ("approve", "reject"):
        if first := [one.sample_id for one in decisions if one.action == action and one.sample_id not in spoken]:
            found += write.run("state_first_decision", sample_ids=first, action=action, reviewer=reviewer)
    if rest := {one.sample_id for one in decisions} - {row["sample_id"] for row in found}:
        found += write.run("state_decide_these", sample_ids=list(rest))
    return found


def preview_bulk(store: Store, matching: dict, action: Action = "approve", seed: int = 0) -> dict:
    """What a bulk decision would touch: counts a status, what would be left out and why, and twelve random members.

    Returns {"total", "count" (that would be decided), "left_out": {"undrawn", "leaking"}, "by_status", "members"}.
    """
    rows = store.rows("samples_matching_by_status", leaking=_barred_mask(store.rows("filters", FilterSetting), action), **matching)
    counts = {row["status"]: row["count"] for row in rows}
    barred = {"undrawn": counts.get("undrawn", 0), "leaking": sum(row["leaking"] for row in rows)}
    total = sum(counts.values())
    members = store.rows("samples_matching_few", seed=seed, **matching)
    return {"total": total, "count": total - sum(barred.values()), "left_out": barred, "by_status": counts, "members": members}


def decide_bulk(
    store: Store,
    matching: dict,
    action: Action,
    reviewer: str,
    event_id: str,
    reason: str | None = None,
    expected: int | None = None,
    note: str | None = None,
) -> dict:
    """One decision on every sample that a filter matches; undrawn samples, and those that leak (or were not compared yet), are left out.

    `matching` holds any of FILTER_FIELDS. Returns {"batch_id", "count", "left_out"}; sending the event again changes nothing.
    Raises SelectionChanged if not just `expected` samples would be decided (None: any number).
    """
    with store.write() as write:
        if done := write.run("batch_of_event", event_id=event_id):
            return {**done[0], "left_out": 0}
        leaking = _barred_mask(write.rows("filters", FilterSetting), action)
        found = sum(row["count"] for row in write.run("samples_matching_by_status", leaking=leaking, **matching))
        chosen = write.touched_by("touch_matching", leaking=leaking, **matching)
        if expected is not None and chosen != expected:
            raise SelectionChanged(f"{chosen:,} samples match now, not {expected:,}; look at the preview again")
        batch_id = write.one("next_batch", int) if chosen else None
        shared = {"action": action, "reason": reason, "note": note, "reviewer": reviewer, "batch_id": batch_id, "event_id": event_id}
        write.run("reviews_add", **shared)
    return {"batch_id": batch_id, "count": chosen, "left_out": found - chosen}


def edit(
    store: Store, sample_id: int, revision: int, question: str, choices: Sequence[str], answer: str, reviewer: str, event_id: str
) -> dict:
    """Appends a revision of a sample; returns its new state. Raises StaleRevision, UnknownSample, BadText."""
    text = checked_text(question, choices, answer)
    with store.write() as write:
        state = _state(write, sample_id, event_id)
        if state.pop("known"):
            return state
        if state["revision"] != revision:
            raise StaleRevision(f"sample {sample_id} was edited meanwhile (revision {state['revision']}); look at it again")
        write.insert("revision", [{"sample_id": sample_id, "revision": revision + 1, **text, "reviewer": reviewer}])
        write.run("review_add", sample_id=sample_id, revision=revision + 1, action="edit", reviewer=reviewer, event_id=event_id)
        return _refreshed(write, sample_id)


def undo(store: Store, reviewer: str, event_id: str, batch_id: int | None = None, undone_event: str | None = None) -> dict:
    """Appends the reversal of a bulk decision or of one event of this reviewer; an edit goes back to the text before it.

    Returns {"count", "sample_ids" (at most 100)}; count 0 if it was undone already.
    """
    if batch_id is None and undone_event is None:
        raise ValueError("name a batch or an event to undo")
    with store.write() as write:
        if write.run("event_known", event_id=event_id)[0]["known"]:
            return {"count": 0, "sample_ids": []}
        meant = {"reviewer": reviewer, "batch_id": batch_id, "undone_event": undone_event}
        count = write.touched_by("touch_to_undo", **meant)
        edits = write.run("edits_to_undo", **meant)
        for edited in edits:
            _restore_text(write, edited, reviewer)
        write.touch(edited["sample_id"] for edited in edits)
        write.run("reviews_reverse", **meant, event_id=event_id)
        some = write.column("touched_few", int)
    return {"count": count, "sample_ids": some}


def checked_text(question: str, choices: Sequence[str], answer: str) -> dict:
    """The text of a sample without blanks around it. Raises BadText if something is empty, or the answer is none of the choices' letters.

    >>> checked_text("What color is it? ", ["red", "blue"], "b")
    {'question': 'What color is it?', 'choices': ['red', 'blue'], 'answer': 'B'}
    """
    question, choices, answer = question.strip(), [choice.strip() for choice in choices], answer.strip()
    if not question or not answer:
        raise BadText("question and answer must not be empty")
    if not choices:
        return {"question": question, "choices": choices, "answer": answer}
    if len(choices) == 1 or not all(choices):
        raise BadText("give two or more choices, none of them empty, or no choices at all")
    letters = [chr(65 + i) for i in range(len(choices))]
    if answer.upper() not in letters:
        raise BadText(f"the answer {answer!r} is no letter of a choice; there are: {', '.join(letters)}")
    return {"question": question, "choices": choices, "answer": answer.upper()}


def new_event() -> str:
    """An event id for decisions that don't come from a browser."""
    return uuid.uuid4().hex


def _restore_text(write: Transaction, edited: dict, reviewer: str) -> None:
    """Undoing an edit appends the text before it as a further revision: nothing is taken out of the log."""
    before = write.run("text_of_revision", sample_id=edited["sample_id"], revision=edited["revision"] - 1)[0]
    newest = _state(write, edited["sample_id"])["revision"] + 1
    write.insert("revision", [{"sample_id": edited["sample_id"], "revision": newest, **before, "reviewer": reviewer}])


def _barred_mask(settings: list[FilterSetting], action: Action) -> int:
    """The bits of the filters that a bulk approval may not override."""
    return bulk_limits.bits(settings) if action == "approve" else 0


def _state(write: Transaction, sample_id: int, event_id: str | None = None) -> dict:
    """A sample's state, and whether the event is `known`."""
    rows = write.run("sample_state_of", sample_id=sample_id, event_id=event_id)
    if not rows:
        raise UnknownSample(f"there is no sample {sample_id}")
    return rows[0]


def _refreshed(write: Transaction, sample_id: int) -> dict:
    write.touch([sample_id])
    write.refresh_states()
    return {name: value for name, value in _state(write, sample_id).items() if name != "known"}
