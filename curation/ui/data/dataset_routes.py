"""Datasets after their import: the list, and their items."""

from fastapi import APIRouter, Request

from curation.imports import datasets
from curation.imports.datasets import DatasetItem, ImportedDataset
from curation.ui.services import services
from data.records import Split

router = APIRouter(prefix="/api/datasets")


@router.get("")
def listed(request: Request) -> list[ImportedDataset]:
    """All datasets with their splits and what was left out of them."""
    return datasets.listed(services(request).store)


@router.get("/{name:path}/items")
def items(request: Request, name: str, split: Split | None = None, limit: int | None = None) -> list[DatasetItem]:
    """The examples of a dataset, as they were read."""
    return datasets.items(services(request).store, name, split, limit)
