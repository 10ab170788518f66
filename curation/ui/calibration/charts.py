"""The charts of the Calibration page, two for each filter: approval by score, and precision and false-negative rate by threshold."""

from collections.abc import Callable, Sequence

from curation.calibration.curves import Bin, Point, Tally, approval_by_score, rates_by_threshold
from curation.statistics.intervals import Interval
from curation.ui.shared.chart_theme import ACCENT, BAD, FAINT, GOOD, LINE, Figure, error_bars, figure

HEIGHT = 152
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}
LOW, HIGH = -0.03, 1.06  # of the axis of shares
SHARE = {"range": [LOW, HIGH], "tickvals": [0, 0.5, 1], "tickformat": ".0%", "zeroline": False}


def by_score(filter_name: str, tally: Tally) -> Figure:
    """Share of samples that people approve by score, with 95 % intervals, green where the filter passes; bars: samples with such scores."""
    import plotly.graph_objects as go

    bins = approval_by_score(tally)
    names = [group.name for group in bins]
    bars = go.Bar(
        name="samples",
        x=names,
        y=[group.scored for group in bins],
        yaxis="y2",
        marker={"color": LINE},
        hovertemplate="%{y:,} samples<extra></extra>",
    )
    dots = [
        _dots(name, colour, members)
        for name, colour, passes in (("passes", GOOD, True), ("fails", BAD, False))
        if (members := [group for group in bins if group.passes is passes and group.approval])
    ]
    most = 1.7 * max(group.scored for group in bins)
    return figure(
        bars,
        *dots,
        label=f"Share that reviewers approve by score of {filter_name}",
        file=f"approval by score of {filter_name}",
        height=HEIGHT,
        margin=MARGIN,
        showlegend=False,
        hovermode="x unified",
        xaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names,
            "title": {"text": "score"},
            "tickangle": 0,
            **_ends(names),
        },
        yaxis={**SHARE, "title": {"text": "approved"}, "overlaying": "y2", "side": "left"},
        yaxis2={"visible": False, "side": "right", "range": [most * LOW / HIGH, most], "fixedrange": True},
    )


def by_threshold(filter_name: str, tally: Tally) -> Figure:
    """Precision and false-negative rate at each threshold with 95 % intervals; the vertical line is the threshold that is set."""
    points = rates_by_threshold(tally)
    set_here = {"type": "line", "x0": tally.threshold, "x1": tally.threshold, "yref": "paper", "y0": 0, "y1": 1}
    return figure(
        *_curve("precision", ACCENT, "var(--accent-bg)", points, lambda point: point.precision),
        *_curve("false-negative rate", BAD, "var(--bad-bg)", points, lambda point: point.miss_rate),
        label=f"Precision and false-negative rate by threshold of {filter_name}",
        file=f"precision and false-negative rate of {filter_name}",
        height=HEIGHT,
        margin=MARGIN,
        showlegend=False,
        hovermode="x unified",
        shapes=[{**set_here, "line": {"color": FAINT, "width": 1, "dash": "dot"}}],
        xaxis={
            "title": {"text": "at least" if tally.comparison == "at_least" else "at most"},
            "nticks": 5,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis=SHARE,
    )


def _dots(name: str, colour: str, bins: Sequence[Bin]) -> object:
    import plotly.graph_objects as go

    shares = [group.approval for group in bins if group.approval]
    return go.Scatter(
        name=name,
        x=[group.name for group in bins],
        y=[share.value for share in shares],
        error_y=error_bars([(share.value, share.low, share.high) for share in shares], colour, 1.5),
        mode="markers",
        marker={"color": colour, "size": 7},
        customdata=[[group.approved, group.labels, share.low, share.high] for group, share in zip(bins, shares)],
        hovertemplate="%{y:.1%} of %{customdata[1]:,} labels<br>95 %: %{customdata[2]:.1%} to %{customdata[3]:.1%}<extra></extra>",
    )


def _curve(name: str, colour: str, band: str, points: Sequence[Point], rate: Callable[[Point], Interval | None]) -> list[object]:
    """A line and the band of its intervals, without the thresholds where no label tells."""
    import plotly.graph_objects as go

    known = [(point.threshold, interval) for point in points if (interval := rate(point))]
    at = [threshold for threshold, _ in known]
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return [
        go.Scatter(x=at, y=[interval.low for _, interval in known], **edge),
        go.Scatter(x=at, y=[interval.high for _, interval in known], fill="tonexty", fillcolor=band, **edge),
        go.Scatter(
            name=name,
            x=at,
            y=[interval.value for _, interval in known],
            mode="lines+markers" if len(at) < 8 else "lines",
            line={"color": colour, "width": 1.8},
            marker={"size": 5},
            customdata=[[interval.low, interval.high] for _, interval in known],
            hovertemplate="%{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})",
        ),
    ]


def _ends(names: Sequence[str]) -> dict[str, object]:
    """Labels of the first and the last score only, where there is no room for all."""
    return {} if len(names) <= 4 else {"tickvals": [names[0], names[-1]]}
