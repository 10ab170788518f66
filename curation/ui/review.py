"""The Review page: people's decisions on samples, one by one or many at once."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field

from curation import by_hand, review_queue, reviews
from curation.ui import parts
from curation.ui.services import services
from data.images import MAX_BYTES, BadImage

if TYPE_CHECKING:
    import gradio as gr

router = APIRouter(prefix="/api/review")
Event = Annotated[str, Field(min_length=8, max_length=64, description="From the browser: sent twice it counts once.")]
Order = Literal["informative", "random", "newest", "oldest"]


class Matching(BaseModel):
    """Which samples are meant: the fields of reviews.FILTER_FIELDS; a list holds the values let through, absent means all."""

    model_config = {"extra": "forbid"}

    statuses: list[str] | None = None
    error_types: list[str] | None = None
    datasets: list[str] | None = None
    routes: list[str] | None = None
    rounds: list[int] | None = None
    failed_bit: int | None = Field(default=None, ge=0, le=63)
    failing: list[str] | None = Field(default=None, description="Names of filters, of which the sample fails at least one.")
    failure_id: int | None = None
    sample_ids: list[int] | None = None
    search: str | None = Field(default=None, description="Each word must begin a word of question, choices or answer; or phrases in quotes.")

    def given(self, request: Request) -> dict[str, Any]:
        """The parameters of {sample_filter}: what the words find as a bitmap of ids."""
        return {**self.model_dump(exclude={"search"}), "found": services(request).search.samples(self.search)}


class Asked(BaseModel):
    matching: Matching = Matching()
    order: Order = "informative"


class Next(Asked):
    """`after` (or `back`: before) a place, or `start` at a sample; a place is a card's {key, sample_id}."""

    key: float | None = None
    sample_id: int | None = None
    back: bool = False
    start: int | None = None
    count: int = Field(default=20, ge=1, le=60)


class PageOf(Asked):
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=200)


class Card(BaseModel):
    sample_id: int


class Decide(BaseModel):
    sample_id: int
    revision: int
    action: reviews.Action
    event_id: Event
    reason: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    image: str | None = None


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


def component() -> "gr.HTML":
    """The page: one gr.HTML around components/review.*."""
    return parts.component("review")


@router.post("/facets")
def facets(request: Request, body: Matching) -> dict[str, Any]:
    """Values and counts by facet; whose decisions these are, and the reasons that a rejection may name."""
    here = services(request)
    found = review_queue.facets(here.store, body.given(request))
    return {"facets": found, "workspace": here.workspace.name, "reviewer": here.reviewer(request), "reasons": reviews.REASONS}


@router.post("/next")
def following(request: Request, body: Next) -> dict[str, Any]:
    """Cards of the queue; `before` and `total` say where the first of them stands (absent when going on from a place)."""
    store, matching = services(request).store, body.matching.given(request)
    if body.key is not None and body.sample_id is not None:
        place = review_queue.Place(body.key, body.sample_id)
        return {"cards": review_queue.following(store, matching, body.order, place, body.count, body.back)}
    if body.start is not None:
        cards = review_queue.starting_at(store, matching, body.order, body.start, body.count)
    else:
        cards = review_queue.following(store, matching, body.order, None, body.count)
    first = review_queue.Place(cards[0]["key"], cards[0]["sample_id"]) if cards else None
    return {"cards": cards, **review_queue.rank(store, matching, body.order, first)}


@router.post("/page")
def page(request: Request, body: PageOf) -> dict[str, Any]:
    return review_queue.page(services(request).store, body.matching.given(request), body.order, body.offset, body.limit)


@router.post("/card")
def card(request: Request, body: Card) -> dict[str, Any]:
    return _card(request, body.sample_id)


@router.post("/decide")
def decide(request: Request, body: Decide) -> dict[str, Any]:
    here = services(request)
    return reviews.decide(here.store, reviews.Decision(**body.model_dump()), here.reviewer(request))


@router.post("/edit")
def edit(request: Request, body: Edit) -> dict[str, Any]:
    here = services(request)
    return reviews.edit(here.store, **body.model_dump(), reviewer=here.reviewer(request))


@router.post("/undo")
def undo(request: Request, body: Undo) -> dict[str, Any]:
    """Takes one own event or batch back."""
    here = services(request)
    return reviews.undo(here.store, here.reviewer(request), body.event_id, body.batch_id, body.undone_event)


@router.get("/history")
def history(request: Request, limit: int = 100) -> list[dict[str, Any]]:
    """Own actions, latest first; a bulk decision is one."""
    here = services(request)
    return here.store.rows("review_history", reviewer=here.reviewer(request), limit=min(limit, 1000))


@router.post("/bulk/preview")
def preview(request: Request, body: Preview) -> dict[str, Any]:
    return reviews.preview_bulk(services(request).store, body.matching.given(request), body.action, body.seed)


@router.post("/bulk")
def bulk(request: Request, body: Bulk) -> dict[str, Any]:
    here = services(request)
    values = body.model_dump(exclude={"matching"})
    return reviews.decide_bulk(here.store, body.matching.given(request), reviewer=here.reviewer(request), **values)


@router.post("/pictures")
def pictures(request: Request, body: Pictures) -> dict[str, Any]:
    """Pictures that a sample by hand may ask about, and the datasets that it may be written for."""
    store = services(request).store
    given = {**body.model_dump(), "search": " ".join((body.search or "").lower().split()) or None}
    return {"pictures": store.rows("pictures_to_ask_about", **given, limit=24), "datasets": store.rows("dataset_names")}


@router.post("/upload")
def upload(
    request: Request, content: Annotated[bytes, Body(media_type="application/octet-stream")], name: str = "the upload"
) -> dict[str, Any]:
    """Keeps a picture for a sample by hand; the body is the file's bytes."""
    here = services(request)
    if len(content) > MAX_BYTES:
        raise BadImage(f"{name} has more than {MAX_BYTES >> 20} MB")
    row = by_hand.add_picture(here.store, here.images, content, name)
    return {"image": row["image"], "width": row["width"], "height": row["height"]}


@router.post("/by_hand")
def add_by_hand(request: Request, body: ByHand) -> dict[str, Any]:
    here = services(request)
    draft = by_hand.Draft(**body.model_dump(exclude={"event_id"}))
    return _card(request, by_hand.add(here.store, draft, here.reviewer(request), body.event_id))


def _card(request: Request, sample_id: int) -> dict[str, Any]:
    found = review_queue.cards(services(request).store, [sample_id])
    if not found:
        raise reviews.UnknownSample(f"there is no sample {sample_id} in this workspace")
    return found[0]
