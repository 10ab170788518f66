"""`kill -9` in the middle of paid work and of training: the real app as a process, started again on what it left behind."""

import os
import signal
import sqlite3
import subprocess
import uuid
from collections import Counter

import pytest

from curation.jobs.job_folder import JobFolder
from data.files import read_lines
from data.store import Store
from data.workspace import Workspace
from tests.support.running_app import HOUSE, app, app_command, held, is_alive, teacher, until
from tests.support.seed import seeded_store
from tests.support.stores import differences, log

pytestmark = pytest.mark.timeout(1200)
AT_ONCE = 3  # calls in flight


@pytest.fixture
def here(home):
    """A workspace with failures to practise and samples to review and to train on."""
    store, _, workspace = seeded_store(home / "w", failures=48, samples=120, seed=11)
    store.close()
    return workspace


def reviews_by_hand(running, count: int, skip: int = 0) -> set[tuple[int, str]]:
    """Decisions over HTTP, each acknowledged; returns (sample, event) of each."""
    cards = running.post("/api/review/next", {"matching": {"statuses": ["pending"]}, "count": 50})["cards"][skip : skip + count]
    sent = set()
    for number, card in enumerate(cards):
        event = uuid.uuid4().hex
        action = "approve" if number % 3 else "reject"
        body = {"sample_id": card["sample_id"], "revision": card["revision"], "action": action, "event_id": event}
        assert running.post("/api/review/decide", body)["sample_id"] == card["sample_id"]
        sent.add((card["sample_id"], event))
    assert len(sent) == count
    return sent


def kill_both(running, job_id: int) -> None:
    """As when the machine goes down: the app, and the child with all that it started."""
    child = running.child(job_id)
    running.kill()
    os.killpg(child, signal.SIGKILL)
    until(lambda: not is_alive(child), "the child's death")


def looked_into(workspace: Workspace):
    """The store, once no app holds it."""
    store = Store(workspace.store)
    try:
        assert differences(store) == 0, "what reviewers see follows from the logs"
        return {name: log(store, name) for name in ("sample", "review", "run", "run_sample", "checkpoint", "reply", "row_error")}
    finally:
        store.close()


def replies_kept(workspace: Workspace) -> int:
    with sqlite3.connect(workspace.journal) as journal:
        return journal.execute("SELECT count(*) FROM reply WHERE purpose = 'proposal'").fetchone()[0]


def test_a_killed_app_and_a_killed_child_lose_no_reply_and_no_review(here, tmp_path):
    with teacher(tmp_path / "asked.jsonl", latency=0.1) as frontier, app(here) as running:
        options = {"endpoint": frontier.address, "model": "pocket-teacher", "concurrency": AT_ONCE, "per_failure": 1}
        job_id = running.launch("generate", options)
        total = running.job(job_id)["total"]
        assert total > 50
        until(lambda: len(frontier.asked()) >= 8, "the first answers")
        with held(frontier.pid):
            sent = reviews_by_hand(running, 4)
            # a second app on the same workspace is told who holds it
            command = app_command("--workspace", "w", "--port", "0")
            second = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=240)
            assert second.returncode == 1 and f"process {running.process.pid}" in second.stderr, second.stderr
            assert f"still runs job {job_id} (generate)" in second.stderr and "Traceback" not in second.stderr
            # the app alone is killed: the child works on, and the next app finds it
            child = running.child(job_id)
            running.kill()
            so_far = len(frontier.asked())
        until(lambda: len(frontier.asked()) > so_far + AT_ONCE, "that the child asks on")
        with held(frontier.pid):
            running.start()
            assert running.job(job_id)["status"] == "running" and running.child(job_id) == child and is_alive(child)
            sent |= reviews_by_hand(running, 4)
        until(lambda: running.job(job_id)["done"] > so_far + AT_ONCE, "that the new app takes up what the child has written")

        # both are killed: the job is settled as interrupted, and resumed
        until(lambda: len(frontier.asked()) >= total // 2, "half of the answers")
        with held(frontier.pid):
            assert running.job(job_id)["status"] == "running", "the kill must come in the middle"
            kill_both(running, job_id)
            running.start()
            job = until(lambda: (job := running.job(job_id))["status"] != "running" and job, "that the dead child is noticed")
            assert job["status"] == "interrupted" and "resume" in job["message"] and job["done"] < total
        running.post(f"/api/jobs/{job_id}/resume")
        job = running.ended(job_id)
        assert (job["status"], job["done"], job["failed"]) == ("done", total, 0), job["message"]
        sent |= reviews_by_hand(running, 4)
        running.stop()

        answered = [line for line in frontier.asked() if line["status"] == 200]
        kept = replies_kept(here)
        assert kept <= len(answered) <= kept + AT_ONCE, "only what was in flight may be bought twice"
    state = looked_into(here)
    assert len([row for row in state["reply"] if row["job_id"] == job_id]) == kept
    results, _ = read_lines(JobFolder(here.job(job_id)).results, 0)
    assert len(results) == total and set(Counter(result["key"] for result in results).values()) == {1}, "each row once"
    keys = {f"{job_id}/{result['key']}/{i}/0" for result in results for i in range(len(result["proposals"]))}
    assert {row["key"] for row in state["sample"] if row["job_id"] == job_id} == keys and len(keys) > total / 2
    assert {(row["sample_id"], row["event_id"]) for row in state["review"]} >= sent


def test_a_killed_finetune_goes_on_from_its_snapshot_step(here):
    with app(here) as running:
        sent = reviews_by_hand(running, 12)
        job_id = running.launch("finetune", {"epochs": 24, "name": "survivor"})

        def step() -> int:
            return (running.files(job_id).last_events().get("progress") or {"done": 0})["done"]

        until(lambda: step() >= 4, "the first steps")
        child = running.child(job_id)
        with held(child):
            running.kill()
            running.start()  # re-attached: the same child goes on
            assert running.job(job_id)["status"] == "running" and running.child(job_id) == child
        until(lambda: list((running.files(job_id).folder / "steps").glob("*/trainer_state.json")), "a snapshot step")
        until(lambda: step() > 52 or not is_alive(child), "steps behind it")
        assert is_alive(child), "the kill must come in the middle; train longer"
        kill_both(running, job_id)
        running.start()
        until(lambda: running.job(job_id)["status"] == "interrupted", "that the dead child is noticed")
        running.post(f"/api/jobs/{job_id}/resume")
        job = running.ended(job_id)
        assert job["status"] == "done" and job["message"] == "checkpoint survivor", job["message"]
        messages = [event["text"] for event in running.events(job_id, "message")]
        assert any(text.startswith("goes on from snapshot step") for text in messages), messages
        progress = running.events(job_id, "progress")
        assert progress[-1]["done"] == progress[-1]["total"] > 52

        # another app can't take the port of this one
        port = running.owner.address.rpartition(":")[2]
        other = subprocess.run(app_command("--workspace", "other", "--port", port), cwd=HOUSE, capture_output=True, text=True, timeout=240)
        assert other.returncode == 1 and f"port {port} of 127.0.0.1 can't be used" in other.stderr and "--port" in other.stderr
        assert "Traceback" not in other.stderr
    state = looked_into(here)
    (run,) = [row for row in state["run"] if row["job_id"] == job_id]
    (made,) = [row for row in state["checkpoint"] if row["name"] == "survivor"]
    assert run["checkpoint_id"] == made["checkpoint_id"] and (here.checkpoints / "survivor" / "adapter_config.json").is_file()
    assert len([row for row in state["run_sample"] if row["run_id"] == run["run_id"]]) == run["samples"]
    assert {(row["sample_id"], row["event_id"]) for row in state["review"]} >= sent
