"""Jobs with real child processes: results, bad rows, stopping, resuming, killing, re-attaching."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from curation.jobs import chains
from curation.jobs.child_process import Child
from curation.jobs.job_folder import JobFolder, earlier_results
from curation.jobs.manager import JobConflict, JobManager, UnknownJob
from curation.stage import NothingToDo
from data.files import cut_torn_line, read_lines
from data.processes import Process
from data.store import Store
from tests.support.running_app import is_alive
from tests.support.trivial_stages import STAGES, stage_class

pytestmark = pytest.mark.timeout(600)
PATIENCE = 240  # seconds; a busy machine is no reason to fail


@pytest.fixture
def jobs(store, workspace):
    made = JobManager(store, workspace, stage_class, grace=60)
    yield made
    made.shutdown()


def doubles(store, job_id):
    rows = store.rows("test_doubles", job_id=job_id)
    return {row["example_id"] - 10_000 * job_id: int(row["error_type"]) for row in rows}


@pytest.fixture(autouse=True)
def test_queries(monkeypatch):
    from data import queries

    texts = {**queries._texts(), "test_doubles": "SELECT example_id, error_type FROM kind WHERE job_id = $job_id"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)
    queries.query.cache_clear()


def wait_for(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_job_runs_to_its_end(jobs, store):
    job_id = jobs.launch("double", {"count": 11}, author="ann")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done, job.failed, job.total) == ("done", 11, 0, 11)
    assert job.message == "11 doubled" and job.author == "ann" and job.options["count"] == 11
    assert doubles(store, job_id) == {i: 2 * i for i in range(11)}
    assert job.seconds > 0 and job.ended_at >= job.started_at
    results, _ = read_lines(JobFolder(jobs.workspace.job(job_id)).results, 0)
    assert results[3]["nested"] == {"list": [3, None]}  # Python values came back intact


def test_a_job_of_a_stage_that_is_no_more_is_still_shown(jobs, store):
    job_id = jobs.wait(jobs.launch("double", {"count": 1}, author="ann"), PATIENCE).job_id
    with store.write() as write:
        write.insert("job", [{"stage": "halve", "options": {}, "lane": "api", "status": "done", "total": 1, "author": "ann"}])
    assert (jobs.get(job_id + 1).title, jobs.get(job_id).title) == ("halve", STAGES["double"].title)


def test_a_queued_job_of_a_stage_that_is_no_more_is_paused_and_keeps_nobody_waiting(jobs, store):
    with store.write() as write:
        row = {"stage": "halve", "options": {}, "lane": "gpu", "status": "queued", "total": 1, "author": "ann"}
        (older,) = write.insert("job", [row], returning="job_id")
    assert jobs.wait(jobs.launch("gpu_double", {"count": 1}, author="ann"), PATIENCE).status == "done"
    assert (jobs.get(older).status, jobs.get(older).message) == ("paused", "unknown stage 'halve'")


@pytest.mark.parametrize(
    ("stage", "options", "said"),
    [("halve", {}, "unknown stage 'halve'"), ("double", {"count": "many"}, "options that this version's stage")],
)
def test_a_running_job_that_only_another_version_can_go_on_with_has_failed(store, workspace, stage, options, said):
    """An app of another version was killed while its child worked; the child is found alive and ended."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    process = Process.of(child.pid)
    row = {"stage": stage, "options": options, "lane": "gpu", "status": "running", "total": 1, "author": "ann"}
    with store.write() as write:
        (job_id,) = write.insert("job", [{**row, "pid": process.pid, "pid_started": process.started}], returning="job_id")
    workspace.job(job_id).mkdir(parents=True)
    jobs = JobManager(store, workspace, stage_class)
    jobs.resume_after_restart()
    job = jobs.wait(job_id, PATIENCE)
    assert job.status == "failed" and said in job.message and str(workspace.job(job_id)) in job.message
    assert child.wait(PATIENCE) == -signal.SIGKILL
    assert jobs.wait(jobs.launch("gpu_double", {"count": 1}, author="ann"), PATIENCE).status == "done", "its lane is free"
    jobs.resume(job_id)
    assert jobs.wait(job_id, PATIENCE).status == ("paused" if stage == "halve" else "failed")
    jobs.shutdown()


def test_bad_rows_are_results_and_can_be_retried(jobs, store):
    job_id = jobs.launch("double", {"count": 9, "bad": [1], "bad_once": [5], "refused": [6]}, author="ann")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done, job.failed) == ("done", 6, 3)
    errors = {row["key"]: row["error"] for row in store.rows("row_errors", job_id=job_id, after="", limit=10)}
    assert errors == {"1": "ValueError: bad number 1", "5": "ValueError: bad number 5", "6": "refused"}
    jobs.retry_errors(job_id)
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done, job.failed) == ("done", 7, 2)
    assert {row["key"] for row in store.rows("row_errors", job_id=job_id, after="", limit=10)} == {"1", "6"}
    assert doubles(store, job_id) == {i: 2 * i for i in (0, 2, 3, 4, 5, 7, 8)}


def test_a_job_whose_every_row_fails_has_failed_and_resume_tries_again(jobs, store):
    job_id = jobs.launch("double", {"count": 1, "bad_once": [0]}, "ada")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.failed) == ("failed", 1) and "bad number 0" in job.message
    jobs.resume(job_id)
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done, job.failed) == ("done", 1, 0)


def test_it_pauses_itself_when_most_rows_fail(jobs):
    job_id = jobs.launch("double", {"count": 100, "refused": list(range(10, 100))}, author="ann")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done, job.failed) == ("paused", 10, 26)
    assert "26 of the last 36 rows failed; the last: refused" in job.message


def test_it_pauses_when_the_frontier_model_stops_and_goes_on(jobs, store):
    job_id = jobs.launch("double", {"count": 10, "stop_at": 6}, author="ann")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done, job.message) == ("paused", 6, "budget of $1.00 reached")
    jobs.resume(job_id)
    assert jobs.wait(job_id, PATIENCE).done == 10
    results, _ = read_lines(JobFolder(jobs.workspace.job(job_id)).results, 0)
    assert [r["key"] for r in results] == [str(i) for i in range(10)]  # nothing was done twice


@pytest.mark.parametrize("stop, status", [("pause", "paused"), ("cancel", "cancelled")])
def test_stopping_keeps_what_is_done(jobs, store, stop, status):
    job_id = jobs.launch("double", {"count": 2000, "seconds": 0.03}, author="ann")
    wait_for(lambda: jobs.get(job_id).done >= 5)
    getattr(jobs, stop)(job_id)
    job = jobs.wait(job_id, PATIENCE)
    assert job.status == status and 5 <= job.done < 2000 and not job.message, "it was asked and has listened"
    assert len(doubles(store, job_id)) == job.done
    jobs.resume(job_id)
    wait_for(lambda: jobs.get(job_id).done > job.done)
    jobs.cancel(job_id)
    jobs.wait(job_id, PATIENCE)


def test_a_child_that_does_not_listen_is_killed(store, workspace):
    jobs = JobManager(store, workspace, stage_class, grace=0.5)
    job_id = jobs.launch("double", {"count": 3, "seconds": 600, "deaf": True}, author="ann")
    wait_for(lambda: jobs.get(job_id).message == "ready")
    jobs.cancel(job_id)
    job = jobs.wait(job_id, PATIENCE)
    assert job.status == "cancelled" and "killed" in job.message
    jobs.shutdown()


def test_a_killed_child_is_interrupted_and_resumes(jobs, store):
    job_id = jobs.launch("double", {"count": 10, "die_at": 7}, author="ann")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done) == ("interrupted", 7) and "killed" in job.message
    files = JobFolder(jobs.workspace.job(job_id))
    with files.results.open("ab") as file:
        file.write(b'{"key": "7", "dou')  # a torn line, as a power cut leaves it
    files.write_spec(files.read_spec().model_copy(update={"options": {"count": 10}}))
    jobs.resume(job_id)
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done) == ("done", 10)
    assert doubles(store, job_id) == {i: 2 * i for i in range(10)}


def test_results_that_can_not_be_stored_fail_the_job_with_the_reason(jobs):
    job_id = jobs.launch("broken_collect", {"count": 3}, author="ann")
    job = jobs.wait(job_id, PATIENCE)
    assert job.status == "failed" and "no room for it" in job.message and "They are kept" in job.message


def test_one_gpu_job_at_a_time_and_others_beside_it(jobs):
    first = jobs.launch("gpu_double", {"count": 10_000, "seconds": 0.05}, author="ann")
    second = jobs.launch("gpu_double", {"count": 1}, author="ann")
    beside = jobs.launch("double", {"count": 1}, author="ann")
    assert jobs.wait(beside, PATIENCE).status == "done"
    assert jobs.get(second).status == "queued"
    assert [job.job_id for job in jobs.active()] == [first, second]
    jobs.cancel(first)
    assert jobs.wait(second, PATIENCE).started_at >= jobs.get(first).ended_at


def test_a_queued_job_can_be_cancelled(jobs):
    first = jobs.launch("gpu_double", {"count": 10_000, "seconds": 0.05}, author="ann")
    second = jobs.launch("gpu_double", {"count": 1}, author="ann")
    jobs.cancel(second)
    assert jobs.get(second).status == "cancelled"
    jobs.cancel(first)
    jobs.wait(first, PATIENCE)


def test_what_does_not_fit_is_refused(jobs):
    with pytest.raises(NothingToDo, match="give some"):
        jobs.launch("double", {"count": 0}, author="ann")
    with pytest.raises(ValidationError):
        jobs.launch("double", {"count": "many"}, author="ann")
    assert list((jobs.workspace.root / "jobs").iterdir()) == []
    with pytest.raises(UnknownJob):
        jobs.cancel(99)
    job_id = jobs.launch("double", {"count": 1}, author="ann")
    jobs.wait(job_id, PATIENCE)
    for refused in (jobs.cancel, jobs.resume, jobs.pause):
        with pytest.raises(JobConflict, match="done"):
            refused(job_id)
    assert jobs.estimate("double", {"count": 4}).calls == 8


def test_shutdown_stops_children_and_a_restart_offers_resume(store, workspace):
    jobs = JobManager(store, workspace, stage_class, grace=60)
    running = jobs.launch("gpu_double", {"count": 1000, "seconds": 0.05}, author="ann")
    queued = jobs.launch("gpu_double", {"count": 2}, author="ann")
    wait_for(lambda: jobs.get(running).done >= 4)
    jobs.shutdown()
    assert jobs.get(running).status == "interrupted" and jobs.get(queued).status == "queued"
    again = JobManager(store, workspace, stage_class, grace=60)
    again.resume_after_restart()
    assert again.wait(queued, PATIENCE).status == "done"  # queued jobs survive a restart
    files = JobFolder(workspace.job(running))
    files.write_spec(files.read_spec().model_copy(update={"options": {"seconds": 0}}))
    again.resume(running)
    assert again.wait(running, PATIENCE).status == "done"
    assert len(doubles(store, running)) == 1000
    again.shutdown()


def test_shutdown_waits_for_what_follows_a_job(store, workspace, monkeypatch):
    """Its watcher is at work until the next step is launched: the store must not be closed beneath it."""
    begun, followed = threading.Event(), []

    def slowly(store, job_id, launch):
        begun.set()
        time.sleep(0.5)
        followed.append(follow(store, job_id, launch))

    follow = chains.follow
    monkeypatch.setattr(chains, "follow", slowly)
    jobs = JobManager(store, workspace, stage_class, grace=60)
    first = jobs.launch("double", {"count": 1}, "ann", [chains.Step(stage="double", options={"count": 2})])
    assert begun.wait(PATIENCE)
    jobs.shutdown()
    assert followed == [first + 1] and jobs.get(first + 1).status == "queued"


def test_a_clock_that_is_set_back_changes_no_outcome(jobs, store, workspace):
    job_id = jobs.launch("double", {"count": 8, "seconds": 0.2}, "ann")
    wait_for(lambda: jobs.get(job_id).done > 0)
    files = JobFolder(workspace.job(job_id))
    an_hour_later = time.time() + 3600  # it was launched by a clock that has been set back since
    files.events.write_bytes(
        files.events.read_bytes().replace(b'"launched", "time": ', f'"launched", "time": {an_hour_later}, "was": '.encode())
    )
    with store.write() as write:
        write._cursor.execute("UPDATE job SET started_at = now() + INTERVAL 1 HOUR, created_at = now() + INTERVAL 1 HOUR")
    job = jobs.wait(job_id, PATIENCE)
    assert (job.status, job.done) == ("done", 8) and 0 < job.seconds < PATIENCE
    assert "end" in files.last_events()


def test_how_long_a_child_may_take_to_stop_is_no_matter_of_the_clock(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    files, child = JobFolder(tmp_path), Child(Process.of(process.pid), process)
    files.append_event({"event": "launched", "time": time.time()})
    files.stop.write_text("pause")
    os.utime(files.stop, (1, 1))  # the clock has gone far ahead since
    for _ in range(2):
        child.kill_if_overdue(files, grace=60)
    assert child.is_alive()
    child.kill_if_overdue(files, grace=0)
    assert process.wait(PATIENCE) == -signal.SIGKILL


def test_a_child_that_ends_as_it_is_told_to_stop_is_no_fault(tmp_path, monkeypatch):
    process = subprocess.Popen(["true"])
    process.wait()
    monkeypatch.setattr(Child, "is_alive", lambda self: True)  # as it was a moment ago
    child = Child(Process(process.pid, 0.0))
    child.terminate()
    child.kill()


OWNER = """
import os, sys, time
from pathlib import Path
from curation.jobs.manager import JobManager
from data.store import Store
from data.workspace import Workspace
from tests.support.trivial_stages import STAGES, stage_class
workspace = Workspace(Path(sys.argv[1]))
jobs = JobManager(Store(workspace.store), workspace, stage_class)
jobs.launch("double", {"count": int(sys.argv[2]), "seconds": 0.05}, "ann")
while jobs.get(1).done < 5:
    time.sleep(0.05)
os.kill(os.getpid(), 9)
"""


def owner_killed(workspace, count):
    """An app launched job 1 and was killed in the middle of it; the child works on."""
    done = subprocess.run([sys.executable, "-c", OWNER, str(workspace.root), str(count)], cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL


def test_a_child_outlives_a_killed_app_and_is_attached_again(workspace):
    owner_killed(workspace, 60)
    store = Store(workspace.store)
    jobs = JobManager(store, workspace, stage_class, grace=60)
    before = jobs.get(1)
    assert before.status == "running"
    jobs.resume_after_restart()
    job = jobs.wait(1, PATIENCE)
    assert (job.status, job.done) == ("done", 60)
    assert doubles(store, 1) == {i: 2 * i for i in range(60)}
    launches = [json.loads(line)["event"] for line in JobFolder(workspace.job(1)).events.read_text().splitlines()]
    assert launches.count("launched") == 1  # it went on, it was not started again
    jobs.shutdown()
    store.close()


def test_a_child_killed_with_its_app_is_interrupted(workspace):
    owner_killed(workspace, 1000)
    store = Store(workspace.store)
    child = store.row("job", job_id=1)["pid"]
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: not is_alive(child))
    jobs = JobManager(store, workspace, stage_class, grace=60)
    jobs.resume_after_restart()
    job = jobs.wait(1, PATIENCE)
    assert job.status == "interrupted" and 5 <= job.done < 1000
    assert len(doubles(store, 1)) == job.done  # what it had written since was taken up
    files = JobFolder(workspace.job(1))
    files.write_spec(files.read_spec().model_copy(update={"options": {"seconds": 0}}))
    jobs.resume(1)
    assert jobs.wait(1, PATIENCE).done == 1000
    jobs.shutdown()
    store.close()


def test_a_second_child_in_the_same_folder_waits_for_the_first(jobs, store):
    """An app killed between starting a child and noting it starts another: the lock keeps them apart."""
    from curation.jobs.child_process import start

    job_id = jobs.launch("double", {"count": 40, "seconds": 0.05}, author="ann")
    wait_for(lambda: jobs.get(job_id).done >= 2)
    second = start(JobFolder(jobs.workspace.job(job_id)), job_id, STAGES["double"])
    jobs.wait(job_id, PATIENCE)
    assert second.popen.wait(PATIENCE) == 0
    results, _ = read_lines(JobFolder(jobs.workspace.job(job_id)).results, 0)
    assert [r["key"] for r in results] == [str(i) for i in range(40)]


def test_torn_lines_are_cut_and_offsets_are_of_whole_lines(tmp_path):
    path = tmp_path / "results.jsonl"
    cut_torn_line(path)
    path.write_bytes(b'{"key": "a"}\n{"key": "b", "error": "x"}\n{"key": "c')
    assert read_lines(path, 0)[0] == [{"key": "a"}, {"key": "b", "error": "x"}]
    end = read_lines(path, 0)[1]
    assert read_lines(path, end) == ([], end)
    assert read_lines(path, 0, limit=3)[0] == [{"key": "a"}]
    cut_torn_line(path)
    assert path.stat().st_size == end
    assert earlier_results(path)[0] == {"a", "b"}
    finished, errors = earlier_results(path, retry_before=end)
    assert finished == {"a"} and errors == {"b": 1}
    path.write_bytes(b"no newline at all")
    cut_torn_line(path)
    assert path.read_bytes() == b""
