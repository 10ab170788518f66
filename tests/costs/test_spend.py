"""What was spent: tables against numbers worked out by hand, a job that meets its cap and goes on, and the Spend view in Chromium."""

from datetime import UTC, datetime

import pytest

from curation.config import Settings
from curation.costs import spend
from curation.jobs.job_folder import JobFolder, JobSpec
from curation.jobs.manager import JobConflict, JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from models.frontier import Journal
from models.paid_calls.ledger import ChargeLost, Claim, Release
from tests.support.browser import chromium, executable, served
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store

pytestmark = pytest.mark.timeout(600)
TEACHER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}


def reply(key, job_id, usd, purpose="p", **more):
    row = {"key": key, "job_id": job_id, "endpoint": "e", "model": "m", "purpose": purpose, "body": "{}", "cost_usd": usd}
    counts = {"prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 40}
    return {**row, **counts, "created_at": datetime.now(UTC), **more}


@pytest.fixture
def booked(store):
    """Two failures in a cluster and one in none; three samples of one reply and one of another; a drawing job and a filter job."""
    job = {"options": {}, "round": 1, "lane": "api", "status": "done", "total": 4, "done": 4, "author": "ada"}
    stages = ("diagnose", "generate", "draw", "filter", "diagnose")
    with store.write() as write:
        ids = sorted(write.insert("job", [{**job, "stage": stage, "round": 1 + (i == 4)} for i, stage in enumerate(stages)], "job_id"))
        diagnose, generate, draw, judge, later = ids
        write.insert("dataset", [{"name": "d", "metric": "exact", "threshold": 0.5, "prompt_suffix": "", "answer_form": ""}])
        example = {"dataset": "d", "split": "train", "image": "aa", "question": "?", "choices": [], "golds": ["2"]}
        examples = sorted(write.insert("example", [{**example, "external_id": str(i)} for i in range(3)], "example_id"))
        prediction = {"checkpoint_id": 1, "answer": "3", "strict": 0.0, "lenient": 0.0}
        predictions = sorted(write.insert("prediction", [{**prediction, "example_id": e} for e in examples], "prediction_id"))
        failure = {"checkpoint_id": 1, "round": 1}
        rows = [{**failure, "prediction_id": p, "example_id": e} for p, e in zip(predictions, examples)]
        failures = sorted(write.insert("failure", rows, "failure_id"))
        write.insert("diagnosis", [{"failure_id": f, "replies": [f"b{f}", f"d{f}"], "job_id": diagnose} for f in failures])
        (cluster,) = write.insert(
            "cluster", [{"round": 1, "error_type": "counting", "title": "Many", "job_id": 1, "name": "0"}], "cluster_id"
        )
        place = {"cluster_id": cluster, "x": 0.0, "y": 0.0, "job_id": 1}
        write.insert("place", [{**place, "failure_id": f} for f in failures[:2]])
        write.insert("reply", [reply(f"{kind}{f}", diagnose, 0.01) for f in failures for kind in "bd"])
        sample = {
            "round": 1,
            "dataset": "d",
            "error_type": "counting",
            "question": "How many?",
            "choices": [],
            "answer": "2",
            "job_id": generate,
        }
        made = [
            {**sample, "route": "new_image", "image_prompt": "p", "seed": i, "failure_id": failures[0], "replies": ["g1"]} for i in range(3)
        ]
        made += [{**sample, "route": "same_image", "image_prompt": None, "seed": None, "failure_id": failures[2], "replies": ["g2", "g3"]}]
        samples = sorted(write.insert("sample", [{**row, "key": str(i)} for i, row in enumerate(made)], "sample_id"))
        write.insert("reply", [reply("g1", generate, 0.30), reply("g2", generate, 0.05), reply("g3", generate, None)])
        drawing = {"image": "bb", "generator": "g", "seed": 1, "recipe": {}, "job_id": draw}
        write.insert("drawing", [{**drawing, "sample_id": s} for s in samples[:2]])
        write.insert("reply", [reply(f"w{i}", draw, 0.04) for i in range(2)])
        verdict = {"revision": 0, "version": 1, "score": 3.0, "reason": "", "job_id": judge}
        write.insert("verdict", [{**verdict, "sample_id": s, "filter": f} for s in samples[:2] for f in ("judge", "agreement")])
        write.insert("reply", [reply(f"j{i}", judge, 0.02) for i in range(4)] + [reply("later", later, 1.0), reply("test", None, 0.5)])
        write.insert(
            "lost_call", [{"position": 1, "key": "x", "job_id": judge, "endpoint": "e", "model": "m", "purpose": "p", "worst_usd": 0.7}]
        )
        write.touch(samples)
        review = {"sample_id": samples[0], "revision": 0, "action": "approve", "reviewer": "ada", "event_id": "e1"}
        write.insert("review", [review])
        write.touch(samples)
    return store, generate


def test_rounds_stages_and_what_an_approved_sample_has_cost(booked):
    store, _ = booked
    rounds = {row.round: row for row in spend.overview(store, 1).rounds}
    assert set(rounds) == {0, 1, 2} and (rounds[1].samples, rounds[1].approved) == (4, 1)
    stages = {row.stage: row for row in rounds[1].stages}
    assert {name: row.usd for name, row in stages.items()} == pytest.approx(
        {"diagnose": 0.06, "generate": 0.35, "draw": 0.08, "filter": 0.08}
    )
    assert rounds[1].per_approved == pytest.approx(0.57) and stages["generate"].unpriced == 1
    assert (stages["filter"].lost, stages["filter"].lost_usd, stages["filter"].calls) == (1, 0.7, 4)
    assert stages["filter"].cached_tokens == 160
    assert rounds[2].usd == 1.0 and rounds[2].per_approved is None and rounds[0].usd == 0.5


def test_clusters_get_their_share_and_nothing_is_lost_or_doubled(booked):
    store, _ = booked
    many, none = spend.overview(store, 1).clusters
    assert (many.title, many.failures, many.samples, many.approved) == ("Many", 2, 3, 1)
    parts = [getattr(many, f"{part}_usd") for part in ("diagnose", "generate", "draw", "filter")]
    assert parts == pytest.approx([0.04, 0.30, 0.08, 0.08]) and many.per_approved == pytest.approx(0.50)
    assert none.title == "in no cluster" and none.usd == pytest.approx(0.02 + 0.05) and none.per_approved is None
    assert many.usd + none.usd == pytest.approx(0.57)


def test_replies_that_several_diagnoses_stand_on_were_paid_once(booked):
    store, _ = booked
    first, _, third = (row["failure_id"] for row in store.rows("failure_ids", round=1))
    with store.write() as write:  # diagnosed again by replies of the journal; one of them answers two failures
        write.insert("diagnosis", [{"failure_id": f, "replies": [f"b{first}", f"d{f}"], "job_id": 99} for f in (first, third)])
    many, none = spend.overview(store, 1).clusters
    assert (many.failures, none.failures) == (2, 1)
    assert many.diagnose_usd == pytest.approx(0.035) and none.diagnose_usd == pytest.approx(0.025)


def test_a_generate_job_tells_what_its_samples_have_cost(booked):
    store, job_id = booked
    spent = spend.of_generated(store, job_id)
    assert spent.approved == 1 and spent.per_approved == pytest.approx(0.30 + 0.05 + 0.08 + 0.08)


def test_lost_calls_are_copied_once(store, workspace):
    journal = Journal(workspace.journal)
    claim = Claim("k", "h|1|1.0|x", "e", "m", "judge", "5", 0.25, None)
    journal.apply([claim, ChargeLost(claim, "timed out"), Release(claim)])
    for _ in range(2):  # an app that starts again
        jobs = JobManager(store, workspace, stage_class)
        jobs._collector.copy_replies()
        jobs._collector.copy_replies()
        jobs._collector.close()
    (row,) = store.rows("job_calls_by_model", job_id=5)
    assert (row["calls"], row["lost"], row["lost_usd"], row["usd"]) == (0, 1, 0.25, None)
    journal.close()


@pytest.fixture(scope="module")
def capped(tmp_path_factory):
    """A diagnose job that has met its cap, and what it was estimated to cost."""
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("capped") / "seeded", 40, samples=10)
    jobs = JobManager(store, workspace, stage_class)
    options = {**TEACHER, "again": True, "limit": 24, "concurrency": 2, "budget_usd": 0.004}
    estimate = jobs.estimate("diagnose", options)
    job_id = jobs.launch("diagnose", options, "ada")
    jobs.wait(job_id, 240)
    yield store, workspace, jobs, job_id, estimate.usd
    jobs.shutdown()
    store.close()


def test_a_cap_holds_across_resumes_and_nothing_is_paid_or_counted_twice(capped):
    store, workspace, jobs, job_id, (low, high) = capped
    executable()
    job = jobs.get(job_id)
    assert job.status == "paused" and "budget of $0.0040 is reached" in job.message and 0 < job.spend_usd <= 0.004
    jobs.resume(job_id)  # the same cap: it asks for nothing more
    again = jobs.wait(job_id, 240)
    assert again.status == "paused" and again.spend_usd <= 0.004
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    with served(app) as address, chromium(f"{address}/?page=jobs&job={job_id}") as page:
        page.wait_for_selector("#page-jobs .money >> text=of $0.00")
        page.fill("#page-jobs [aria-label='Cap in dollars']", "5")
        page.click("#page-jobs .btn:text-is('Set and resume')")
        page.wait_for_selector("#page-jobs .money >> text=of $5.00")
        page.wait_for_selector("#page-jobs dl >> text=done")
        page.keyboard.press("s")
        page.wait_for_selector("#page-jobs .round >> text=per approved sample")
        page.wait_for_selector("#page-jobs [data-spend] >> text=pocket-teacher")
        page.keyboard.press("s")
        page.wait_for_selector("#page-jobs .list tbody tr")
    job = jobs.get(job_id)
    assert (job.status, job.done) == ("done", 24) and job.options["budget_usd"] == 5
    journal = Journal(workspace.journal)
    spent, in_flight = journal.spent_usd(str(job_id))
    calls = sum(row.calls for row in journal.spend(str(job_id)))
    journal.close()
    assert job.spend_usd == pytest.approx(spent) and in_flight == 0
    assert low < spent < high, "replies are as short as their schema lets them be"
    asked = {row.purpose: row.calls for row in spend.overview(store, 1).by_model if row.stage == "diagnose"}
    assert asked["diagnosis"] == 24 and 20 <= asked["blind"] <= 24 and sum(asked.values()) == calls  # failures alike share a blind answer


def test_a_cap_is_not_changed_under_way_or_where_there_is_none(capped):
    store, workspace, jobs, job_id, _ = capped
    api = PageApi(create_app(workspace, store, jobs, Settings(), headless=True), "jobs")
    assert "done" in api("budget", 409, job_id=job_id, usd=1)["error"]
    with store.write() as write:
        rest = {"stage": "evaluate", "options": {}, "round": 1, "lane": "gpu", "status": "paused", "total": 9, "author": "grace"}
        (other,) = write.insert("job", [rest], "job_id")
    folder = JobFolder(jobs.workspace.job(other))
    folder.folder.mkdir(parents=True)
    folder.write_spec(JobSpec(job_id=other, stage="evaluate", options={}, workspace=workspace.root, total=9))
    with pytest.raises(JobConflict, match="no cap"):
        jobs.set_budget(other, 1.0)
    assert "usd" in api("budget", 422, job_id=job_id, usd=-1)["error"]
