"""The theme of charts: every colour is a token of the style sheet, and plotly.js is fetched where a chart is drawn, nowhere else."""

import json
import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from curation.calibration.curves import Tally
from curation.config import Settings
from curation.costs.spend import SpendStep
from curation.jobs.manager import JobManager
from curation.results.lines import Line
from curation.results.side_by_side import Cell, GroupRow
from curation.stages import stage_class
from curation.statistics.intervals import wilson
from curation.ui.calibration import charts as calibration
from curation.ui.finetune import charts as finetune
from curation.ui.jobs import charts as jobs
from curation.ui.results import charts as results
from curation.ui.server.app import create_app
from curation.ui.server.pages import PAGES
from curation.ui.server.static_files import FOLDER
from curation.ui.shared import chart_theme
from tests.support.browser import chromium, executable, served
from tests.support.seed import seeded_store

TOKENS = (FOLDER / "shared/tokens.css").read_text(encoding="utf-8")
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\(", re.IGNORECASE)


def example() -> chart_theme.Figure:
    return chart_theme.figure(
        go.Bar(x=["<b>a</b>", "b"], y=[1, 2], name=chart_theme.plain("<i>run</i> & 2")),
        label="Two bars",
        file="bars",
        height=200,
        barmode="stack",
    )


def line(name: str, before: float, after: float, low: float, high: float, p: float, p_holm: float | None = None) -> Line:
    balanced = {"balanced_before": before, "balanced_after": after, "balanced_difference": after - before, "balanced_majority": 0.25}
    about = {
        "majority": 0.5,
        "balanced_low": low,
        "balanced_high": high,
        "answers": 4,
        "learnt": None,
        "fixed": 9,
        "broken": 1,
        "p_holm": p_holm,
    }
    return Line(name, 40, 40, 40, 40, before, after, after - before, low, high, p, 0.1, **balanced, **about)


OVERALL = line("overall", 0.5, 0.7, 0.1, 0.3, 0.001)
GROUPS = [
    line("counting", 0.25, 0.75, 0.25, 0.75, 0.0001, 0.0002),
    line("spatial", 0.75, 0.5, -0.5, -0.01, 0.01, 0.02),
    line("<b>other</b>", 0.5, 0.5, -0.25, 0.25, 1.0, 1.0),
]
STEPS = [
    SpendStep(1000.0, "generate", 0.25),
    SpendStep(1000.0, "filter", 0.5),
    SpendStep(1060.0, "generate", 1.0),
    SpendStep(1120.0, "no job", 2.0),
]
TALLY = Tally("at_least", 3, [1, 2, 3], [0, 5, 6, 40], [0, 4, 2, 20], [0, 0, 1, 0])


def differences() -> chart_theme.Figure:
    return results.differences(OVERALL, GROUPS, "base", "run <1>")


def accuracies() -> chart_theme.Figure:
    return results.accuracies(OVERALL, GROUPS, "base", "run <1>")


def several() -> chart_theme.Figure:
    cells = [Cell(0.5, 0.4, None, None, None, None, None), Cell(0.7, 0.6, 0.2, 0.1, 0.3, 0.01, "skill")]
    rows = [GroupRow(name, 40, 40, 0.5, 0.25, cells) for name in ("overall", "counting")]
    return results.side_by_side(rows[0], rows[1:], ["base", "run <1>"], "error_type")


def spend() -> chart_theme.Figure:
    return jobs.spend_over_time(STEPS, 60.0, ZoneInfo("Europe/Berlin"))


def by_score() -> chart_theme.Figure:
    return calibration.by_score("judge", TALLY)


def by_threshold() -> chart_theme.Figure:
    return calibration.by_threshold("judge", TALLY)


@pytest.mark.parametrize("made", [example, finetune.loss, differences, accuracies, several, spend, by_score, by_threshold])
def test_a_figure_is_valid_and_its_colours_are_tokens_of_both_themes(made):
    figure = made()
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    go.Figure(figure)  # plotly knows every name and value in it
    text = json.dumps(figure)
    light, dark = TOKENS.split('[data-theme="dark"]')
    for token in set(re.findall(r"var\((--[\w-]+)\)", text)):
        assert f"{token}:" in light and (f"{token}:" in dark or token == "--sans"), token
    assert not COLOUR.search(text)
    assert figure["layout"]["meta"]["label"] and figure["layout"]["meta"]["file"] and figure["layout"]["height"]


def test_the_forest_holds_each_difference_with_its_interval_by_what_is_shown_of_it():
    traces = {trace["name"]: trace for trace in differences()["data"]}
    assert {name: trace["y"] for name, trace in traces.items()} == {
        "gained": ["overall", "counting"],
        "lost": ["spatial"],
        "not shown": ["<b>other</b>"],
    }
    gained = traces["gained"]
    assert gained["x"] == pytest.approx([0.2, 0.5])
    assert gained["error_x"]["array"] == pytest.approx([0.1, 0.25]) and gained["error_x"]["arrayminus"] == pytest.approx([0.1, 0.25])
    assert traces["lost"]["customdata"][0][2:] == ["−0.250 [−0.500, −0.010]", "p = 0.02 after Holm's correction"]
    assert traces["not shown"]["customdata"][0][0] == "&lt;b&gt;other&lt;/b&gt;"


def test_accuracies_are_joined_pairs():
    joined, before, after, majority = accuracies()["data"]
    assert majority["x"] == [0.5] * 4 and majority["y"] == before["y"]
    assert (before["name"], after["name"]) == ("base", "run &lt;1&gt;")
    assert before["x"] == [0.5, 0.25, 0.75, 0.5] and after["x"] == [0.7, 0.75, 0.5, 0.5]
    assert joined["x"][:6] == [0.5, 0.7, None, 0.25, 0.75, None]


def test_spend_adds_up_stage_by_stage_in_the_readers_time():
    figure = spend()
    sums = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert sums == {
        "generate": [0, 0.25, 1.25, 1.25, 1.25],
        "filter": [0, 0.5, 0.5, 0.5, 0.5],
        "no job": [0, 0, 0, 2, 2],
        "all": [0, 0.75, 1.75, 3.75, 3.75],
    }
    assert figure["data"][0]["x"][1] == "1970-01-01T01:16:40" and "Europe/Berlin" in figure["layout"]["xaxis"]["title"]["text"]


def test_calibration_charts_hold_shares_with_wilsons_limits():
    bars, passes, fails = by_score()["data"]
    assert bars["x"] == ["1", "2", "3"] and bars["y"] == [5, 6, 40]
    assert (passes["x"], passes["y"], fails["x"]) == (["3"], [1.0], ["1", "2"])
    low, high = wilson(2, 3)
    assert (fails["error_y"]["arrayminus"][1], fails["error_y"]["array"][1]) == pytest.approx((2 / 3 - low, high - 2 / 3))
    rates = {trace["name"]: trace for trace in by_threshold()["data"] if "name" in trace}
    assert rates["precision"]["y"] == pytest.approx([26 / 27, 22 / 23, 1.0])
    assert rates["false-negative rate"]["y"] == pytest.approx([0, 4 / 26, 6 / 26])


def test_what_plotly_does_not_know_is_refused():
    with pytest.raises(ValueError, match="barmod"):
        chart_theme.figure(label="", file="", height=100, barmod="stack")


def test_tags_in_a_name_are_text():
    assert example()["data"][0]["name"] == "&lt;i&gt;run&lt;/i&gt; &amp; 2"


def test_plotly_is_imported_with_the_first_figure_only():
    lines = "import sys, curation.ui.server.app, curation.ui.server.pages as pages; pages.routers(); sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", lines], cwd=Path(__file__).parents[3]).returncode == 0


def test_pages_without_a_chart_do_not_fetch_plotly(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=5)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    charts = {"finetune", "results", "jobs", "calibration"}
    with served(app) as address, chromium(f"{address}/?page=failures") as page:
        for name in [page_.name for page_ in PAGES if page_.name not in charts]:
            page.goto(f"{address}/?page={name}")
            page.wait_for_selector(f"#page-{name}.on .hd b")
            page.wait_for_load_state("networkidle")
            assert not page.evaluate("performance.getEntriesByType('resource').filter(one => one.name.includes('plotly')).length"), name
    store.close()
