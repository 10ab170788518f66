"""Routes that only the command line uses: each calls one function of curation."""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from curation import checkpoints
from curation.checkpoints import CheckpointRemoved, ListedCheckpoint
from curation.results import comparison, summary
from curation.results.comparison import Comparison, Score
from curation.results.side_by_side import SideBySide, side_by_side
from curation.results.summary import Summary
from curation.review import blinding, decisions, recovery
from curation.review.bulk_records import BulkPreview, BulkResult, UndoResult
from curation.review.recovery import Recovery
from curation.scoring import Answer, ReadAnswer
from curation.ui import launch_rights
from curation.ui.review.people_routes import Conditions
from curation.ui.services import services
from curation.workspaces import backups, builtin
from curation.workspaces.backups import BackupMade
from curation.workspaces.builtin import Begun
from data.records import Round, Split

router = APIRouter(prefix="/api/command")


class Bulk(BaseModel):
    action: Literal["approve", "reject", "reset"]
    matching: Conditions
    reason: str | None = None


class Undo(BaseModel):
    batch_id: int


class NextRound(BaseModel):
    checkpoint: str


class RemoveCheckpoint(BaseModel):
    name: str
    with_predictions: bool = False


class Backup(BaseModel):
    folder: Path | None = None


class Recover(BaseModel):
    apply: bool = False
    journal: Path | None = None


@router.post("/recover")
def recover(request: Request, body: Recover) -> Recovery:
    """Decisions that the journal has and the store lacks: counted, or put back."""
    launch_rights.check_path(request, body.journal)
    return recovery.recover(services(request).store, body.apply, body.journal)


@router.post("/review/preview")
def preview(request: Request, body: Bulk) -> BulkPreview:
    here = services(request)
    matching = body.matching.model_dump(exclude_none=True)
    blinding.refuse_many(here.store, here.reviewer(request), matching)
    return decisions.preview_bulk(here.store, matching)


@router.post("/review")
def review(request: Request, body: Bulk) -> BulkResult:
    here = services(request)
    matching = body.matching.model_dump(exclude_none=True)
    blinding.refuse_many(here.store, here.reviewer(request), matching)
    return decisions.decide_bulk(here.store, matching, body.action, here.reviewer(request), decisions.new_event(), body.reason)


@router.post("/undo")
def undo(request: Request, body: Undo) -> UndoResult:
    here = services(request)
    return decisions.undo(here.store, here.reviewer(request), decisions.new_event(), batch_id=body.batch_id)


@router.get("/results")
def compare(request: Request, before: str | None = None, after: str | None = None, score: Score = "strict") -> Comparison:
    """Two checkpoints by name: by default the newest, and what it was trained from."""
    store = services(request).store
    known = checkpoints.listed(store)
    if not known:
        raise HTTPException(409, "there is no checkpoint yet")
    newest = checkpoints.find(store, after or known[-1].name)
    parents = {row.name: row.parent for row in known}
    names: dict[int | None, str] = {row.checkpoint_id: row.name for row in known}
    parent = before or names.get(parents[newest.name])
    if parent is None:
        raise HTTPException(409, f"checkpoint {newest.name} has no parent; name the two to compare: {', '.join(parents)}")
    return comparison.compare(store, checkpoints.find(store, parent), newest, score)


@router.get("/side_by_side")
def compare_many(request: Request, name: Annotated[list[str], Query()], score: Score = "strict") -> SideBySide:
    """Two or more checkpoints, each against the first."""
    store = services(request).store
    return side_by_side(store, [checkpoints.find(store, one) for one in name], score)


@router.get("/predictions")
def predictions(
    request: Request,
    checkpoint: str | None = None,
    dataset: str | None = None,
    split: Split | None = None,
    differing: bool = False,
    limit: int = 50,
) -> list[ReadAnswer]:
    """Answers of a checkpoint (the round's by default) with both scores and what the lenient one read."""
    store = services(request).store
    found = checkpoints.find(store, checkpoint)
    if dataset is not None and dataset not in (names := [row["name"] for row in store.rows("datasets")]):
        raise HTTPException(404, f"no dataset {dataset!r} in this workspace; there are: {', '.join(names) or 'none'}")
    chosen = {"dataset": dataset, "split": split, "differing": differing, "limit": limit}
    return [row.with_reading() for row in store.rows("predictions_list", Answer, checkpoint_id=found.checkpoint_id, **chosen)]


@router.post("/begin")
def begin(request: Request) -> Begun:
    """Imports the built-in benchmarks and starts the first evaluation; what is there already is left alone."""
    here = services(request)
    return Begun(job_id=builtin.begin(here.store, here.jobs))


@router.get("/summary")
def summarise(request: Request, before: str, after: str) -> Summary:
    """The loop in numbers, from one checkpoint to another."""
    return summary.of_round(services(request).store, before, after)


@router.get("/rounds")
def rounds(request: Request) -> list[Round]:
    return services(request).store.rows("rounds", Round)


@router.post("/rounds")
def next_round(request: Request, body: NextRound) -> list[Round]:
    checkpoints.begin_round(services(request).store, body.checkpoint)
    return rounds(request)


@router.get("/checkpoints")
def list_checkpoints(request: Request) -> list[ListedCheckpoint]:
    return checkpoints.listed(services(request).store)


@router.post("/checkpoints/remove")
def remove_checkpoint(request: Request, body: RemoveCheckpoint) -> CheckpointRemoved:
    return checkpoints.remove_checkpoint(services(request).store, body.name, body.with_predictions)


@router.post("/backup")
def backup(request: Request, body: Backup) -> BackupMade:
    here = services(request)
    launch_rights.check_path(request, body.folder)
    folder = backups.backup(here.store, here.workspace, body.folder)
    elsewhere = backups.referenced(folder)
    pictures = sum(path.is_file() for path in (folder / here.workspace.images.name).rglob("*")) - elsewhere
    return BackupMade(str(folder), backups.row_count(folder), pictures, elsewhere)
