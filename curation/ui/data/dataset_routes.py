"""Datasets after their import: the list, their items, what depends on them; they are removed, restored and renamed."""

from itertools import islice
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from curation.imports import datasets, left_out, removal
from curation.imports.datasets import DatasetItem, ImportedDataset
from curation.imports.left_out import LeftOutRow
from curation.imports.removal import DatasetUse, RemovedDataset
from curation.ui.services import services
from data.records import Split

router = APIRouter(prefix="/api/datasets")


class Named(BaseModel):
    name: str


class Removal(Named):
    """`force`: although people decided or paid for what depends on it."""

    force: bool = False


class Renaming(Named):
    to: str


@router.get("")
def listed(request: Request) -> list[ImportedDataset]:
    """All datasets with their splits and what was left out of them."""
    return datasets.listed(services(request).store)


@router.get("/{name:path}/items")
def items(request: Request, name: str, split: Split | None = None, limit: int | None = None) -> list[DatasetItem]:
    """The examples of a dataset, as they were read."""
    return datasets.items(services(request).store, name, split, limit)


@router.get("/{name:path}/skipped")
def skipped(request: Request, name: str, limit: int | None = None) -> list[LeftOutRow]:
    """The rows that the imports of a dataset left out, and why."""
    here = services(request)
    return list(islice(left_out.rows(here.store, here.workspace, name), limit))


@router.get("/{name:path}/skipped.csv")
def skipped_table(request: Request, name: str) -> StreamingResponse:
    """The same as a table for spreadsheets."""
    here = services(request)
    datasets.find(here.store, name)
    lines = left_out.as_csv(left_out.rows(here.store, here.workspace, name))
    named = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}-left-out.csv"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=named)


@router.get("/removed")
def removed(request: Request) -> list[RemovedDataset]:
    """Datasets that were removed and can be restored."""
    return removal.removed(services(request).store)


@router.post("/use")
def use(request: Request, body: Named) -> DatasetUse:
    """What depends on a dataset."""
    return removal.use_of(services(request).store, body.name)


@router.post("/remove")
def remove(request: Request, body: Removal) -> DatasetUse:
    """Hides a dataset's examples, answers and failures; nothing is deleted."""
    here = services(request)
    return removal.remove(here.store, body.name, here.reviewer(request), body.force)


@router.post("/restore")
def restore(request: Request, body: Named) -> DatasetUse:
    """Puts a removed dataset back as it was."""
    return removal.restore(services(request).store, body.name)


@router.post("/rename")
def rename(request: Request, body: Renaming) -> DatasetUse:
    """Gives a dataset another name."""
    return removal.rename(services(request).store, body.name, body.to)
