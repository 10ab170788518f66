"""A log that a crash has damaged, as people meet it: on every page, in `doctor`, with what was brought back and what was not."""

import json
import subprocess
import sys

import pytest

from curation.workspaces import damage
from data.store import Store
from data.store_opening import wal_of
from tests.jobs.test_kill9 import reviews_by_hand
from tests.support.running_app import HOUSE, app
from tests.support.seed import seeded_store
from tests.support.stores import log

pytestmark = pytest.mark.timeout(900)


def mistakebook(*arguments):
    command = [sys.executable, "-m", "curation.cli", *arguments, "--workspace", "w"]
    return subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=240)


def test_what_was_acknowledged_is_there_again_and_people_are_told(home):
    store, _, here = seeded_store(home / "w", failures=24, samples=60, seed=11)
    store.close()
    with app(here) as running:
        sent = reviews_by_hand(running, 8)
        running.kill()
        wal = wal_of(here.store)
        content = bytearray(wal.read_bytes())
        content[len(content) // 3] ^= 1
        wal.write_bytes(content)
        running.start()
        (told,) = running.get("/api/workspace")["damages"]
        assert "were brought back from the journal of decisions, 0 could not be" in told["text"] and "There is no backup" in told["text"]
        doctor = json.loads(mistakebook("doctor", "--json").stdout)
        assert [one["ok"] for one in doctor if one["what"] == "store"] == [False]
        looked = json.loads(mistakebook("recover", "--json").stdout)
        assert looked["brought_back"] == looked["other_text"] == looked["no_sample"] == 0 and looked["known"] == 8
        assert "can be brought back" in mistakebook("recover").stdout
        assert running.post("/api/damage/read", {"name": told["name"]}) == []
        assert running.get("/api/workspace")["damages"] == []
    (one,) = damage.damages(here)
    assert one.read_by == "ada" and one.brought_back and one.brought_back > 0 and one.replayed_bytes < one.log_bytes
    opened = Store(here.store)
    assert {(row["sample_id"], row["event_id"]) for row in log(opened, "review")} >= sent
    opened.close()


def test_a_journal_of_paid_replies_that_is_damaged_is_named(home):
    store, _, here = seeded_store(home / "w", failures=12, samples=20, seed=11)
    store.close()
    here.journal.write_bytes(b"this is no database" * 500)
    done = mistakebook("generate", "--per-failure", "1")
    assert done.returncode == 1 and "Traceback" not in done.stderr and here.journal.name in done.stderr, done.stderr
    assert here.journal.read_bytes().startswith(b"this is no database")
