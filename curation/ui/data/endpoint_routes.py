"""The routes of frontier endpoints: what has a name, which stage asks which, a test; for Data & models and for every launch."""

from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation.config import path
from curation.frontier import endpoint_test, endpoints, known_keys
from curation.frontier.endpoint_test import EndpointTest
from curation.frontier.options import FrontierOptions
from curation.stages import stage_class
from curation.ui.services import Services, services
from data.records import Record

router = APIRouter(prefix="/api/endpoints")


class Named(BaseModel):
    name: str
    was: str | None = None
    values: dict[str, Any] = {}


class Use(BaseModel):
    """Which endpoint a stage asks; no name: the standard."""

    stage: str
    name: str | None = None


class Asked(BaseModel):
    """An endpoint to test: one that has a name, or settings that have none yet."""

    name: str | None = None
    values: dict[str, Any] = {}


class AskedEndpoint(BaseModel):
    """An endpoint and whether its key is there; never the key."""

    name: str | None
    own: bool = Field(description="of the file, not built in")
    endpoint: str
    model: str
    api_key_env: str
    concurrency: int
    host: str | None = Field(description="the other machine that its calls go to")
    key_there: bool


class EndpointView(AskedEndpoint):
    values: dict[str, Any] = Field(description="its settings, without what it leaves out")


@dataclass(frozen=True)
class AskingStage(Record):
    """A stage that asks a frontier model, and whom it asks; `frontier` is the name of an endpoint of its own."""

    stage: str
    title: str
    frontier: str | None
    endpoint: str
    model: str


@dataclass(frozen=True)
class EndpointList(Record):
    """All endpoints that have a name, what each stage asks, the JSON schema of their settings, and the file that they are in."""

    endpoints: list[EndpointView]
    stages: list[AskingStage]
    schema: dict[str, Any]
    file: str


@router.post("/list")
def listed(request: Request) -> EndpointList:
    here, there = services(request), endpoints.read()
    return EndpointList(
        endpoints=[view(here, name, values, own=name in there.own) for name, values in there.named.items()],
        stages=[_stage(name, there) for name in endpoints.ASKING],
        schema=endpoints.settings().model_json_schema(),
        file=str(path()),
    )


@router.post("/save")
def save(request: Request, body: Named) -> EndpointList:
    """Writes an endpoint into the file; `was` is the name that it had."""
    endpoints.save(body.name.strip(), body.values, body.was)
    return listed(request)


@router.post("/remove")
def remove(request: Request, body: Named) -> EndpointList:
    endpoints.remove(body.name)
    return listed(request)


@router.post("/use")
def use(request: Request, body: Use) -> EndpointList:
    endpoints.use(body.stage, body.name)
    return listed(request)


@router.post("/test")
def test(request: Request, body: Asked) -> EndpointTest:
    """Asks what colour a red square has, and says what came of it; one call, paid like any other."""
    values = endpoints.named(body.name) if body.name else body.values
    return endpoint_test.test_endpoint(services(request).workspace, values)


def view(here: Services, name: str | None, values: dict[str, Any], own: bool = False) -> EndpointView:
    """An endpoint as pages show it."""
    full = endpoints.defaults() | values
    return EndpointView(
        name=name,
        own=own,
        values=values,
        **{field: full[field] for field in endpoints.COMMON},
        host=endpoints.host_of(full["endpoint"]),
        key_there=full["endpoint"] == endpoints.POCKET_TEACHER or known_keys.has_key(here.workspace, full["api_key_env"]),
    )


def _stage(name: str, there: endpoints.Endpoints) -> AskingStage:
    stage = stage_class(name)
    options = cast(FrontierOptions, stage.Options())  # of a stage that asks a frontier model
    return AskingStage(name, stage.title, there.stages.get(name), options.endpoint, options.model)
