"""The Failures page: what a checkpoint got wrong, grouped, mapped, and one by one."""

import base64
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation.error_types import BY_NAME
from curation.ui import parts
from curation.ui.services import services

if TYPE_CHECKING:
    import gradio as gr

router = APIRouter(prefix="/api/failures")


class Filter(BaseModel):
    """Which failures are meant: each list holds the values let through, absent means all; an absent value is ''."""

    round: int | None = Field(default=None, description="The latest if absent.")
    dataset: list[str] | None = None
    error_type: list[str] | None = None
    kind: list[str] | None = None
    cluster_id: list[int] | None = None
    use: list[str] | None = None
    triage: list[str] | None = None
    score: list[str] | None = None
    words: str | None = Field(default=None, description="Every word must occur in question, answers or diagnosis.")
    failure_ids: list[int] | None = Field(default=None, description="A lasso's failures, say.")


class PageOf(Filter):
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=500)


class CardOf(BaseModel):
    failure_id: int


class Triage(BaseModel):
    """A person's word on failures. `event_id` comes from the browser: sent twice it counts once."""

    failure_ids: list[int] = Field(min_length=1)
    event_id: str = Field(min_length=8, max_length=64)
    label: Literal["model error", "label error", "scorer artefact"] | None = None
    error_type: str | None = None


def component() -> "gr.HTML":
    """The page: one gr.HTML around components/failures.*."""
    return parts.component("failures")


@router.post("/summary")
def summary(request: Request, body: Filter) -> dict[str, Any]:
    """The round at a glance, the rounds there are, and `version`: it changes when the map must be fetched anew."""
    store = services(request).store
    rounds = store.column("rounds")
    if not rounds:
        return {"round": 0, "rounds": [], "examples": 0, "answered": 0, "failures": 0, "version": "none"}
    row = store.row("failures_summary", round=body.round or rounds[-1])
    if row is None:
        raise HTTPException(404, f"there is no round {body.round}; there are: {', '.join(map(str, rounds))}")
    return {**row, "rounds": rounds, "version": f"{row['round']}.{row['map_job']}.{row['diagnosed']}.{row['triaged']}"}


@router.post("/clusters")
def clusters(request: Request, body: Filter) -> list[dict[str, Any]]:
    """The clusters of the round, those of one error type together; `shown` is what the other facets let through."""
    return services(request).store.rows("failure_clusters", **_given(request, body, "cluster_id"))


@router.post("/facets")
def facets(request: Request, body: Filter) -> dict[str, list[dict[str, Any]]]:
    """Values and counts by facet, most frequent first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in services(request).store.rows("failure_facets", **_given(request, body)):
        found.setdefault(row.pop("facet"), []).append(row)
    return found


@router.post("/points")
def points(request: Request, body: Filter) -> dict[str, Any]:
    """All places of the round, whatever the filter: arrays in base64, little endian; texts as indices into `names`."""
    columns = services(request).store.columns("failure_points", round=_round(request, body))
    error_types, error_type = np.unique(columns["error_type"], return_inverse=True)
    datasets, dataset = np.unique(columns["dataset"], return_inverse=True)
    cluster_ids, cluster = np.unique(columns["cluster_id"], return_inverse=True)
    arrays = {
        "failure_id": columns["failure_id"].astype("<i4"),
        "x": columns["x"].astype("<f4"),
        "y": columns["y"].astype("<f4"),
        "error_type": error_type.astype("u1"),
        "dataset": dataset.astype("u1"),
        "cluster": cluster.astype("<u2"),
        "score": columns["score"].astype("u1"),
    }
    names = {"error_type": error_types.tolist(), "dataset": datasets.tolist(), "cluster": cluster_ids.tolist()}
    return {"count": len(columns["x"]), "names": names, **{name: _packed(array) for name, array in arrays.items()}}


@router.post("/shown")
def shown(request: Request, body: Filter) -> dict[str, Any]:
    """Ids of the failures that the filter lets through: int32 in base64, ascending."""
    ids = services(request).store.columns("failures_shown", **_given(request, body))["failure_id"]
    return {"count": len(ids), "failure_id": _packed(ids.astype("<i4"))}


@router.post("/ids")
def ids(request: Request, body: Filter) -> dict[str, list[int]]:
    """Ids of the failures that the filter lets through, and of those among them that have no diagnosis yet."""
    store, given = services(request).store, _given(request, body)
    found = {"failure_ids": store.columns("failures_shown", **given), "undiagnosed": store.columns("failures_to_ask", **given)}
    return {name: columns["failure_id"].tolist() for name, columns in found.items()}


@router.post("/page")
def page(request: Request, body: PageOf) -> dict[str, Any]:
    """A page of the grid, and how many failures the filter lets through in all, by error type."""
    store, given = services(request).store, _given(request, body, "offset", "limit")
    tally = store.rows("failure_tally", **given)
    total = {name: sum(row[name] for row in tally) for name in ("failures", "diagnosed", "teachable")}
    return {**total, "by_error_type": tally, "rows": store.rows("failure_page", **given, limit=body.limit, offset=body.offset)}


@router.post("/card")
def card(request: Request, body: CardOf) -> dict[str, Any]:
    """One failure with all that is known of it."""
    row = services(request).store.row("failure_card_of", failure_id=body.failure_id)
    if row is None:
        raise HTTPException(404, f"there is no failure {body.failure_id} in this workspace")
    return row


@router.post("/triage")
def triage(request: Request, body: Triage) -> dict[str, int]:
    """Appends a person's label or error type for failures; answers how many events were new."""
    if body.label is None and body.error_type is None:
        raise HTTPException(422, "triage: give a label, an error type, or both")
    if body.error_type is not None and body.error_type not in BY_NAME:
        raise HTTPException(422, f"error type {body.error_type!r} is not in the taxonomy: {', '.join(BY_NAME)}")
    here = services(request)
    word = {"label": body.label, "error_type": body.error_type, "reviewer": here.reviewer(request)}
    known = set(here.store.column("failures_known", failure_ids=body.failure_ids))
    if unknown := [failure_id for failure_id in body.failure_ids if failure_id not in known]:
        raise HTTPException(404, f"there is no failure {unknown[0]} in this workspace")
    rows = [{"failure_id": failure_id, "event_id": f"{body.event_id}:{failure_id}", **word} for failure_id in body.failure_ids]
    with here.store.write() as write:
        return {"new": len(write.insert("triage", rows, returning="failure_id"))}


def _round(request: Request, body: Filter) -> int:
    return body.round or (services(request).store.column("rounds") or [0])[-1]


def _given(request: Request, body: Filter, *without: str) -> dict[str, Any]:
    """The parameters of {failure_filter}."""
    values = body.model_dump(exclude={"round", *without})
    return {**values, "words": " ".join((body.words or "").split()) or None, "round": _round(request, body)}


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
