"""The Results page: what the round's money bought, and how the next budget should be split."""

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field

from curation.results import budget_split, gain_per_dollar
from curation.results.budget_split import AcceptedSplit, SplitShown
from curation.results.gain_per_dollar import Returns
from curation.ui.results.routes import Pair, both
from curation.ui.services import services

router = APIRouter(prefix="/api/results")


class Wanted(Pair):
    total: int = Field(default=300, ge=1, le=1_000_000, description="Samples to split over the error types.")


class Accept(Wanted):
    quotas: dict[str, int]


@router.post("/returns")
def returns(request: Request, body: Pair) -> Returns:
    """Gain per dollar by cluster."""
    store = services(request).store
    try:
        return gain_per_dollar.returns(store, *both(store, body), body.score)
    except ValueError as nothing:
        raise HTTPException(409, str(nothing)) from nothing


@router.post("/split")
def split(request: Request, body: Wanted) -> SplitShown:
    """The recommended split of the next samples, and the accepted one."""
    store = services(request).store
    standing = budget_split.accepted(store)
    try:
        return SplitShown(recommended=budget_split.recommend(store, *both(store, body), body.total), reason=None, accepted=standing)
    except (ValueError, budget_split.BadSplit) as nothing:
        return SplitShown(recommended=None, reason=str(nothing), accepted=standing)


@router.post("/split/accept")
def accept(request: Request, body: Accept) -> AcceptedSplit:
    """Keeps a split, as recommended or edited, for the launches of generate that follow."""
    here = services(request)
    recommended = budget_split.recommend(here.store, *both(here.store, body), body.total)
    return budget_split.accept(here.store, recommended, body.quotas, here.reviewer(request))


@router.post("/split/clear")
def clear(request: Request) -> SplitShown:
    """Launches of generate go without quotas again."""
    here = services(request)
    budget_split.clear(here.store, here.reviewer(request))
    return SplitShown(recommended=None, reason=None, accepted=budget_split.accepted(here.store))
