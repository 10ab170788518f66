"""The Data & models page: datasets with a look before they are imported, checkpoints, frontier endpoints, what else can be plugged in."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from curation import checkpoints
from curation import plugins as model_parts
from curation.frontier import keys as frontier_keys
from curation.imports import preview as importing
from curation.imports import uploads
from curation.ui.services import services
from data.metrics import measure
from data.registry import DATASETS

router = APIRouter(prefix="/api/data")
PICTURES = 12  # of each dataset


class Source(BaseModel):
    """A dataset to look at: the plugin that reads it, and its options."""

    format: str
    source: dict[str, Any] = {}


class NewCheckpoint(BaseModel):
    name: str
    baseline: str
    model: str
    adapter: str | None = None
    options: dict[str, Any] = {}


@router.post("/overview")
def overview(request: Request) -> dict[str, Any]:
    """Datasets with their counts and pictures, checkpoints with their sizes, endpoints, keys, plugins, built-in parts."""
    here = services(request)
    pictures: dict[str, list[dict[str, Any]]] = {}
    for row in here.store.rows("data_pictures", each=PICTURES):
        pictures.setdefault(row["dataset"], []).append(row)
    return {
        "round": checkpoints.current_round(here.store),
        "datasets": [
            _plain(row) | {"metric_title": measure(row["metric"]).title, "pictures": pictures.get(row["name"], [])}
            for row in here.store.rows("data_datasets")
        ],
        "checkpoints": [_plain(row) | _sizes(row) for row in here.store.rows("data_checkpoints")],
        "keys": frontier_keys.keys(here.workspace),
        "cards": model_parts.cards(),
    }


@router.post("/plugins")
def plugins(request: Request) -> dict[str, Any]:
    """What can be read and loaded, with the forms of their options."""
    formats = [model_parts.about(DATASETS, name) for name in DATASETS.names()]
    return {"datasets": formats, **model_parts.plugins()}


@router.post("/preview")
def preview(request: Request, body: Source) -> dict[str, Any]:
    """The first rows of a dataset, and the lines that could not be used; nothing is stored."""
    return importing.preview(body.format, body.source)


@router.post("/upload/{batch}/{name:path}")
async def upload(request: Request, batch: str, name: str) -> dict[str, str]:
    """Keeps the request's body as a file of the workspace; `batch` is "new" for the first file of an upload."""
    batch = uploads.new_batch() if batch == "new" else batch
    path = await uploads.keep_upload(services(request).workspace, batch, name, request.stream())
    return {"batch": batch, "path": str(path), "folder": str(services(request).workspace.root / "uploads" / batch)}


@router.post("/checkpoint")
def add_checkpoint(request: Request, body: NewCheckpoint) -> dict[str, Any]:
    """Adds a checkpoint; its weights are loaded when it is first asked."""
    store = services(request).store
    checkpoint_id = checkpoints.add_checkpoint(store, body.name, body.baseline, body.model, body.adapter or None, body.options)
    return {"checkpoint_id": checkpoint_id, "name": body.name.strip(), "round": checkpoints.current_round(store)}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "created_at": row["created_at"].isoformat()}


def _sizes(row: dict[str, Any]) -> dict[str, Any]:
    return {"model_bytes": model_parts.size_of(row["model"]), "adapter_bytes": model_parts.size_of(row["adapter"])}
