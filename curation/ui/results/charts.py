"""The charts of the Results page: differences with their intervals, accuracy before and after, several checkpoints side by side."""

from collections.abc import Sequence

from curation.results.eval_set import Grouping
from curation.results.lines import Line
from curation.results.side_by_side import GroupRow
from curation.ui.shared.chart_theme import (
    ACCENT,
    BAD,
    FAINT,
    GOOD,
    INK,
    LINE_STRONG,
    PANEL,
    SERIES,
    WARN,
    Figure,
    error_bars,
    figure,
    plain,
)

ROW = 29  # pixels
SURE = 0.05  # p-values below it are called a difference
LEGEND = 19  # pixels of a further line of the legend
MOST_ROWS = 40  # groups that a chart draws; the table has them all
LONGEST = 34  # characters of a row's name beside the chart
TITLES: dict[Grouping, str] = {"dataset": "dataset", "error_type": "error type", "kind": "kind", "cluster": "cluster", "slice": "slice"}


def both(overall: Line, groups: Sequence[Line], before: str, after: str, by: Grouping) -> dict[str, Figure]:
    """The two charts of a comparison, of its largest groups."""
    largest = groups[:MOST_ROWS]
    return {
        "differences": differences(overall, largest, before, after, TITLES[by]),
        "accuracies": accuracies(overall, largest, before, after, TITLES[by]),
    }


def differences(overall: Line, groups: Sequence[Line], before: str, after: str, by: str = "error type") -> Figure:
    """A forest plot: after minus before, a row a group, with the 95 % interval. Colour says whether Holm's p-value is below 0.05."""
    import plotly.graph_objects as go

    lines = [overall, *groups]
    kinds = (("gained", GOOD, _gained), ("lost", BAD, _lost), ("not shown", FAINT, lambda line: not _gained(line) and not _lost(line)))
    traces = [
        go.Scatter(
            name=name,
            mode="markers",
            x=[line.difference for line in members],
            y=[line.name for line in members],
            error_x=error_bars([(line.difference, line.low, line.high) for line in members], colour),
            marker={"color": colour, "size": 9},
            customdata=[_told(line) for line in members],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>",
        )
        for name, colour, belongs in kinds
        if (members := [line for line in lines if belongs(line)])
    ]
    low, high = min(-0.05, *(line.low for line in lines)), max(0.05, *(line.high for line in lines))
    return figure(
        *traces,
        label=f"Difference in accuracy by {by}, with 95 % intervals",
        file=f"difference by {by} {before} {after}",
        height=_height(lines),
        hovermode="closest",
        hoverdistance=ROW,
        showlegend=True,
        xaxis={
            "title": {"text": "difference in accuracy, 95 % interval"},
            "range": [low - 0.02, high + 0.02],
            "zerolinewidth": 2,
            "nticks": 7,
        },
        yaxis=_rows(lines),
    )


def accuracies(overall: Line, groups: Sequence[Line], before: str, after: str, by: str = "error type") -> Figure:
    """Accuracy before and after, a row a group: two marks, joined by a line; a stroke where the majority answer stands."""
    import plotly.graph_objects as go

    lines = [overall, *groups]
    names = [line.name for line in lines]
    joined = [value for line in lines for value in (line.before, line.after, None)]
    about = {"customdata": [_told(line) for line in lines], "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>"}
    hollow = {"color": PANEL, "size": 9, "line": {"color": INK, "width": 1.6}}
    return figure(
        go.Scatter(
            x=joined,
            y=[name for name in names for _ in range(3)],
            mode="lines",
            line={"color": LINE_STRONG, "width": 3},
            hoverinfo="skip",
            showlegend=False,
        ),
        go.Scatter(name=plain(before), x=[line.before for line in lines], y=names, mode="markers", marker=hollow, **about),
        go.Scatter(
            name=plain(after), x=[line.after for line in lines], y=names, mode="markers", marker={"color": ACCENT, "size": 10}, **about
        ),
        _majority([line.majority for line in lines], names),
        label=f"Accuracy by {by}: {before} and {after}",
        file=f"accuracy by {by} {before} {after}",
        showlegend=True,
        height=_height(lines) + 2 * LEGEND,
        hovermode="closest",
        hoverdistance=ROW,
        xaxis={"title": {"text": "accuracy"}, "range": [-0.02, 1.02], "dtick": 0.25, "zeroline": False},
        yaxis=_rows(lines),
    )


def side_by_side(overall: GroupRow, groups: Sequence[GroupRow], names: Sequence[str], by: Grouping) -> Figure:
    """Accuracy of several checkpoints, a row a group and a colour a checkpoint; a stroke where the majority answer stands."""
    import plotly.graph_objects as go

    rows = [overall, *groups[:MOST_ROWS]]
    places = [row.name for row in rows]
    traces = [
        go.Scatter(
            name=plain(name),
            mode="markers",
            x=[row.cells[i].accuracy for row in rows],
            y=places,
            marker={"color": SERIES[i % len(SERIES)], "size": 9, "symbol": ("circle", "diamond", "square")[i // len(SERIES) % 3]},
            customdata=[[plain(row.name), f"{plain(name)}: {row.cells[i].accuracy:.3f} on {row.items:,} items"] for row in rows],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
        )
        for i, name in enumerate(names)
    ]
    return figure(
        *traces,
        _majority([row.majority for row in rows], places),
        label=f"Accuracy by {TITLES[by]}: {', '.join(names)}",
        file=f"accuracy by {TITLES[by]} {' '.join(names)}",
        height=_height(rows) + LEGEND * len(traces),
        hovermode="closest",
        hoverdistance=ROW,
        showlegend=True,
        xaxis={"title": {"text": "accuracy"}, "range": [-0.02, 1.02], "dtick": 0.25, "zeroline": False},
        yaxis=_rows(rows),
    )


def _majority(rates: Sequence[float], names: Sequence[str]) -> object:
    """Upright strokes at what always giving the most frequent answer would reach."""
    import plotly.graph_objects as go

    return go.Scatter(
        name="majority answer",
        mode="markers",
        x=list(rates),
        y=list(names),
        marker={"symbol": "line-ns", "size": 13, "line": {"color": WARN, "width": 2}},
        hovertemplate="majority answer %{x:.3f}<extra></extra>",
    )


def _p(line: Line) -> float:
    return line.p if line.p_holm is None else line.p_holm


def _gained(line: Line) -> bool:
    return _p(line) < SURE and line.difference > 0


def _lost(line: Line) -> bool:
    return _p(line) < SURE and line.difference < 0


def _told(line: Line) -> list[str]:
    """What stands beside the pointer: name, accuracies, difference, p-value."""
    p = f"p = {line.p:.2g}" if line.p_holm is None else f"p = {line.p_holm:.2g} after Holm's correction"
    items = f"{line.items:,} item{'s' if line.items != 1 else ''}"
    change = f"{_signed(line.difference)} [{_signed(line.low)}, {_signed(line.high)}]"
    balanced = f"balanced by answer {line.balanced_before:.3f} → {line.balanced_after:.3f}, majority answer {line.majority:.3f}"
    return [plain(line.name), f"{line.before:.3f} → {line.after:.3f} on {items}<br>{balanced}", change, p]


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _height(lines: Sequence[Line] | Sequence[GroupRow]) -> int:
    return 84 + ROW * len(lines)


def _rows(lines: Sequence[Line] | Sequence[GroupRow]) -> dict[str, object]:
    """The axis of groups, the first above; zooming goes along the other axis."""
    names = [line.name for line in lines]
    return {
        "categoryorder": "array",
        "categoryarray": names,
        "tickvals": names,
        "ticktext": [f"<b>{plain(name)}</b>" if i == 0 else plain(_short(name)) for i, name in enumerate(names)],
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "fixedrange": True,
        "tickfont": {"color": INK, "size": 12},
    }


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
