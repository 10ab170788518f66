"""Blind review: what others and the filters decided stays hidden from a reviewer until they have decided themselves.

A whole workspace may be blind, or an assignment. What is hidden never leaves the server. Whoever is to settle a dispute may
ask to see the decisions first; that is noted, and no independent decision of theirs counts afterwards. Counts over a whole job,
run or workspace (a funnel, a snapshot, what was approved) are shown to everybody: they name no sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from curation.review.cards import Card
from curation.review.decisions import SampleFilter
from curation.review.queue import GridRow
from data.errors import MistakebookError
from data.records import Record, SampleStatus
from data.store import Store

SETTING = "review.blind"
AnyCard = TypeVar("AnyCard", bound=Card)


@dataclass(frozen=True)
class ShownSample(Record):
    """A sample on a page that isn't Review; classes below it add what is shown."""

    sample_id: int


AnySample = TypeVar("AnySample", bound=ShownSample)


class BlindSamples(MistakebookError):
    """Many samples at once, some of which the reviewer may not see through yet."""


def everywhere(store: Store) -> bool:
    """Whether the whole workspace is blind."""
    setting = store.value("setting_latest", dict[str, bool], name=SETTING)
    return setting is not None and setting["on"]


def set_everywhere(store: Store, on: bool, author: str) -> None:
    with store.write() as write:
        write.insert("setting", [{"name": SETTING, "value": {"on": on}, "author": author}])


def queue_blind(store: Store, reviewer: str) -> bool:
    """Whether some of what a reviewer was given is blind."""
    return everywhere(store) or store.one("reviewer_is_blind", bool, reviewer=reviewer)


def hidden(store: Store, reviewer: str, sample_ids: Sequence[int], audits: bool = True) -> set[int]:
    """Those of the samples that the reviewer has to decide before anything is shown; with those in the audit lane of a rule, or without."""
    whole = everywhere(store)
    if not sample_ids or not (whole or store.one("anything_blind", bool)):
        return set()
    return set(store.column("samples_blind", int, sample_ids=list(sample_ids), reviewer=reviewer, everywhere=whole, audits=audits))


def cards(store: Store, reviewer: str, whole: Sequence[AnyCard]) -> list[AnyCard]:
    """Cards as the reviewer may see them; each has `blind`, and `disputed` where people disagree."""
    related = [sibling.sample_id for card in whole for sibling in card.siblings]
    secret = hidden(store, reviewer, [*(card.sample_id for card in whole), *related])
    return [_card(card, reviewer, secret) for card in whole]


def rows(store: Store, reviewer: str, whole: Sequence[GridRow]) -> list[GridRow]:
    """Rows of the grid as the reviewer may see them."""
    secret = hidden(store, reviewer, [row.sample_id for row in whole])
    return [replace(row, failing=(), status=_status(row.image)) if row.sample_id in secret else row for row in whole]


def elsewhere(store: Store, reviewer: str, whole: Sequence[AnySample], columns: Sequence[str]) -> list[AnySample]:
    """Samples on other pages: the `columns` that tell people's decisions are None where the reviewer has yet to decide."""
    secret = hidden(store, reviewer, [row.sample_id for row in whole])
    nothing: dict[str, Any] = dict.fromkeys(columns)
    return [replace(row, **nothing) if row.sample_id in secret else row for row in whole]


def refuse_many(store: Store, reviewer: str, matching: SampleFilter) -> None:
    """Raises BlindSamples if a bulk decision would touch a sample that the reviewer has not decided and may not see through.

    Samples in the audit lane don't stand in the way: a bulk decision is no audit, they just leave the lane.
    """
    if not (everywhere(store) or store.one("anything_blind", bool)):
        return
    secret = hidden(store, reviewer, store.column("samples_matching", **matching), audits=False)
    if secret:
        raise BlindSamples(f"{len(secret):,} of these samples are under blind review: they are decided one by one, in Focus")


def reveal(store: Store, reviewer: str, sample_id: int) -> None:
    """Lets the reviewer see all of a sample before deciding; what they decide then is no independent word."""
    with store.write() as write:
        write.run("reveal_add", reviewer=reviewer, sample_id=sample_id)


def _card(card: AnyCard, reviewer: str, secret: set[int]) -> AnyCard:
    siblings = [replace(sibling, status=_status(sibling.image)) if sibling.sample_id in secret else sibling for sibling in card.siblings]
    shown = replace(card, siblings=siblings, blind=card.sample_id in secret, disputed=card.status == "disputed")
    if not shown.blind:
        return shown
    status, own = _status(card.image), [event for event in card.events if event.reviewer == reviewer]
    return replace(shown, verdicts=[], computed=None, decided_by=None, status=status, status_without_people=status, events=own)


def _status(image: str | None) -> SampleStatus:
    """All that may be told of a sample's status."""
    return SampleStatus.PENDING if image else SampleStatus.UNDRAWN
