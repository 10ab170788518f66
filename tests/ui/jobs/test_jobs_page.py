"""The Jobs page: its routes on a seeded store with real jobs beside, and the page in Chromium."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.charts import Chart, check
from tests.support.seed import seeded_store
from tests.support.trivial_stages import stage_class

BEGAN = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
BROKEN = "Sure! Here are <b>{{samples}}</b> ${1+1}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("jobs") / "seeded", 60, samples=20)
    replies = [
        {"key": f"k{i}", "job_id": 2, "endpoint": "pocket-teacher", "model": model, "purpose": "blind", "body": BROKEN, "cost_usd": cost}
        for i, (model, cost) in enumerate([("priced", 0.25), ("priced", 0.5), ("other", None)])
    ]
    with store.write() as write:
        tokens = {"prompt_tokens": 100, "completion_tokens": 10}
        write.insert("reply", [{**reply, **tokens, "created_at": BEGAN + i * timedelta(minutes=20)} for i, reply in enumerate(replies)])
        write.insert("row_error", [{"job_id": 2, "key": "f9", "error": "not JSON", "reply": "k0"}])
        write.insert(
            "job",
            [{"stage": "draw", "options": {"steps": 4}, "round": 1, "lane": "gpu", "status": "paused", "total": 9, "author": "grace"}],
        )
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store
    store.close()


@pytest.fixture(scope="module")
def post(world):
    client = TestClient(world[0], base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})

    def ask(name, expect=200, **body):
        answer = client.post(f"/api/jobs/{name}", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    return ask


def test_jobs_are_listed_newest_first_and_counted_as_they_are_filtered(post):
    everything = post("page")
    ids = [job["job_id"] for job in everything["jobs"]]
    assert ids == sorted(ids, reverse=True) and len(ids) == everything["total"] == sum(everything["statuses"].values())
    for stage, count in everything["stages"].items():
        shown = post("page", stage=stage)
        assert {job["stage"] for job in shown["jobs"]} == {stage} and shown["total"] == count == len(shown["jobs"])
    assert [job["author"] for job in post("page", status="paused")["jobs"]] == ["grace"]
    assert post("page", status="paused", stage="evaluate")["jobs"] == []
    assert post("page", offset=len(ids))["jobs"] == []


def test_spend_keeps_what_has_no_price_apart(post):
    spend = {row["model"]: row for row in post("page")["spend"]}
    assert (spend["priced"]["usd"], spend["priced"]["unpriced"], spend["priced"]["calls"]) == (0.75, 0, 2)
    assert (spend["other"]["usd"], spend["other"]["unpriced"]) == (None, 1)
    job = next(job for job in post("page")["jobs"] if job["job_id"] == 2)
    assert (job["calls"], job["unpriced"]) == (3, 1)


def test_the_detail_has_errors_with_raw_replies(post):
    shown = post("detail", job_id=2)
    assert [(error["key"], error["reply"]) for error in shown["errors"]] == [("f9", BROKEN)]
    assert shown["made"]["diagnoses"] > 0 and sum(row["calls"] for row in shown["calls"]) == 3
    assert "there is no job 999" in post("detail", expect=404, job_id=999)["error"]


def test_a_real_job_tells_its_events_and_log(store, workspace):
    jobs = JobManager(store, workspace, stage_class)
    app = create_app(workspace, store, jobs, Settings(), headless=True)
    client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})
    job_id = jobs.launch("double", {"count": 6, "refused": [2]}, "ada")
    jobs.wait(job_id, 240)
    shown = client.post("/api/jobs/detail", json={"job_id": job_id}).json()
    kinds = [event["event"] for event in shown["events"]]
    assert kinds[0] == "launched" and kinds[-1] == "end" and "progress" not in kinds
    assert [(error["key"], error["error"]) for error in shown["errors"]] == [("2", "refused")]
    jobs.shutdown()


def test_the_page_shows_and_stops_jobs(world):
    executable()
    app, store = world
    with served(app) as address, chromium(f"{address}/?page=jobs&job=2") as page:
        page.wait_for_selector("#page-jobs tbody tr.on")
        assert page.locator(".list tbody tr").count() == len(store.rows("jobs", limit=100))
        page.click("text=Raw reply")
        assert BROKEN in page.locator(".problem pre").inner_text()
        page.select_option("select[title=Status]", "paused")
        page.wait_for_function("() => document.querySelectorAll('.list tbody tr').length === 1")
        page.click("[data-deeds] >> text=Cancel")
        page.click("dialog >> text=Cancel the job")
        page.wait_for_selector("text=No matching jobs")
    assert [row["status"] for row in store.rows("jobs", limit=1)] == ["cancelled"]


def test_spend_over_time_adds_up_in_the_readers_time(world, post):
    chart = post("spend_over_time", zone="Asia/Tokyo")
    diagnose, everything = chart["data"]
    paid = dict(zip(diagnose["x"], diagnose["y"]))
    assert diagnose["name"] == "diagnose" and diagnose["y"] == everything["y"] == sorted(diagnose["y"]) and diagnose["y"][0] == 0
    assert (paid["2026-07-01T17:30:00"], paid["2026-07-01T17:49:50"], paid["2026-07-01T17:50:00"]) == (0.25, 0.25, 0.75)
    assert post("spend_over_time", zone="Nowhere/At all")["layout"]["xaxis"]["title"]["text"] == "time (UTC)"


@pytest.mark.timeout(600)
def test_spend_over_time_is_drawn(world):
    executable()
    with served(world[0]) as address, chromium(f"{address}/?page=jobs&tab=spend") as page:
        chart = Chart(page, "#page-jobs [data-spend]")
        assert [trace["name"] for trace in chart.traces()] == ["diagnose", "all"]
        assert "$0.75" in chart.hover(0.998, 0.5)
        assert page.locator("#page-jobs [data-spend] >> text=Not in the chart: 1 unpriced call").count() == 1
        check(chart, "spend-over-time")


def test_nothing_priced_draws_no_chart(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=20)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})
    assert client.post("/api/jobs/spend_over_time", json={}).json() is None
    store.close()
