"""A workspace of commit e58fa80, left as the machine went down: it opens, shows what it showed, and its unfinished jobs go on.

What it holds: tests/support/old_workspaces/make_e58fa80.py. A job of the version before is resumed by the job manager of this one.
"""

import json
import shutil
import sqlite3
from types import SimpleNamespace

import pytest

from curation.workspaces import backups
from data.files import read_lines
from data.images import ImageStore
from data.store import Store
from data.workspace import Workspace
from tests.support import running_app
from tests.support.old_workspaces.unpacking import move_models, unpack
from tests.support.running_app import until
from tests.support.stores import differences, log

pytestmark = pytest.mark.timeout(600)
DERIVED = ("sample_state", "failure_state")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return unpack("e58fa80", tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def opened(old):
    """What the store holds after this version has opened and migrated it, and the replies of the journal before that."""
    bought = bought_replies(old)
    store = Store(old.workspace.store, old.workspace.backups)
    move_models(old, store)
    result = SimpleNamespace(rows=store.table_counts(old.facts["rows"]), differences=differences(store), bought=bought)
    result.derived = {name: contents(store, name) for name in DERIVED}
    store.rebuild_states()
    result.rebuilt = {name: contents(store, name) for name in DERIVED}
    store.close()
    return result


@pytest.fixture(scope="module")
def finished(old, opened):
    """The app was started on it, its unfinished jobs were resumed and have ended; `before`: what it answered before they were resumed."""
    facts = old.facts
    with running_app.app(old.workspace) as app:
        until(lambda: app.job(facts["finetune"]["job_id"])["status"] == "interrupted", "that the dead child is noticed")
        result = SimpleNamespace(before=answers(app))
        resumed = [facts[name]["job_id"] for name in ("import", "diagnose", "finetune")]
        for job_id in resumed:
            app.post(f"/api/jobs/{job_id}/resume")
        result.jobs = {job_id: app.ended(job_id) for job_id in (*resumed, facts["finetune"]["waiting"])}
        latest = facts["finetune"]["waiting"]
        follower = until(lambda: (job := app.get("/api/jobs")[0])["job_id"] > latest and job, "the job that follows")
        result.follower = app.ended(follower["job_id"])
        result.messages = [event["text"] for event in app.events(facts["finetune"]["job_id"], "message")]
        result.steps = [event["done"] for event in app.events(facts["finetune"]["job_id"], "progress") if "loss" in event]
    result.bought = bought_replies(old)
    result.store = Store(old.workspace.store, old.workspace.backups)
    yield result
    result.store.close()


def contents(store, name):
    return sorted(str(row) for row in log(store, name))


def bought_replies(old):
    """The journal's replies by key, read from a copy: [position, scope, purpose, body, cost_usd, created_at]."""
    copy = old.home.parent / "journal-copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in old.workspace.root.glob("replies.sqlite*"):
        shutil.copy(path, copy)
    with sqlite3.connect(copy / old.workspace.journal.name) as journal:
        rows = journal.execute("SELECT key, position, scope, purpose, body, cost_usd, created_at FROM reply").fetchall()
    journal.close()
    return {key: rest for key, *rest in rows}


def answers(app):
    """The answers of this version to the requests whose answers by the version before are in facts.json."""
    return {
        "workspace": app.get("/api/workspace"),
        "jobs": app.get("/api/jobs"),
        "datasets": app.post("/api/data/overview")["datasets"],
        "clusters": app.post("/api/failures/clusters"),
        "changes": app.post("/api/clusters/history"),
        "triage": app.post("/api/failures/triage/history"),
        "views": app.post("/api/views/list"),
        "prompt": app.post("/api/prompts/show", {"name": "proposal"}),
        "filters": app.post("/api/settings/overview")["filters"],
        "samples": app.post("/api/review/page", {"order": "oldest", "limit": 200})["rows"],
        "assignments": app.post("/api/review/people")["assignments"],
        "history": app.owner.request("GET", "/api/review/history", reviewer="ada"),
    }


def test_the_store_opens_with_every_row(old, opened):
    facts = old.facts
    assert not list(old.workspace.root.glob("*.unreadable-*")), "the write-ahead log that the kill left was replayed"
    assert {**opened.rows, "migration": 0} == {**facts["rows"], "migration": 0}
    assert opened.rows["review"] > 20 and opened.rows["verdict"] > 100 and opened.rows["cluster_change"] == 4


def test_what_follows_from_the_logs_is_what_it_was(opened):
    assert opened.differences == 0
    assert opened.rebuilt == opened.derived


@pytest.mark.parametrize("name", ["datasets", "clusters", "changes", "triage", "views", "filters", "samples", "assignments", "history"])
def test_a_list_shows_what_it_showed(old, finished, name):
    expected, shown = old.facts["shown"][name], finished.before[name]
    if name == "filters":  # those that came since are there and disabled: nothing changes by an update
        known = {row["filter"] for row in expected}
        assert not any(row["enabled"] for row in shown if row["filter"] not in known)
        shown = [row for row in shown if row["filter"] in known]
    assert expected and [{field: row[field] for field in wanted} for wanted, row in zip(expected, shown)] == expected
    assert len(shown) == len(expected)


def test_prompt_and_workspace_show_what_they_showed(old, finished):
    expected, now = old.facts["shown"], finished.before
    assert {name: now["prompt"][name] for name in expected["prompt"]} == expected["prompt"]
    assert expected["prompt"]["system"].endswith("Write short questions.")
    for name in ("name", "round", "checkpoint"):
        assert now["workspace"][name] == expected["workspace"][name]
    assert now["workspace"]["spend_usd"] == pytest.approx(expected["workspace"]["spend_usd"])
    counts = [{name: count for name, count in here["workspace"]["counts"].items() if name != "jobs"} for here in (now, expected)]
    assert counts[0] == counts[1]


def test_jobs_stand_where_they_stood(old, finished):
    expected = {row["job_id"]: row for row in old.facts["shown"]["jobs"]}
    now = {row["job_id"]: {name: row[name] for name in expected[row["job_id"]]} for row in finished.before["jobs"]}
    finetune, waiting = old.facts["finetune"]["job_id"], old.facts["finetune"]["waiting"]
    assert (expected[finetune]["status"], now[finetune]["status"]) == ("running", "interrupted") and "resume" in now[finetune]["message"]
    assert expected[waiting]["status"] == "queued" and now[waiting]["status"] in ("queued", "running", "done")
    others = expected.keys() - {finetune, waiting}
    assert {job_id: now[job_id] for job_id in others} == {job_id: expected[job_id] for job_id in others}


def test_a_paused_import_goes_on(old, finished):
    facts = old.facts["import"]
    job = finished.jobs[facts["job_id"]]
    assert (job["status"], job["done"], job["failed"]) == ("done", 1, 0), job["message"]
    (row,) = [row for row in finished.store.rows("datasets") if row["name"] == facts["dataset"]]
    assert {name: row[name] for name in ("train", "dev", "eval")} == {name: facts[name] for name in ("train", "dev", "eval")}


def test_a_paused_diagnose_asks_only_for_what_is_missing(old, opened, finished):
    facts = old.facts["diagnose"]
    job = finished.jobs[facts["job_id"]]
    assert (job["status"], job["done"], job["failed"]) == ("done", facts["total"], 0), job["message"]
    results, _ = read_lines(old.workspace.job(facts["job_id"]) / "results.jsonl", 0)
    assert sorted(row["failure_id"] for row in log(finished.store, "diagnosis") if row["job_id"] == facts["job_id"]) == sorted(
        result["failure_id"] for result in results
    )
    assert len({result["key"] for result in results}) == len(results) == facts["total"], "each row once"
    own = {key: row for key, row in finished.bought.items() if row[1] == str(facts["job_id"])}
    assert {key: finished.bought[key] for key in opened.bought} == opened.bought, "what was paid for stays as it is"
    assert len(finished.bought) - len(opened.bought) == 2 * facts["total"] - facts["replies"], "nothing was bought twice"
    assert len(own) == 2 * facts["total"]
    assert job["spend_usd"] == pytest.approx(sum(row[4] for row in own.values())) and job["spend_usd"] > facts["spend_usd"]
    assert {row["key"] for row in log(finished.store, "reply")} == finished.bought.keys() and not log(finished.store, "lost_call")


def test_a_killed_finetune_goes_on_from_its_snapshot_step(old, finished):
    facts = old.facts["finetune"]
    job = finished.jobs[facts["job_id"]]
    assert (job["status"], job["message"]) == ("done", f"checkpoint {facts['name']}")
    assert finished.messages == [f"goes on from snapshot step {facts['snapshot']}"]
    again = finished.steps[finished.steps.index(facts["killed_at"]) + 1 :]
    assert (again[0], again[-1]) == (facts["snapshot"] + 1, facts["steps"]), "only the steps since then are trained once more"
    (run,) = log(finished.store, "run")
    (made,) = [row for row in log(finished.store, "checkpoint") if row["name"] == facts["name"]]
    assert (run["job_id"], run["checkpoint_id"]) == (facts["job_id"], made["checkpoint_id"])
    assert len(log(finished.store, "run_sample")) == run["samples"] > 10
    assert (old.workspace.checkpoints / facts["name"] / "adapter_config.json").is_file()


def test_what_waited_for_the_finetune_and_what_follows_it_are_done(old, finished):
    waiting = finished.jobs[old.facts["finetune"]["waiting"]]
    assert (waiting["stage"], waiting["status"], waiting["done"], waiting["failed"]) == ("import_predictions", "done", 5, 1)
    follower = finished.follower
    assert (follower["stage"], follower["status"], follower["done"], follower["failed"]) == ("evaluate", "done", 6, 0), follower["message"]
    assert follower["options"]["checkpoint"] == old.facts["finetune"]["name"]


def test_the_states_still_follow_from_the_logs_afterwards(finished):
    assert differences(finished.store) == 0
    before = {name: contents(finished.store, name) for name in DERIVED}
    finished.store.rebuild_states()
    assert {name: contents(finished.store, name) for name in DERIVED} == before


def test_its_backup_restores(old, tmp_path):
    folder = old.workspace.backups / old.facts["backup"]
    workspace = Workspace(tmp_path / "home" / "restored")
    backups.restore(folder, workspace)
    expected = json.loads((folder / "store" / "manifest.json").read_text(encoding="utf-8"))["tables"]
    store = Store(workspace.store, workspace.backups)
    try:
        assert {**store.table_counts(expected), "migration": 0} == {**expected, "migration": 0}
        assert differences(store) == 0
        samples = {row["sample_id"]: row for row in log(store, "sample_state")}
        later = {row["sample_id"]: row for row in old.facts["shown"]["samples"]}
        changed = [sample_id for sample_id, row in samples.items() if row["status"] != later[sample_id]["status"]]
        assert len(changed) == 1 and samples[changed[0]]["status"] == "pending", "one was approved after the backup"
        images = ImageStore(workspace.images)
        assert all(images.path(row["image"]).is_file() for row in log(store, "image"))
    finally:
        store.close()
    with sqlite3.connect(workspace.journal) as journal:
        assert journal.execute("SELECT count(*) FROM reply").fetchone()[0] == expected["reply"] > 0
    journal.close()
