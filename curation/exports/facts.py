"""What a dataset card says that the samples themselves don't: datasets, filters, cost. Read from the store, handed to the job's child."""

from dataclasses import dataclass

from pydantic import BaseModel

from curation.costs.spend import ModelSpend
from data.records import FilterSetting, Record
from data.store import Store


@dataclass(frozen=True)
class ExportedDataset(Record):
    """A dataset that samples were made for."""

    name: str
    title: str | None
    source: str | None
    licence: str | None


class Spend(BaseModel):
    """What a stage has paid a model, in the whole workspace. `usd`: none where nothing is priced."""

    stage: str
    model: str
    calls: int
    usd: float | None
    unpriced: int


class Facts(BaseModel):
    """What is told beside the samples."""

    workspace: str
    statuses: list[str]
    without_picture: int
    datasets: list[ExportedDataset]
    filters: list[FilterSetting]
    spend: list[Spend]
    approved: int  # in the whole workspace
    samples: int = 0  # that are to be exported
    bytes: int = 0  # that these take, about


def gather(store: Store, workspace: str, statuses: list[str], datasets: list[str]) -> Facts:
    """The facts of an export of samples of these statuses and datasets."""
    spent = [
        Spend(stage=row.stage or "no job", model=row.model or "?", calls=row.calls, usd=row.usd, unpriced=row.unpriced)
        for row in store.rows("spend_by_model", ModelSpend, job_id=None)
    ]
    return Facts(
        workspace=workspace,
        statuses=statuses,
        without_picture=store.one("samples_without_picture", int, statuses=statuses),
        datasets=store.rows("datasets_of_export", ExportedDataset, names=datasets),
        filters=[row for row in store.rows("filters", FilterSetting) if row.enabled],
        spend=spent,
        approved=store.one("samples_approved_count", int),
    )
