"""The frontier client against a real server over loopback: what is bought, kept, resumed and shared."""

import base64
import io
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from models.frontier import FrontierStopped, Journal
from tests.support import loopback
from tests.support.frontier_world import BlindAnswer, chaos, client, priced, requests

ASK = """
import sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from tests.support.frontier_world import client, requests
asked = sum(outcome.asked for outcome in client({url!r}, Path({journal!r}), concurrency=8).ask_all(requests({count})))
print(asked)
"""


def in_a_process(url, journal, count) -> subprocess.Popen:
    program = ASK.format(root=str(loopback.HOUSE), url=url, journal=str(journal), count=count)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def test_asks_once_and_resumes_from_the_journal(tmp_path):
    with chaos(latency_s=0.01) as server:
        with client(server, tmp_path / "journal.sqlite") as first:
            outcomes = list(first.ask_all(requests(40)))
        assert sorted(outcome.key for outcome in outcomes) == sorted(f"row{i}" for i in range(40))
        assert all(isinstance(outcome.parsed, BlindAnswer) and outcome.error is None and outcome.asked == 1 for outcome in outcomes)
        assert all(outcome.cost_usd is None for outcome in outcomes), "no price, no guess"
        with client(server, tmp_path / "journal.sqlite") as second:
            again = list(second.ask_all(requests(40)))
        assert {outcome.key: outcome.parsed for outcome in again} == {outcome.key: outcome.parsed for outcome in outcomes}
        assert all(outcome.asked == 0 and outcome.cost_usd == 0 for outcome in again)
        assert server.log()["calls"] == 40


def test_the_same_question_twice_in_a_batch_is_bought_once_and_another_attempt_anew(tmp_path):
    with chaos(latency_s=0.05) as server, client(server, tmp_path / "journal.sqlite") as frontier:
        (one,) = requests(1)
        twins = [one, replace(one, key="twin"), replace(one, key="again", attempt=1)]
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all(twins)}
        assert outcomes["row0"].replies == outcomes["twin"].replies != outcomes["again"].replies
        assert server.log()["calls"] == 2


def test_images_go_out_as_they_are_or_turned_and_fitted(tmp_path):
    small, turned, large, broken = (str(tmp_path / name) for name in ("small.png", "turned.jpg", "large.bmp", "broken.png"))
    Image.new("RGB", (30, 20), "red").save(small)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(turned, exif=exif)
    Image.effect_noise((400, 300), 50).save(large)
    (tmp_path / "broken.png").write_bytes(b"no image")
    with chaos() as server, client(server, tmp_path / "journal.sqlite", max_pixels=10_000, detail="low") as frontier:
        made = requests(1, (small, turned, large)) + requests(1, (broken,), start=1) + requests(1, (str(tmp_path / "gone.png"),), start=2)
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all(made)}
        assert outcomes["row0"].parsed
        assert "broken.png" in outcomes["row1"].error and outcomes["row1"].asked == 0
        assert "gone.png: No such file" in outcomes["row2"].error
        (body,) = server.log()["bodies"]
    parts = [part["image_url"] for part in body["messages"][-1]["content"] if part["type"] == "image_url"]
    sent = [base64.b64decode(part["url"].partition(",")[2]) for part in parts]
    assert all(part["detail"] == "low" for part in parts)
    assert sent[0] == Path(small).read_bytes()
    decoded = [Image.open(io.BytesIO(data)) for data in sent]
    assert decoded[1].size == (20, 40) and decoded[1].getexif().get(0x0112, 1) == 1
    assert decoded[2].format == "PNG" and decoded[2].width * decoded[2].height <= 10_000 and decoded[2].size == (115, 86)


def test_kill_9_loses_no_reply_and_repeats_only_calls_in_flight(tmp_path):
    path, rows = tmp_path / "journal.sqlite", 400  # five seconds' work: the kill comes in the middle of it
    with chaos(latency_s=0.1, slots=8) as server:
        child = in_a_process(server.url, path, rows)
        journal = Journal(path)
        while len(list(journal.replies())) < 30:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)  # not waited for yet: a zombie's claims are dead too
        kept = len(list(journal.replies()))
        assert 30 <= kept < rows
        with client(server, path, concurrency=8) as frontier:
            outcomes = list(frontier.ask_all(requests(rows)))
        assert all(outcome.parsed for outcome in outcomes) and len(outcomes) == rows
        assert sum(outcome.asked == 0 for outcome in outcomes) == kept, "what was on the disk wasn't asked again"
        times = server.log()["texts"]
        assert len(times) == rows and max(times.values()) <= 2
        assert sum(times.values()) - rows <= 8, "repeated only what was in flight"
        lost = sum(row.lost for row in journal.spend())
        assert 1 <= lost <= 10, "calls in flight at the kill may have been billed"
        child.wait()
        journal.close()


def test_two_processes_with_the_same_requests_buy_each_once(tmp_path):
    with chaos(latency_s=0.2) as server:
        children = [in_a_process(server.url, tmp_path / "journal.sqlite", 100) for _ in range(2)]
        asked = [int(child.communicate(timeout=240)[0]) for child in children]
        log = server.log()
    assert sum(asked) == 100 == log["calls"], asked
    assert set(log["texts"].values()) == {1} and min(asked) > 0, "both worked"


def test_budget_is_never_exceeded_even_by_calls_in_flight(tmp_path):
    priced(tmp_path)  # a call: 1000 x 1 + 100 x 10 per million = 0.2 cents
    with chaos(latency_s=0.05) as server:
        limits = {"budget_usd": 0.021, "budget_scope": "job 1", "max_tokens": 200, "concurrency": 8}
        with client(server, tmp_path / "journal.sqlite", **limits) as frontier:
            outcomes = []
            with pytest.raises(FrontierStopped, match=r"budget of \$0.02 is reached: \$0\.0\d+ is spent") as stopped:
                for outcome in frontier.ask_all(requests(40)):
                    outcomes.append(outcome)
            assert stopped.value.resumable
            spent, in_flight = frontier.journal.spent_usd("job 1")
            assert in_flight == 0 and spent == pytest.approx(0.002 * len(outcomes)) and spent <= 0.021
            assert len(outcomes) >= 8, "most of the budget could be used"
            assert all(outcome.cost_usd == pytest.approx(0.002) for outcome in outcomes)
            (row,) = frontier.journal.spend("job 1")
            assert row.calls == len(outcomes) and row.usd == pytest.approx(spent)
        with client(server, tmp_path / "journal.sqlite", **limits | {"budget_usd": 1.0}) as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(40)))
            assert frontier.journal.spent_usd("job 1")[0] == pytest.approx(0.08), "nothing is counted twice on resume"
            assert frontier.journal.spent_usd("job 2")[0] == 0
        assert server.log()["calls"] == 40


def test_a_budget_needs_a_price(tmp_path):
    frontier = client("http://127.0.0.1:9/v1", tmp_path / "journal.sqlite", budget_usd=1)
    with frontier, pytest.raises(FrontierStopped, match="model m has no price"):
        list(frontier.ask_all(requests(1)))


def test_estimate_holds_the_true_cost(tmp_path):
    priced(tmp_path, input=0.05)
    with chaos() as server, client(server, tmp_path / "journal.sqlite", max_tokens=500) as frontier:
        before = frontier.estimate(requests(5), 50)
        list(frontier.ask_all(requests(30)))
        after = frontier.estimate(requests(5, start=100), 50)
        true = 50 * (1000 * 0.05 + 100 * 10) / 1e6
        assert before.calls == after.calls == 50
        assert before.low_usd < true < before.high_usd and after.low_usd < true < after.high_usd
        assert after.high_usd - after.low_usd < before.high_usd - before.low_usd, "real replies narrow it"
        assert frontier.estimate(requests(4, start=28), 100).calls == 50, "half of the sample is paid for"
    with client(server, tmp_path / "journal.sqlite", model="unknown") as frontier:
        assert frontier.estimate(requests(5), 50)[0] == 50 and frontier.estimate(requests(5), 50).high_usd is None


def test_stop_ends_within_two_seconds_and_keeps_what_arrives(tmp_path):
    with chaos(latency_s=0.5) as server, client(server, tmp_path / "journal.sqlite", concurrency=10) as frontier:
        asked = time.monotonic()
        outcomes = []
        stop_at = asked + 1.2
        for outcome in frontier.ask_all(requests(200), should_stop=lambda: time.monotonic() > stop_at):
            outcomes.append(outcome)
        assert time.monotonic() - stop_at < 6, "200 rows would take 10"
        kept = len(list(frontier.journal.replies()))
        assert kept == len(outcomes) == server.log()["calls"] < 60, "each call that was sent has been kept"
        assert frontier.journal.spent_usd()[1] == 0


def test_stop_doesnt_wait_for_slow_calls(tmp_path):
    priced(tmp_path)
    with chaos(latency_s=30) as server, client(server, tmp_path / "journal.sqlite", concurrency=4) as frontier:
        stopped = []  # when the server has as many calls as may be in flight

        def should_stop():
            if not stopped and server.log()["calls"] == 4:
                stopped.append(time.monotonic())
            return bool(stopped)

        assert list(frontier.ask_all(requests(20), should_stop=should_stop)) == []
        assert time.monotonic() - stopped[0] < 15, "half of what a call takes; it waits 2 s for what may still arrive"
        (row,) = frontier.journal.spend()
        assert row.calls == 0 and row.lost == 4 and row.lost_usd > 0, "cut off: they may have been billed"


def test_requests_are_drawn_as_they_are_needed(tmp_path):
    drawn = []

    def endless():
        for request in requests(100_000):
            drawn.append(request.key)
            yield request

    with chaos() as server, client(server, tmp_path / "journal.sqlite", concurrency=2) as frontier:
        answers = frontier.ask_all(endless())
        for _ in range(20):
            next(answers)
        answers.close()
        assert len(drawn) < 200


def test_test_button_says_what_happened(tmp_path):
    with chaos() as server, client(server, tmp_path / "journal.sqlite") as frontier:
        report = frontier.test()
        assert report.startswith("Works: m at http://127.0.0.1") and "does it see images?" in report and "unpriced" in report
    with client("http://127.0.0.1:9/v1", None, attempts=2) as frontier:
        assert frontier.test().startswith("Failed: ")
