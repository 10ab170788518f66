"""Views that people saved of a page: its part of the URL under a name."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation.ui.services import services
from data.records import Record

router = APIRouter(prefix="/api/views")
PASSING = ("page", "card", "offset", "saved")  # what of a page's state is no part of a view


@dataclass(frozen=True)
class SavedView(Record):
    """A page's part of the URL under a name."""

    view_id: int
    name: str
    query: str
    author: str
    created_at: datetime


@dataclass(frozen=True)
class SavedViewOfPage(SavedView):
    page: str


class Deleted(BaseModel):
    deleted: bool


class OfPage(BaseModel):
    page: str = "failures"


class Save(OfPage):
    name: str = Field(min_length=1, max_length=80)
    query: str = Field(max_length=8000, description="The page's part of the URL.")


class One(BaseModel):
    view_id: int


@router.post("/list")
def views(request: Request, body: OfPage) -> list[SavedView]:
    return services(request).store.rows("views", SavedView, page=body.page)


@router.post("/one")
def view(request: Request, body: One) -> SavedViewOfPage:
    row = services(request).store.row("view_of", SavedViewOfPage, view_id=body.view_id)
    if row is None:
        raise HTTPException(404, f"there is no saved view {body.view_id}; it may have been deleted")
    return row


@router.post("/save")
def save(request: Request, body: Save) -> SavedViewOfPage:
    """Keeps a page's state under a name; names needn't differ."""
    here, name = services(request), body.name.strip()
    if not name:
        raise HTTPException(422, "name: a saved view needs one")
    query = urlencode([(key, value) for key, value in parse_qsl(body.query.lstrip("?")) if key not in PASSING])
    row = {"page": body.page, "name": name, "query": query, "author": here.reviewer(request)}
    with here.store.write() as write:
        (view_id,) = write.insert("saved_view", [row], returning="view_id")
    return view(request, One(view_id=view_id))


@router.post("/delete")
def delete(request: Request, body: One) -> Deleted:
    """Deletes a view; its address goes on working as far as it says what it shows."""
    with services(request).store.write() as write:
        return Deleted(deleted=bool(write.run("view_delete", view_id=body.view_id)))
