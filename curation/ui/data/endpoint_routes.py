"""The routes of frontier endpoints: what has a name, which stage asks which, a test; for Data & models and for every launch."""

from typing import Any, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel

from curation.config import path
from curation.frontier import endpoints, keys
from curation.frontier.options import FrontierOptions
from curation.stages import stage_class
from curation.ui.services import Services, services

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


@router.post("/list")
def listed(request: Request) -> dict[str, Any]:
    """All endpoints that have a name, what each stage asks, and the form of their settings."""
    here, there = services(request), endpoints.read()
    return {
        "endpoints": [view(here, name, values, own=name in there.own) for name, values in there.named.items()],
        "stages": [_stage(name, there) for name in endpoints.ASKING],
        "schema": endpoints.settings().model_json_schema(),
        "file": str(path()),
    }


@router.post("/save")
def save(request: Request, body: Named) -> dict[str, Any]:
    """Writes an endpoint into the file; `was` is the name that it had."""
    endpoints.save(body.name.strip(), body.values, body.was)
    return listed(request)


@router.post("/remove")
def remove(request: Request, body: Named) -> dict[str, Any]:
    endpoints.remove(body.name)
    return listed(request)


@router.post("/use")
def use(request: Request, body: Use) -> dict[str, Any]:
    endpoints.use(body.stage, body.name)
    return listed(request)


@router.post("/test")
def test(request: Request, body: Asked) -> dict[str, Any]:
    """Asks what colour a red square has, and says what came of it; one call, paid like any other."""
    values = endpoints.named(body.name) if body.name else body.values
    return keys.test_endpoint(services(request).workspace, values)


def view(here: Services, name: str | None, values: dict[str, Any], own: bool = False) -> dict[str, Any]:
    """An endpoint as pages show it: its settings, the machine, whether its key is there; never the key."""
    full = endpoints.defaults() | values
    return {
        "name": name,
        "own": own,
        "values": values,
        **{field: full[field] for field in endpoints.COMMON},
        "host": endpoints.host_of(full["endpoint"]),
        "key_there": full["endpoint"] == endpoints.POCKET_TEACHER or keys.has_key(here.workspace, full["api_key_env"]),
    }


def _stage(name: str, there: endpoints.Endpoints) -> dict[str, Any]:
    stage = stage_class(name)
    found = cast(FrontierOptions, stage.Options())  # of a stage that asks a frontier model
    return {"stage": name, "title": stage.title, "frontier": there.stages.get(name), "endpoint": found.endpoint, "model": found.model}
