"""The error types of the workspace: shown and edited, on Settings and by `mistakebook error-types`."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from curation import taxonomy
from curation.error_types import UNKNOWN_COLOUR, ErrorType
from curation.taxonomy import Edited
from curation.taxonomy import shown as taxonomy_shown
from curation.taxonomy.shown import TaxonomyShown
from curation.ui.services import services

router = APIRouter(prefix="/api/error_types")


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Add(Body):
    name: str
    definition: str
    example: str
    colour: str = UNKNOWN_COLOUR


class Change(Body):
    """What is left out stays as it is."""

    name: str
    definition: str | None = None
    example: str | None = None
    colour: str | None = None


class Rename(Body):
    name: str
    to: str


class Merge(Body):
    names: list[str] = Field(min_length=1)
    into: str


class Hide(Body):
    name: str
    keep: bool = Field(default=False, description="Also where people's corrections bear it: they keep it.")


class Named(Body):
    name: str


class Order(Body):
    names: list[str] = Field(min_length=1)


@router.post("")
def shown(request: Request) -> TaxonomyShown:
    """The error types in their order, hidden ones too, with what bears each, and the versions before."""
    return taxonomy_shown.shown(services(request).store)


@router.post("/add")
def add(request: Request, body: Add) -> Edited:
    here = services(request)
    return taxonomy.add(here.store, ErrorType(**body.model_dump()), here.reviewer(request))


@router.post("/change")
def change(request: Request, body: Change) -> Edited:
    here = services(request)
    fields = {name: value for name, value in body.model_dump(exclude={"name"}).items() if value is not None}
    return taxonomy.change(here.store, body.name, here.reviewer(request), **fields)


@router.post("/rename")
def rename(request: Request, body: Rename) -> Edited:
    """Gives an error type another name; what bears the old one follows."""
    here = services(request)
    return taxonomy.rename(here.store, body.name, body.to, here.reviewer(request))


@router.post("/merge")
def merge(request: Request, body: Merge) -> Edited:
    """Joins error types into one; what bears the others follows."""
    here = services(request)
    return taxonomy.merge(here.store, body.names, body.into, here.reviewer(request))


@router.post("/hide")
def hide(request: Request, body: Hide) -> Edited:
    here = services(request)
    return taxonomy.hide(here.store, body.name, here.reviewer(request), body.keep)


@router.post("/show")
def show(request: Request, body: Named) -> Edited:
    here = services(request)
    return taxonomy.show(here.store, body.name, here.reviewer(request))


@router.post("/order")
def order(request: Request, body: Order) -> Edited:
    here = services(request)
    return taxonomy.order(here.store, body.names, here.reviewer(request))
