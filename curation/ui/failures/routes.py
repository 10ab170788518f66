"""The Failures page: what a checkpoint got wrong, grouped, mapped, and one by one."""

import base64
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation import taxonomy
from curation.failures import neighbours
from curation.failures import triage as triage_log
from curation.failures.selection import FailureFilter, NamedChoice, parameters, rounds_of
from curation.review import blinding
from curation.scoring import with_reading
from curation.ui.failures import saved_view_routes, slice_routes
from curation.ui.services import services
from data.metrics import measure

router = APIRouter()
failures = APIRouter(prefix="/api/failures")


class PageOf(FailureFilter):
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=500)


class IdsOf(FailureFilter):
    limit: int | None = Field(default=None, ge=1, description="At most so many; all if absent.")


class CardOf(BaseModel):
    failure_id: int


class Neighbours(CardOf):
    """The failures most alike: nearest on the map, or by question and picture."""

    by: neighbours.By = "place"
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


@failures.post("/summary")
def summary(request: Request, body: FailureFilter) -> dict[str, Any]:
    """The rounds meant at a glance, and the rounds there are; `version` changes with what the lists show, `map` with the map."""
    store = services(request).store
    rounds = store.column("rounds")
    if not rounds:
        return {"round": 0, "rounds": [], "examples": 0, "answered": 0, "failures": 0, "version": "none", "map": "none"}
    meant = rounds_of(store, body.round)
    if unknown := [one for one in meant if int(one) not in rounds]:
        raise HTTPException(404, f"there is no round {unknown[0]}; there are: {', '.join(map(str, rounds))}")
    row = store.one("failures_summary", round=meant)
    mark = f"{','.join(meant)}.{row.pop('map_mark')}"
    return {**row, "rounds": rounds, "map": mark, "version": f"{mark}.{row['failures']}.{row['diagnosed']}.{row['triaged']}"}


@failures.post("/clusters")
def clusters(request: Request, body: FailureFilter) -> list[dict[str, Any]]:
    """The clusters of the round, those of one error type together; `shown` is what the other facets let through."""
    store, given = services(request).store, _given(request, body, "cluster_id")
    mark = (tuple(given["round"]), store.value("accuracy_mark"))
    accuracy = store.memo("cluster accuracy", mark, lambda _: _by_cluster(store.rows("cluster_accuracy", round=given["round"])))
    unknown = dict.fromkeys(("accuracy", "accuracy_lenient", "accuracy_before", "examples"))
    return [{**row, **accuracy.get(row["cluster_id"], unknown)} for row in store.rows("failure_clusters", **given)]


@failures.post("/facets")
def facets(request: Request, body: FailureFilter) -> dict[str, list[dict[str, Any]]]:
    """Values and counts by facet, most frequent first; `text` is what to call a value where that isn't the value itself."""
    found: dict[str, list[dict[str, Any]]] = {}
    store = services(request).store
    for row in store.rows("failure_facets", **_given(request, body)):
        found.setdefault(row.pop("facet"), []).append(row)
    names = {str(row["checkpoint_id"]): row["checkpoint"] for row in store.rows("rounds")}
    for row in found.get("checkpoint", []):
        row["text"] = names.get(row["value"], row["value"])
    return found


@failures.post("/points")
def points(request: Request, body: FailureFilter) -> dict[str, Any]:
    """All places of the rounds meant, whatever the filter: arrays in base64, little endian; texts as indices into `names`."""
    store, meant = services(request).store, rounds_of(services(request).store, body.round)
    texts = store.one("failure_point_names", round=meant)
    columns = store.columns("failure_points", round=meant, **texts)
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
    names = {"error_type": texts["error_types"], "dataset": texts["datasets"], "cluster": cluster_ids.tolist(), "round": rounds.tolist()}
    return {"count": len(columns["x"]), "names": names, **{name: _packed(array) for name, array in arrays.items()}}


@failures.post("/shown")
def shown(request: Request, body: FailureFilter) -> dict[str, Any]:
    """Ids of the failures that the filter lets through: int32 in base64, ascending."""
    ids = services(request).store.columns("failures_shown", **_given(request, body))["failure_id"]
    return {"count": len(ids), "failure_id": _packed(ids.astype("<i4"))}


@failures.post("/ids")
def ids(request: Request, body: IdsOf) -> dict[str, list[int]]:
    """Ids of the failures that the filter lets through, and of those that it does and that have no diagnosis yet."""
    store, given = services(request).store, {**_given(request, body), "limit": body.limit}
    found = {"failure_ids": store.columns("failures_shown", **given), "undiagnosed": store.columns("failures_undiagnosed", **given)}
    return {name: columns["failure_id"].tolist() for name, columns in found.items()}


@failures.post("/page")
def page(request: Request, body: PageOf) -> dict[str, Any]:
    """A page of the grid, and how many failures the filter lets through in all, by error type."""
    store, given = services(request).store, _given(request, body)
    tally = store.rows("failure_tally", **given)
    total = {name: sum(row[name] for row in tally) for name in ("failures", "diagnosed", "teachable")}
    return {**total, "by_error_type": tally, "rows": store.rows("failure_page", **given, limit=body.limit, offset=body.offset)}


@failures.post("/card")
def card(request: Request, body: CardOf) -> dict[str, Any]:
    """One failure with all that is known of it."""
    here = services(request)
    row = here.store.row("failure_card_of", failure_id=body.failure_id)
    if row is None:
        raise HTTPException(404, f"there is no failure {body.failure_id} in this workspace")
    if blinding.hidden(here.store, here.reviewer(request), row.pop("sample_ids") or []):
        row["approved"] = None  # of so few samples a count would tell
    return with_reading(row) | {"metric_title": measure(row["metric"]).title}


@failures.post("/neighbours")
def nearest(request: Request, body: Neighbours) -> dict[str, Any]:
    """Other failures, the most alike first; `by` says by what, for not every map's job kept vectors."""
    here = services(request)
    return neighbours.of_failure(here.store, here.workspace, **body.model_dump())


@failures.post("/triage")
def triage(request: Request, body: Triage) -> dict[str, int]:
    """Appends a person's label or error type for failures; answers for how many it was new and how many failures changed their cluster."""
    if body.label is None and body.error_type is None:
        raise HTTPException(422, "triage: give a label, an error type, or both")
    here = services(request)
    offered = taxonomy.current(here.store).names
    if body.error_type is not None and body.error_type not in offered:
        raise HTTPException(422, f"error type {body.error_type!r} is not in the taxonomy: {', '.join(offered)}")
    if body.matching is not None and triage_log.is_recorded(here.store, body.event_id):
        return {"new": 0, "moved": 0}  # sent again: by now other failures may match
    ids, reviewer = body.ids(here.store, here.workspace), here.reviewer(request)
    try:
        triage_request = triage_log.TriageRequest(ids, body.event_id, reviewer, body.label, body.error_type)
        return triage_log.record(here.store, here.workspace, triage_request)
    except triage_log.InvalidTriage as error:
        raise HTTPException(404, str(error)) from error


@failures.post("/triage/undo")
def undo(request: Request, body: Undo) -> dict[str, int]:
    """Takes back what was said in one go, by appending; failures that a corrected error type had moved go back."""
    here = services(request)
    try:
        return triage_log.undo(here.store, here.workspace, body.batch_id, here.reviewer(request), body.event_id)
    except triage_log.InvalidTriage as error:
        raise HTTPException(422, str(error)) from error


@failures.post("/triage/history")
def history(request: Request, body: History) -> list[dict[str, Any]]:
    """What people said on the failures of the rounds meant, newest first; a line for what was said in one go."""
    return triage_log.history(services(request).store, rounds_of(services(request).store, body.round), body.limit)


def _given(request: Request, body: FailureFilter, *without: str) -> dict[str, Any]:
    """The parameters of {failure_filter}."""
    here = services(request)
    return parameters(here.store, here.search, body, *without)


def _by_cluster(rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row.pop("cluster_id"): row for row in rows}


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


router.include_router(failures)
router.include_router(slice_routes.router)
router.include_router(saved_view_routes.router)
