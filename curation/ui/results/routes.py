"""The Results page: checkpoints on the same eval examples, what got fixed, what broke, the release gate, and the next round."""

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.results import comparison, detectable, gate
from curation.results import evidence_bundle as evidence
from curation.results.comparison import Changes, Comparison
from curation.results.detectable import Ahead
from curation.results.eval_set import Grouping
from curation.results.gate import GateRule, StoredVerdict
from curation.results.side_by_side import CantCompare, SideBySide, side_by_side
from curation.review import blinding
from curation.review.blinding import ShownSample
from curation.stage import NothingToDo
from curation.ui.results import charts
from curation.ui.services import services
from curation.ui.shared.chart_theme import Figure
from data.records import Checkpoint, Record, Route
from data.statuses import SampleStatus
from data.store import Store

router = APIRouter(prefix="/api/results")
PAGE = 24  # examples on a page of the ledger
PRACTISED = 12  # samples shown behind an example


class Pair(BaseModel):
    """Two checkpoints by name; absent, the newest evaluated one and what it was trained from."""

    before: str | None = None
    after: str | None = None
    score: Literal["strict", "lenient"] = "strict"


class Shown(Pair):
    """What the page shows: further checkpoints beside the two, and the table that the charts draw."""

    also: list[str] = []
    by: Grouping = "error_type"


class Ledger(Pair):
    which: Literal["fixed", "broken"] = "fixed"
    by: Grouping = "error_type"
    group: str | None = None
    offset: int = 0


class Behind(Pair):
    example_id: int
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


@dataclass(frozen=True)
class PractisedSample(ShownSample):
    """A sample that a checkpoint was trained on; `decided_by` is None where the reader has yet to decide."""

    revision: int
    question: str
    answer: str
    image: str
    route: Route
    decided_by: str | None


@dataclass(frozen=True)
class NearestSample(PractisedSample):
    """A training sample near to an eval example: cosines of text and image, their mean, and the failure that it was made for."""

    example_id: int
    place: int  # 1 is the nearest
    text: float
    image_likeness: float | None
    score: float
    error_type: str
    status: SampleStatus | None
    failure_id: int | None
    faulty_reasoning: str | None
    description: str | None
    failed_question: str | None
    failed_answer: str | None


class RoundBegun(BaseModel):
    """A new round, and the job that evaluates its checkpoint: none where that has answered everything before."""

    round: int
    job_id: int | None
    verdict: StoredVerdict | None


class Summary(BaseModel):
    """`reason` says why there is no comparison of the chosen ones, `ahead` what one would show; `traced` is of how many examples the
    nearest training samples are known."""

    checkpoints: list[CheckpointShown]
    round: int
    before: str | None = None
    after: str | None = None
    found: Comparison | None = None
    side: SideBySide | None = None
    figures: dict[str, Figure] | None = None
    spend_usd: float | None = None
    reason: str | None = None
    rule: GateRule = Field(default_factory=GateRule)
    verdicts: list[StoredVerdict] = []
    ahead: Ahead | None = None
    traced: int | None = None


class BehindSamples(BaseModel):
    """Training samples behind an example: its nearest ones, or (`nearest` false: nobody has looked for them) some of its error type."""

    nearest: bool
    samples: list[NearestSample] | list[PractisedSample]


@router.post("/summary")
def summary(request: Request, body: Shown) -> Summary:
    """All checkpoints, the chosen ones, and (once they answered eval) their comparison with what the round has cost."""
    store = services(request).store
    known = _known(store)
    shown = Summary(
        checkpoints=known, round=checkpoints.current_round(store), rule=gate.rule(store), ahead=detectable.ahead(store, body.score)
    )
    if (chosen := _chosen(store, known, body)) is None:
        return shown.model_copy(update={"ahead": detectable.ahead(store, body.score)})
    before, after = chosen
    shown = shown.model_copy(update={"before": before.name, "after": after.name})
    try:
        compared = comparison.compare(store, before, after, body.score, ("error_type", body.by))
        side = _side(store, chosen, body) if body.also else None
    except (ValueError, CantCompare) as nothing:
        return shown.model_copy(update={"reason": str(nothing), "ahead": detectable.ahead(store, body.score)})
    lines = {"dataset": compared.by_dataset, "error_type": compared.by_error_type, "kind": compared.by_kind}
    lines |= {"cluster": compared.by_cluster, "slice": compared.by_slice}
    drawn = charts.both(compared.overall, lines[body.by], before.name, after.name, body.by)
    if side:
        drawn["side"] = charts.side_by_side(side.overall, side.tables[body.by], side.checkpoints, body.by)
    figures_shown = {"found": compared, "side": side, "figures": drawn, "spend_usd": store.value("spend_total", float)}
    more = {"verdicts": gate.verdicts(store), "traced": store.value("nearest_done", int, checkpoint_id=after.checkpoint_id)}
    return shown.model_copy(update={**figures_shown, **more})


@router.post("/ledger")
def ledger(request: Request, body: Ledger) -> Changes:
    """A page of the examples that were fixed or broken."""
    store = services(request).store
    chosen = both(store, body)
    return comparison.changes(store, *chosen, body.which, body.group, PAGE, body.offset, body.by, body.score)


@router.post("/behind")
def behind(request: Request, body: Behind) -> BehindSamples:
    """The training samples nearest to an example; where nobody has looked for them, approved ones of its error type."""
    here = services(request)
    after, reviewer = both(here.store, body)[1], here.reviewer(request)
    chosen = {"checkpoint_id": after.checkpoint_id, "example_ids": [body.example_id]}
    if nearest := here.store.rows("nearest_of_examples", NearestSample, **chosen):
        return BehindSamples(nearest=True, samples=blinding.elsewhere(here.store, reviewer, nearest, ["decided_by", "status"]))
    asked = {"checkpoint_id": after.checkpoint_id, "error_type": body.error_type, "limit": PRACTISED}
    practised = here.store.rows("samples_behind_error_type", PractisedSample, **asked)
    return BehindSamples(nearest=False, samples=blinding.elsewhere(here.store, reviewer, practised, ["decided_by"]))


@router.post("/gate")
def set_gate(request: Request, body: GateRule) -> GateRule:
    """Puts another rule of the release gate in force."""
    here = services(request)
    gate.set_rule(here.store, body, here.reviewer(request))
    return gate.rule(here.store)


@router.post("/verdict")
def verdict(request: Request, body: Pair) -> StoredVerdict:
    """Keeps the release gate's verdict on the chosen two, with the rule it is given by."""
    here = services(request)
    return _record(here.store, *both(here.store, body), body.score, here.reviewer(request))


@router.post("/detectable")
def ahead(request: Request) -> Ahead | None:
    """What the eval examples would show at all, before anything is spent; None while there are none."""
    return detectable.ahead(services(request).store)


@router.get("/evidence.zip")
def evidence_bundle(request: Request, before: str, after: str, score: Literal["strict", "lenient"] = "strict") -> Response:
    """The comparison as a zip: report, figures, every pair of answers, samples, settings, prompts."""
    store = services(request).store
    content = evidence.bundle(store, checkpoints.find(store, before), checkpoints.find(store, after), score)
    return Response(content, media_type="application/zip", headers={"Content-Disposition": 'attachment; filename="evidence.zip"'})


@router.post("/next_round")
def next_round(request: Request, body: NextRound) -> RoundBegun:
    """Starts the next round from a checkpoint and launches its evaluation on train and eval. The gate's verdict on it is kept."""
    here = services(request)
    chosen = _chosen(here.store, _known(here.store), Pair(after=body.checkpoint))
    number = checkpoints.begin_round(here.store, body.checkpoint)
    kept = None
    if chosen:
        try:
            kept = _record(here.store, *chosen, "strict", here.reviewer(request))
        except ValueError:
            kept = None  # not both were evaluated: there is no verdict to keep
    try:
        job_id = here.jobs.launch("evaluate", {"checkpoint": body.checkpoint}, here.reviewer(request))
    except NothingToDo:
        job_id = None  # it has answered everything before
    return RoundBegun(round=number, job_id=job_id, verdict=kept)


def _record(store: Store, before: Checkpoint, after: Checkpoint, score: comparison.Score, author: str) -> StoredVerdict:
    compared = comparison.compare(store, before, after, score, tables=())
    return gate.record(store, before.name, after.name, score, compared.examples, compared.gate, author)


def _side(store: Store, chosen: tuple[Checkpoint, Checkpoint], body: Shown) -> SideBySide:
    further = [checkpoints.find(store, name) for name in body.also]
    return side_by_side(store, [*chosen, *further], body.score)


def _known(store: Store) -> list[CheckpointShown]:
    return store.rows("results_checkpoints", CheckpointShown)


def both(store: Store, body: Pair) -> tuple[Checkpoint, Checkpoint]:
    """The two checkpoints to compare; 409 while there is no such pair."""
    if (chosen := _chosen(store, _known(store), body)) is None:
        raise HTTPException(409, "there is nothing to compare yet; finetune a checkpoint and evaluate it first")
    return chosen


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
