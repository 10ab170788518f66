"""The command line as a user runs it: real processes, a real owner."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curation import checkpoints
from curation.cli import COMMANDS
from curation.workspaces import owner
from curation.workspaces.builtin import POCKET_LLAVA
from data.store import Store, StoreInUse
from data.workspace import Workspace
from tests.support.seed import seeded_store
from tests.support.stores import log

pytestmark = pytest.mark.timeout(600)
HOUSE = Path(__file__).parents[2]
QUIZ = ("--format", "pocket_vqa", "--source", "family=quiz", "train=30", "eval=10")


def command(*arguments):
    return [sys.executable, "-m", "curation.cli", *map(str, arguments)]


def mistakebook(*arguments, check=True, **environment):
    env = {**os.environ, "COLUMNS": "200", **environment}
    done = subprocess.run(command(*arguments), cwd=HOUSE, capture_output=True, text=True, timeout=240, env=env)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture
def here(home):
    """A workspace's place; whatever serves it is stopped at the end."""
    workspace = Workspace(home / "w")
    yield workspace
    stop(workspace)


def stop(workspace):
    if noted := owner.read(workspace):
        if noted.is_alive():
            os.kill(noted.pid, signal.SIGTERM)
        wait_for(lambda: not noted.is_alive())


def wait_for(condition, seconds=240):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_help_is_quick_and_names_every_command():
    times = []
    for _ in range(3):
        before = os.times().children_user
        done = mistakebook("--help")
        times.append(os.times().children_user - before)  # not the wall clock: that depends on who else computes
    assert min(times) < 0.5
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert "unknown command 'fly'" in mistakebook("fly", check=False).stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_json_and_workspace(name):
    text = mistakebook(name, "--help").stdout
    assert "--json" in text
    assert ("--workspace" in text) == (name != "users")  # those are the home's


def test_clusters_are_listed_with_size_and_accuracy(here):
    store, _, _ = seeded_store(here.root, 60, samples=5)
    sizes = {row["cluster_id"]: row["failures"] for row in store.rows("failure_clusters", round=["1"])}
    store.close()
    clusters = json.loads(mistakebook("clusters", "--workspace", here.name, "--json").stdout)
    assert {row["cluster_id"]: row["failures"] for row in clusters["clusters"]} == sizes
    assert all(0 <= row["accuracy"] <= 1 and row["stability"] is None for row in clusters["clusters"])
    text = mistakebook("clusters", "--workspace", here.name).stdout
    assert clusters["clusters"][0]["title"] in text and "on error types: no labels yet" in text


def test_imported_predictions_are_reported_and_listed_with_what_was_read(here, tmp_path):
    store, _, _ = seeded_store(here.root, 12, samples=4)
    example, other = store.rows("examples_of_dataset", dataset="pocket-photo")[:2]
    store.close()
    answers = [
        {"id": example["external_id"], "answer": "no idea"},
        {"id": example["external_id"], "answer": f"<think>hm</think>The answer is {example['golds'][0]}."},
        {"id": "nobody", "answer": "red"},
        {"id": other["external_id"], "answer": None},
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(map(json.dumps, answers)))
    asked = ("import-predictions", "--path", path, "--dataset", "pocket-photo", "--checkpoint", "elsewhere", "--workspace", "w")
    report = "1 matched · 1 unmatched · 1 duplicate · 1 no answer"
    assert report in mistakebook(*asked, "--estimate").stdout and f"{path}:1: " in mistakebook(*asked, "--estimate").stdout
    assert json.loads(mistakebook(*asked, "--json").stdout)["message"].startswith(report)
    (row,) = json.loads(mistakebook("predictions", "elsewhere", "--workspace", "w", "--json").stdout)
    assert (row["external_id"], row["read"], row["strict"]) == (example["external_id"], example["golds"][0], 0) and row["lenient"] > 0
    assert example["golds"][0] in mistakebook("predictions", "elsewhere", "--differing", "--workspace", "w").stdout
    again = mistakebook(*asked, check=False)
    assert again.returncode == 1 and "1 answered before" in again.stderr


def test_a_job_that_met_its_budget_goes_on_with_another(here):
    store, _, _ = seeded_store(here.root, 12, samples=4)
    store.close()
    asked = ("diagnose", "--again", "--limit", "4", "--workspace", "w")
    assert "free: the built-in teacher" in mistakebook(*asked, "--estimate").stdout
    paused = mistakebook(*asked, "--budget", "0.0001", check=False)
    assert paused.returncode == 3 and "mistakebook jobs resume" in paused.stderr and "(--budget USD for another limit)" in paused.stderr
    assert "only for resume" in mistakebook("jobs", "cancel", "--budget", "1", "--workspace", "w", check=False).stderr
    done = json.loads(mistakebook("jobs", "resume", "--budget", "1", "--workspace", "w", "--json").stdout)
    assert (done["status"], done["done"], done["options"]["budget_usd"]) == ("done", 4, 1.0)


def test_flags_come_from_options():
    text = mistakebook("generate", "--help").stdout
    assert "--route {same_image,new_image,both}" in text and "--images-per-prompt INT" in text and "(default: 3)" in text


def test_commands_share_one_owner_that_ends_itself(here, home):
    (home).mkdir(parents=True, exist_ok=True)
    assert json.loads(mistakebook("jobs", "--workspace", "w", "--json").stdout) == []
    first = owner.find(here)
    assert first.headless and here.address.stat().st_mode & 0o077 == 0
    done = mistakebook("import", *QUIZ, "--workspace", "w", "--json", "--reviewer", "ann")
    job = json.loads(done.stdout)
    assert (job["status"], job["done"], job["author"]) == ("done", 1, "ann")
    assert job["options"]["source"] == {"family": "quiz", "train": 30, "eval": 10}
    assert "import (job 1) · done" in done.stderr
    assert owner.find(here) == first  # the same process all along
    with pytest.raises(StoreInUse):
        Store(here.store)
    listed = mistakebook("jobs", "--workspace", "w").stdout
    assert listed.splitlines()[0].split()[:3] == ["job_id", "stage", "status"] and "ann" in listed
    assert "done" in mistakebook("jobs", "show", "--workspace", "w").stdout
    assert mistakebook("jobs", "log", job["job_id"], "--workspace", "w").returncode == 0


def test_a_headless_owner_ends_itself_when_idle(here):
    here.create()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--headless", "--workspace", "w", "--port", "0", "--idle", "1"], cwd=HOUSE, stderr=subprocess.PIPE
    )
    assert process.wait(150) == 0, process.stderr.read()
    assert not here.address.exists()
    Store(here.store).close()  # it let go of the file


def test_failed_commands_exit_with_1_and_say_why(here):
    failed = mistakebook("evaluate", "--workspace", "w", check=False)
    assert failed.returncode == 1 and "no round has started yet" in failed.stderr and "Traceback" not in failed.stderr
    failed = mistakebook("results", "--workspace", "w", "--json", check=False)
    assert failed.returncode == 1 and "no checkpoint" in json.loads(failed.stdout)["error"]
    cases = (
        (("import", "--format", "fax"), "unknown datasets 'fax'"),
        (("generate", "--per-failure", "many"), "--per-failure: input should be a valid integer"),
        (("jobs", "cancel", "99"), "no job 99"),
        (("review", "--approve", "nonsense"), "neither a rule"),
        (("jobs", "--workspace", "../x"), "workspace name"),
        (("export", "jsonl", here.root / "out"), "no sample is approved"),
        (("restore", here.root), "is open in process"),
        (("backup", here.root), "exists"),
    )
    for arguments, text in cases:
        named = () if "--workspace" in arguments else ("--workspace", "w")
        failed = mistakebook(*arguments, *named, check=False)
        assert failed.returncode == 1 and text in failed.stderr and "Traceback" not in failed.stderr, failed.stderr
    assert mistakebook("generate", "--route", "sideways", check=False).returncode == 2


def test_backup_and_restore(here, home, tmp_path):
    mistakebook("import", *QUIZ, "--workspace", "w")
    saved = json.loads(mistakebook("backup", tmp_path / "saved", "--workspace", "w", "--json").stdout)
    assert saved["pictures"] > 10 and saved["rows"] > 50
    stop(here)
    assert "exists and is left as it is" in mistakebook("restore", tmp_path / "saved", "--workspace", "w", check=False).stderr
    mistakebook("restore", tmp_path / "saved", "--workspace", "again")
    again = Workspace(home / "again")
    first, two = Store(here.store), Store(again.store)
    for query in ("datasets", "jobs"):
        assert first.rows(query, **({"limit": 10} if query == "jobs" else {})) == two.rows(
            query, **({"limit": 10} if query == "jobs" else {})
        )
    first.close()
    two.close()
    pictures = [path.relative_to(again.images) for path in again.images.rglob("*.png")]
    assert len(pictures) == saved["pictures"]
    assert all((again.images / path).read_bytes() == (here.images / path).read_bytes() for path in pictures[:5])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_a_kill_and_a_closed_terminal_ask_the_job_to_stop_and_resume_goes_on(here, number):
    process = subprocess.Popen(
        command("import", "--format", "pocket_vqa", "--source", "family=photo", "train=400000", "eval=10", "--workspace", "w", "--json"),
        cwd=HOUSE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # ignored where the tests run in the background
    )
    wait_for(lambda: owner.find(here) and (jobs := owner.find(here).request("GET", "/api/jobs")) and jobs[0]["message"])
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 3 and json.loads(out)["status"] == "paused"
    assert "asking the job to stop" in err and "mistakebook jobs resume 1" in err
    mistakebook("jobs", "cancel", "--workspace", "w")
    assert json.loads(mistakebook("jobs", "--workspace", "w", "--json").stdout)[0]["status"] == "cancelled"


def test_nothing_left_to_do_is_a_success(here):
    mistakebook("import", *QUIZ, "--workspace", "w")
    stop(here)
    store = Store(here.store)
    checkpoints.register(store, POCKET_LLAVA)
    checkpoints.begin_round(store, POCKET_LLAVA.name)
    (checkpoint,) = store.rows("checkpoints")
    answers = {"checkpoint_id": checkpoint["checkpoint_id"], "answer": "A", "strict": 1.0, "lenient": 1.0}
    with store.write() as write:
        write.insert("prediction", [{**answers, "example_id": row["example_id"]} for row in log(store, "example")])
    store.close()
    done = mistakebook("evaluate", "--workspace", "w", "--json")
    assert "pocket-llava has answered all examples" in json.loads(done.stdout)["nothing_left"] and not done.stderr
    never = mistakebook("diagnose", "--workspace", "w", check=False)  # nothing was ever diagnosed: here something is missing
    assert never.returncode == 1 and "Evaluate a checkpoint first" in never.stderr


@pytest.mark.parametrize("arguments", [("jobs",), ("review", "--approve", "all"), ("import", *QUIZ)])
def test_a_home_that_can_not_be_written_to_is_named(tmp_path, arguments):
    home = tmp_path / "home"
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", home], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = mistakebook(*arguments, "--workspace", "w", check=False, MISTAKEBOOK_HOME=str(home))
    finally:
        subprocess.run(["umount", "-l", home], check=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert str(home) in done.stderr and "MISTAKEBOOK_HOME" in done.stderr


def test_a_second_app_says_who_holds_the_workspace(here):
    """An app with pages keeps it; a headless one hands over."""
    mistakebook("jobs", "--workspace", "w")
    headless = owner.find(here)
    app = [sys.executable, "-m", "app", "--workspace", "w", "--port", "0", "--json"]
    pages = subprocess.Popen(app, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    where = json.loads(pages.stdout.readline())
    assert not headless.is_alive()
    wait_for(lambda: owner.find(here))
    assert owner.find(here).address == where["address"]
    second = subprocess.run(app, cwd=HOUSE, capture_output=True, text=True, timeout=240)
    assert second.returncode == 1 and f"open in process {pages.pid} at {where['address']}" in second.stderr
    assert json.loads(mistakebook("jobs", "--workspace", "w", "--json").stdout) == []  # the command line works beside it
    pages.send_signal(signal.SIGINT)
    assert pages.wait(150) in (0, 130, -signal.SIGINT)
    assert "Traceback" not in pages.stderr.read()
    assert not here.address.exists()


def test_doctor(here):
    done = mistakebook("doctor", "--workspace", "w", "--json", check=False)
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert (
        findings["python"]["ok"]
        and findings["torch"]["ok"]
        and findings["renderer of specs"]["ok"]
        and findings["disk"]["ok"]
        and findings["workspace"]["ok"]
    )
    assert all(finding["ok"] or finding["way_out"] for finding in findings.values())
    assert not here.root.exists()  # it changes nothing


def test_prompts_are_listed_edited_compared_and_taken_back(here, home, tmp_path):
    store, _, _ = seeded_store(here.root, 40, samples=12)
    store.close()
    of_here = ("--workspace", "w")
    listed = json.loads(mistakebook("prompts", *of_here, "--json").stdout)
    assert {row["name"] for row in listed} >= {"diagnosis", "proposal", "judge", "agreement"}
    text = mistakebook("prompts", "show", "judge", *of_here).stdout
    file = tmp_path / "judge.md"
    file.write_text(text.replace("{{ answer }}", "{{ anser }}"))
    refused = mistakebook("prompts", "save", "judge", file, *of_here, check=False)
    assert refused.returncode == 1 and "line 6: unknown field “anser”" in refused.stderr
    file.write_text(text.replace("# user", "Be strict.\n\n# user"))
    version = json.loads(mistakebook("prompts", "save", "judge", file, *of_here, "--note", "stricter", "--json").stdout)["version"]
    assert "edited" in next(line for line in mistakebook("prompts", *of_here).stdout.splitlines() if line.startswith("judge"))
    assert "8 calls" in mistakebook("prompts", "compare", "judge", "shipped", *of_here, "--limit", "4", "--estimate").stdout
    comparison = json.loads(mistakebook("prompts", "compare", "judge", "shipped", *of_here, "--limit", "4", "--json").stdout)
    assert comparison["versions"]["b"] == version and comparison["counts"]["compared"] == 4 and comparison["costs"]["b"]["calls"] == 4
    assert comparison["job"]["options"]["b"] == version
    same = mistakebook("prompts", "compare", "judge", version[:5], *of_here, check=False)
    assert same.returncode == 1 and "both sides are version" in same.stderr
    assert "which version?" in mistakebook("prompts", "use", "judge", *of_here, check=False).stderr
    mistakebook("prompts", "use", "judge", "shipped", *of_here)
    assert {row["in_use"] for row in json.loads(mistakebook("prompts", *of_here, "--json").stdout)} == {row["shipped"] for row in listed}
