"""The Batch API against a server that has one: half the price, nothing bought twice, whatever ends a job in between."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from curation.prompts.reply_schemas import Diagnosis
from curation.stage import Context
from curation.stages.diagnose import Diagnose
from data.child_work import StopRequest
from data.workspace import Workspace
from models.frontier import FrontierStopped, Journal
from models.frontier.batch_api.calls_file import Limits
from models.paid_calls.ledger import SQL
from tests.support import loopback
from tests.support.frontier_world import BlindAnswer, Server, client, priced, requests

SERVER = "tests.support.batch_server"
QUICK = Limits(quiet_s=0.3, look_s=(0.05, 0.2), busy_s=0.3)
SCOPE = "job 1"


@contextlib.contextmanager
def batch_server(**order) -> Iterator[Server]:
    """A running server; see batch_server.ORDER."""
    with loopback.running(SERVER, order) as port:
        yield Server(port)


def batching(server: Server, journal: Path, limits: Limits = QUICK, **options):
    frontier = client(server, journal, **{"batch": True, "budget_scope": SCOPE, **options})
    frontier.batch_limits = limits
    return frontier


def open_batches(journal: Path) -> int:
    kept = Journal(journal)
    (count,) = kept.db.execute("SELECT count(*) FROM batch").fetchone()
    kept.close()
    return count


def test_half_price_the_same_rows_and_replies(tmp_path):
    priced(tmp_path, batch=0.5)
    picture = tmp_path / "picture.png"
    Image.effect_noise((40, 30), 50).save(picture)
    made, said = requests(40, (str(picture),)), []
    with batch_server() as server:
        with batching(server, tmp_path / "journal.sqlite", max_tokens=200) as frontier:
            frontier.say = said.append
            outcomes = list(frontier.ask_all(made))
            assert frontier.journal.spent_usd(SCOPE) == (pytest.approx(0.002 + 39 * 0.001), 0)
        assert sorted(outcome.key for outcome in outcomes) == sorted(f"row{i}" for i in range(40))
        assert all(isinstance(outcome.parsed, BlindAnswer) and outcome.asked == 1 for outcome in outcomes)
        costs = sorted(outcome.cost_usd for outcome in outcomes)
        assert costs == pytest.approx([0.001] * 39 + [0.002]), "one call at once and at its full price tells what the model understands"
        log = server.log()
        assert log["live"] == 1 and [batch["calls"] for batch in log["batches"]] == [39] and log["deleted"] == 1
        assert set(log["texts"].values()) == {1} and all("|" in text for text in log["texts"]), "the picture went along"
        assert said[-1] == "batches of the endpoint: 39 of 39 calls are answered"
        with client(server, tmp_path / "journal.sqlite", max_tokens=200) as live:
            again = list(live.ask_all(made))
        assert all(outcome.asked == 0 for outcome in again), "replies are the same, bought by a batch or not"
        assert {outcome.key: outcome.parsed for outcome in again} == {outcome.key: outcome.parsed for outcome in outcomes}
        assert server.log()["live"] == 1
    assert open_batches(tmp_path / "journal.sqlite") == 0 and not list((tmp_path / "batches").iterdir())


def test_without_a_batch_price_none_is_guessed(tmp_path):
    priced(tmp_path)
    with batch_server() as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        assert [outcome.cost_usd for outcome in frontier.ask_all(requests(5))] == pytest.approx([0.002] * 5)


def test_partial_failures_and_bad_replies_go_into_further_batches(tmp_path):
    with (
        batch_server(limited=0.2, broken=0.1, wrong_schema=0.1, refuses="question 7", flaky=1, seed=5) as server,
        batching(server, tmp_path / "journal.sqlite") as frontier,
    ):
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all(requests(60, start=10) + requests(1, start=7))}
        refused = outcomes.pop("row7")
        assert refused.parsed is None and "safety system" in refused.error and refused.refused
        assert len(outcomes) == 60 and [outcome.error for outcome in outcomes.values() if outcome.error] == []
        log = server.log()
        assert set(log["answered"].values()) == {1}, "no good reply was bought twice"
        assert len(log["batches"]) >= 3 and log["batches"][0]["calls"] > log["batches"][1]["calls"] > 0
        assert any(len(outcome.replies) > 1 for outcome in outcomes.values()), "a wrong schema was repaired"


def test_files_are_split_by_calls_and_bytes(tmp_path):
    with batch_server(most_calls=7) as server:
        with batching(server, tmp_path / "journal.sqlite", Limits(calls=7, quiet_s=0.3, look_s=(0.05, 0.2))) as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(25)))
        assert [batch["calls"] for batch in server.log()["batches"]] == [7, 7, 7, 3]
        with batching(server, tmp_path / "journal.sqlite", Limits(bytes=3000, quiet_s=0.3, look_s=(0.05, 0.2))) as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(10, start=100)))
        sizes = [batch["calls"] for batch in server.log()["batches"]][4:]
        assert sum(sizes) == 10 and 2 <= len(sizes) <= 5


@pytest.mark.parametrize("ends", ["expired", "completed"])
def test_what_a_batch_leaves_over_is_asked_again(tmp_path, ends):
    with batch_server(answers=0.5, ends=ends) as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        assert all(outcome.parsed for outcome in frontier.ask_all(requests(21)))
        log = server.log()
        assert [batch["calls"] for batch in log["batches"]] == [20, 10] and set(log["answered"].values()) == {1}


@pytest.mark.parametrize(
    ("order", "cause", "resumable"),
    [
        ({"ends": "failed"}, "rejected batch batch_1: token_limit_exceeded: Enqueued token limit reached", True),
        ({"no_batches": True}, r"could not upload a file of calls: HTTP 404: Not Found; does it have a Batch API\?", False),
    ],
)
def test_what_stops_the_job(tmp_path, order, cause, resumable):
    with batch_server(**order) as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        with pytest.raises(FrontierStopped, match=cause) as stopped:
            list(frontier.ask_all(requests(5)))
        assert stopped.value.resumable == resumable
        assert frontier.journal.spent_usd()[1] == 0, "nothing stays reserved"


def test_the_budget_holds_and_what_has_no_room_goes_later(tmp_path):
    priced(tmp_path, batch=0.5)
    with batch_server() as server:
        limits = {"budget_usd": 0.045, "max_tokens": 400}
        with batching(server, tmp_path / "journal.sqlite", **limits) as frontier:
            outcomes = list(frontier.ask_all(requests(30)))
            assert len(outcomes) == 30 and all(outcome.parsed for outcome in outcomes)
        log = server.log()
        assert len(log["batches"]) > 1, "the worst cases of all did not fit at once"
        with (
            batching(server, tmp_path / "journal.sqlite", budget_usd=0.04, max_tokens=400) as frontier,
            pytest.raises(FrontierStopped, match=r"budget of \$0.04 is reached"),
        ):
            list(frontier.ask_all(requests(60)))
        kept = Journal(tmp_path / "journal.sqlite")
        assert kept.spent_usd(SCOPE)[0] <= 0.045 and kept.spent_usd(SCOPE)[1] == 0
        kept.close()


def test_a_stage_doesnt_notice(tmp_path):
    picture = tmp_path / "picture.png"
    Image.effect_noise((40, 30), 50).save(picture)
    fixed = {"choices": [], "golds": ["two"], "answer": "three", "metric": "vqa_accuracy", "answer_form": "a number"}
    rows = [{"key": str(i), "failure_id": i, "question": f"How many in {i}?", "image_path": str(picture), **fixed} for i in range(12)]
    diagnosis = Diagnosis(
        description="Two.", key_elements=["dots"], faulty_reasoning="It miscounts.", error_type="counting", gold_looks_wrong=False,
        right_but_misformatted=False, confidence=0.9,
    )  # fmt: skip
    events: list[dict] = []
    with batch_server(fits=json.dumps({"answer": "ANSWER", **diagnosis.model_dump()})) as server:
        options = Diagnose.Options(endpoint=server.url, model="m", batch=True)
        stage = Diagnose()
        stage.setup(Context(Workspace(tmp_path / "workspace").create(), tmp_path, options, lambda: False, events.append))
        stage.client.batch_limits = QUICK
        assert stage.batch_size == 50_000
        results = list(stage(rows))
        sizes = [batch["calls"] for batch in server.log()["batches"]]
        assert sizes == [12, 11], "blind answers, and then diagnoses; the first answer came at once, and its diagnosis went along"
    assert sorted(int(result["key"]) for result in results) == list(range(12)) and {r["error_type"] for r in results} == {"counting"}
    assert events[-1] == {"event": "message", "text": "batches of the endpoint: 23 of 23 calls are answered"}


ASK = """
import sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from tests.models.frontier.batch_api.test_batch import batching
from tests.support.frontier_world import Server, requests
server = Server({port})
print(sum(outcome.asked for outcome in batching(server, Path({journal!r})).ask_all(requests(30))), flush=True)
"""


def in_a_process(server: Server, journal: Path) -> subprocess.Popen:
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    program = ASK.format(root=str(loopback.HOUSE), port=port, journal=str(journal))
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def wait_for(condition, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("moment", ["gathering", "uploaded", "created", "submitted", "done"])
def test_kill_9_at_any_step_buys_nothing_twice(tmp_path, moment):
    priced(tmp_path, batch=0.5)
    journal = tmp_path / "journal.sqlite"
    order = {"seconds": 0.1 if moment == "done" else 1.0, "slow_create": 1.0 if moment == "created" else 0.0}
    with batch_server(**order) as server:
        child, kept = in_a_process(server, journal), Journal(journal)

        def reached() -> bool:
            log = server.log()
            match moment:
                case "gathering":
                    return list(kept.replies()) != []
                case "uploaded":
                    return log["uploads"] == 1
                case "created":
                    return len(log["batches"]) == 1
                case "submitted":
                    return bool(log["batches"]) and log["batches"][0]["request_counts"]["completed"] > 3
                case "done":
                    return bool(log["batches"]) and log["batches"][0]["status"] == "completed"

        wait_for(reached)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        kept.close()
        with batching(server, journal) as frontier:
            outcomes = list(frontier.ask_all(requests(30)))
            spent, reserved = frontier.journal.spent_usd(SCOPE)
        assert len(outcomes) == 30 and all(outcome.parsed for outcome in outcomes)
        log = server.log()
        live = log["live"]  # the call that goes ahead to learn the capabilities; another where the first process died before it was kept
        assert live == 1 or (live == 2 and moment == "gathering")
        assert sum(batch["calls"] for batch in log["batches"]) == 30 - live, "one batch was submitted, not two"
        assert set(log["texts"].values()) == {1}
        assert spent == pytest.approx(live * 0.002 + (30 - live) * 0.001) and reserved == 0, "counted once"
    assert open_batches(journal) == 0 and not list((tmp_path / "batches").iterdir())


def test_two_processes_at_the_same_rows_submit_them_once(tmp_path):
    with batch_server(seconds=0.8) as server:
        children = [in_a_process(server, tmp_path / "journal.sqlite") for _ in range(2)]
        for child in children:
            assert child.communicate(timeout=240)[0].strip()
        log = server.log()
    assert set(log["texts"].values()) == {1} and sum(log["texts"].values()) == 30


def test_a_pause_leaves_the_batch_running_and_resuming_collects_it(tmp_path):
    with batch_server(seconds=1.0) as server:
        with batching(server, tmp_path / "journal.sqlite") as frontier:
            kept = list(frontier.ask_all(requests(20), lambda: bool(server.log()["batches"]) and "pause"))
            assert len(kept) <= 1
        assert server.log()["batches"][0]["status"] in ("in_progress", "completed") and open_batches(tmp_path / "journal.sqlite") == 1
        with batching(server, tmp_path / "journal.sqlite") as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(20)))
        assert len(server.log()["batches"]) == 1


def test_a_job_without_batches_waits_for_what_lies_in_one_that_was_left_alone(tmp_path):
    priced(tmp_path, batch=0.5)
    with batch_server(seconds=1.0) as server:
        with batching(server, tmp_path / "journal.sqlite") as frontier:
            assert len(list(frontier.ask_all(requests(20), lambda: bool(server.log()["batches"])))) <= 1
        with client(server, tmp_path / "journal.sqlite") as live:
            live.batch_limits = QUICK
            outcomes = list(live.ask_all(requests(25)))
            spent, reserved = live.journal.spent_usd()
        log = server.log()
        assert len(outcomes) == 25 and all(outcome.parsed for outcome in outcomes)
        assert len(log["batches"]) == 1 and log["live"] == 1 + 5 and set(log["texts"].values()) == {1}
        assert spent == pytest.approx(6 * 0.002 + 19 * 0.001) and reserved == 0


def test_cancelling_cancels_the_batch_within_two_seconds_and_keeps_what_is_done(tmp_path):
    with batch_server(seconds=10.0) as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        stopped: list[float] = []

        def should_stop():
            if not stopped and server.log()["batches"] and server.log()["batches"][0]["request_counts"]["completed"] >= 8:
                stopped.append(time.monotonic())
            return "cancel" if stopped else False

        list(frontier.ask_all(requests(41), should_stop))
        assert time.monotonic() - stopped[0] < 6, "the batch would take 8"
        log = server.log()
        assert log["batches"][0]["status"] == "cancelled"
        done = len(list(frontier.journal.replies()))
        assert 9 <= done == sum(log["texts"].values()) < 41 and open_batches(tmp_path / "journal.sqlite") == 0
        assert all(outcome.parsed for outcome in frontier.ask_all(requests(41))), "and another launch asks for the rest alone"
        assert set(server.log()["texts"].values()) == {1}


def test_a_job_that_is_stopped_tells_its_stage_why(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    try:
        stop = StopRequest(tmp_path / "stop")
        assert not stop()
        (tmp_path / "stop").write_text("cancel")
        wait_for(stop)
        assert stop() == "cancel"
        stop = StopRequest(tmp_path / "nothing")
        signal.raise_signal(signal.SIGTERM)
        assert stop() is True
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_journal_of_the_first_version_becomes_one_of_today(tmp_path):
    def shape(path: Path) -> list:
        with contextlib.closing(sqlite3.connect(path)) as db:
            tables = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
            return [*tables, db.execute("PRAGMA user_version").fetchone()]

    with contextlib.closing(sqlite3.connect(tmp_path / "old.sqlite")) as db:
        for statement in SQL["schema_1"].split(";"):
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO ledger VALUES ('', 1.5)")
        db.commit()
    old, new = Journal(tmp_path / "old.sqlite"), Journal(tmp_path / "new.sqlite")
    assert old.spent_usd() == (1.5, 0)
    old.close()
    new.close()
    assert shape(tmp_path / "old.sqlite") == shape(tmp_path / "new.sqlite")
