"""The Review page: people's decisions on samples, one by one or many at once."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Body, Request
from pydantic import BaseModel, Field

from curation.calibration import auto_approval
from curation.review import blinding, handwritten
from curation.review import decisions as reviews
from curation.review import queue as review_queue
from curation.review.bulk_records import BulkPreview, BulkResult, UndoResult
from curation.review.cards import Card, cards
from curation.review.decisions import Refusal
from curation.review.handwritten import DatasetChoice
from curation.review.queue import FacetCount, GridPage, Order, QueuedCard
from curation.ui.review import people_routes
from curation.ui.review.people_routes import Event, Matching
from curation.ui.services import Services, services
from data.errors import MistakebookError
from data.images import MAX_BYTES, BadImage
from data.records import SampleState, SampleStatus
from data.store import Store

router = APIRouter(prefix="/api/review")
router.include_router(people_routes.router)


class Asked(BaseModel):
    """`short`, of an earlier answer, keeps the places of the order by informativeness where they were."""

    matching: Matching = Matching()
    order: Order = "informative"
    short: dict[str, float] | None = None


class Next(Asked):
    """`after` (or `back`: before) a place, or `start` at a sample, or `skip` so many; a place is a card's {key, sample_id}."""

    key: float | None = None
    sample_id: int | None = None
    back: bool = False
    start: int | None = None
    skip: int = Field(default=0, ge=0)
    count: int = Field(default=20, ge=1, le=100)


class PageOf(Asked):
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=200)


class CardOf(BaseModel):
    sample_id: int


class Decide(BaseModel):
    sample_id: int
    revision: int
    action: reviews.Action
    event_id: Event
    reason: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    image: str | None = None
    settles: bool = Field(default=False, description="The decisions in dispute were looked at: this one counts over all of them.")


class Decisions(BaseModel):
    decisions: list[Decide] = Field(min_length=1, max_length=100, description="On different samples.")


class Edit(BaseModel):
    sample_id: int
    revision: int
    question: str = Field(max_length=4000)
    choices: list[str] = Field(default=[], max_length=26)
    answer: str = Field(max_length=2000)
    event_id: Event


class Undo(BaseModel):
    event_id: Event
    undone_event: str | None = None
    batch_id: int | None = None


class Preview(BaseModel):
    matching: Matching
    action: reviews.Action = "approve"
    seed: int = 0


class Bulk(BaseModel):
    matching: Matching
    action: reviews.Action
    event_id: Event
    reason: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    expected: int | None = Field(default=None, description="How many samples the preview said; another number is refused.")


class Pictures(BaseModel):
    search: str | None = None
    failure_id: int | None = None


class ByHand(BaseModel):
    event_id: Event
    question: str = Field(max_length=4000)
    answer: str = Field(max_length=2000)
    choices: list[str] = Field(default=[], max_length=26)
    failure_id: int | None = None
    image: str | None = None
    dataset: str | None = None
    error_type: str | None = None


class QueueCounts(BaseModel):
    """How many samples a reviewer was given, and how many of them are decided."""

    assigned: int
    done: int


class Facets(BaseModel):
    facets: dict[str, list[FacetCount]]
    workspace: str
    reviewer: str
    reasons: tuple[str, ...]
    queue: QueueCounts
    blind: bool
    audit: int | None


class Cards(BaseModel):
    cards: list[QueuedCard]


class Queue(Cards):
    """The beginning of a queue: where its first card stands among how many, and what the order is worked out from."""

    before: int
    total: int
    target: int
    approved: dict[str, int]
    short: dict[str, float]
    order: Order


class HistoryLine(BaseModel):
    """An own action; a bulk decision is one."""

    review_id: int
    batch_id: int | None
    event_id: str
    action: str
    reason: str | None
    note: str | None
    samples: int
    sample_id: int
    created_at: datetime
    undone: bool
    question: str
    answer: str
    image: str | None
    status: SampleStatus


class Refused(BaseModel):
    """A decision that was not stored, and why."""

    error: str
    status: int


class Answers(BaseModel):
    answers: list[SampleState | Refused]


class PictureChoice(BaseModel):
    """A picture that a sample by hand may ask about."""

    image: str
    question: str
    dataset: str
    failure_id: int | None
    error_type: str | None


class PictureChoices(BaseModel):
    pictures: list[PictureChoice]
    datasets: list[DatasetChoice]


class Uploaded(BaseModel):
    image: str
    width: int
    height: int


@router.post("/facets")
def facets(request: Request, body: Matching) -> Facets:
    """Values and counts by facet; whose decisions these are, what waits for them, and the reasons that a rejection may name."""
    here = services(request)
    reviewer = here.reviewer(request)
    counts = review_queue.facets(here.store, body.given(request))
    if _blind_queue(here.store, reviewer, body):
        counts |= {"status": [], "failing": []}
    elif body.queue is None and blinding.everywhere(here.store):
        counts |= {"failing": []}
    given = here.store.one("reviewer_has_assignments", bool, reviewer=reviewer)
    return Facets(
        facets=counts,
        workspace=here.workspace.name,
        reviewer=reviewer,
        reasons=reviews.REASONS,
        queue=QueueCounts(**here.store.one("queue_counts", queue_of=reviewer)) if given else QueueCounts(assigned=0, done=0),
        blind=blinding.everywhere(here.store),
        audit=auto_approval.waiting(here.store),
    )


@router.post("/next")
def following(request: Request, body: Next) -> Queue | Cards:
    """Cards of the queue; where it begins (not when going on from a place) also where the first stands, and why that order."""
    here = services(request)
    store, reviewer = here.store, here.reviewer(request)
    matching, order = body.matching.given(request), _order(store, reviewer, body)
    if body.key is not None and body.sample_id is not None:
        place = review_queue.Place(body.sample_id, body.key)
        more = review_queue.following(store, matching, order, place, body.count, body.back, body.short)
        return Cards(cards=blinding.cards(store, reviewer, more))
    known = review_queue.shortfalls(store)
    short = known.short if body.short is None else body.short
    if body.start is not None:
        queue = review_queue.starting_at(store, matching, order, body.start, body.count, short)
    else:
        queue = review_queue.following(store, matching, order, None, body.count, short=short, skip=body.skip)
    first = review_queue.Place(queue[0].sample_id, queue[0].key) if queue and queue[0].key is not None else None
    rank = review_queue.rank(store, matching, order, first, short)
    shown = blinding.cards(store, reviewer, queue)
    if order == "informative":  # a blind sample that was opened beside its queue: its place would tell what the filters say
        shown = [replace(card, key=None) if card.blind else card for card in shown]
    return Queue(cards=shown, before=rank.before, total=rank.total, target=known.target, approved=known.approved, short=short, order=order)


@router.post("/page")
def page(request: Request, body: PageOf) -> GridPage:
    here = services(request)
    store, reviewer = here.store, here.reviewer(request)
    order = _order(store, reviewer, body)
    whole = review_queue.page(store, body.matching.given(request), order, body.offset, body.limit, body.short)
    return GridPage(whole.total, blinding.rows(store, reviewer, whole.rows))


@router.post("/card")
def card(request: Request, body: CardOf) -> Card:
    return _card(request, body.sample_id)


@router.post("/decide")
def decide(request: Request, body: Decide, afterwards: BackgroundTasks) -> SampleState:
    """Stores a decision; where it was an audit of a rule, what follows for the rule comes after the answer."""
    (answer,) = _decided(request, [body], afterwards)
    if isinstance(answer, MistakebookError):
        raise answer
    return answer


@router.post("/decisions")
def decide_each(request: Request, body: Decisions, afterwards: BackgroundTasks) -> Answers:
    """Stores what has queued up in a browser, in one transaction; each decision's answer is the sample's state, or why it was refused."""
    answers = _decided(request, body.decisions, afterwards)
    return Answers(
        answers=[Refused(error=str(answer), status=answer.status) if isinstance(answer, MistakebookError) else answer for answer in answers]
    )


@router.post("/edit")
def edit(request: Request, body: Edit) -> SampleState:
    here = services(request)
    return reviews.edit(here.store, **body.model_dump(), reviewer=here.reviewer(request))


@router.post("/undo")
def undo(request: Request, body: Undo) -> UndoResult:
    """Takes one own event or batch back."""
    here = services(request)
    return reviews.undo(here.store, here.reviewer(request), body.event_id, body.batch_id, body.undone_event)


@router.get("/history")
def history(request: Request, limit: int = 100) -> list[HistoryLine]:
    """Own actions, latest first."""
    here = services(request)
    rows = here.store.rows("review_history", reviewer=here.reviewer(request), limit=min(limit, 1000))
    return [HistoryLine(**row) for row in rows]


@router.post("/bulk/preview")
def preview(request: Request, body: Preview) -> BulkPreview:
    here = services(request)
    return reviews.preview_bulk(here.store, _of_many(here, request, body.matching), body.action, body.seed)


@router.post("/bulk")
def bulk(request: Request, body: Bulk) -> BulkResult:
    here = services(request)
    values = body.model_dump(exclude={"matching"})
    return reviews.decide_bulk(here.store, _of_many(here, request, body.matching), reviewer=here.reviewer(request), **values)


@router.post("/pictures")
def pictures(request: Request, body: Pictures) -> PictureChoices:
    """Pictures that a sample by hand may ask about, and the datasets that it may be written for."""
    store = services(request).store
    given = {**body.model_dump(), "search": " ".join((body.search or "").lower().split()) or None}
    choices = [PictureChoice(**row) for row in store.rows("pictures_for_handwritten", **given, limit=24)]
    return PictureChoices(pictures=choices, datasets=store.rows("dataset_names", DatasetChoice))


@router.post("/upload")
def upload(request: Request, content: Annotated[bytes, Body(media_type="application/octet-stream")], name: str = "the upload") -> Uploaded:
    """Keeps a picture for a sample by hand; the body is the file's bytes."""
    here = services(request)
    if len(content) > MAX_BYTES:
        raise BadImage(f"{name} has more than {MAX_BYTES >> 20} MB")
    row = handwritten.add_picture(here.store, here.images, content, name)
    return Uploaded(image=row["image"], width=row["width"], height=row["height"])


@router.post("/by_hand")
def add_by_hand(request: Request, body: ByHand) -> Card:
    here = services(request)
    draft = handwritten.Draft(**body.model_dump(exclude={"event_id"}))
    return _card(request, handwritten.add(here.store, draft, here.reviewer(request), body.event_id))


def _decided(request: Request, decisions: list[Decide], afterwards: BackgroundTasks) -> list[SampleState | Refusal]:
    here = services(request)
    reviewer = here.reviewer(request)
    settling = [sent.sample_id for sent in decisions if sent.settles]
    unseen = blinding.hidden(here.store, reviewer, settling)
    seen = [reviews.Decision(**{**sent.model_dump(), "settles": sent.settles and sent.sample_id not in unseen}) for sent in decisions]
    afterwards.add_task(auto_approval.after_decisions, here.store, [sent.sample_id for sent in decisions])
    return reviews.decide_each(here.store, seen, reviewer)


def _card(request: Request, sample_id: int) -> Card:
    here = services(request)
    whole = cards(here.store, [sample_id])
    if not whole:
        raise reviews.UnknownSample(f"there is no sample {sample_id} in this workspace")
    return blinding.cards(here.store, here.reviewer(request), whole)[0]


def _order(store: Store, reviewer: str, body: Asked) -> Order:
    """What is blind is dealt in random order: the order by informativeness would tell what the filters say."""
    if body.order != "informative":
        return body.order
    return "random" if blinding.everywhere(store) or _blind_queue(store, reviewer, body.matching) else body.order


def _blind_queue(store: Store, reviewer: str, matching: Matching) -> bool:
    return matching.queue == "audit" or (matching.queue == "mine" and blinding.queue_blind(store, reviewer))


def _of_many(here: Services, request: Request, matching: Matching) -> dict[str, Any]:
    reviewer = here.reviewer(request)
    given = matching.given(request)
    if matching.search:
        here.search.require_whole()  # asked behind the search, which may begin to make the index
    blinding.refuse_many(here.store, reviewer, given)
    return given
