"""Who reviews what: a selection of samples dealt out to people, each sample to one or to several of them.

Dealing is deterministic: the same selection, people and event give the same shares. When somebody joins or leaves, what is
decided stays with whoever decided it, and of the rest as little as possible changes hands.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from curation.review.decisions import SampleFilter
from data.errors import MistakebookError
from data.records import Record
from data.store import Store


@dataclass(frozen=True)
class Share(Record):
    """A sample that a reviewer is to look at in an assignment."""

    sample_id: int
    reviewer: str
    decided: bool = False


@dataclass(frozen=True)
class ShareProgress(Record):
    """How much of an assignment a reviewer has decided."""

    reviewer: str
    assigned: int
    done: int


@dataclass(frozen=True)
class Assignment(Record):
    """Samples that were dealt out to people, each to `copies` of them."""

    assignment_id: int
    title: str
    copies: int
    blind: bool
    author: str
    created_at: datetime
    reviewers: tuple[str, ...]
    samples: int


@dataclass(frozen=True)
class AssignmentShown(Assignment):
    """An assignment and how far each reviewer is."""

    progress: list[ShareProgress] = field(default_factory=list)


@dataclass(frozen=True)
class AssignPreview(Record):
    """How many samples a filter matches that can be assigned, and how many are assigned already."""

    samples: int
    assigned: int


@dataclass(frozen=True)
class Assigned(Record):
    assignment_id: int
    samples: int


@dataclass(frozen=True)
class Reassigned(Record):
    """`moved` shares changed hands."""

    assignment_id: int
    moved: int


@dataclass(frozen=True)
class _Progress(ShareProgress):
    assignment_id: int


@dataclass(frozen=True)
class _Event:
    assignment_id: int
    reviewers: tuple[str, ...]
    dealt: int


class BadAssignment(MistakebookError):
    """An assignment that can't be made; the text says why."""


class UnknownAssignment(MistakebookError):
    """There is no such assignment."""

    status = 404


def distribute(count: int, reviewers: int, copies: int, seed: str) -> np.ndarray:
    """For each of `count` samples the places of the `copies` different reviewers who get it: int array (count, copies).

    Loads differ by at most one, and who shares a sample with whom varies from block to block.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
    blocks = -(-count // reviewers)
    people = rng.permuted(np.tile(np.arange(reviewers), (max(blocks, 1), 1)), axis=1)
    place = (np.arange(reviewers)[:, None] + np.arange(copies)[None, :]) % reviewers  # in a whole block each has `copies` samples
    dealt = people[:, place].reshape(-1, copies)[:count]
    if rest := count % reviewers:  # the last block is not whole: windows that do not overlap more than they must
        window = (np.arange(rest)[:, None] * copies + np.arange(copies)[None, :]) % reviewers
        dealt[count - rest :] = people[-1][window]
    return dealt


def preview(store: Store, matching: SampleFilter) -> AssignPreview:
    """What an assignment of all that a filter matches would take."""
    free = len(store.columns("samples_to_assign", **matching)["sample_id"])
    return AssignPreview(free, store.one("review_total", int, **matching) - free)


def assign(
    store: Store,
    matching: SampleFilter,
    reviewers: Sequence[str],
    copies: int,
    blind: bool,
    title: str,
    author: str,
    event_id: str,
    described: SampleFilter | None = None,
) -> Assigned:
    """Deals every sample that a filter matches, and that nobody has yet, to `copies` of the reviewers.

    The same event again changes nothing. `described` is what is kept of the filter.
    Raises BadAssignment.
    """
    people = _people(reviewers, copies)
    with store.write() as write:
        if done := write.row("assignment_of_event", _Event, event_id=event_id):
            return Assigned(done.assignment_id, done.dealt)
        samples = store.columns("samples_to_assign", **matching)["sample_id"]
        if not len(samples):
            raise BadAssignment("all matching samples are assigned already")
        about = {"title": title.strip() or f"{len(samples):,} samples", "matching": dict(described or {}), "copies": copies, "blind": blind}
        assignment_id = write.insert("review_assignment", [{**about, "author": author}], "assignment_id")[0]
        event = {"event_id": event_id, "assignment_id": assignment_id, "reviewers": people, "dealt": len(samples), "author": author}
        write.insert("review_assignment_event", [event])
        order = np.random.default_rng(len(samples)).permutation(len(samples))  # so that nobody gets the old ones and another the new
        dealt = distribute(len(samples), len(people), copies, event_id)
        names = np.array(people, dtype=object)
        shares = zip(np.repeat(samples[order], copies).tolist(), names[dealt.reshape(-1)].tolist())
        write.insert("review_share", [{"assignment_id": assignment_id, "sample_id": sample, "reviewer": who} for sample, who in shares])
    return Assigned(assignment_id, len(samples))


def reassign(store: Store, assignment_id: int, reviewers: Sequence[str], author: str, event_id: str) -> Reassigned:
    """Deals what is undecided of an assignment anew among these reviewers. Raises UnknownAssignment, BadAssignment."""
    with store.write() as write:
        if done := write.row("assignment_of_event", _Event, event_id=event_id):
            return Reassigned(done.assignment_id, done.dealt)
        known = {assignment.assignment_id: assignment for assignment in write.rows("assignments", Assignment)}
        if assignment_id not in known:
            raise UnknownAssignment(f"there is no assignment {assignment_id}")
        people = _people(reviewers, known[assignment_id].copies)
        shares = write.rows("shares", Share, assignment_id=assignment_id)
        open_shares, moved = redistribute(shares, people)
        write.run("shares_clear", assignment_id=assignment_id)
        rows = [{"assignment_id": assignment_id, "sample_id": share.sample_id, "reviewer": share.reviewer} for share in open_shares]
        write.insert("review_share", rows)
        event = {"event_id": event_id, "assignment_id": assignment_id, "reviewers": people, "dealt": moved, "author": author}
        write.insert("review_assignment_event", [event])
    return Reassigned(assignment_id, moved)


def redistribute(shares: Sequence[Share], people: Sequence[str]) -> tuple[list[Share], int]:
    """The undecided of some shares dealt evenly among people, and how many changed hands."""
    holders: dict[int, set[str]] = defaultdict(set)
    for share in shares:
        if share.decided:
            holders[share.sample_id].add(share.reviewer)
    waiting = [share for share in shares if not share.decided]
    base, more = divmod(len(waiting), len(people))
    quota = {who: base + (place < more) for place, who in enumerate(people)}
    load = dict.fromkeys(people, 0)
    kept: list[Share] = []
    free: list[int] = []
    for share in sorted(waiting, key=lambda share: _mark(share.sample_id, share.reviewer)):
        who, sample = share.reviewer, share.sample_id
        if who in quota and load[who] < quota[who] and who not in holders[sample]:
            load[who] += 1
            holders[sample].add(who)
            kept.append(Share(sample, who))
        else:
            free.append(sample)
    given: list[Share] = []
    for sample in free:
        able = [who for who in people if who not in holders[sample]]
        if not able:
            continue  # everybody on the assignment has it already
        who = min(able, key=lambda who: (load[who] - quota[who], _mark(sample, who)))
        load[who] += 1
        holders[sample].add(who)
        given.append(Share(sample, who))
    before = {(share.sample_id, share.reviewer) for share in waiting}
    return kept + given, sum((share.sample_id, share.reviewer) not in before for share in given)


def standing(store: Store) -> list[AssignmentShown]:
    """The assignments, latest first, with how far each reviewer is."""
    progress: dict[int, list[ShareProgress]] = defaultdict(list)
    for row in store.rows("share_progress", _Progress):
        progress[row.assignment_id].append(ShareProgress(row.reviewer, row.assigned, row.done))
    return [AssignmentShown(**vars(row), progress=progress[row.assignment_id]) for row in store.rows("assignments", Assignment)]


def _people(reviewers: Sequence[str], copies: int) -> list[str]:
    people = list(dict.fromkeys(name.strip() for name in reviewers if name.strip()))
    if not people:
        raise BadAssignment("name at least one reviewer")
    if not 1 <= copies <= len(people):
        raise BadAssignment(f"{copies} reviewers per sample, but there are {len(people)}: name more, or assign fewer per sample")
    return people


def _mark(sample_id: int, reviewer: str) -> bytes:
    """A fixed order that favours nobody."""
    return hashlib.blake2b(f"{sample_id} {reviewer}".encode(), digest_size=8).digest()
