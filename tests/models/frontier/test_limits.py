"""Limits per minute, limits of calls at once, and throughput under failures, against a server that keeps them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.paid_calls.rate_limits import Bucket, duration, reset
from tests.support.frontier_world import chaos, client, requests


def asked_all(frontier, count: int) -> float:
    """Seconds that so many rows took, all of them valid."""
    began = time.monotonic()
    outcomes = list(frontier.ask_all(requests(count)))
    assert len(outcomes) == count and [outcome.error for outcome in outcomes if outcome.error] == []
    return time.monotonic() - began


def test_requests_per_minute(tmp_path):
    with chaos() as server, client(server, tmp_path / "journal.sqlite", requests_per_minute=900) as frontier:
        assert asked_all(frontier, 45) >= (45 - 15) / 15 - 0.1, "15 at once, then 15 a second"
    with chaos() as server, client(server, tmp_path / "journal.sqlite") as frontier:
        asked_all(frontier, 45)
        with client(server, tmp_path / "journal.sqlite", requests_per_minute=30) as slow:
            assert asked_all(slow, 45) < 60, "what the journal has counts for nothing; asked again it would take 90 s"
        assert server.log()["calls"] == 45


def test_tokens_per_minute_are_those_that_calls_really_took(tmp_path):
    limit = {"tokens_per_minute": 660_000, "max_tokens": 3000}  # of the server's 1,100 tokens 10 a second; estimated are 3,200
    with chaos() as server, client(server, tmp_path / "journal.sqlite", **limit) as frontier:
        assert 2.0 - 0.1 <= asked_all(frontier, 30) < 8


@pytest.mark.parametrize(("window", "least"), [([20, 2.0, "bit by bit"], 2.0), ([15, 1.5, "at once"], 3.0)])
def test_headers_slow_calls_down_before_they_are_turned_away(tmp_path, window, least):
    rows = 40 if window[2] == "bit by bit" else 45
    with chaos(window=window, latency_s=0.02) as server, client(server, tmp_path / "journal.sqlite", concurrency=12) as frontier:
        assert asked_all(frontier, rows) < least + 6
        assert server.log()["refused"] <= 30, "without the headers every row that waits, 40 or so"


TRIES = 3  # a throughput is shown by the one of them that a busy machine has not held up


def test_settles_near_what_the_endpoint_serves_at_once(tmp_path):
    waits = []
    for journal in (tmp_path / f"journal{number}.sqlite" for number in range(TRIES)):
        with chaos(most_at_once=12, latency_s=0.25, most_after=80) as server:
            with client(server, journal, concurrency=64) as frontier:
                asked_all(frontier, 250)
            waits.append(server.log())
        # the endpoint is kept busy, the first search and the last calls counted in; calls are turned away mostly in the first
        # seconds: without a limit each is many times
        if waits[-1]["mean"] >= 6 and waits[-1]["limited"] <= 400:
            return
    raise AssertionError([(log["mean"], log["limited"]) for log in waits])


def test_random_failures_leave_45_percent_of_the_throughput(tmp_path):
    """By the server's count: how full the slots are, times how many calls brought a reply."""
    bad = {"limited": 0.2, "retry_after": 0, "broken": 0.1, "wrong_schema": 0.05}
    order, found = {**bad, "latency_s": 0.3, "seed": 2, "most_after": 20}, []
    for journal in (tmp_path / f"journal{number}.sqlite" for number in range(TRIES)):
        with chaos(**order) as server, client(server, journal, concurrency=20) as frontier:
            errors = [outcome.error for outcome in frontier.ask_all(requests(300)) if outcome.error]
            log = server.log()
        # three wrong schemas in a row mark a row: one in 8,000
        assert len(errors) <= 1 and all("3 replies didn't fit" in error for error in errors)
        found.append(log["mean"] / 20 * 300 / log["calls"])
        if found[-1] >= 0.45:
            return
    raise AssertionError(found)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1m30.5s", 90.5), ("2h3m", 7380), ("12", 12), ("0", 0), ("", None), ("soon", None)],
)
def test_reset_headers(said, seconds):
    assert reset(said) == (pytest.approx(seconds) if seconds is not None else None)


def test_reset_headers_that_name_a_time():
    now = time.time()
    for header in (str(int(now + 30)), str(int((now + 30) * 1000)), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 30))):
        assert reset(header) == pytest.approx(30, abs=1.5)
    assert duration("Please try again in 20 seconds.") == 20


@given(st.floats(0.1, 100), st.floats(1, 1000), st.lists(st.tuples(st.floats(0, 10), st.floats(0, 100)), min_size=1, max_size=50))
def test_a_bucket_never_gives_more_than_it_was_filled_with(per_second, capacity, steps):
    bucket, now, taken = Bucket(capacity, per_second, capacity, 0.0), 0.0, 0.0
    for pause, amount in steps:
        now += pause
        now += bucket.wait(amount, now)
        bucket.take(amount, now)
        taken += amount
        assert taken <= capacity + now * per_second + max(0.0, amount - capacity) + 1e-6 * (1 + taken)
