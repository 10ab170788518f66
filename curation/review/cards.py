"""Samples as Focus shows them: verdicts, drawings, the failure behind each, its siblings, events and revisions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from data.picture_specs.computed import AnswerFrom, Check, check
from data.picture_specs.spec import PictureSpec
from data.records import Comparison, Metric, Record, ReviewAction, Revision, Route, SampleStatus
from data.store import Store

T = TypeVar("T")


@dataclass(frozen=True)
class CardVerdict(Record):
    """A filter's verdict on the current revision and picture; `passes` is None where it has none yet."""

    sample_id: int
    filter: str
    threshold: float
    comparison: Comparison
    score: float | None
    reason: str | None
    error: str | None
    created_at: datetime | None
    passes: bool | None


@dataclass(frozen=True)
class CardDrawing(Record):
    """How a picture of a sample was drawn."""

    sample_id: int
    image: str
    generator: str
    seed: int
    recipe: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class CardEvent(Record):
    """What a person did with a sample."""

    sample_id: int
    action: ReviewAction
    reason: str | None
    note: str | None
    reviewer: str
    revision: int
    created_at: datetime
    batch_id: int | None
    undone: bool
    settles: bool  # an adjudication of a dispute


@dataclass(frozen=True)
class Origin(Record):
    """The failure that a sample practises, with the diagnosis that it was made from."""

    sample_id: int
    failure_id: int
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    external_id: str
    answer: str  # the checkpoint's
    faulty_reasoning: str | None
    skill: str | None  # that failed
    description: str | None
    confidence: float | None


@dataclass(frozen=True)
class Sibling(Record):
    """Another sample of the same failure."""

    failure_id: int
    sample_id: int
    image: str | None
    question: str
    answer: str
    status: SampleStatus


@dataclass(frozen=True)
class CardText(Record):
    """A sample: the text as it stands and as it was proposed, and what it belongs to."""

    sample_id: int
    revision: int
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str | None
    status: SampleStatus
    status_without_people: SampleStatus  # what a reset leads to
    error_type: str
    dataset: str
    route: Route
    round: int
    failure_id: int | None
    decided_by: str | None
    first_question: str
    first_choices: tuple[str, ...]
    first_answer: str
    image_prompt: str | None
    picture_spec: dict[str, Any] | None  # of a rendered picture, with its data
    answer_from: dict[str, Any] | None  # how the answer follows from that data
    skill: str | None  # that it practises, as its proposal states it
    contrast: bool  # asks the opposite, so that it isn't lost
    frontier: str | None
    created_at: datetime
    job_id: int | None
    width: int | None
    height: int | None
    dataset_title: str | None
    answer_form: str | None
    metric: Metric | None
    group: str  # of review_queue.shortfalls
    cluster: str | None


@dataclass(frozen=True)
class Card(CardText):
    """All that a reviewer sees of a sample; `blind` and `disputed` are set by blinding.cards."""

    verdicts: list[CardVerdict] = field(default_factory=list)
    drawings: list[CardDrawing] = field(default_factory=list)
    events: list[CardEvent] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    origin: Origin | None = None
    siblings: list[Sibling] = field(default_factory=list)
    computed: Check | None = None  # the answer held against the spec's data; None: nothing to compute
    blind: bool = False
    disputed: bool = False


def cards(store: Store, sample_ids: Sequence[int]) -> list[Card]:
    """The cards of samples in the order asked for; those that there are not are left out."""
    ids = list(sample_ids)
    if not ids:
        return []
    texts = {text.sample_id: text for text in store.rows("review_cards", CardText, sample_ids=ids)}
    verdicts = _by_sample(store.rows("review_verdicts", CardVerdict, sample_ids=ids))
    drawings = _by_sample(store.rows("review_drawings", CardDrawing, sample_ids=ids))
    events = _by_sample(store.rows("review_events", CardEvent, sample_ids=ids))
    revisions = _by_sample(store.rows("review_revisions", Revision, sample_ids=ids))
    origins = {origin.sample_id: origin for origin in store.rows("review_origins", Origin, sample_ids=ids)}
    failures = sorted({text.failure_id for text in texts.values() if text.failure_id is not None})
    siblings = _by(store.rows("review_siblings", Sibling, failure_ids=failures) if failures else [], "failure_id")
    return [
        Card(
            **vars(text),
            verdicts=verdicts[sample_id],
            drawings=drawings[sample_id],
            events=events[sample_id],
            revisions=revisions[sample_id],
            origin=origins.get(sample_id),
            siblings=[other for other in siblings[text.failure_id] if other.sample_id != sample_id],
            computed=_computed(text),
        )
        for sample_id in ids
        if (text := texts.get(sample_id))
    ]


def _computed(text: CardText) -> Check | None:
    if text.picture_spec is None or text.answer_from is None:
        return None
    spec, expression = PictureSpec.model_validate(text.picture_spec), AnswerFrom.model_validate(text.answer_from)
    return check(expression, spec, text.answer, text.choices)


def _by_sample(rows: Iterable[T]) -> defaultdict[int | None, list[T]]:
    return _by(rows, "sample_id")


def _by(rows: Iterable[T], name: str) -> defaultdict[int | None, list[T]]:
    groups: defaultdict[int | None, list[T]] = defaultdict(list)
    key = attrgetter(name)
    for row in rows:
        groups[key(row)].append(row)
    return groups
