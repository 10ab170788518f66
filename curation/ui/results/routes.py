"""The Results page: two checkpoints on the same eval examples, what got fixed, what broke, and the next round."""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel

from curation import checkpoints
from curation.results import comparison
from curation.results import evidence_bundle as evidence
from curation.results.comparison import Changes, Comparison
from curation.review import blinding
from curation.stage import NothingToDo
from curation.ui.results import figures
from curation.ui.services import services
from curation.ui.shared.figures import Figure
from data.records import Checkpoint, Record
from data.store import Store

router = APIRouter(prefix="/api/results")
PAGE = 24  # examples on a page of the ledger
PRACTISED = 12  # samples shown behind an example


class Pair(BaseModel):
    """Two checkpoints by name; absent, the newest evaluated one and what it was trained from."""

    before: str | None = None
    after: str | None = None
    score: Literal["strict", "lenient"] = "strict"


class Ledger(Pair):
    which: Literal["fixed", "broken"] = "fixed"
    error_type: str | None = None
    offset: int = 0


class Behind(BaseModel):
    after: str
    error_type: str


class NextRound(BaseModel):
    checkpoint: str


@dataclass(frozen=True)
class CheckpointShown(Record):
    """A checkpoint, what it was trained from, and how many eval examples it has answered."""

    checkpoint_id: int
    name: str
    parent: int | None
    run_id: int | None
    eval: int


class Summary(BaseModel):
    """`reason` says why there is no comparison of the chosen two."""

    checkpoints: list[CheckpointShown]
    round: int
    before: str | None = None
    after: str | None = None
    found: Comparison | None = None
    figures: dict[str, Figure] | None = None
    spend_usd: float | None = None
    reason: str | None = None


@router.post("/summary")
def summary(request: Request, body: Pair) -> Summary:
    """All checkpoints, the chosen two, and (once both answered eval) their comparison with what the round has cost."""
    store = services(request).store
    known = _known(store)
    shown = Summary(checkpoints=known, round=checkpoints.current_round(store))
    if (chosen := _chosen(store, known, body)) is None:
        return shown
    before, after = chosen
    shown = shown.model_copy(update={"before": before.name, "after": after.name})
    try:
        compared = comparison.compare(store, before, after, body.score)
    except ValueError as nothing:
        return shown.model_copy(update={"reason": str(nothing)})
    lines = compared.overall, compared.by_error_type, before.name, after.name
    drawn = {"differences": figures.differences(*lines), "accuracies": figures.accuracies(*lines)}
    return shown.model_copy(update={"found": compared, "figures": drawn, "spend_usd": store.value("spend_total", float)})


@router.post("/ledger")
def ledger(request: Request, body: Ledger) -> Changes:
    """A page of the examples that were fixed or broken."""
    store = services(request).store
    if (chosen := _chosen(store, _known(store), body)) is None:
        raise HTTPException(409, "there is nothing to compare yet; finetune a checkpoint and evaluate it first")
    return comparison.changes(store, *chosen, body.which, body.error_type, PAGE, body.offset)


@router.post("/behind")
def behind(request: Request, body: Behind) -> list[dict[str, Any]]:
    """Approved samples of that error type that the checkpoint was trained on."""
    here = services(request)
    after = checkpoints.find(here.store, body.after)
    rows = here.store.rows("samples_behind_error_type", checkpoint_id=after.checkpoint_id, error_type=body.error_type, limit=PRACTISED)
    return blinding.elsewhere(here.store, here.reviewer(request), rows, ["decided_by"])


@router.get("/evidence.zip")
def evidence_bundle(request: Request, before: str, after: str, score: Literal["strict", "lenient"] = "strict") -> Response:
    """The comparison as a zip: report, figures, every pair of answers, samples, settings, prompts."""
    store = services(request).store
    content = evidence.bundle(store, checkpoints.find(store, before), checkpoints.find(store, after), score)
    return Response(content, media_type="application/zip", headers={"Content-Disposition": 'attachment; filename="evidence.zip"'})


@router.post("/next_round")
def next_round(request: Request, body: NextRound) -> dict[str, int | None]:
    """Starts the next round from a checkpoint and launches its evaluation on train and eval."""
    here = services(request)
    number = checkpoints.begin_round(here.store, body.checkpoint)
    try:
        job_id = here.jobs.launch("evaluate", {"checkpoint": body.checkpoint}, here.reviewer(request))
    except NothingToDo:
        job_id = None  # it has answered everything before
    return {"round": number, "job_id": job_id}


def _known(store: Store) -> list[CheckpointShown]:
    return store.rows("results_checkpoints", CheckpointShown)


def _chosen(store: Store, known: list[CheckpointShown], body: Pair) -> tuple[Checkpoint, Checkpoint] | None:
    """The two checkpoints to compare; None while there is no pair that makes sense."""
    names = {row.checkpoint_id: row.name for row in known}
    trained = [row for row in known if row.parent in names]
    newest = next((row for row in reversed(trained) if row.eval), trained[-1] if trained else None)
    after = next((row for row in known if row.name == body.after), newest)
    if after is None:
        return None
    before = body.before or (names.get(after.parent) if after.parent is not None else None)
    return (checkpoints.find(store, before), checkpoints.find(store, after.name)) if before else None
