"""The chart of the Finetune page: loss and held-out loss by step."""

from curation.ui.shared.chart_theme import ACCENT, GOOD, Figure, figure


def loss() -> Figure:
    """Training loss by step, as it is and smoothed, and held-out loss: three traces without points.

    The browser puts the points in as the run reports them (finetune/loss_curve.js): a poll brings new steps, not all of them again.
    """
    import plotly.graph_objects as go

    return figure(
        go.Scatter(name="training loss", mode="lines", line={"width": 1, "color": ACCENT}, opacity=0.35, hovertemplate="%{y:.4f}"),
        go.Scatter(name="smoothed", mode="lines", line={"width": 2, "color": ACCENT}, hovertemplate="%{y:.4f}"),
        go.Scatter(name="held-out loss", mode="lines+markers", line={"width": 2, "color": GOOD}, hovertemplate="%{y:.4f}"),
        label="Training loss and held-out loss by step",
        file="loss",
        height=280,
        hovermode="x unified",
        xaxis={"title": {"text": "step"}, "unifiedhovertitle": {"text": "step %{x:,d}"}, "showgrid": False, "zeroline": False},
        yaxis={"title": {"text": "loss"}, "nticks": 6},
    )
