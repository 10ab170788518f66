"""The Experiments page: what a plan says, what is launched, and in Chromium an experiment as it is read."""

import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.charts import Chart
from tests.support.experiments import drawn_experiment
from tests.support.page_api import PageApi, client_of
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("experiments") / "seeded", 300, samples=60)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    job_id = drawn_experiment(store, diverged=("targeted", 2))
    yield app, store, job_id
    store.close()


def test_a_plan_says_what_each_arm_has_and_what_generating_the_rest_takes(world):
    api = PageApi(world[0], "experiments")
    shown = api("plan", options={"n": 500, "arms": ["real", "targeted", "untargeted"]})
    short = {arm["arm"]: arm["short"] for arm in shown["plan"]["arms"]}
    assert short["untargeted"] == 500 and short["targeted"] > 400
    assert "too few samples for N = 500" in shown["obstacle"]
    ahead = shown["generation"]
    assert [batch["source"] for batch in ahead["batches"]] == ["targeted", "untargeted"]
    assert ahead["calls"] > 500 and ahead["usd"][0] <= ahead["usd"][1] and not ahead["billed"] and ahead["obstacle"] is None
    assert all(batch["asked"] > batch["missing"] for batch in ahead["batches"])
    fits = api("plan", options={"n": 5, "arms": ["none", "real", "targeted"], "lower_n": True})
    assert fits["obstacle"] is None and fits["plan"]["samples"] == 5 and fits["generation"]["batches"] == []
    only_real = api("plan", options={"n": 100_000, "arms": ["real"]})
    assert "+N real can't be generated: these are train examples" in only_real["generation"]["obstacle"]
    mixed = api("plan", options={"n": 100_000, "arms": ["real", "untargeted"]})  # nothing is bought for what could not be run after it
    assert "+N real can't be generated" in mixed["generation"]["obstacle"]
    assert "can't be generated" in api("start", 409, options={"n": 100_000, "arms": ["real", "untargeted"]}, generation={})["error"]


def test_bad_options_are_refused_by_name(world):
    api = PageApi(world[0], "experiments")
    assert "unknown arm 'reel'" in api("plan", 422, options={"arms": ["reel"]})["error"]
    assert "too few samples" in api("start", 409, options={"n": 500, "arms": ["untargeted"]})["error"]
    answer = client_of(world[0]).get("/api/experiments/4711/report")
    assert answer.status_code == 404 and "there is no experiment 4711" in answer.json()["error"]


def test_the_documents_are_downloads(world):
    app, _, job_id = world
    client = client_of(app)
    page = client.get(f"/api/experiments/{job_id}/report.html")
    assert page.headers["content-type"].startswith("text/html") and f"experiment-{job_id}.html" in page.headers["content-disposition"]
    text = client.get(f"/api/experiments/{job_id}/report.md").text
    assert text.startswith(f"# Experiment {job_id}: pocket-llava") and "+N targeted" in text
    assert client.get(f"/api/experiments/{job_id}/written?form=markdown").json()["content"] == text


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (1024, "light"), (390, "light"), (390, "dark")])
def test_an_experiment_is_read_in_the_browser(world, width, scheme, tmp_path):
    executable()
    app, _, job_id = world
    with served(app) as address, chromium(f"{address}/?page=experiments", width, 900, scheme) as page:
        page.wait_for_selector(f"#page-experiments [data-title]:has-text('Experiment {job_id}')", state="attached")
        page.wait_for_selector("#page-experiments td:has-text('+N untargeted')", state="attached")
        page.wait_for_selector("#page-experiments .chip:has-text('0.')")  # the run that diverged
        differences = Chart(page, "#page-experiments [data-main]", 0)
        assert "+N targeted" in [name for trace in differences.traces() for name in trace["y"]]
        room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert room[0] <= room[1]
        page.screenshot(path=str(tmp_path / f"experiments-{width}-{scheme}.png"))
        if (width, scheme) == (1440, "light"):
            page.click("#page-experiments [data-main] td:has-text('+N untargeted')")
            page.wait_for_url("**arm=untargeted**")
            page.wait_for_function("document.querySelector('#page-experiments .charts').textContent.includes('+N untargeted less')")
            page.fill("#exp-n", "200")
            page.wait_for_selector("#page-experiments .err:has-text('too few samples for N = 200')")
            page.wait_for_selector("#page-experiments button:has-text('Generate and start')")
            page.click("#page-experiments button:has-text('Generate and start')")
            page.wait_for_selector("dialog:has-text('Generate what is missing first?')")
            page.keyboard.press("Escape")


@pytest.mark.timeout(600)
def test_the_report_is_read_without_a_server(world, tmp_path):
    executable()
    app, _, job_id = world
    path = tmp_path / "report.html"
    path.write_bytes(client_of(app).get(f"/api/experiments/{job_id}/report.html").content)
    with chromium("file:///", width=1200) as page:  # its own folder is no other host
        page.goto(path.as_uri())
        page.wait_for_selector("#differences svg.main-svg")
        assert page.locator("svg.main-svg").count() >= 4
        page.screenshot(path=str(tmp_path / "report.png"), full_page=True)
