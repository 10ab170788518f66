"""What there is to review: the queue in an order (data/sql/review_queue.sql), a page of it, and counts by facet."""

from dataclasses import dataclass
from typing import Any, Literal

from curation.review.cards import Card, cards
from curation.review.decisions import SampleFilter, UnknownSample
from data.records import FilterSetting, Record, SampleStatus
from data.store import Store

Order = Literal["informative", "random", "newest", "oldest"]
TARGET = 100  # approved samples of a cluster that are wanted, unless the workspace says otherwise
TARGET_SETTING = "review.target"
FACETS = ("status", "error_type", "dataset", "route", "round", "failing")


@dataclass(frozen=True)
class Place(Record):
    """Where a sample stands in a queue: its key in the order, and its id where keys are alike."""

    sample_id: int
    key: float


@dataclass(frozen=True)
class QueuedCard(Card):
    """A card with the key of its place; None where that would tell what is hidden."""

    key: float | None = None


@dataclass(frozen=True)
class Rank(Record):
    """How many samples of a queue stand before a place, and how many there are."""

    before: int
    total: int


@dataclass(frozen=True)
class GridRow(Record):
    """A sample in the grid; `failing` are the enabled filters that fail it."""

    sample_id: int
    revision: int
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str | None
    status: SampleStatus
    error_type: str
    failing: tuple[str, ...]


@dataclass(frozen=True)
class GridPage(Record):
    """A page of the grid and how many samples the filter matches."""

    total: int
    rows: list[GridRow]


@dataclass(frozen=True)
class FacetCount(Record):
    """A value of a facet and how many samples have it, under all the other parts of the filter."""

    value: str
    count: int


@dataclass(frozen=True)
class Shortfalls(Record):
    """How far each group of samples is from the target.

    A group is a cluster of failures, "#12", or the error type where the failure behind a sample is in no cluster. `short` holds
    those below the target only, 0 to 1.
    """

    target: int
    approved: dict[str, int]
    short: dict[str, float]


@dataclass(frozen=True)
class _FacetRow(Record):
    facet: str
    value: str
    count: int


@dataclass(frozen=True)
class _Approved(Record):
    cluster_id: int | None
    error_type: str | None
    approved: int

    @property
    def group(self) -> str:
        return f"{self.error_type}" if self.cluster_id is None else f"#{self.cluster_id}"


def following(
    store: Store,
    matching: SampleFilter,
    order: Order,
    after: Place | None,
    count: int,
    back: bool = False,
    short: dict[str, float] | None = None,
    skip: int = 0,
) -> list[QueuedCard]:
    """The next `count` cards after a place, past `skip` (before it, nearest first, if `back`).

    `short` is what `shortfalls` gave when the queue was begun: with it places stay where they are while approvals go on.
    """
    place = {"after_key": after.key, "after_id": after.sample_id} if after else {}
    where = {**matching, "order": order, "short": _short(store, order, short), "limit": count, **place}
    if back:
        return _queued(store, store.rows("review_before", Place, **where))
    return _queued(store, store.rows("review_next", Place, **where, skip=skip))


def starting_at(
    store: Store, matching: SampleFilter, order: Order, sample_id: int, count: int, short: dict[str, float] | None = None
) -> list[QueuedCard]:
    """The card of a sample, whether the filter matches it or not, and those after it. Raises UnknownSample."""
    first = store.row("review_place", Place, order=order, sample_id=sample_id, short=_short(store, order, short))
    if first is None:
        raise UnknownSample(f"there is no sample {sample_id}")
    return _queued(store, [first]) + following(store, matching, order, first, count - 1, short=short)


def rank(store: Store, matching: SampleFilter, order: Order, place: Place | None, short: dict[str, float] | None = None) -> Rank:
    """Where a place stands; without one, the beginning."""
    place = place or Place(0, float("-inf"))
    where = {"order": order, "short": _short(store, order, short), "after_key": place.key, "after_id": place.sample_id}
    return store.one("review_rank", Rank, **matching, **where)


def page(store: Store, matching: SampleFilter, order: Order, offset: int, limit: int, short: dict[str, float] | None = None) -> GridPage:
    """A page of the grid."""
    filters = [{"filter": setting.filter, "bit": setting.bit} for setting in store.remembered("filters", FilterSetting) if setting.enabled]
    where = {**matching, "offset": offset, "limit": limit, "filters_known": filters}
    if order == "newest":  # its key would have to be worked out for every sample
        rows = store.rows("review_page_newest", GridRow, **where)
    else:
        rows = store.rows("review_page", GridRow, **where, order=order, short=_short(store, order, short))
    return GridPage(store.one("review_total", int, **matching), rows)


def target(store: Store) -> int:
    """How many approved samples of a cluster are wanted."""
    values = store.remembered("setting_latest", dict[str, int], name=TARGET_SETTING)
    return values[0]["samples"] if values else TARGET


def shortfalls(store: Store) -> Shortfalls:
    """How far each group is from the target now."""
    wanted = target(store)
    approved = {row.group: row.approved for row in store.remembered("review_approved", _Approved)}
    return Shortfalls(wanted, approved, {group: 1 - n / wanted for group, n in approved.items() if n < wanted})


def facets(store: Store, matching: SampleFilter) -> dict[str, list[FacetCount]]:
    """Values and counts by facet (FACETS), most frequent first."""
    counts: dict[str, list[FacetCount]] = {name: [] for name in FACETS}
    for row in store.rows("review_facets", _FacetRow, **matching):
        counts[row.facet].append(FacetCount(row.value, row.count))
    return counts


def _short(store: Store, order: Order, short: dict[str, float] | None) -> list[dict[str, Any]] | None:
    """The shortfalls as the queries take them; only one order needs them."""
    if order != "informative":
        return None
    known = shortfalls(store).short if short is None else short
    groups = [(int(name[1:]), None, share) if name[:1] == "#" else (None, name, share) for name, share in known.items()]
    return [dict(zip(("cluster_id", "error_type", "short"), group)) for group in groups]


def _queued(store: Store, places: list[Place]) -> list[QueuedCard]:
    keys = {place.sample_id: place.key for place in places}
    return [QueuedCard(**vars(card), key=keys[card.sample_id]) for card in cards(store, list(keys))]
