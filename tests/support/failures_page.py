"""The Failures page as tests use it: what its clusters hold, its count, and a lasso on its map."""

import math

from curation.failures.selection import FailureFilter, matching_ids
from data.store import Store
from data.workspace import Workspace


def failures_matching(store: Store, workspace: Workspace, **wanted) -> list[int]:
    """The failures that a filter of the page lets through, ascending."""
    return matching_ids(store, workspace, FailureFilter(**wanted)).tolist()


def groups(store: Store) -> dict[int, set[int]]:
    """The failures of each cluster of round 1."""
    members: dict[int, set[int]] = {}
    for row in store.rows("places_of_round", round=1):
        members.setdefault(row["cluster_id"], set()).add(row["failure_id"])
    return members


def wait_for_count(page, expected: int) -> None:
    page.wait_for_function("n => document.querySelector('[data-count]').textContent.startsWith(`${n} `)", arg=expected)


def lasso(page, share: float, round_: bool = True) -> None:
    """Drags a circle (an ellipse as wide as the map, if not `round_`) around the middle of the map, over so large a share of it."""
    box = page.locator("[data-map]").bounding_box()
    x, y, width, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] * share / 2, box["height"] * share / 2
    if round_:
        width = height = min(width, height)
    page.mouse.move(x + width, y)
    page.mouse.down()
    for step in range(1, 41):
        angle = 2 * math.pi * step / 40
        page.mouse.move(x + width * math.cos(angle), y + height * math.sin(angle))
    page.mouse.up()
