"""The Settings page: filters, prices, budget, reviewers, keys of the keyboard, backups, workspaces, disk, colours."""

from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation import config
from curation.calibration import auto_approval
from curation.calibration.score_matrix import Setting, score_matrix
from curation.costs import price_table
from curation.filtering.settings import change_setting
from curation.ui.services import Services, services
from curation.workspaces import backups, housekeeping
from data import workspace
from data.errors import MistakebookError
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


@router.post("/overview")
def overview(request: Request) -> dict[str, Any]:
    """All that the page shows but the disk, which takes longer to look at."""
    here = services(request)
    return {
        "filters": _filters(here),
        "history": [_iso(row, "created_at") for row in here.store.rows("filter_history")],
        "prices": price_table.shown(here.workspace),
        "models_used": here.store.rows("models_used"),
        "budget": config.variables().budget_usd,
        "spend": here.store.row("spend_total"),
        "reviewer": here.reviewer(request),
        "login": request.scope.get("login") is not None,
        "reviewers": [_iso(row, "last_at") for row in here.store.rows("reviewers")],
        "backups": housekeeping.backups_there(here.workspace),
        "workspace": {"name": here.workspace.name, "folder": str(here.workspace.root), "all": workspace.names()},
    }


@router.post("/filter_preview")
def filter_preview(request: Request, body: FilterSetting) -> dict[str, Any]:
    """How many samples would change their status, from what to what; nothing is changed."""
    here = services(request)
    now = _known(here, body.filter)
    moves = auto_approval.moves(here.store, Setting(body.filter, body.enabled, body.threshold, now["comparison"]))
    return {"moves": moves, "samples": sum(move["samples"] for move in moves)}


@router.post("/filter")
def set_filter(request: Request, body: FilterSetting) -> dict[str, Any]:
    """Sets a filter; the states of all samples follow at once. Decisions of people stand."""
    here = services(request)
    _known(here, body.filter)
    change_setting(here.store, body.filter, body.enabled, body.threshold, here.reviewer(request))
    return {"filters": _filters(here)}


@router.post("/prices")
def set_prices(request: Request, body: Prices) -> dict[str, Any]:
    """Writes the workspace's price table; the next calls are priced by it."""
    here = services(request)
    price_table.save(here.workspace, body.models)
    return price_table.shown(here.workspace)


@router.post("/budget")
def set_budget(request: Request, body: Budget) -> dict[str, Any]:
    config.keep(config.BUDGET, None if body.usd is None else str(body.usd))
    return {"budget": config.variables().budget_usd}


@router.post("/backup")
def backup(request: Request) -> dict[str, Any]:
    """Makes a backup in the workspace's folder; returns when it is written and was read back."""
    here = services(request)
    folder = backups.backup(here.store, here.workspace)
    return {"name": folder.name, "rows": backups.row_count(folder)}


@router.post("/new_workspace")
def new_workspace(request: Request, body: Name) -> dict[str, Any]:
    made = housekeeping.new_workspace(body.name)
    return {"name": made.name, "folder": str(made.root)}


@router.post("/archive")
def archive(request: Request, body: Name) -> dict[str, str]:
    return {"folder": str(housekeeping.archive(body.name, services(request).workspace))}


@router.post("/disk")
def disk(request: Request) -> dict[str, Any]:
    here = services(request)
    return housekeeping.disk(here.store, here.workspace)


@router.post("/clean")
def clean(request: Request, body: Clean) -> dict[str, int]:
    here = services(request)
    return {"freed": housekeeping.clean(here.store, here.workspace, body.what)}


def _filters(here: Services) -> list[dict[str, Any]]:
    """Each filter's setting with what it is, how scores are spread and how many samples it fails."""
    there, now = FILTERS.names(), score_matrix(here.store)
    failing = {row["filter"]: row for row in here.store.rows("filter_failing")}
    shown = []
    for row in here.store.rows("filters"):
        name = row["filter"]
        plugin = FILTERS.load(name) if name in there else None
        counts = failing.get(name, {"judged": 0, "failing": 0})
        shown.append(
            {
                **{field: row[field] for field in ("filter", "enabled", "threshold", "comparison")},
                "title": plugin.title if plugin else "its file is gone from curation/filters",
                "standard": plugin.threshold if plugin else None,
                "asks": plugin.asks() if plugin else None,
                "loosest": None if plugin is None or plugin.overridable_in_bulk else plugin.loosest,
                "judged": counts["judged"],
                "failing": counts["failing"],
                "scores": _spread(now.scores[name]),
            }
        )
    return shown


def _spread(scores: np.ndarray) -> list[list[float]]:
    """How many samples have which score, in two decimals."""
    values, samples = np.unique(np.round(scores[~np.isnan(scores)], 2), return_counts=True)
    return [list(pair) for pair in zip(values.tolist(), samples.tolist())]


def _known(here: Services, name: str) -> dict[str, Any]:
    """The filter's setting. Raises UnknownFilter."""
    filters = {row["filter"]: row for row in here.store.rows("filters")}
    if name not in filters:
        raise UnknownFilter(f"no filter {name!r}; there are: {', '.join(filters)}")
    return filters[name]


def _iso(row: dict[str, Any], column: str) -> dict[str, Any]:
    return {**row, column: row[column].isoformat()}
