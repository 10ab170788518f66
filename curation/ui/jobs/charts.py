"""The chart of Jobs → Spend: what was spent up to each moment, by stage."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from curation.costs.spend import SpendStep
from curation.ui.shared.chart_theme import INK, SERIES, Figure, figure, plain

PAYING = ("diagnose", "cluster", "generate", "draw", "filter", "compare_prompts", "no job")  # each keeps its colour


def spend_over_time(steps: Sequence[SpendStep], seconds: float, zone: ZoneInfo) -> Figure:
    """Cumulative spend in dollars, stages on top of each other, and their sum. A step is `seconds` wide, times are of `zone`."""
    import plotly.graph_objects as go

    first, last = min(step.begins for step in steps), max(step.begins for step in steps)
    begins = [first + number * seconds for number in range(-1, round((last - first) / seconds) + 2)]  # all: the pointer finds each
    times = [datetime.fromtimestamp(moment, zone).replace(tzinfo=None).isoformat() for moment in begins]
    stages = sorted({step.stage for step in steps}, key=lambda stage: (PAYING.index(stage) if stage in PAYING else len(PAYING), stage))
    sums = {stage: _cumulative(begins, [step for step in steps if step.stage == stage]) for stage in stages}
    shape = {"shape": "hv", "width": 0}
    areas = [
        go.Scatter(
            name=plain(stage.replace("_", " ")),
            x=times,
            y=sums[stage],
            stackgroup="spend",
            line={**shape, "color": (colour := _colour(stage))},
            fillcolor=colour,
            hovertemplate="%{y:$,.4~f}",
        )
        for stage in stages
    ]
    total = go.Scatter(
        name="all",
        x=times,
        y=_cumulative(begins, steps),
        mode="lines",
        line={"shape": "hv", "width": 1.6, "color": INK},
        hovertemplate="<b>%{y:$,.4~f}</b>",
    )
    return figure(
        *areas,
        total,
        label="Spend over time by stage",
        file="spend over time",
        height=250,
        hovermode="x unified",
        showlegend=True,
        xaxis={"title": {"text": f"time ({zone.key})"}, "type": "date", "showgrid": False},
        yaxis={"title": {"text": "spend, USD"}, "tickprefix": "$", "rangemode": "tozero", "nticks": 6},
    )


def _cumulative(begins: Sequence[float], steps: Sequence[SpendStep]) -> list[float]:
    paid = dict.fromkeys(begins, 0.0)
    for step in steps:
        paid[step.begins] += step.usd
    return [round(value, 6) for value in accumulate(paid[moment] for moment in begins)]


def _colour(stage: str) -> str:
    return SERIES[PAYING.index(stage)] if stage in PAYING else SERIES[-1]
