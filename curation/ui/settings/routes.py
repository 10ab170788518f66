"""The Settings page: filters, prices, budget, reviewers, keys of the keyboard, backups, workspaces, disk, colours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import config
from curation.calibration import auto_approval
from curation.calibration.records import StatusMove
from curation.calibration.score_matrix import Setting, score_matrix
from curation.costs import price_table
from curation.costs.price_table import PriceTable
from curation.costs.spend import SpendTotal
from curation.filtering import settings as filter_settings
from curation.filtering.settings import change_setting
from curation.ui.services import Services, services
from curation.workspaces import backups, housekeeping
from curation.workspaces.housekeeping import DiskUse, ListedBackup
from data import records, workspace
from data.errors import MistakebookError
from data.records import Record
from data.registry import FILTERS

router = APIRouter(prefix="/api/settings")


class UnknownFilter(MistakebookError):
    """The workspace has no such filter."""

    status = 404


class FilterSetting(BaseModel):
    filter: str
    enabled: bool
    threshold: float = Field(allow_inf_nan=False)


class Prices(BaseModel):
    models: dict[str, dict[str, Any]]


class Budget(BaseModel):
    """The cap that new jobs start with; none takes it away."""

    usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Name(BaseModel):
    name: str


class Clean(BaseModel):
    what: str


@dataclass(frozen=True)
class FilterChange(Record):
    """An earlier setting of a filter."""

    filter: str
    enabled: bool
    threshold: float
    author: str
    created_at: datetime


@dataclass(frozen=True)
class ModelUse(Record):
    """A model that was asked, with the calls that have no price."""

    model: str | None
    calls: int
    unpriced: int
    usd: float | None


@dataclass(frozen=True)
class ReviewerTotals(Record):
    """What a person has decided, and when last."""

    reviewer: str
    decisions: int
    edits: int
    rejections: int
    last_at: datetime


@dataclass(frozen=True)
class FilterFailing(Record):
    """Samples that a filter has judged, and those that it fails at its setting."""

    filter: str
    judged: int
    failing: int


class FilterShown(BaseModel):
    """A filter's setting with what it is, how scores are spread and how many samples it fails."""

    filter: str
    enabled: bool
    threshold: float
    comparison: records.Comparison
    title: str
    standard: float | None = Field(description="its default threshold")
    asks: Literal["frontier", "baseline"] | None = Field(description="which model it asks, if any")
    loosest: float | None = Field(description="the loosest threshold of a filter with a bulk limit")
    judged: int
    failing: int
    scores: list[tuple[float, int]] = Field(description="score in two decimals, and samples that have it")


class WorkspaceShown(BaseModel):
    name: str
    folder: str
    all: list[str] = Field(description="names of all workspaces")


class Overview(BaseModel):
    filters: list[FilterShown]
    history: list[FilterChange]
    prices: PriceTable
    models_used: list[ModelUse]
    budget: float | None
    spend: SpendTotal
    reviewer: str
    login: bool = Field(description="whether the reviewer is logged in")
    reviewers: list[ReviewerTotals]
    backups: list[ListedBackup]
    backup_hours: float = Field(description="between two automatic backups; 0: none are made")
    workspace: WorkspaceShown


class FilterPreview(BaseModel):
    """Samples that would change their status, from what to what."""

    moves: list[StatusMove]
    samples: int


class Filters(BaseModel):
    filters: list[FilterShown]


class BudgetSet(BaseModel):
    budget: float | None


class BackupHours(BaseModel):
    """Hours between two automatic backups; 0: none."""

    hours: float = Field(ge=0, le=24 * 365, allow_inf_nan=False)


class BackupDone(BaseModel):
    name: str
    rows: int
    referenced: int


class WorkspaceMade(BaseModel):
    name: str
    folder: str


class Archived(BaseModel):
    folder: str = Field(description="where it lies now")


class Freed(BaseModel):
    freed: int = Field(description="bytes")


@router.post("/overview")
def overview(request: Request) -> Overview:
    """All that the page shows but the disk, which takes longer to look at."""
    here = services(request)
    return Overview(
        filters=_filters(here),
        history=here.store.rows("filter_history", FilterChange),
        prices=price_table.shown(here.workspace),
        models_used=here.store.rows("models_used", ModelUse),
        budget=config.variables().budget_usd,
        spend=here.store.one("spend_total", SpendTotal),
        reviewer=here.reviewer(request),
        login=request.scope.get("login") is not None,
        reviewers=here.store.rows("reviewers", ReviewerTotals),
        backups=housekeeping.backups_there(here.workspace),
        backup_hours=config.variables().backup_hours,
        workspace=WorkspaceShown(name=here.workspace.name, folder=str(here.workspace.root), all=workspace.names()),
    )


@router.post("/filter_preview")
def filter_preview(request: Request, body: FilterSetting) -> FilterPreview:
    """How many samples would change their status, from what to what; nothing is changed."""
    here = services(request)
    now = _known(here, body.filter)
    moves = auto_approval.moves(here.store, Setting(body.filter, body.enabled, body.threshold, now.comparison))
    return FilterPreview(moves=moves, samples=sum(move.samples for move in moves))


@router.post("/filter")
def set_filter(request: Request, body: FilterSetting) -> Filters:
    """Sets a filter; the states of all samples follow at once. Decisions of people stand."""
    here = services(request)
    _known(here, body.filter)
    change_setting(here.store, body.filter, body.enabled, body.threshold, here.reviewer(request))
    return Filters(filters=_filters(here))


@router.post("/prices")
def set_prices(request: Request, body: Prices) -> PriceTable:
    """Writes the workspace's price table; the next calls are priced by it."""
    here = services(request)
    price_table.save(here.workspace, body.models)
    return price_table.shown(here.workspace)


@router.post("/budget")
def set_budget(request: Request, body: Budget) -> BudgetSet:
    config.keep(config.BUDGET, None if body.usd is None else str(body.usd))
    return BudgetSet(budget=config.variables().budget_usd)


@router.post("/backup_hours")
def set_backup_hours(request: Request, body: BackupHours) -> BackupHours:
    config.keep(config.BACKUP_HOURS, f"{body.hours:g}")
    return BackupHours(hours=config.variables().backup_hours)


@router.post("/backup")
def backup(request: Request) -> BackupDone:
    """Makes a backup in the workspace's folder; returns when it is written and was read back."""
    here = services(request)
    folder = backups.backup(here.store, here.workspace)
    return BackupDone(name=folder.name, rows=backups.row_count(folder), referenced=backups.referenced(folder))


@router.post("/new_workspace")
def new_workspace(request: Request, body: Name) -> WorkspaceMade:
    made = housekeeping.new_workspace(body.name)
    return WorkspaceMade(name=made.name, folder=str(made.root))


@router.post("/archive")
def archive(request: Request, body: Name) -> Archived:
    return Archived(folder=str(housekeeping.archive(body.name, services(request).workspace)))


@router.post("/disk")
def disk(request: Request) -> DiskUse:
    here = services(request)
    return housekeeping.disk(here.store, here.workspace)


@router.post("/clean")
def clean(request: Request, body: Clean) -> Freed:
    here = services(request)
    return Freed(freed=housekeeping.clean(here.store, here.workspace, body.what))


def _filters(here: Services) -> list[FilterShown]:
    installed, now = FILTERS.names(), score_matrix(here.store)
    failing = {row.filter: row for row in here.store.rows("filter_failing", FilterFailing)}
    shown = []
    for name, setting in filter_settings.current(here.store).items():
        plugin = FILTERS.load(name) if name in installed else None
        counts = failing.get(name) or FilterFailing(name, 0, 0)
        shown.append(
            FilterShown(
                filter=name,
                enabled=setting.enabled,
                threshold=setting.threshold,
                comparison=setting.comparison,
                title=plugin.title if plugin else "its file is gone from curation/filters",
                standard=plugin.threshold if plugin else None,
                asks=plugin.asks() if plugin else None,
                loosest=None if plugin is None or plugin.overridable_in_bulk else plugin.loosest,
                judged=counts.judged,
                failing=counts.failing,
                scores=_spread(now.scores[name]),
            )
        )
    return shown


def _spread(scores: np.ndarray) -> list[tuple[float, int]]:
    """How many samples have which score, in two decimals."""
    values, samples = np.unique(np.round(scores[~np.isnan(scores)], 2), return_counts=True)
    return list(zip(values.tolist(), samples.tolist()))


def _known(here: Services, name: str) -> records.FilterSetting:
    """The filter's setting. Raises UnknownFilter."""
    filters = filter_settings.current(here.store)
    if name not in filters:
        raise UnknownFilter(f"no filter {name!r}; there are: {', '.join(filters)}")
    return filters[name]
