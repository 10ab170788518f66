"""The Finetune page: its routes on a seeded store, then a run in Chromium that is launched, cancelled, resumed, and one that fails."""

import re
import uuid

import pytest

from curation import checkpoints
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.results import comparison
from curation.stages import stage_class
from curation.training.plan import FinetuneOptions, training_mix
from curation.ui.server.app import create_app
from models.finetune import RECIPES
from tests.support.browser import chromium, executable, served
from tests.support.charts import Chart, check
from tests.support.page_api import PageApi
from tests.support.scripted_training import CRASHES, STAGES, STEPS
from tests.support.seed import seeded_store

SEEDED = 7  # the seeded finetune's job


class Api(PageApi):
    def __init__(self, store, workspace, stages=None):
        self.store, self.workspace = store, workspace
        self.jobs = JobManager(store, workspace, stages.__getitem__) if stages else JobManager(store, workspace, stage_class)
        super().__init__(create_app(workspace, store, self.jobs, Settings(reviewer="ada"), headless=True), "finetune")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("finetune") / "seeded", 120, samples=120)
    yield Api(store, workspace)
    store.close()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_plan_is_what_a_launch_would_freeze(seeded, share):
    plan = seeded("plan", options={"replay_share": share})
    samples, _, replay = training_mix(seeded.store, 1, checkpoints.find(seeded.store), FinetuneOptions(replay_share=share))
    assert (plan["samples"], plan["replay"]) == (len(samples), replay) and plan["reason"] is None
    for facet in ("error_type", "route", "dataset", "status"):
        assert sum(row["samples"] for row in plan[facet]) == plan["samples"]
    assert plan["steps"] == RECIPES["pocket"].epochs * -(-(len(samples) + replay) // 16)


def test_what_cannot_be_launched_says_why(seeded):
    assert "'run 1' exists" in seeded("plan", options={"name": "run 1"})["reason"]
    assert "there are: pocket" in seeded("plan", options={"recipe": "grand"})["reason"]
    assert "no checkpoint 'gone'" in seeded("plan", options={"checkpoint": "gone"})["reason"]
    assert "replay_share" in seeded("plan", 422, options={"replay_share": 1})["error"]
    assert "name" in seeded("plan", 422, options={"name": "../elsewhere"})["error"]  # it becomes a folder's


def test_nothing_approved_is_said_with_what_waits(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 30, samples=20)
    with store.write() as write:
        for number, row in enumerate(store.rows("samples_to_train", round=1)):
            review = {"sample_id": row["sample_id"], "revision": row["revision"], "action": "reject", "reason": None}
            write.insert("review", [{**review, "reviewer": who, "event_id": f"no-{number}-{who}"} for who in ("ada", "grace")])
        write.touch_all()
    api = Api(store, workspace)
    assert api("plan")["samples"] == 0 and "Review samples" in api("plan")["reason"]
    assert api("choices")["waiting"]["pending"] > 0
    store.close()


def test_the_leak_gate_counts_approved_samples_that_fail_the_filter(seeded):
    leaks = seeded("plan")["leaks"]
    leaking = set(seeded.store.column("samples_matching", failing=["leakage"]))
    approved = {row["sample_id"] for row in seeded.store.rows("samples_to_train", round=1)}
    assert leaks["leaking"] == len(leaking & approved)


def test_runs_show_the_difference_that_results_show(seeded):
    run = next(run for run in seeded("runs") if run["job_id"] == SEEDED)
    before, after = (checkpoints.find(seeded.store, name) for name in ("pocket-llava", "run 1"))
    overall = comparison.compare(seeded.store, before, after).overall
    assert (run["parent"], run["checkpoint"]) == ("pocket-llava", "run 1")
    assert {name: run["measured"][name] for name in ("before", "after", "difference", "low", "high")} == {
        name: getattr(overall, name) for name in ("before", "after", "difference", "low", "high")
    }


def test_one_run_and_jobs_that_are_none(seeded):
    run = seeded("run")
    assert run["job"]["job_id"] == SEEDED and run["checkpoint"] == "run 1" and run["chain"] == []
    assert "there is no job 99" in seeded("run", 404, job_id=99)["error"]
    assert "generate" in seeded("run", 404, job_id=4)["error"]


@pytest.mark.timeout(900)
def test_a_run_is_launched_watched_cancelled_resumed_and_listed(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / uuid.uuid4().hex, 60, samples=60)
    jobs = JobManager(store, workspace, lambda name: STAGES.get(name) or stage_class(name))
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    here = "#page-finetune"
    with served(app) as address, chromium(f"{address}/?page=finetune&then=0") as page:
        page.wait_for_selector(f"{here} .snap .num")
        page.fill("#fine-name", "run 1")
        page.wait_for_selector(f"{here} .mix >> text=exists already")
        assert page.locator(f"{here} [data-launch] .btn").is_disabled()
        page.fill("#fine-name", "second run (b)")
        page.wait_for_selector(f"{here} [data-launch] .btn:not([disabled])")
        page.locator(f"{here} .snap").click()
        page.keyboard.press("b")
        page.wait_for_selector(f"{here} [data-launch] .btn:focus")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"{here} .checks >> text=3 of 41 learn")
        chart = Chart(page, here)
        page.click(f"{here} [data-run-actions] >> text=Cancel")
        page.wait_for_selector(f"{here} [data-run-actions] >> text=Resume")
        job_id = store.rows("jobs", limit=1)[0]["job_id"]
        assert store.row("job", job_id=job_id)["status"] == "cancelled"
        page.click(f"{here} [data-run-actions] >> text=Resume")
        page.wait_for_selector(f"{here} [data-runs] >> text=second run (b)")
        page.wait_for_selector(f"{here} [data-figures] >> text={STEPS} of {STEPS}")
        page.wait_for_function(f"document.querySelector('{here} .js-plotly-plot').data[0].x.length === {STEPS}")
        loss, smoothed, held_out = chart.traces()
        assert loss["x"] == smoothed["x"] == list(range(1, STEPS + 1))  # none twice, though the run was stopped in between
        assert held_out["x"] == [20, 40, 60]
        shown = chart.hover(0.55, 0.5)
        step = int(re.search(r"step (\d+)", shown)[1])
        assert f"training loss : {loss['y'][step - 1]:.4f}" in shown and f"smoothed : {smoothed['y'][step - 1]:.4f}" in shown
        check(chart, "loss-run-2")
        assert page.locator(f"{here} [data-runs] tbody tr").count() == 2
    assert store.row("checkpoint_by_name", name="second run (b)")["adapter"]
    jobs.shutdown()
    store.close()


@pytest.mark.timeout(900)
def test_a_run_that_failed_says_why_in_plain_sight(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / uuid.uuid4().hex, 40, samples=40)
    jobs = JobManager(store, workspace, STAGES.__getitem__)
    job_id = jobs.launch("finetune", {"seed": CRASHES}, "ada")
    assert jobs.wait(job_id, 240).failed == 1
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address, chromium(f"{address}/?page=finetune&job={job_id}", 1024, 768, "dark") as page:
        page.wait_for_selector("#page-finetune .checks .chip.no")
        page.wait_for_selector("#page-finetune [data-run], #page-finetune [data-log] >> text=every label is masked <b>here</b>")
    jobs.shutdown()
    store.close()
