"""Everything goes wrong at once, and processes are killed: no reply is lost, none is bought twice."""

import contextlib
import os
import random
import subprocess
import sys
import time

import pytest

from models.frontier import FrontierStopped, Journal
from tests.support import loopback
from tests.support.frontier_world import chaos, client, requests

ROWS = 5000
BAD = {
    "limited": 0.2,
    "retry_after": 0.05,
    "broken": 0.1,
    "reset": 0.05,
    "truncated": 0.05,
    "wrong_schema": 0.05,
    "hang": 0.02,
}
NAMED = ("given up after", "3 replies didn't fit BlindAnswer")


SLOW = pytest.mark.skipif("MISTAKEBOOK_SLOW" not in os.environ, reason="takes some minutes more; set MISTAKEBOOK_SLOW=1")


@pytest.mark.parametrize(("hang_s", "patience_s"), [(6, 2.5), pytest.param(60, 25, marks=SLOW)])
def test_5000_rows_end_in_a_reply_or_a_named_error_and_none_twice(tmp_path, hang_s, patience_s):
    """2 % hang for 60 s, or a tenth of that; from the 3,000th call on 40 get a 401."""
    ended: dict[str, str | None] = {}
    stops = []
    with chaos(**BAD, hang_s=hang_s, storm=[3000, 3040], latency_s=0.01, seed=7) as server:
        while len(ended) < ROWS and len(stops) < 10:
            with client(server, tmp_path / "journal.sqlite", concurrency=64, timeout_s=patience_s) as frontier:
                try:
                    for outcome in frontier.ask_all(request for request in requests(ROWS) if request.key not in ended):
                        assert (outcome.parsed is None) == (outcome.error is not None)
                        assert ended.setdefault(outcome.key, outcome.error) is outcome.error, "no row ends twice"
                except FrontierStopped as stopped:
                    stops.append(str(stopped))
        times = server.log()["texts"]
        with contextlib.closing(Journal(tmp_path / "journal.sqlite")) as journal:
            (row,) = journal.spend()
            kept = row.calls
    errors = [error for error in ended.values() if error]
    assert len(ended) == ROWS and stops and all("HTTP 401: Your key is being rotated" in stop for stop in stops), stops
    assert all(error.startswith(NAMED) for error in errors) and len(errors) <= 10, errors
    good = sum(times.values())
    hung = good - (ROWS - len(errors))
    assert hung <= 0.06 * ROWS, "answered a second time only where the first answer came too late"
    assert kept >= ROWS - len(errors) and row.lost >= hung


ZYGOTE = """
import os, sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from tests.support.frontier_world import client, requests
import models.frontier.purchase, models.frontier.chat_http, aiohttp, httpx2, openai
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        for outcome in client({url!r}, Path({journal!r}), concurrency=8).ask_all(requests({count})):
            os.write(1, b"+")
        os._exit(0)
    os.write(1, b"%d\\n" % child)
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


def test_30_kills_lose_no_reply_and_repeat_at_most_what_was_in_flight(tmp_path):
    path, count, chance = tmp_path / "journal.sqlite", 2000, random.Random(11)
    with chaos(latency_s=0.03, slots=8) as server, contextlib.closing(Journal(path)) as journal:
        program = ZYGOTE.format(root=str(loopback.HOUSE), url=server.url, journal=str(path), count=count)
        zygote = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        kept, rounds, position = 0, 0, 0
        for number in range(30):
            zygote.stdin.write(b"\n")
            zygote.stdin.flush()
            child = int(zygote.stdout.readline())
            deadline = time.monotonic() + 10
            while number % 3 and not list(journal.replies(position, 1)) and time.monotonic() < deadline:
                time.sleep(0.01)  # two of three kills come when it is well at work, however busy the machine
            time.sleep(chance.uniform(0.0, 0.3))
            subprocess.run(["kill", "-9", str(child)], check=False)
            handed_over = zygote.stdout.readline().count(b"+")
            replies = list(journal.replies(limit=10**6))
            now, position = [reply.key for _, reply in replies], max([0, *(place for place, _ in replies)])
            assert len(now) == len(set(now)) >= kept, "what was on the disk stays there"
            assert len(now) >= handed_over, "what was handed over was on the disk before"
            kept, rounds = len(now), rounds + (len(now) > kept)
            if kept > count / 2:  # a kill that a busy machine has put off let much be asked
                break
        zygote.stdin.close()
        zygote.wait()
        assert rounds >= 10 and kept < count, "most kills hit a process at work"
        with client(server, path, concurrency=8) as frontier:
            outcomes = list(frontier.ask_all(requests(count)))
        assert all(outcome.parsed for outcome in outcomes) and sum(outcome.asked == 0 for outcome in outcomes) == kept
        times = server.log()["texts"]
        assert len(times) == count
        assert sum(times.values()) - count <= 8 * 30, "repeated at most what was in flight"
        lost = sum(row.lost for row in journal.spend())
        assert sum(times.values()) - count <= lost <= 10 * 30, "and each of those is counted as maybe billed"
