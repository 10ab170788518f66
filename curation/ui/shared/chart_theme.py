"""The theme of all charts, and how a figure becomes the JSON that the browser draws (shared/chart.js).

Colours and the font are named as the tokens of shared/tokens.css, "var(--accent)": plotly takes them as they stand, and the browser
puts in what each token is in the theme that is shown. So one figure serves light and dark, and no colour is written twice.
plotly is imported with the first figure, not at the start.
"""

import html
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from pydantic import JsonValue

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK, SOFT, FAINT = "var(--ink)", "var(--soft)", "var(--faint)"
ACCENT, GOOD, BAD, WARN = "var(--accent)", "var(--good)", "var(--bad)", "var(--warn)"
LINE, LINE_STRONG, PANEL = "var(--line)", "var(--line-strong)", "var(--panel)"
SERIES = tuple(f"var(--series-{number})" for number in range(1, 8))  # for categories that have no colour of their own

Figure = dict[str, JsonValue]  # {"data": [traces], "layout": {…}}, as plotly.js reads it


@cache
def theme() -> "go.layout.Template":
    """The look of all charts: thin lines, no frame, room above for the legend (left) and the mode bar (right)."""
    import plotly.graph_objects as go

    axis = {
        "automargin": True,
        "gridcolor": LINE,
        "zerolinecolor": LINE_STRONG,
        "linecolor": LINE_STRONG,
        "tickfont": {"color": SOFT, "size": 11},
        "ticklabelstandoff": 4,
        "title": {"font": {"color": SOFT, "size": 11.5}, "standoff": 8},
        "exponentformat": "none",
        "separatethousands": True,
        "spikecolor": LINE_STRONG,
        "spikethickness": 1,
        "spikedash": "solid",
    }
    return go.layout.Template(
        layout={
            "font": {"family": "var(--sans)", "size": 12, "color": INK},
            "paper_bgcolor": PANEL,
            "plot_bgcolor": PANEL,
            "colorway": SERIES,
            "margin": {"l": 8, "r": 12, "t": 30, "b": 8},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "font": {"size": 11.5, "color": SOFT}},
            "hoverlabel": {"bgcolor": PANEL, "bordercolor": LINE_STRONG, "font": {"color": INK, "size": 12}, "align": "left"},
            "modebar": {"bgcolor": PANEL, "color": FAINT, "activecolor": ACCENT},
            "bargap": 0.15,
        }
    )


def error_bars(intervals: Sequence[tuple[float, float, float]], colour: str, thickness: float = 2) -> dict[str, object]:
    """Error bars without caps for plotly, of (value, low, high) for each point."""
    return {
        "type": "data",
        "array": [high - value for value, _, high in intervals],
        "arrayminus": [value - low for value, low, _ in intervals],
        "color": colour,
        "thickness": thickness,
        "width": 0,
    }


def figure(*traces: object, label: str, file: str, height: int, **layout: object) -> Figure:
    """A figure in the theme. `label` is what a screen reader says of it, `file` names what is downloaded, `height` is in pixels.

    What the reader has zoomed to is kept while `file` stays. Raises ValueError for what plotly doesn't know.
    """
    import plotly.graph_objects as go

    about = {"label": label, "file": file}
    made: Figure = go.Figure(traces, {"template": theme(), "height": height, "meta": about, "uirevision": file, **layout}).to_dict()
    return made


def plain(text: str) -> str:
    """Text for a label: plotly would read tags in it."""
    return html.escape(text, quote=False)
