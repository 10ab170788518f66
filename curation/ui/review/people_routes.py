"""The Review page's people: who reviews what, how fast, and how far they agree."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation.review import assignments, blinding, reviewer_agreement
from curation.review import queue as review_queue
from curation.review.assignments import Assigned, AssignmentShown, AssignPreview, Reassigned
from curation.review.reviewer_agreement import Agreement
from curation.ui.services import Services, services

router = APIRouter()
Event = Annotated[str, Field(min_length=8, max_length=64, description="From the browser: sent twice it counts once.")]
Name = Annotated[str, Field(max_length=100)]
IDLE = 120  # seconds between two actions from which on a reviewer was away


class Conditions(BaseModel):
    """Which samples are meant: fields of decisions.SampleFilter; a list holds the values let through, absent means all."""

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


class Matching(Conditions):
    """As a person at a page says it: also by words, and by what they were given."""

    search: str | None = Field(
        default=None, description="Each word must begin a word of question, choices or answer; or phrases in quotes."
    )
    queue: Literal["mine", "done", "audit"] | None = Field(
        default=None, description="What the reviewer was given: still to do, or decided; or what waits for the audit of a rule."
    )

    def given(self, request: Request) -> dict[str, Any]:
        """The parameters of {sample_filter}, for whoever asks: what the words find as a bitmap of ids."""
        here = services(request)
        reviewer = here.reviewer(request)
        chosen = {**self.model_dump(exclude={"queue", "search"}), "found": here.search.samples(self.search)}
        if self.queue == "audit" or (self.queue == "mine" and blinding.queue_blind(here.store, reviewer)):
            chosen |= dict.fromkeys(("statuses", "failing", "failed_bit"))  # to ask by what is hidden would tell it
        if self.queue == "audit":
            return {**chosen, "audited": True}
        if self.queue:
            return {**chosen, "queue_of": reviewer, "queue_done": self.queue == "done"}
        if blinding.everywhere(here.store):
            return {**chosen, "known_to": reviewer, "failing": None, "failed_bit": None}
        return {**chosen, "beside": reviewer} if blinding.queue_blind(here.store, reviewer) else chosen


class Selection(BaseModel):
    matching: Matching = Matching()


class Assign(Selection):
    reviewers: list[Name] = Field(max_length=100)
    copies: int = Field(default=1, ge=1, le=20, description="How many people look at each sample.")
    blind: bool = False
    title: str = Field(default="", max_length=200)
    event_id: Event


class Reassign(BaseModel):
    assignment_id: int
    reviewers: list[Name] = Field(max_length=100)
    event_id: Event


class Blind(BaseModel):
    on: bool


class Target(BaseModel):
    samples: int = Field(ge=1, le=1_000_000)


class Reveal(BaseModel):
    sample_id: int


class Reviewer(BaseModel):
    """How much a reviewer has decided and how fast (only where they decided something), and what they were given."""

    reviewer: str
    decisions: int = 0  # one by one
    bulk: int = 0
    approvals: int = 0
    active_seconds: float = 0
    median_seconds: float | None = None
    timed: int = 0
    last_at: datetime | None = None
    assigned: int = 0
    done: int = 0
    per_hour: float | None = None
    approve_share: float | None = None


class People(BaseModel):
    reviewer: str
    reviewers: list[Reviewer]
    names: list[str]
    logins: bool
    assignments: list[AssignmentShown]
    disputed: int
    blind: bool
    target: int


class BlindSet(BaseModel):
    blind: bool


class TargetSet(BaseModel):
    target: int


class Revealed(BaseModel):
    revealed: int = Field(description="the sample")


@router.post("/people")
def people(request: Request) -> People:
    """Everybody's pace and progress, the assignments, and the names that work may be given to."""
    here = services(request)
    given = assignments.standing(here.store)
    reviewers = {row["reviewer"]: Reviewer(**row) for row in here.store.rows("review_pace", idle=IDLE)}
    for share in (share for assignment in given for share in assignment.progress):
        reviewer = reviewers.setdefault(share.reviewer, Reviewer(reviewer=share.reviewer))
        reviewer.assigned += share.assigned
        reviewer.done += share.done
    for reviewer in reviewers.values():
        _rate(reviewer)
    return People(
        reviewer=here.reviewer(request),
        reviewers=list(reviewers.values()),
        names=sorted({*_logins(here), *reviewers, here.reviewer(request)}),
        logins=here.gate.asks_login,
        assignments=given,
        disputed=sum(row["count"] for row in here.store.rows("sample_statuses") if row["status"] == "disputed"),
        blind=blinding.everywhere(here.store),
        target=review_queue.target(here.store),
    )


@router.post("/agreement")
def agreement(request: Request) -> Agreement:
    return reviewer_agreement.of_workspace(services(request).store)


@router.post("/assign/preview")
def assign_preview(request: Request, body: Selection) -> AssignPreview:
    here = services(request)
    return assignments.preview(here.store, body.matching.given(request))


@router.post("/assign")
def assign(request: Request, body: Assign) -> Assigned:
    here = services(request)
    _known(here, body.reviewers)
    reviewer = here.reviewer(request)
    described = body.matching.model_dump(exclude_none=True)
    given, about = body.matching.given(request), (body.copies, body.blind, body.title)
    return assignments.assign(here.store, given, body.reviewers, *about, author=reviewer, event_id=body.event_id, described=described)


@router.post("/reassign")
def reassign(request: Request, body: Reassign) -> Reassigned:
    here = services(request)
    _known(here, body.reviewers)
    return assignments.reassign(here.store, body.assignment_id, body.reviewers, here.reviewer(request), body.event_id)


@router.post("/blind")
def blind(request: Request, body: Blind) -> BlindSet:
    here = services(request)
    blinding.set_everywhere(here.store, body.on, here.reviewer(request))
    return BlindSet(blind=body.on)


@router.post("/target")
def target(request: Request, body: Target) -> TargetSet:
    here = services(request)
    with here.store.write() as write:
        value = {"samples": body.samples}
        write.insert("setting", [{"name": review_queue.TARGET_SETTING, "value": value, "author": here.reviewer(request)}])
    return TargetSet(target=body.samples)


@router.post("/reveal")
def reveal(request: Request, body: Reveal) -> Revealed:
    """Shows a blind sample before it is decided, so that its dispute can be settled."""
    here = services(request)
    blinding.reveal(here.store, here.reviewer(request), body.sample_id)
    return Revealed(revealed=body.sample_id)


def _logins(here: Services) -> list[str]:
    return list(here.gate.users.all())


def _known(here: Services, names: list[str]) -> None:
    """With logins only those: a name mistyped would keep its share for ever."""
    strangers = [name for name in names if name.strip() not in _logins(here)] if _logins(here) else []
    if strangers:
        raise assignments.BadAssignment(f"no login {', '.join(map(repr, strangers))}; there are: {', '.join(_logins(here))}")


def _rate(reviewer: Reviewer) -> None:
    """Works out decisions per hour and the share of approvals."""
    hours = reviewer.active_seconds / 3600
    reviewer.per_hour = reviewer.timed / hours if hours else None
    reviewer.approve_share = reviewer.approvals / reviewer.decisions if reviewer.decisions else None
