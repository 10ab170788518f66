"""The charts of an experiment: what each arm gains, by kind of question too, and accuracy from the checkpoint to the arms."""

from collections.abc import Sequence

from curation.experiments import arms
from curation.experiments.analysis import Group, GroupArm, Report
from curation.statistics.intervals import Difference
from curation.ui.shared.chart_theme import ACCENT, BAD, FAINT, GOOD, INK, LINE_STRONG, SERIES, Figure, error_bars, figure, plain

ROW = 29  # pixels
SURE = 0.05  # p-values below it are called a difference
SHOWN_FIRST = ("targeted", "targeted_same", "targeted_new", "untargeted", "unfiltered", "real_failures", "real", "replay")


def charts(report: Report, arm: str | None = None) -> dict[str, Figure]:
    """All charts of a report; `arm` is the one that is shown by kind. A chart that there is nothing for is left out."""
    shown = shown_arm(report, arm)
    drawn = {"accuracies": accuracies(report)}
    if report.reference or report.base:
        drawn["differences"] = differences(report)
        if shown:
            drawn["kinds"] = kinds(report, shown)
    if report.base and shown:
        drawn["slopes"] = slopes(report, shown)
    return drawn


def shown_arm(report: Report, arm: str | None = None) -> str | None:
    """The arm that charts by kind show: the one that was asked for, else a targeted one, of those that were measured."""
    measured = [each.arm for each in report.overall.arms]
    against = report.reference or report.base
    return next((name for name in (arm, *SHOWN_FIRST) if name in measured and name != against), None)


def accuracies(report: Report) -> Figure:
    """Accuracy of each run, a row an arm; the mean of those that count as a line across. Diverged ones are hollow."""
    import plotly.graph_objects as go

    rows = [arm for arm in report.arms if arm.runs]
    means = {each.arm: each.accuracy for each in report.overall.arms}
    runs = [(arm, run) for arm in rows for run in arm.runs if run.accuracy is not None]
    traces = [
        go.Scatter(
            name=name,
            mode="markers",
            x=[run.accuracy for _, run in members],
            y=[arm.title for arm, _ in members],
            marker=marker,
            customdata=[[plain(arm.title), run.seed, run.diverged or ""] for arm, run in members],
            hovertemplate="<b>%{customdata[0]}</b>, seed %{customdata[1]}: %{x:.3f}<br>%{customdata[2]}<extra></extra>",
        )
        for name, marker, members in (
            ("run", {"color": ACCENT, "size": 8, "opacity": 0.75}, [pair for pair in runs if not pair[1].diverged]),
            ("diverged, not counted", {"color": BAD, "size": 8, "symbol": "x-thin-open"}, [pair for pair in runs if pair[1].diverged]),
        )
        if members
    ]
    mean = go.Scatter(
        name="mean",
        mode="markers",
        x=[means[arm.arm] for arm in rows if arm.arm in means],
        y=[arm.title for arm in rows if arm.arm in means],
        marker={"symbol": "line-ns-open", "size": 18, "color": INK, "line": {"width": 2}},
        hovertemplate="<b>%{y}</b>: mean %{x:.3f}<extra></extra>",
    )
    majority = {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "x0": report.overall.majority,
        "x1": report.overall.majority,
    }
    return figure(
        *traces,
        mean,
        label="Accuracy of each arm and seed",
        file=f"accuracies of experiment {report.job_id}",
        height=_height(len(rows)),
        hovermode="closest",
        showlegend=True,
        shapes=[{**majority, "line": {"color": LINE_STRONG, "width": 1.5, "dash": "dot"}}],
        xaxis={"title": {"text": "accuracy (dotted: always the majority answer)"}, "zeroline": False},
        yaxis=_rows([arm.title for arm in rows]),
    )


def differences(report: Report) -> Figure:
    """A forest plot: each arm's difference to the reference (else to the checkpoint), with the 95 % interval."""
    against = report.reference or report.base or ""
    lines = [(arms.BY_NAME[each.arm].title, change, change.p) for each in report.overall.arms if (change := _change(report, each))]
    title = f"difference to {arms.BY_NAME[against].title}, 95 % interval"
    return _forest(lines, title, f"Difference in accuracy of each arm to {against}", f"differences of experiment {report.job_id}")


def kinds(report: Report, arm: str) -> Figure:
    """A forest plot by kind of question of one arm; colour by Holm's p-value."""
    against = report.reference or report.base or ""
    lines = []
    for group in [report.overall, *report.by_kind]:
        each = _of(group, arm)
        if each and (change := _change(report, each)):
            lines.append((group.name, change, change.p if each.p_holm is None else each.p_holm))
    title = f"{arms.BY_NAME[arm].title} less {arms.BY_NAME[against].title}, 95 % interval"
    return _forest(
        lines, title, f"Difference of {arm} to {against} by kind", f"differences by kind of experiment {report.job_id} {arm}", True
    )


def slopes(report: Report, arm: str) -> Figure:
    """Accuracy by kind from the checkpoint to the reference and the arm: a line a kind."""
    import plotly.graph_objects as go

    stops = [name for name in dict.fromkeys((report.base, report.reference, arm)) if name]
    traces = []
    for i, group in enumerate(report.by_kind):
        values = [each.accuracy for name in stops if (each := _of(group, name))]
        about = f"<b>{plain(group.name)}</b><br>%{{x}}: %{{y:.3f}}<br>{group.items:,} items, majority {group.majority:.2f}<extra></extra>"
        traces.append(
            go.Scatter(
                name=plain(group.name),
                x=[arms.BY_NAME[name].title for name in stops],
                y=values,
                mode="lines+markers",
                line={"color": SERIES[i % len(SERIES)], "width": 2, "dash": ("solid", "dot", "dash")[i // len(SERIES) % 3]},
                marker={"size": 7},
                hovertemplate=about,
            )
        )
    return figure(
        *traces,
        label=f"Accuracy by kind: {', '.join(stops)}",
        file=f"slopes of experiment {report.job_id} {arm}",
        height=420,
        hovermode="closest",
        showlegend=True,
        legend={"orientation": "v", "x": 1.02, "xanchor": "left", "y": 1, "yanchor": "top", "font": {"size": 11}},
        xaxis={"type": "category", "range": [-0.15, len(stops) - 0.85]},
        yaxis={"title": {"text": "accuracy"}, "range": [-0.03, 1.03], "dtick": 0.25},
    )


def _forest(lines: Sequence[tuple[str, Difference, float]], title: str, label: str, file: str, first_is_all: bool = False) -> Figure:
    import plotly.graph_objects as go

    sort = {
        "gained": (GOOD, [line for line in lines if line[2] < SURE and line[1].value > 0]),
        "lost": (BAD, [line for line in lines if line[2] < SURE and line[1].value < 0]),
        "not shown": (FAINT, [line for line in lines if line[2] >= SURE or line[1].value == 0]),
    }
    traces = [
        go.Scatter(
            name=name,
            mode="markers",
            x=[change.value for _, change, _ in members],
            y=[row for row, _, _ in members],
            error_x=error_bars([(change.value, change.low, change.high) for _, change, _ in members], colour),
            marker={"color": colour, "size": 9},
            customdata=[[plain(row), _told(change), f"p = {p:.2g}"] for row, change, p in members],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
        )
        for name, (colour, members) in sort.items()
        if members
    ]
    low, high = min([-0.02, *(change.low for _, change, _ in lines)]), max([0.02, *(change.high for _, change, _ in lines)])
    return figure(
        *traces,
        label=label,
        file=file,
        height=_height(len(lines)),
        hovermode="closest",
        hoverdistance=ROW,
        showlegend=True,
        xaxis={"title": {"text": title}, "range": [low - 0.01, high + 0.01], "zerolinewidth": 2, "nticks": 7},
        yaxis=_rows([row for row, _, _ in lines], first_is_all),
    )


def _change(report: Report, each: GroupArm) -> Difference | None:
    return each.to_reference if report.reference else each.to_base


def _of(group: Group, arm: str) -> GroupArm | None:
    return next((each for each in group.arms if each.arm == arm), None)


def _told(change: Difference) -> str:
    return f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]".replace("-", "−")


def _height(rows: int) -> int:
    return 96 + ROW * rows


def _rows(names: Sequence[str], first_bold: bool = False) -> dict[str, object]:
    """The axis of rows, the first above; zooming goes along the other axis."""
    return {
        "categoryorder": "array",
        "categoryarray": list(names),
        "tickvals": list(names),
        "ticktext": [f"<b>{plain(name)}</b>" if first_bold and i == 0 else plain(name) for i, name in enumerate(names)],
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "fixedrange": True,
        "tickfont": {"color": INK, "size": 12},
    }
