"""What follows a job by itself, with real child processes: on, past steps without work, after a stop, and after a restart."""

import pytest
from pydantic import ValidationError

from curation.jobs import chains
from curation.jobs.chains import Step
from curation.jobs.manager import JobManager
from curation.stage import UnknownStage
from tests.jobs.test_manager import PATIENCE, wait_for
from tests.support.trivial_stages import stage_class

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def jobs(store, workspace):
    made = JobManager(store, workspace, stage_class, grace=60)
    yield made
    made.shutdown()


def double(count=2, **options):
    return Step(stage="double", options={"count": count, **options})


def view(store, job_id):
    return [(step.stage, step.status, (step.note or "").partition(":")[0]) for step in chains.view(store, job_id)]


def all_done(store, count):
    rows = store.rows("jobs", limit=10)
    return len(rows) == count and all(row["status"] == "done" for row in rows)


def test_steps_follow_one_after_the_other(jobs, store):
    first = jobs.launch("double", {"count": 3}, "ann", [double(), Step(stage="gpu_double", options={"count": 4})])
    assert view(store, first) == [("double", None, ""), ("gpu_double", None, "")]
    wait_for(lambda: all_done(store, 3))
    assert view(store, first) == [("double", "done", ""), ("gpu_double", "done", "")]
    last, second, _ = store.rows("jobs", limit=3)
    assert (second["author"], second["total"], last["stage"], last["total"]) == ("ann", 2, "gpu_double", 4)
    assert second["started_at"] >= store.row("job", job_id=first)["ended_at"]


def test_a_step_without_work_is_passed_over_and_said(jobs, store):
    first = jobs.launch("double", {"count": 1}, "ann", [double(0), Step(stage="gpu_double", options={"count": 1})])
    wait_for(lambda: all_done(store, 2))
    assert view(store, first) == [("double", "skipped", "double"), ("gpu_double", "done", "")]
    lonely = jobs.launch("double", {"count": 1}, "ann", [double(0)])
    wait_for(lambda: chains.of(store, lonely).note)
    assert view(store, lonely) == [("double", None, "double")]
    assert "no numbers" in chains.of(store, lonely).note


def test_a_job_that_was_stopped_keeps_its_chain_until_it_is_done(jobs, store):
    first = jobs.launch("double", {"count": 200, "seconds": 0.05}, "ann", [double()])
    wait_for(lambda: store.row("job", job_id=first)["done"] > 2)
    jobs.pause(first)
    assert jobs.wait(first, PATIENCE).status == "paused"
    assert len(store.rows("jobs", limit=9)) == 1
    jobs.resume(first)
    wait_for(lambda: all_done(store, 2))


def test_a_retry_is_followed_again(jobs, store):
    first = jobs.launch("double", {"count": 8, "bad_once": [3]}, "ann", [double()])
    wait_for(lambda: all_done(store, 2))
    jobs.retry_errors(first)
    wait_for(lambda: all_done(store, 3))
    assert chains.of(store, first).next == 3


def test_a_chain_that_a_crash_cut_off_is_taken_up_at_the_next_start(jobs, store):
    """The app went down between the end of a job and the launch of the next."""
    first = jobs.launch("double", {"count": 1}, "ann")
    jobs.wait(first, PATIENCE)
    with store.write() as write:
        write.insert("setting", [chains.row(first, [double()], "ann")])
    jobs.resume_after_restart()
    wait_for(lambda: all_done(store, 2))
    jobs.resume_after_restart()
    assert len(store.rows("jobs", limit=9)) == 2


def test_a_wrong_step_is_refused_before_anything_is_launched(jobs, store):
    with pytest.raises(ValidationError):
        jobs.launch("double", {"count": 1}, "ann", [Step(stage="double", options={"count": "many"})])
    with pytest.raises(UnknownStage):
        jobs.launch("double", {"count": 1}, "ann", [Step(stage="nonsense")])
    assert not store.rows("jobs", limit=9) and not list((jobs.workspace.root / "jobs").iterdir())
