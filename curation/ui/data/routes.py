"""The Data & models page: datasets with a look before they are imported, checkpoints, frontier endpoints, what else can be plugged in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import checkpoints
from curation import plugins as model_parts
from curation.checkpoints import CheckpointAdded
from curation.frontier import known_keys
from curation.frontier.known_keys import KeyPlace
from curation.imports import datasets as imported
from curation.imports import preview as importing
from curation.imports import removal, uploads
from curation.imports.preview import Preview
from curation.imports.removal import RemovedDataset
from curation.plugins import PartCard, PluginInfo
from curation.try_it import checkpoint_test
from curation.try_it.checkpoint_test import CheckpointTested
from curation.ui import launch_rights
from curation.ui.services import services
from curation.ui.while_connected import while_connected
from data.metrics import measure
from data.records import Metric, Record
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


class TestedCheckpoint(BaseModel):
    """A checkpoint of the list by its name, or one that is described as when it is added."""

    name: str | None = None
    baseline: str = "image_text_to_text"
    model: str | None = None
    adapter: str | None = None
    options: dict[str, Any] = {}


@dataclass(frozen=True)
class DatasetPicture(Record):
    """An example of a dataset."""

    dataset: str
    image: str
    question: str
    golds: tuple[str, ...]


@dataclass(frozen=True)
class DatasetRow(Record):
    """A dataset with its examples by split, and what the round's checkpoint scores on them."""

    name: str
    title: str | None
    format: str | None
    metric: Metric
    threshold: float
    prompt_suffix: str
    answer_form: str
    source: str | None
    licence: str | None
    created_at: datetime
    train: int
    dev: int
    eval: int
    train_accuracy: float | None
    eval_accuracy: float | None


@dataclass(frozen=True)
class DatasetShown(DatasetRow):
    """With what its imports said: rows that were left out by reason, what was passed over, as which layout it was read."""

    metric_title: str
    pictures: list[DatasetPicture]
    skipped: dict[str, int]
    remarks: dict[str, int]
    layout: str


@dataclass(frozen=True)
class CheckpointRow(Record):
    """A checkpoint: where it comes from, how often it was asked, and whether the round starts from it."""

    checkpoint_id: int
    name: str
    baseline: str
    model: str
    adapter: str | None
    run_id: int | None
    created_at: datetime
    parent: str | None
    job_id: int | None  # of its finetune
    predictions: int
    eval_accuracy: float | None
    of_round: bool | None  # None before the first round


@dataclass(frozen=True)
class CheckpointShown(CheckpointRow):
    """Sizes are None for weights that aren't on this machine."""

    model_bytes: int | None
    adapter_bytes: int | None


class Overview(BaseModel):
    round: int
    datasets: list[DatasetShown]
    removed: list[RemovedDataset]
    checkpoints: list[CheckpointShown]
    keys: list[KeyPlace]
    cards: list[PartCard]


class Plugins(BaseModel):
    """What can be read and loaded, with the forms of their options."""

    datasets: list[PluginInfo]
    baselines: list[PluginInfo]
    image_generators: list[PluginInfo]
    embedders: list[PluginInfo]


class Uploaded(BaseModel):
    """A file that was kept, and the folder of its upload."""

    batch: str = Field(description="names the upload: further files of it are sent with it")
    path: str
    folder: str


@router.post("/overview")
def overview(request: Request) -> Overview:
    """Datasets with their counts and pictures, checkpoints with their sizes, keys, built-in parts."""
    here = services(request)
    pictures: dict[str, list[DatasetPicture]] = {}
    for picture in here.store.rows("data_pictures", DatasetPicture, each=PICTURES):
        pictures.setdefault(picture.dataset, []).append(picture)
    datasets = here.store.rows("data_datasets", DatasetRow)
    said = {dataset.name: dataset for dataset in imported.listed(here.store)}
    return Overview(
        round=checkpoints.current_round(here.store),
        datasets=[
            DatasetShown(
                **vars(row),
                metric_title=measure(row.metric).title,
                pictures=pictures.get(row.name, []),
                skipped=said[row.name].skipped,
                remarks=said[row.name].remarks,
                layout=said[row.name].layout,
            )
            for row in datasets
        ],
        removed=removal.removed(here.store),
        checkpoints=[_with_sizes(row) for row in here.store.rows("data_checkpoints", CheckpointRow)],
        keys=known_keys.keys(here.workspace),
        cards=model_parts.cards(),
    )


@router.post("/plugins")
def plugins(request: Request) -> Plugins:
    return Plugins(datasets=[model_parts.about(DATASETS, name) for name in DATASETS.names()], **model_parts.plugins())


@router.post("/preview")
async def preview(request: Request, body: Source) -> Preview:
    """The first rows of a dataset, and the lines that could not be used; nothing is stored."""
    launch_rights.check_options(request, body.source)
    return await while_connected(request, lambda: importing.preview(body.format, body.source))


@router.post("/upload/{batch}/{name:path}")
async def upload(request: Request, batch: str, name: str) -> Uploaded:
    """Keeps the request's body as a file of the workspace; `batch` is "new" for the first file of an upload."""
    batch = uploads.new_batch() if batch == "new" else batch
    path = await uploads.keep_upload(services(request).workspace, batch, name, request.stream())
    return Uploaded(batch=batch, path=str(path), folder=str(services(request).workspace.root / "uploads" / batch))


@router.post("/checkpoint")
def add_checkpoint(request: Request, body: NewCheckpoint) -> CheckpointAdded:
    """Adds a checkpoint; its weights are loaded when it is first asked."""
    store = services(request).store
    return checkpoints.add_checkpoint(store, body.name, body.baseline, body.model, body.adapter or None, body.options)


@router.post("/checkpoint/test")
def test_checkpoint(request: Request, body: TestedCheckpoint) -> CheckpointTested:
    """Loads a checkpoint, asks it and takes a LoRA step with it, in a process of its own: one of the list, or one that may be added."""
    here = services(request)
    if body.model is None:
        checkpoint = checkpoints.find(here.store, body.name)
    else:
        checkpoint = checkpoints.described(body.name or body.model, body.baseline, body.model, body.adapter or None, body.options)
    return checkpoint_test.examined(here.store, here.workspace, checkpoint)


def _with_sizes(row: CheckpointRow) -> CheckpointShown:
    return CheckpointShown(**vars(row), model_bytes=model_parts.size_of(row.model), adapter_bytes=model_parts.size_of(row.adapter))
