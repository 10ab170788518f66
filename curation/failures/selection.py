"""A selection of failures is a filter that the server resolves: for pages, for the launch of a job, and for changes to many at once.

No list of ids crosses the wire. Whoever acts on a selection sends `{"matching": {…}, "expected": 412}`: which failures, and how many
of them were shown. What matches at that moment is what is acted on, and a job keeps it in its input; where another number matches
by then, nothing is done and `SelectionChanged` says so.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic.config import JsonDict

from data.errors import MistakebookError
from data.search import Search, bitmap
from data.store import Store
from data.workspace import Workspace

CORNERS = 500  # of a lasso, at most
NAMED = 10_000  # failures named one by one, at most: a small choice
NO_FIELD: JsonDict = {"widget": "none"}  # in the schema of options: not for a form, whoever opens one has made the selection
Corner = tuple[float, float]


class SelectionChanged(MistakebookError):
    """Another number of failures matches than was shown."""


class NothingMatches(MistakebookError):
    """No failure matches, so there is nothing to change."""


class FailureFilter(BaseModel):
    """Which failures are meant: each list holds the values let through, absent means all; an absent value is ''."""

    model_config = {"extra": "forbid"}  # a facet that nobody knows would let everything through

    round: int | list[int] | None = Field(default=None, description="The latest if absent.")
    dataset: list[str] | None = None
    error_type: list[str] | None = None
    kind: list[str] | None = None
    assigned: list[str] | None = Field(default=None, description="Error types that the examples are assigned to.")
    opening: list[str] | None = Field(default=None, description="First two words of questions.")
    length: list[str] | None = Field(default=None, description="Of the baseline's answer.")
    score: list[str] | None = None
    confidence: list[str] | None = Field(default=None, description="Of the diagnosis.")
    use: list[str] | None = None
    triage: list[str] | None = None
    checkpoint: list[str] | None = Field(default=None, description="Numbers of checkpoints.")
    cluster_id: list[int] | None = None
    words: str | None = Field(default=None, description="Words that begin words of question, answers or diagnosis; or phrases in quotes.")
    lasso: list[Corner] | None = Field(
        default=None, min_length=3, max_length=CORNERS, description="Corners [x, y] of a region of the map; what lies inside is meant."
    )
    failure_ids: list[int] | None = Field(default=None, max_length=NAMED, description="Failures by number, for small choices.")

    @field_validator("lasso")
    @classmethod
    def _finite(cls, corners: list[Corner] | None) -> list[Corner] | None:
        if corners is not None and not np.isfinite(corners).all():
            raise ValueError("the corners of a lasso must be finite numbers")
        return corners


class Choice(BaseModel):
    """The failures of a change: a few by number, all that match a filter, or none named."""

    failure_ids: list[int] | None = Field(default=None, min_length=1)
    matching: FailureFilter | None = Field(default=None, description="Instead of numbers: the failures that match.")
    expected: int | None = Field(default=None, ge=0, description="How many were shown; another number is refused.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.failure_ids is not None and self.matching is not None:
            raise ValueError("give failure_ids or matching, not both")
        return self

    def ids(self, store: Store, workspace: Workspace) -> list[int] | None:
        """The failures chosen, as of now; None where none are named. Raises SelectionChanged, NothingMatches, SearchUnfinished."""
        if self.matching is None:
            return self.failure_ids
        failure_ids = matching_ids(store, workspace, self.matching).tolist()
        check_count(len(failure_ids), self.expected)
        if not failure_ids:
            raise NothingMatches("no failure matches this selection any more; look at it again")
        return failure_ids


class NamedChoice(Choice):
    """The same where failures must be named."""

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if self.failure_ids is None and self.matching is None:
            raise ValueError("give failure_ids or matching")
        return self

    def ids(self, store: Store, workspace: Workspace) -> list[int]:
        return super().ids(store, workspace) or []


def rounds_of(store: Store, round_: int | list[int] | None) -> list[str]:
    """The rounds meant, as the queries take them; the latest with failures where none is named."""
    if round_ is None:
        return [str((store.column("rounds") or [0])[-1])]
    return [str(number) for number in (round_ if isinstance(round_, list) else [round_])]


def parameters(store: Store, search: Search, matching: FailureFilter, *without: str) -> dict[str, Any]:
    """The parameters of {failure_filter}, without those of the facets named."""
    left = ("round", "words", "lasso", "failure_ids", *without)
    values = {name: getattr(matching, name) for name in FailureFilter.model_fields if name not in left}
    rounds = rounds_of(store, matching.round)
    chosen = None if matching.failure_ids is None else np.array(matching.failure_ids, np.int64)
    if matching.lasso is not None:
        inside = lassoed(store, rounds, matching.lasso)
        chosen = inside if chosen is None else np.intersect1d(chosen, inside)
    return {**values, "round": rounds, "found": search.failures(matching.words), "chosen": None if chosen is None else bitmap(chosen)}


def matching_ids(store: Store, workspace: Workspace, matching: FailureFilter) -> np.ndarray:
    """The failures (n,) that match now, ascending. Raises SearchUnfinished while words can't be looked up in all of them."""
    search = Search.of(store, workspace.search)
    given = parameters(store, search, matching)
    if given["found"] is not None:
        search.require_whole()  # asked behind the search, which may begin to make the index
    return store.columns("failures_shown", **given)["failure_id"].astype(np.int64)


def selected(store: Store, workspace: Workspace, matching: FailureFilter | None, round_: int) -> bytes | None:
    """The failures of a round that match now, as the bitmap that queries of stages take as $selected; None where no filter is given."""
    if matching is None:
        return None
    here = matching if matching.round is not None else matching.model_copy(update={"round": round_})
    return bitmap(matching_ids(store, workspace, here))


def check_count(matching: int, expected: int | None) -> None:
    """Raises SelectionChanged where another number of failures matches than was shown."""
    if expected is not None and matching != expected:
        raise SelectionChanged(f"{matching:,} failures match now, not {expected:,}: the selection changed meanwhile; look at it again")


def lassoed(store: Store, rounds: Sequence[str], polygon: Sequence[Corner]) -> np.ndarray:
    """The failures (n,) of some rounds whose place on the map is inside a polygon; kept for the next question about the same lasso."""
    mark = (tuple(rounds), tuple(polygon), store.value("places_mark", round=list(rounds)))
    return store.memo("lasso", mark, lambda _: _lassoed(store, rounds, polygon))


def _lassoed(store: Store, rounds: Sequence[str], polygon: Sequence[Corner]) -> np.ndarray:
    places = store.columns("failure_places", round=list(rounds))
    return places["failure_id"][inside(np.asarray(places["x"]), np.asarray(places["y"]), polygon)]


def inside(x: np.ndarray, y: np.ndarray, polygon: Sequence[Corner]) -> np.ndarray:
    """Which points (n,) lie inside a polygon, by the even-odd rule (Shimrat 1962, "Algorithm 112"), as the map in the browser has it.

    >>> inside(np.array([0.5, 2.0]), np.array([0.5, 0.5]), [(0, 0), (1, 0), (1, 1), (0, 1)]).tolist()
    [True, False]
    """
    corners = np.asarray(polygon, np.float64)
    (left, low), (right, high) = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero((x >= left) & (x <= right) & (y >= low) & (y <= high))
    px, py = x[near].astype(np.float64), y[near].astype(np.float64)
    odd = np.zeros(len(near), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, 1, axis=0)):
        if ay != by:
            odd ^= ((ay > py) != (by > py)) & (px < (bx - ax) * (py - ay) / (by - ay) + ax)
    within = np.zeros(len(x), bool)
    within[near] = odd
    return within
