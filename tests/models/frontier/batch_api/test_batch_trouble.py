"""The Batch API where things are odd: texts, prices, twins, batches that are lost or whose owner is."""

import contextlib
import json
import sqlite3
import time
from pathlib import Path

import pytest
from PIL import Image

from models.frontier import FrontierStopped, Request
from tests.models.frontier.batch_api.test_batch import QUICK, SCOPE, batch_server, batching, open_batches
from tests.support.frontier_world import BlindAnswer, client, priced, requests


def change(journal: Path, statement: str, *values) -> None:
    with contextlib.closing(sqlite3.connect(journal)) as db, db:
        db.execute(statement, values)


def test_separators_that_are_no_newlines_tear_no_reply(tmp_path):
    fits = json.dumps({"answer": "ANSWER \u2028 \x85 |"}, ensure_ascii=False)
    with batch_server(fits=fits) as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        outcomes = list(frontier.ask_all(requests(12)))
        assert all(outcome.parsed and "\u2028 \x85 |" in outcome.parsed.answer for outcome in outcomes)
        assert set(server.log()["texts"].values()) == {1}, "torn lines would be asked again"


def test_a_text_that_is_no_utf8_is_its_own_rows_error(tmp_path):
    poison = Request("poison", "blind", "You answer.", "what is \ud800?", (), BlindAnswer)
    with batch_server() as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all([*requests(6), poison])}
    assert "can't be sent as UTF-8" in outcomes.pop("poison").error
    assert len(outcomes) == 6 and all(outcome.parsed for outcome in outcomes.values())


def test_images_with_a_price_of_their_own_are_never_guessed_and_reserved_at_it(tmp_path):
    priced(tmp_path, batch=0.5, image=20.0)
    picture = tmp_path / "picture.png"
    Image.effect_noise((40, 30), 50).save(picture)
    with batch_server() as server, batching(server, tmp_path / "journal.sqlite", max_tokens=200) as frontier:
        outcomes = list(frontier.ask_all(requests(6, (str(picture),))))
        spent, reserved = frontier.journal.spent_usd(SCOPE)
    assert all(outcome.parsed and outcome.cost_usd is None for outcome in outcomes)
    assert reserved == 0 and spent > 6 * 1000 * 0.5 * 20 / 1e6 * 0.3, "the cap counts worst cases, all of the input at the image's price"


def test_twins_are_billed_once(tmp_path):
    priced(tmp_path, batch=0.5)
    twins = [Request(f"{name}{i}", "blind", "You answer.", f"question {i}", (), BlindAnswer) for i in range(5) for name in "ab"]
    with batch_server() as server, batching(server, tmp_path / "journal.sqlite") as frontier:
        outcomes = list(frontier.ask_all(twins))
        spent, _ = frontier.journal.spent_usd(SCOPE)
        assert len(outcomes) == 10 and set(server.log()["texts"].values()) == {1}
    assert sum(outcome.cost_usd for outcome in outcomes) == pytest.approx(spent) == pytest.approx(0.002 + 4 * 0.001)


def test_a_batch_whose_owner_was_on_a_machine_that_is_gone_is_taken_up(tmp_path):
    journal = tmp_path / "journal.sqlite"
    with batch_server(seconds=1.0) as server:
        with batching(server, journal) as frontier:
            list(frontier.ask_all(requests(10), lambda: bool(server.log()["batches"])))
        change(journal, "UPDATE batch SET owner = 'another|1|1.0|ab', seen_at = ?", time.time() - 90)
        with batching(server, journal) as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(10)))
        assert len(server.log()["batches"]) == 1 and set(server.log()["texts"].values()) == {1}


def test_a_batch_that_its_endpoint_has_lost_stops_its_own_rows_and_a_day_later_nobody(tmp_path):
    priced(tmp_path, batch=0.5)
    journal = tmp_path / "journal.sqlite"
    with batch_server(forgets=True) as server:
        with batching(server, journal) as frontier, pytest.raises(FrontierStopped, match="has no batch_1 of a batch") as stopped:
            list(frontier.ask_all(requests(10)))
        assert stopped.value.resumable
        with client(server, journal) as live:
            live.batch_limits = QUICK
            assert [outcome.error for outcome in live.ask_all(requests(3, start=50))] == [None] * 3
            with pytest.raises(FrontierStopped, match="has no batch_1"):
                list(live.ask_all(requests(10)))
        change(journal, "UPDATE batch SET created_at = created_at - 90000")
        with client(server, journal) as live:
            live.batch_limits = QUICK
            assert all(outcome.parsed for outcome in live.ask_all(requests(10)))
            (spend,) = live.journal.spend()
            assert spend.lost == 9 and spend.lost_usd > 0 and live.journal.spent_usd()[1] == 0, "what may have been billed is charged"
    assert open_batches(journal) == 0


def test_cancelling_a_job_leaves_the_batch_of_another_alone(tmp_path):
    journal = tmp_path / "journal.sqlite"
    with batch_server(seconds=2.0) as server:
        with batching(server, journal) as frontier:
            list(frontier.ask_all(requests(20), lambda: bool(server.log()["batches"])))
        with client(server, journal) as live:
            live.batch_limits = QUICK
            seen = []
            for outcome in live.ask_all(requests(30, start=50), lambda: "cancel" if len(seen) > 3 else False):
                seen.append(outcome)
        assert server.log()["batches"][0]["status"] in ("in_progress", "completed")
        with batching(server, journal) as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(20)))
        assert len(server.log()["batches"]) == 1 and set(server.log()["texts"].values()) == {1}
