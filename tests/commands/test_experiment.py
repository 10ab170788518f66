"""`mistakebook experiment` as a user runs it: plan, start, status, report; on a tiny workspace with the built-in models."""

import json

import pytest

from curation.cli import COMMANDS
from data.workspace import Workspace
from tests.commands.test_cli import here, mistakebook  # noqa: F401
from tests.support import loop_world

pytestmark = pytest.mark.timeout(900)
SMALL = ("--arms", "none", "replay", "real", "--n", 6, "--replay", 8, "--steps", 2, "--seeds", 1)


@pytest.fixture
def evaluated(here):  # noqa: F811
    """A workspace whose checkpoint has answered its examples; nobody owns it."""
    world = loop_world.begin(here.root)
    world.job("evaluate", {})
    world.close()
    return here


def test_plan_start_status_and_report(evaluated: Workspace, tmp_path):
    w = ("--workspace", evaluated.name)
    assert "experiment" in COMMANDS
    planned = json.loads(mistakebook("experiment", "plan", *w, *SMALL, "--json").stdout)
    assert planned["obstacle"] is None and planned["plan"]["runs"] == 3
    refused = mistakebook("experiment", "start", *w, "--arms", "real", "targeted", "--n", 6, check=False)
    assert refused.returncode == 1 and "too few samples for N = 6: +N targeted has 0, 6 missing" in refused.stdout
    assert "there is no experiment yet" in mistakebook("experiment", "status", *w).stdout
    nothing = mistakebook("experiment", "report", *w, check=False)
    assert nothing.returncode == 1 and "there is no experiment yet" in nothing.stderr
    unknown = mistakebook("experiment", "plan", *w, "--arms", "reel", check=False)
    assert unknown.returncode == 1 and "--arms: value error, unknown arm 'reel'" in unknown.stderr
    job = json.loads(mistakebook("experiment", "start", *w, *SMALL, "--json").stdout)
    assert (job["status"], job["done"], job["failed"]) == ("done", 3, 0)
    shown = json.loads(mistakebook("experiment", "status", *w, "--json").stdout)
    assert [(row["job_id"], row["status"], row["samples"]) for row in shown] == [(job["job_id"], "done", 6)]
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    report = json.loads(mistakebook("experiment", "report", *w, "--json", "--html", page, "--markdown", text).stdout)
    assert {arm["arm"] for arm in report["overall"]["arms"]} == {"none", "replay", "real"}
    assert report["items"] == 60 and report["done_runs"] == 3
    assert page.stat().st_size > 4_000_000 and text.read_text().startswith(f"# Experiment {job['job_id']}: pocket-llava")
    words = mistakebook("experiment", "report", *w).stdout
    assert "3 of 3 runs done, 60 eval examples" in words and "real" in words
