"""The table of slices on the Failures page, by lift."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation.failures import slices
from curation.failures.selection import rounds_of
from curation.failures.slices import Slice
from curation.ui.services import services

router = APIRouter(prefix="/api/slices")


class OfRounds(BaseModel):
    round: int | list[int] | None = Field(default=None, description="The latest if absent.")
    without_label_errors: bool = False
    least: int = Field(default=slices.SUPPORT, ge=slices.SUPPORT, description="Examples that a slice must have.")
    most: int = Field(default=200, ge=1, le=1000, description="Rows of the answer.")


class SliceTable(BaseModel):
    """Slices by the lower bound of their lift."""

    compared: int = Field(description="slices in all")
    rows: list[Slice]


@router.post("/table")
def table(request: Request, body: OfRounds) -> SliceTable:
    store = services(request).store
    rows = [row for row in slices.of_rounds(store, rounds_of(store, body.round), body.without_label_errors) if row.examples >= body.least]
    return SliceTable(compared=len(rows), rows=rows[: body.most])
