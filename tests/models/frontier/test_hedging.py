"""A second call where the first is slow: off unless asked for, within the budget, and what it costs is charged."""

import time

import pytest

from models.frontier import FrontierStopped
from models.frontier.purchase import TIMEOUT_ATTEMPTS
from tests.support.frontier_world import chaos, client, priced, requests

SLOW = {"hang": 0.2, "hang_s": 20.0, "latency_s": 0.05, "seed": 4}
QUICK = {"hedge_after_s": 0.5, "timeout_s": 3, "attempts": 2}
ROWS = 40


def test_without_it_each_row_is_one_call(tmp_path):
    with chaos(latency_s=0.3) as server, client(server, tmp_path / "journal.sqlite", concurrency=8) as frontier:
        outcomes = list(frontier.ask_all(requests(8)))
        assert [outcome.asked for outcome in outcomes] == [1] * 8 and server.log()["calls"] == 8


def test_a_slow_call_is_asked_again_and_the_first_reply_counts(tmp_path):
    priced(tmp_path)
    with chaos(**SLOW) as server, client(server, tmp_path / "journal.sqlite", concurrency=ROWS, **QUICK) as frontier:
        begun = time.monotonic()
        outcomes = list(frontier.ask_all(requests(ROWS)))
        assert time.monotonic() - begun < SLOW["hang_s"] / 2
        valid = [outcome for outcome in outcomes if outcome.error is None]
        assert len(valid) >= ROWS - 4, "of those asked twice some hang twice"
        log, lost = server.log(), frontier.journal.lost_calls()
        assert ROWS < log["calls"] == sum(outcome.asked for outcome in outcomes)
        assert len(lost) == log["calls"] - len(valid)
        spent, reserved = frontier.journal.spent_usd()
        charged = sum(row[6] for row in lost) + sum(reply.cost_usd for _, reply in frontier.journal.replies())
        assert reserved == 0 and spent == pytest.approx(charged)


def test_it_waits_for_a_free_slot(tmp_path):
    with chaos(latency_s=0.4) as server, client(server, tmp_path / "journal.sqlite", concurrency=4, hedge_after_s=0.1) as frontier:
        outcomes = list(frontier.ask_all(requests(16)))
        assert all(outcome.error is None for outcome in outcomes)
        log = server.log()
        assert log["calls"] <= 20 and log["most"] <= 4, "while rows wait for slots none is asked twice"


def test_the_budget_has_room_for_both_calls_or_none_is_made(tmp_path):
    priced(tmp_path)
    once = {"budget_usd": 0.004, "max_tokens": 200}  # a call costs 0.0025 at most, a tenth of that in the end
    with chaos(latency_s=0.3) as server:
        with client(server, tmp_path / "journal.sqlite", **once) as frontier:
            assert next(iter(frontier.ask_all(requests(1)))).error is None
        with (
            client(server, tmp_path / "journal.sqlite", **once, hedge_after_s=5) as frontier,
            pytest.raises(FrontierStopped, match="budget"),
        ):
            list(frontier.ask_all(requests(2)))
        assert server.log()["calls"] == 1


def test_a_row_that_nobody_answers_is_given_up_after_as_many_calls_as_without(tmp_path):
    dead = {"hang": 1.0, "hang_s": 20.0}
    with chaos(**dead) as server, client(server, tmp_path / "journal.sqlite", concurrency=8, timeout_s=0.8, hedge_after_s=0.2) as frontier:
        outcomes = list(frontier.ask_all(requests(3)))
        assert all("timed out" in outcome.error for outcome in outcomes)
        assert server.log()["calls"] <= 3 * (TIMEOUT_ATTEMPTS + 1) and len(frontier.journal.lost_calls()) == server.log()["calls"]
