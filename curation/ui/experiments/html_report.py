"""A report as one HTML file that needs no network: plotly.js and the figures stand in it, in the light colours of the pages."""

import importlib.resources
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from curation.experiments.analysis import Report
from curation.experiments.markdown import METHOD, change
from curation.ui.experiments import charts
from curation.ui.shared.chart_theme import Figure

HERE = Path(__file__).parent
TOKENS = HERE.parent / "shared" / "tokens.css"


def written(report: Report) -> str:
    """The page; whatever datasets, kinds or checkpoints are called is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    templates.filters["change"] = change
    drawn = charts.charts(report)
    return templates.get_template("report.html.jinja").render(
        report=report,
        shown=charts.shown_arm(report),
        method=METHOD,
        charts=list(drawn),
        data=painted(drawn),
        plotly=plotly_script(),
        written_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def painted(drawn: dict[str, Figure]) -> str:
    """The figures as JSON for a script, each token as the colour that it stands for in the light theme."""
    values = light_tokens()
    text = json.dumps(drawn, ensure_ascii=False)
    text = re.sub(r'"var\((--[\w-]+)\)"', lambda match: json.dumps(values.get(match[1], "#888")), text)
    return text.replace("<", "\\u003c")  # nothing in it can end the script or begin another


@cache
def light_tokens() -> dict[str, str]:
    """The values of the light theme, by token."""
    light = TOKENS.read_text(encoding="utf-8").partition("html:root {")[2].partition("}")[0]
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", light))


def plotly_script() -> str:
    path = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
