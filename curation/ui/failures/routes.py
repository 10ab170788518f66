"""The Failures page: what a checkpoint got wrong, grouped, mapped, and one by one."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation import taxonomy
from curation.failures import neighbours as alike
from curation.failures import triage as triage_log
from curation.failures.neighbours import By
from curation.failures.records import (
    ClusterAccuracy,
    ClusterCounts,
    FacetRow,
    FailureCard,
    FailureCardRow,
    FailureRow,
    FailureTally,
    ListedCluster,
    RoundSummary,
)
from curation.failures.selection import FailureFilter, NamedChoice, parameters, rounds_of
from curation.failures.triage import Recorded, TriageLine, Undone
from curation.review import blinding
from curation.ui.failures import saved_view_routes, slice_routes
from curation.ui.services import services
from data.records import Record, Round
from data.store import Store

router = APIRouter()
failures = APIRouter(prefix="/api/failures")


class PageOf(FailureFilter):
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=500)


class CardOf(BaseModel):
    failure_id: int


class Neighbours(CardOf):
    """The failures most alike: nearest on the map, or by question and picture."""

    by: By = "place"
    limit: int = Field(default=8, ge=1, le=60)


class Triage(NamedChoice):
    """A person's label or error type for failures. `event_id` comes from the browser: sent twice it counts once."""

    event_id: str = Field(min_length=8, max_length=64)
    label: Literal["model error", "label error", "scorer artefact"] | None = None
    error_type: str | None = None


class Undo(BaseModel):
    """`batch_id` is the `event_id` that the label was sent with, or the one that the history names."""

    batch_id: str = Field(min_length=1, max_length=80)
    event_id: str = Field(min_length=8, max_length=64)


class History(BaseModel):
    round: int | list[int] | None = Field(default=None, description="The latest if absent.")
    limit: int = Field(default=100, ge=1, le=500)


class Summary(BaseModel):
    """The rounds meant at a glance; before the first round the counts of diagnosis and map are left out."""

    round: int = Field(description="the latest of them")
    rounds: list[int] = Field(description="that there are")
    examples: int
    answered: int
    failures: int
    version: str = Field(description="changes with what the lists show")
    map: str = Field(description="changes with the map")
    checkpoint: str | None = None
    diagnosed: int = 0
    teachable: int = 0
    placed: int = 0
    label_errors: int = 0
    accuracy: float | None = None
    accuracy_lenient: float | None = None
    accuracy_without_label_errors: float | None = None
    accuracy_lenient_without_label_errors: float | None = None
    triaged: int = 0
    unnamed: int = Field(
        default=0, description="examples, of all splits, that have no kind of question: neither their dataset's nor a named one"
    )


@dataclass(frozen=True)
class FacetCount(Record):
    """A value of a facet and how many failures have it; `text` is what to call it where that isn't the value itself."""

    value: str
    count: int
    text: str | None = None


@dataclass(frozen=True)
class PointNames(Record):
    """What the numbers of the arrays mean."""

    error_type: tuple[str, ...]
    dataset: tuple[str, ...]
    cluster: list[int]
    round: list[int]


@dataclass(frozen=True)
class Points(Record):
    """All places of some rounds: arrays in base64, little endian; error type, dataset, cluster and round as places in `names`."""

    count: int
    names: PointNames
    failure_id: str  # int32
    x: str  # float32
    y: str
    error_type: str  # uint8
    dataset: str
    cluster: str  # uint16
    score: str  # uint8, percent
    round: str


@dataclass(frozen=True)
class TextsOfPoints(Record):
    error_types: tuple[str, ...]
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class Shown(Record):
    """Failures that a filter lets through: int32 in base64, ascending."""

    count: int
    failure_id: str


@dataclass(frozen=True)
class FailurePage(Record):
    """A page of the grid, and how many failures the filter lets through in all, by error type."""

    failures: int
    diagnosed: int
    teachable: int
    by_error_type: list[FailureTally]
    rows: list[FailureRow]


@failures.post("/summary", response_model_exclude_unset=True)
def summary(request: Request, body: FailureFilter) -> Summary:
    store = services(request).store
    rounds = store.column("rounds", int)
    if not rounds:
        return Summary(round=0, rounds=[], examples=0, answered=0, failures=0, version="none", map="none")
    rounds_asked = rounds_of(store, body.round)
    if unknown := [number for number in rounds_asked if int(number) not in rounds]:
        raise HTTPException(404, f"there is no round {unknown[0]}; there are: {', '.join(map(str, rounds))}")
    row = store.one("failures_summary", RoundSummary, round=rounds_asked)
    mark = f"{','.join(rounds_asked)}.{row.map_mark}"
    about = {name: value for name, value in vars(row).items() if name != "map_mark"}
    return Summary(**about, rounds=rounds, map=mark, version=f"{mark}.{row.failures}.{row.diagnosed}.{row.triaged}.{row.unnamed}")


@failures.post("/clusters")
def clusters(request: Request, body: FailureFilter) -> list[ListedCluster]:
    """The clusters of the round, those of one error type together; `shown` is what the other facets let through."""
    store, given = services(request).store, _given(request, body, "cluster_id")
    mark = (tuple(given["round"]), store.value("accuracy_mark", str))
    accuracy = store.memo("cluster accuracy", mark, lambda _: _accuracy(store, given["round"]))
    return [
        ListedCluster(**{**vars(row), **accuracy.get(row.cluster_id, {})}) for row in store.rows("failure_clusters", ClusterCounts, **given)
    ]


@failures.post("/facets", response_model_exclude_none=True)
def facets(request: Request, body: FailureFilter) -> dict[str, list[FacetCount]]:
    """Values and counts by facet, most frequent first."""
    counts: dict[str, list[FacetCount]] = {}
    store = services(request).store
    names = {str(row.checkpoint_id): row.checkpoint for row in store.rows("rounds", Round)}
    for row in store.rows("failure_facets", FacetRow, **_given(request, body)):
        text = names.get(row.value, row.value) if row.facet == "checkpoint" else None
        counts.setdefault(row.facet, []).append(FacetCount(row.value, row.count, text))
    return counts


@failures.post("/points")
def points(request: Request, body: FailureFilter) -> Points:
    """All places of the rounds meant, whatever the filter."""
    store, meant = services(request).store, rounds_of(services(request).store, body.round)
    texts = store.one("failure_point_names", TextsOfPoints, round=meant)
    columns = store.columns("failure_points", round=meant, error_types=list(texts.error_types), datasets=list(texts.datasets))
    cluster_ids, cluster = np.unique(columns["cluster_id"], return_inverse=True)
    rounds, round_ = np.unique(columns["round"], return_inverse=True)
    arrays = {
        "failure_id": columns["failure_id"].astype("<i4"),
        "x": columns["x"].astype("<f4"),
        "y": columns["y"].astype("<f4"),
        "error_type": columns["error_type"].astype("u1"),
        "dataset": columns["dataset"].astype("u1"),
        "cluster": cluster.astype("<u2"),
        "score": columns["score"].astype("u1"),
        "round": round_.astype("u1"),
    }
    names = PointNames(texts.error_types, texts.datasets, cluster_ids.tolist(), rounds.tolist())
    return Points(count=len(columns["x"]), names=names, **{name: _packed(array) for name, array in arrays.items()})


@failures.post("/shown")
def shown(request: Request, body: FailureFilter) -> Shown:
    ids = services(request).store.columns("failures_shown", **_given(request, body))["failure_id"]
    return Shown(len(ids), _packed(ids.astype("<i4")))


@failures.post("/page")
def page(request: Request, body: PageOf) -> FailurePage:
    store, given = services(request).store, _given(request, body)
    tally = store.rows("failure_tally", FailureTally, **given)
    failures, diagnosed, teachable = (sum(getattr(row, name) for row in tally) for name in ("failures", "diagnosed", "teachable"))
    rows = store.rows("failure_page", FailureRow, **given, limit=body.limit, offset=body.offset)
    return FailurePage(failures, diagnosed, teachable, tally, rows)


@failures.post("/card")
def card(request: Request, body: CardOf) -> FailureCard:
    here = services(request)
    row = here.store.row("failure_card_of", FailureCardRow, failure_id=body.failure_id)
    if row is None:
        raise HTTPException(404, f"there is no failure {body.failure_id} in this workspace")
    hidden = blinding.hidden(here.store, here.reviewer(request), row.sample_ids or ())
    return replace(row.card(), approved=None) if hidden else row.card()


@failures.post("/neighbours")
def nearest(request: Request, body: Neighbours) -> alike.Neighbours:
    """Not every map's job kept vectors: `by` of the answer says by what the failures are alike."""
    here = services(request)
    return alike.of_failure(here.store, here.workspace, **body.model_dump())


@failures.post("/triage")
def triage(request: Request, body: Triage) -> Recorded:
    """Appends a person's label or error type for failures."""
    if body.label is None and body.error_type is None:
        raise HTTPException(422, "triage: give a label, an error type, or both")
    here = services(request)
    offered = taxonomy.current(here.store).names
    if body.error_type is not None and body.error_type not in offered:
        raise HTTPException(422, f"error type {body.error_type!r} is not in the taxonomy: {', '.join(offered)}")
    if body.matching is not None and triage_log.is_recorded(here.store, body.event_id):
        return Recorded(0, 0)  # sent again: by now other failures may match
    ids, reviewer = body.ids(here.store, here.workspace) or [], here.reviewer(request)
    try:
        triage_request = triage_log.TriageRequest(ids, body.event_id, reviewer, body.label, body.error_type)
        return triage_log.record(here.store, here.workspace, triage_request)
    except triage_log.InvalidTriage as error:
        raise HTTPException(404, str(error)) from error


@failures.post("/triage/undo")
def undo(request: Request, body: Undo) -> Undone:
    """Takes back what was said in one go, by appending; failures that a corrected error type had moved go back."""
    here = services(request)
    try:
        return triage_log.undo(here.store, here.workspace, body.batch_id, here.reviewer(request), body.event_id)
    except triage_log.InvalidTriage as error:
        raise HTTPException(422, str(error)) from error


@failures.post("/triage/history")
def history(request: Request, body: History) -> list[TriageLine]:
    """What people said on the failures of the rounds meant, newest first; a line for what was said in one go."""
    return triage_log.history(services(request).store, rounds_of(services(request).store, body.round), body.limit)


def _given(request: Request, body: FailureFilter, *without: str) -> dict[str, Any]:
    """The parameters of {failure_filter}."""
    here = services(request)
    return parameters(here.store, here.search, body, *without)


def _accuracy(store: Store, rounds: Sequence[str]) -> dict[int, dict[str, Any]]:
    """By cluster, the fields of ClusterAccuracy."""
    return {row.cluster_id: vars(row) for row in store.rows("cluster_accuracy", ClusterAccuracy, round=rounds)}


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


router.include_router(failures)
router.include_router(slice_routes.router)
router.include_router(saved_view_routes.router)
