"""The theme of charts: every colour is a token of the style sheet, and plotly.js is fetched where a chart is drawn, nowhere else."""

import json
import re
import subprocess
import sys
from pathlib import Path

import plotly.graph_objects as go
import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.finetune import figures as finetune
from curation.ui.server.app import create_app
from curation.ui.server.pages import PAGES
from curation.ui.server.static_files import FOLDER
from curation.ui.shared import figures
from tests.support.browser import chromium, executable, served
from tests.support.seed import seeded_store

TOKENS = (FOLDER / "frame/tokens.css").read_text(encoding="utf-8")
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\(", re.IGNORECASE)


def example() -> figures.Figure:
    return figures.figure(
        go.Bar(x=["<b>a</b>", "b"], y=[1, 2], name=figures.plain("<i>run</i> & 2")),
        label="Two bars",
        file="bars",
        height=200,
        barmode="stack",
    )


@pytest.mark.parametrize("made", [example, finetune.loss])
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


def test_what_plotly_does_not_know_is_refused():
    with pytest.raises(ValueError, match="barmod"):
        figures.figure(label="", file="", height=100, barmod="stack")


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
        for name in [one.name for one in PAGES if one.name not in charts]:
            page.goto(f"{address}/?page={name}")
            page.wait_for_selector(f"#page-{name}.on .hd b")
            page.wait_for_load_state("networkidle")
            assert not page.evaluate("performance.getEntriesByType('resource').filter(one => one.name.includes('plotly')).length"), name
    store.close()
