"""The datasets of a workspace as they were imported: splits, what was left out of them and why, their items."""

from collections import Counter
from dataclasses import dataclass

from pydantic import BaseModel, Field

from data.errors import MistakebookError
from data.records import ImportReport, Metric, Record, Split
from data.store import Store


class UnknownDataset(MistakebookError):
    """No dataset has that name."""

    status = 404


@dataclass(frozen=True)
class DatasetSplits(Record):
    """A dataset with its examples by split."""

    name: str
    title: str | None
    format: str | None
    metric: Metric
    threshold: float
    source: str | None
    train: int
    dev: int
    eval: int


@dataclass(frozen=True)
class DatasetItem(Record):
    """An example as it was read; `position` is its place in the official split, from 0, where the format tells."""

    external_id: str
    split: Split
    question: str
    golds: tuple[str, ...]
    choices: tuple[str, ...]
    kind: str | None
    position: int | None
    image: str
    width: int | None
    height: int | None


class ImportedDataset(BaseModel):
    """A dataset with what its imports said."""

    name: str
    title: str
    format: str
    metric: Metric
    threshold: float
    splits: dict[Split, int]
    skipped: dict[str, int] = Field(description="items that were left out, by reason")
    remarks: dict[str, int] = Field(description="examples of which something was passed over, by what")
    layout: str = Field(description="as which layout it was read, and why; empty where the format was named")
    source: str


def listed(store: Store) -> list[ImportedDataset]:
    """All datasets, in the order of their first import."""
    reports: dict[str, list[ImportReport]] = {}
    for report in store.rows("import_reports", ImportReport):
        reports.setdefault(report.dataset, []).append(report)
    return [_described(row, reports.get(row.name, [])) for row in store.rows("dataset_splits", DatasetSplits)]


def items(store: Store, name: str, split: Split | None = None, limit: int | None = None) -> list[DatasetItem]:
    """The examples of a dataset. Raises UnknownDataset."""
    find(store, name)
    return store.rows("dataset_items", DatasetItem, dataset=name, split=split, limit=limit)


def find(store: Store, name: str) -> ImportedDataset:
    """One dataset. Raises UnknownDataset with the names there are."""
    known = {dataset.name: dataset for dataset in listed(store)}
    if name not in known:
        there = f"there are: {', '.join(known)}" if known else "there is none yet: mistakebook import"
        raise UnknownDataset(f"no dataset {name!r} in this workspace; {there}")
    return known[name]


def _described(row: DatasetSplits, reports: list[ImportReport]) -> ImportedDataset:
    skipped: Counter[str] = Counter()
    remarks: Counter[str] = Counter()
    for report in reports:
        skipped.update(report.skipped)
        remarks.update(report.remarks)
    return ImportedDataset(
        name=row.name,
        title=row.title or row.name,
        format=row.format or "",
        metric=row.metric,
        threshold=row.threshold,
        splits={"train": row.train, "dev": row.dev, "eval": row.eval},
        skipped=dict(skipped),
        remarks=dict(remarks),
        layout="; ".join(dict.fromkeys(report.layout for report in reports if report.layout)),
        source=row.source or "",
    )
