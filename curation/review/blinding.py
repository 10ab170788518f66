"""Blind review: what others and the filters decided stays hidden from a reviewer until they have decided themselves.

A whole workspace may be blind, or an assignment. What is hidden never leaves the server. Whoever is to settle a dispute may
ask to see the decisions first; that is noted, and no independent decision of theirs counts afterwards. Counts over a whole job,
run or workspace (a funnel, a snapshot, what was approved) are shown to everybody: they name no sample.
"""

import json
from collections.abc import Sequence
from typing import Any

from data.errors import MistakebookError
from data.store import Store

SETTING = "review.blind"
HIDDEN = {"verdicts": [], "decided_by": None}


class BlindSamples(MistakebookError):
    """Many samples at once, some of which the reviewer may not see through yet."""


def everywhere(store: Store) -> bool:
    """Whether the whole workspace is blind."""
    found = store.value("setting_latest", name=SETTING)
    return bool(found) and json.loads(found)["on"]


def set_everywhere(store: Store, on: bool, author: str) -> None:
    with store.write() as write:
        write.insert("setting", [{"name": SETTING, "value": {"on": on}, "author": author}])


def queue_blind(store: Store, reviewer: str) -> bool:
    """Whether some of what a reviewer was given is blind."""
    return everywhere(store) or bool(store.value("reviewer_is_blind", reviewer=reviewer))


def hidden(store: Store, reviewer: str, sample_ids: Sequence[int], audits: bool = True) -> set[int]:
    """Those of the samples that the reviewer has to decide before anything is shown; with those in the audit lane of a rule, or without."""
    whole = everywhere(store)
    if not sample_ids or not (whole or store.value("anything_blind")):
        return set()
    return set(store.column("samples_blind", sample_ids=list(sample_ids), reviewer=reviewer, everywhere=whole, audits=audits))


def cards(store: Store, reviewer: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cards (review_queue.cards) as the reviewer may see them; each has `blind`, and `disputed` where people disagree."""
    related = [row["sample_id"] for card in found for row in card["siblings"]]
    secret = hidden(store, reviewer, [*(card["sample_id"] for card in found), *related])
    return [_card(card, reviewer, secret) for card in found]


def rows(store: Store, reviewer: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the grid as the reviewer may see them."""
    secret = hidden(store, reviewer, [row["sample_id"] for row in found])
    return [{**row, "failing": [], **_status(row)} if row["sample_id"] in secret else row for row in found]


def elsewhere(store: Store, reviewer: str, found: list[dict[str, Any]], said: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of other pages that show samples: what they `said` of people's decisions is None where the reviewer has yet to decide."""
    secret = hidden(store, reviewer, [row["sample_id"] for row in found])
    return [{**row, **dict.fromkeys(said)} if row["sample_id"] in secret else row for row in found]


def refuse_many(store: Store, reviewer: str, matching: dict) -> None:
    """Raises BlindSamples if a bulk decision would touch a sample that the reviewer has not decided and may not see through.

    Samples in the audit lane don't stand in the way: a bulk decision is no audit, they just leave the lane.
    """
    if not (everywhere(store) or store.value("anything_blind")):
        return
    secret = hidden(store, reviewer, store.column("samples_matching", **matching), audits=False)
    if secret:
        raise BlindSamples(f"{len(secret):,} of these samples are under blind review: they are decided one by one, in Focus")


def reveal(store: Store, reviewer: str, sample_id: int) -> None:
    """Lets the reviewer see all of a sample before deciding; what they decide then is no independent word."""
    with store.write() as write:
        write.run("reveal_add", reviewer=reviewer, sample_id=sample_id)


def _card(card: dict[str, Any], reviewer: str, secret: set[int]) -> dict[str, Any]:
    siblings = [{**row, **_status(row)} if row["sample_id"] in secret else row for row in card["siblings"]]
    shown = {**card, "siblings": siblings, "blind": card["sample_id"] in secret, "disputed": card["status"] == "disputed"}
    if not shown["blind"]:
        return shown
    own = [event for event in card["events"] if event["reviewer"] == reviewer]
    status = _status(card)
    return {**shown, **HIDDEN, **status, "status_without_people": status["status"], "events": own}


def _status(row: dict[str, Any]) -> dict[str, str]:
    return {"status": "pending" if row["image"] else "undrawn"}
