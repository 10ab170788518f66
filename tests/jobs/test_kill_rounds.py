"""`kill -9` at any moment of every stage, a backup, a migration, the full app: nothing acknowledged is lost, nothing is there twice.

A handful of rounds each time; with MISTAKEBOOK_SLOW=1 two hundred.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from curation.workspaces import backups, owner
from data.files import PART, read_lines
from data.store import Store, migrations
from tests.jobs.test_kill9 import reviews_by_hand
from tests.support.running_app import HOUSE, app, is_alive, until
from tests.support.seed import seeded_store
from tests.support.stores import differences, log

SLOW = "MISTAKEBOOK_SLOW" in os.environ
ROUNDS, MIGRATIONS = (200, 40) if SLOW else (4, 3)
pytestmark = pytest.mark.timeout(6 * 3600 if SLOW else 1200)
TEACHER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}
STAGES = {  # what is launched, and within how many seconds it is killed
    "import": (lambda turn: {"format": "pocket_vqa", "source": {"family": "quiz", "train": 40 + turn, "eval": 10}}, 3),
    "evaluate": (lambda turn: {"limit": 8 + turn}, 12),
    "diagnose": (lambda turn: {**TEACHER, "limit": 6, "again": True}, 6),
    "cluster": (lambda turn: {}, 10),
    "generate": (lambda turn: {**TEACHER, "limit": 6, "per_failure": 1}, 6),
    "draw": (lambda turn: {"limit": 4}, 12),
    "filter": (lambda turn: {**TEACHER, "sample_ids": list(range(1 + turn % 60, 7 + turn % 60))}, 8),
    "finetune": (lambda turn: {"epochs": 1, "name": f"run {turn}"}, 12),
}
KINDS = (*STAGES, "backup", "app")


def test_whatever_is_killed_goes_on_and_loses_nothing(home, tmp_path):
    store, _, here = seeded_store(home / "w", failures=40, samples=80, seed=11)
    store.close()
    rng, sent, done = random.Random(int(os.environ.get("MISTAKEBOOK_KILL_SEED", "5"))), set(), Counter()
    order = [rng.choice(KINDS) for _ in range(ROUNDS)] if SLOW else ["backup", "diagnose", "filter", "app"]
    with app(here) as running:
        for turn, kind in enumerate(order):
            sent |= decided(running, turn)
            if kind in STAGES:
                killed_stage(running, kind, turn, rng)
            else:
                killed_app(running, kind, turn, rng, sent)
            done[kind] += 1
    opened = Store(here.store)
    try:
        events = [(row["sample_id"], row["event_id"]) for row in log(opened, "review")]
        assert sent <= set(events) and len(events) == len(set(events)), "no acknowledged decision is lost, none is there twice"
        assert {(sample_id, line["event"]) for line in opened.reviews.read().lines for sample_id in line["ids"]} >= sent
        assert differences(opened) == 0
    finally:
        opened.close()
    for folder in here.backups.glob("kill *"):
        backups.verify(folder)
    print("kill rounds:", dict(done))


def decided(running, turn: int) -> set[tuple[int, str]]:
    """A decision, acknowledged; on another sample each turn as long as there are pending ones."""
    pending = running.post("/api/review/next", {"matching": {"statuses": ["pending"]}, "count": 50})["cards"]
    return reviews_by_hand(running, 1, skip=turn % max(1, len(pending) - 1)) if pending else set()


def killed_stage(running, stage: str, turn: int, rng: random.Random) -> None:
    """The app, and half of the time its child too; the job is done in the end, each row once."""
    options, within = STAGES[stage]
    try:
        job_id = running.launch(stage, options(turn))
    except owner.Refused as refused:
        assert refused.kind in ("NothingToDo", "NothingLeft"), refused
        return
    time.sleep(rng.random() * within)
    child = running.events(job_id, "start")[-1]["pid"] if running.events(job_id, "start") else None
    running.kill()
    if child and rng.random() < 0.5:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        until(lambda: not is_alive(child), "the child's death")
    running.start()
    job = running.ended(job_id)
    if job["status"] == "interrupted":
        running.post(f"/api/jobs/{job_id}/resume")
        job = running.ended(job_id)
    assert job["status"] == "done", (stage, turn, job["message"], running.files(job_id).log_tail())
    results, _ = read_lines(running.files(job_id).results, 0)
    assert set(Counter(result["key"] for result in results).values()) <= {1}, (stage, turn)


def killed_app(running, kind: str, turn: int, rng: random.Random, sent: set[tuple[int, str]]) -> None:
    """While it writes a backup, or while people decide as fast as they can."""
    folder = running.workspace.backups / f"kill {turn}"

    def work() -> None:
        with suppress(Exception):
            if kind == "backup":
                running.post("/api/command/backup", {"folder": str(folder)})
            while kind == "app":
                sent.update(decided(running, rng.randrange(10)))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(rng.random() * 2)
    running.kill()
    thread.join()
    running.start()
    assert not list(running.workspace.backups.glob(f".*{PART}")), "what a killed backup left behind is swept up"


def test_a_migration_that_is_killed_is_made_again(tmp_path):
    left = of_an_earlier_version(tmp_path / "left")
    rng = random.Random(3)
    for turn in range(MIGRATIONS):
        here = tmp_path / f"turn {turn}"
        shutil.copytree(left, here)
        code = "import sys; from pathlib import Path; from data.store import Store; Store(Path(sys.argv[1]), Path(sys.argv[2]))"
        process = subprocess.Popen([sys.executable, "-c", code, here / "s.duckdb", here / "backups"], cwd=HOUSE)
        time.sleep(0.5 + rng.random() * 4)
        process.kill()
        process.wait()
        store = Store(here / "s.duckdb", here / "backups")
        assert {row["number"] for row in log(store, "migration")} == set(migrations()) and store.salvage is None
        assert len(log(store, "sample")) == 5 and differences(store) == 0
        store.close()


def of_an_earlier_version(folder: Path) -> Path:
    """A store as an earlier version left it, with rows in it."""
    store = Store(folder / "s.duckdb", upto=9)
    row = {
        "round": 1,
        "dataset": "d",
        "error_type": "counting",
        "route": "same_image",
        "question": "How many?",
        "choices": [],
        "answer": "2",
    }
    with store.write() as write:
        write.insert("sample", [{**row, "key": f"key {i}", "image": "aa"} for i in range(5)])
    store.close()
    return folder
