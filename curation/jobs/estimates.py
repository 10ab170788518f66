"""What a launch will take, as pages and the command line show it before."""

from typing import Any

from pydantic import BaseModel, Field

from curation.frontier.options import POCKET_TEACHER, FrontierOptions
from curation.stage import AsksServer, Estimate


class EstimateView(BaseModel):
    """An estimate with what people must know of the server that is asked."""

    rows: int
    calls: int
    usd: tuple[float, float] | None = Field(description="At least and at most; none: it has no price.")
    seconds: float | None = Field(description="None: unknown.")
    detail: dict[str, Any]
    billed: bool = Field(description="False where the built-in teacher is asked, whose prices are pretended.")
    host: str | None = Field(description="The other machine that its calls go to, if they leave this one.")


def view(estimate: Estimate, options: BaseModel) -> EstimateView:
    """The estimate of a launch with these options."""
    sends = isinstance(options, AsksServer) and (estimate.calls > 0 or not options.BY_CALLS)
    return EstimateView(
        rows=estimate.rows,
        calls=estimate.calls,
        usd=estimate.usd,
        seconds=estimate.seconds,
        detail=estimate.detail,
        billed=not (isinstance(options, FrontierOptions) and options.endpoint == POCKET_TEACHER),
        host=options.host() if isinstance(options, AsksServer) and sends else None,
    )
