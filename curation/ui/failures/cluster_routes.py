"""The clusters of the Failures page: how far they can be trusted, their typical members, and people's changes to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation.clusters import edits, quality, splitting
from curation.clusters.edits import BadChange, ChangeLine, EditRequest, EditResult
from curation.clusters.quality import Evidence
from curation.failures.records import AskedFailure
from curation.failures.selection import Choice, NamedChoice
from curation.ui.services import services
from data.records import ClusterAction

router = APIRouter(prefix="/api/clusters")
T = TypeVar("T")


class OfRound(BaseModel):
    round: int | None = Field(default=None, description="The latest if absent.")


class OfCluster(BaseModel):
    cluster_id: int
    limit: int = Field(default=6, ge=1, le=60)


class History(OfRound):
    limit: int = Field(default=50, ge=1, le=500)


class Event(BaseModel):
    """A change. `event_id` comes from the browser: sent twice it counts once."""

    event_id: str = Field(min_length=8, max_length=64)


class Rename(Event):
    cluster_id: int
    title: str


class Merge(Event):
    cluster_ids: list[int] = Field(min_length=2)
    into: int
    title: str | None = Field(default=None, description="Of the whole; that of `into` if absent.")


class Split(Event, Choice):
    """The failures chosen become the new cluster; the smaller half where none are."""

    cluster_id: int
    title: str | None = Field(default=None, description="Of the new cluster.")


class Make(Event, NamedChoice):
    title: str


class Move(Event, NamedChoice):
    into: int


class Undo(Event):
    change_id: int


@dataclass(frozen=True)
class TypicalFailure(AskedFailure):
    """A member of a cluster, and how far it is from the centre; None where its map's job kept no vectors."""

    distance: float | None


class Changed(BaseModel):
    """What came of a change: its number in the log, the cluster it concerns, and how many failures moved."""

    change_id: int
    action: ClusterAction
    cluster_id: int | None
    moved: int


class EditFields(TypedDict, total=False):
    """What an edit is about, as EditRequest takes it."""

    cluster_ids: Sequence[int]
    into_id: int | None
    title: str | None
    failure_ids: Sequence[int]
    example_ids: Sequence[int]


@router.post("/evidence")
def evidence(request: Request, body: OfRound) -> Evidence:
    return quality.evidence(services(request).store, _latest(request, body))


@router.post("/typical")
def typical(request: Request, body: OfCluster) -> list[TypicalFailure]:
    """The members of a cluster nearest its centre."""
    return services(request).store.rows("cluster_typical", TypicalFailure, cluster_id=body.cluster_id, limit=body.limit)


@router.post("/history")
def history(request: Request, body: History) -> list[ChangeLine]:
    """People's changes, newest first."""
    return edits.history(services(request).store, _latest(request, body), body.limit)


@router.post("/rename")
def rename(request: Request, body: Rename) -> Changed:
    """Gives a cluster another title."""
    return _change(request, body, "rename", lambda: {"cluster_ids": [body.cluster_id], "title": body.title})


@router.post("/merge")
def merge(request: Request, body: Merge) -> Changed:
    """Makes one cluster of several."""
    return _change(request, body, "merge", lambda: {"cluster_ids": body.cluster_ids, "into_id": body.into, "title": body.title})


@router.post("/split")
def split(request: Request, body: Split) -> Changed:
    """Makes a new cluster of a part of one: of the failures given, or of the smaller half."""
    here = services(request)

    def what() -> EditFields:
        round_, chosen = _round_of(request, cluster_ids=[body.cluster_id]), body.ids(here.store, here.workspace)
        part = _or_422(splitting.part_of, here.store, here.workspace, round_, body.cluster_id, chosen)
        title = (body.title or f"{part.title} (2)")[-edits.TITLE :]
        return {"cluster_ids": [body.cluster_id], "title": title, "failure_ids": part.failure_ids, "example_ids": part.example_ids}

    return _change(request, body, "split", what)


@router.post("/make")
def make(request: Request, body: Make) -> Changed:
    """Makes a new cluster of a selection."""
    here = services(request)

    def what() -> EditFields:
        ids = body.ids(here.store, here.workspace) or []
        examples = splitting.examples_nearest(here.store, here.workspace, _round_of(request, failure_ids=ids), ids)
        return {"title": body.title, "failure_ids": ids, "example_ids": examples}

    return _change(request, body, "make", what)


@router.post("/move")
def move(request: Request, body: Move) -> Changed:
    """Moves failures into a cluster."""
    here = services(request)
    return _change(request, body, "move", lambda: {"into_id": body.into, "failure_ids": body.ids(here.store, here.workspace) or []})


@router.post("/undo")
def undo(request: Request, body: Undo) -> Changed:
    """Takes one change back, whatever came after it."""
    here, round_ = services(request), _round_of(request, change_id=body.change_id)
    made = _or_422(edits.undo, here.store, round_, body.change_id, here.reviewer(request), body.event_id)
    return _answer(request, round_, made)


def _change(request: Request, body: Event, action: ClusterAction, what: Callable[[], EditFields]) -> Changed:
    """`what` is asked for only where the event is new: sent again, other failures may match."""
    here = services(request)
    if earlier := edits.of_event(here.store, body.event_id):
        return _shown(earlier)
    edit = EditRequest(action, here.reviewer(request), body.event_id, **what())
    round_ = _round_of(request, [*edit.cluster_ids, *([edit.into_id] if edit.into_id else [])], edit.failure_ids)
    return _answer(request, round_, _or_422(edits.make, here.store, round_, edit))


def _answer(request: Request, round_: int, made: EditResult) -> Changed:
    """Who is nearest to which centre is put right first."""
    here = services(request)
    whole = [made.cluster_id] if made.cluster_id is not None and made.action in ("merge", "split", "make") and made.moved else []
    splitting.measure_again(here.store, here.workspace, round_, made.moved, whole)
    return _shown(made)


def _shown(made: EditResult) -> Changed:
    return Changed(change_id=made.change_id, action=made.action, cluster_id=made.cluster_id, moved=len(made.moved))


def _round_of(request: Request, cluster_ids: Sequence[int] = (), failure_ids: Sequence[int] = (), change_id: int | None = None) -> int:
    """The one round that all of these are of: each round has clusters of its own."""
    rounds = services(request).store.column(
        "rounds_of", int, cluster_ids=list(cluster_ids), failure_ids=list(failure_ids), change_id=change_id
    )
    if len(rounds) != 1:
        message = (
            "these are from several rounds; choose one round first" if rounds else "no such cluster, failure or change in this workspace"
        )
        raise HTTPException(422 if rounds else 404, message)
    return rounds[0]


def _latest(request: Request, body: OfRound) -> int:
    return body.round or (services(request).store.column("rounds", int) or [0])[-1]


def _or_422(act: Callable[..., T], *given: Any) -> T:
    try:
        return act(*given)
    except BadChange as error:
        raise HTTPException(422, str(error)) from error
