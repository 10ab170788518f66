"""Beside the map of the Failures page: the table of slices by lift, views that people saved of a page, and how far the search index is."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation.failures import slices
from curation.ui.services import services

router = APIRouter()
PASSING = ("page", "card", "offset", "saved")  # what of a page's state is no part of a view


class OfRounds(BaseModel):
    round: int | list[int] | None = Field(default=None, description="The latest if absent.")
    without_label_errors: bool = False
    least: int = Field(default=slices.SUPPORT, ge=slices.SUPPORT, description="Examples that a slice must have.")
    most: int = Field(default=200, ge=1, le=1000, description="Rows of the answer.")


class OfPage(BaseModel):
    page: str = "failures"


class Save(OfPage):
    name: str = Field(min_length=1, max_length=80)
    query: str = Field(max_length=8000, description="The page's part of the URL.")


class One(BaseModel):
    view_id: int


@router.post("/api/slices/table")
def table(request: Request, body: OfRounds) -> dict[str, Any]:
    """Slices by the lower bound of their lift, and how many were compared."""
    store = services(request).store
    given = body.round if isinstance(body.round, list) else [body.round] if body.round is not None else store.column("rounds")[-1:]
    found = slices.of_rounds(store, [str(one) for one in given], body.without_label_errors)
    shown = [one for one in found if one.examples >= body.least]
    return {"compared": len(shown), "rows": [one.to_row() for one in shown[: body.most]]}


@router.get("/api/search/progress")
def progress(request: Request) -> dict[str, float]:
    """The share of failures and samples that a search finds already, while the index is made; nothing where it is."""
    return services(request).search.progress()


@router.post("/api/views/list")
def views(request: Request, body: OfPage) -> list[dict[str, Any]]:
    return services(request).store.rows("views", page=body.page)


@router.post("/api/views/one")
def view(request: Request, body: One) -> dict[str, Any]:
    found = services(request).store.row("view_of", view_id=body.view_id)
    if found is None:
        raise HTTPException(404, f"there is no saved view {body.view_id}; it may have been deleted")
    return found


@router.post("/api/views/save")
def save(request: Request, body: Save) -> dict[str, Any]:
    """Keeps a page's state under a name; names needn't differ."""
    here, name = services(request), body.name.strip()
    if not name:
        raise HTTPException(422, "name: a saved view needs one")
    query = urlencode([(key, value) for key, value in parse_qsl(body.query.lstrip("?")) if key not in PASSING])
    row = {"page": body.page, "name": name, "query": query, "author": here.reviewer(request)}
    with here.store.write() as write:
        (view_id,) = write.insert("saved_view", [row], returning="view_id")
    return here.store.row("view_of", view_id=view_id)


@router.post("/api/views/delete")
def delete(request: Request, body: One) -> dict[str, bool]:
    """Deletes a view; its address goes on working as far as it says what it shows."""
    with services(request).store.write() as write:
        return {"deleted": bool(write.run("view_delete", view_id=body.view_id))}
