"""The frontier client against a server that misbehaves."""

import time

import pytest

from models.frontier import FrontierStopped
from tests.support.frontier_world import chaos, client, priced, requests


def test_chaos_every_row_ends_in_an_answer(tmp_path):
    order = {"limited": 0.2, "retry_after": 0, "broken": 0.1, "reset": 0.05, "truncated": 0.05, "wrong_schema": 0.03, "latency_s": 0.02}
    with chaos(**order, seed=3) as server, client(server, tmp_path / "journal.sqlite", concurrency=16, attempts=15) as frontier:
        outcomes = list(frontier.ask_all(requests(150)))
        log = server.log()
        assert len(outcomes) == 150 and [outcome.error for outcome in outcomes if outcome.error] == []
        assert set(log["texts"].values()) == {1}, "no good reply was thrown away or asked for twice"
        assert log["calls"] == sum(outcome.asked for outcome in outcomes)
        assert log["most"] >= 12, "16, but for a machine that is busy"
        assert sum(row.lost for row in frontier.journal.spend()) > 5, "resets and torn bodies are remembered"
        repaired = [outcome for outcome in outcomes if len(outcome.replies) > 1]
        assert repaired, "wrong schemas were repaired, and both replies kept"


def test_a_poison_row_gets_a_named_error_and_stalls_nobody(tmp_path):
    with chaos(always_bad="question 7") as server, client(server, tmp_path / "journal.sqlite") as frontier:
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all(requests(20, start=6))}
        assert [key for key, outcome in outcomes.items() if outcome.error] == ["row7"]
        bad = outcomes["row7"]
        assert bad.parsed is None and bad.asked == 3 and len(bad.replies) == 3
        assert bad.error == "3 replies didn't fit BlindAnswer; the last one: no JSON object in the reply"
        (again,) = frontier.ask_all(requests(1, start=7))
        assert again.error == bad.error and again.asked == 0, "the bad replies are kept"


def test_a_broken_endpoint_fails_rows_not_the_job(tmp_path):
    failing = chaos(status=[500, {"error": {"message": "overloaded"}}], status_after=10)
    with failing as server, client(server, tmp_path / "journal.sqlite", attempts=2, concurrency=1) as frontier:
        outcomes = list(frontier.ask_all(requests(13)))
    errors = [outcome.error for outcome in outcomes if outcome.error]
    assert errors == ["given up after 2 calls: HTTP 500: overloaded"] * 3


@pytest.mark.parametrize(
    ("status", "body", "cause", "resumable"),
    [
        (
            401,
            {"error": {"message": "Incorrect API key provided: sk-abcdefghijklmnop."}},
            r"HTTP 401: .*\(check the key in MY_KEY\)",
            False,
        ),
        (403, {"error": {"message": "Country not supported"}}, "HTTP 403: Country not supported", False),
        (404, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}, "HTTP 404: The model `m` does not", False),
        (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, "quota exhausted: HTTP 429", True),
        (402, {"detail": "Payment required"}, "quota exhausted: HTTP 402: Payment", True),
        (200, {"error": {"message": "No auth credentials found", "code": 401}}, "HTTP 401: No auth", False),
    ],
)
def test_what_stops_the_job_at_once(tmp_path, monkeypatch, status, body, cause, resumable):
    monkeypatch.setenv("MY_KEY", "sk-abcdefghijklmnop")
    options = {"api_key_env": "MY_KEY", "concurrency": 4}
    with chaos(status=[status, body], latency_s=0.05) as server, client(server, tmp_path / "journal.sqlite", **options) as frontier:
        began = time.monotonic()
        with pytest.raises(FrontierStopped, match=cause) as stopped:
            list(frontier.ask_all(requests(100)))
        assert time.monotonic() - began < 10 and stopped.value.resumable == resumable
        assert "sk-" not in str(stopped.value)
        assert server.log()["calls"] <= 4, "no storm"
        assert frontier.journal.spent_usd()[1] == 0, "no claim is left behind"


def test_a_401_half_way_keeps_what_was_paid(tmp_path):
    revoked = chaos(status=[401, {"error": {"message": "key revoked"}}], status_after=25, latency_s=0.05)
    with revoked as server, client(server, tmp_path / "journal.sqlite", concurrency=5) as frontier:
        outcomes = []
        with pytest.raises(
            FrontierStopped, match=r"no API key was sent: \w+ is neither in the environment that the app was started in nor in keys\.json"
        ):
            for outcome in frontier.ask_all(requests(100)):
                outcomes.append(outcome)
        assert len(outcomes) == 25 == len(list(frontier.journal.replies()))


def test_nobody_listens(tmp_path):
    with client("http://127.0.0.1:9/v1", tmp_path / "journal.sqlite", concurrency=4, attempts=3) as frontier:
        with pytest.raises(FrontierStopped, match=r"http://127\.0\.0\.1:9/v1 can't be reached") as stopped:
            list(frontier.ask_all(requests(10)))
        assert stopped.value.resumable


def test_a_slow_call_times_out_is_tried_again_and_counted(tmp_path):
    priced(tmp_path)
    with chaos(latency_s=2) as server, client(server, tmp_path / "journal.sqlite", timeout_s=0.3, attempts=2) as frontier:
        (outcome,) = frontier.ask_all(requests(1))
        assert outcome.error == "given up after 2 calls: timed out waiting for the reply" and outcome.asked == 2
        (row,) = frontier.journal.spend()
        assert row.lost == 2 and row.calls == 0 and frontier.journal.spent_usd()[0] == pytest.approx(row.lost_usd)
        assert row.lost_usd > 0


def test_retry_after_is_honoured(tmp_path):
    with chaos(limited=0.5, retry_after=1, seed=13) as server, client(server, tmp_path / "journal.sqlite", concurrency=1) as frontier:
        began = time.monotonic()
        outcomes = list(frontier.ask_all(requests(3)))
        waited = sum(outcome.asked - 1 for outcome in outcomes)
        assert waited >= 1 and all(outcome.parsed for outcome in outcomes) and time.monotonic() - began >= 1


def test_random_429s_dont_collapse_the_concurrency(tmp_path):
    random = chaos(limited=0.3, latency_s=0.3, most_after=250)
    with random as server, client(server, tmp_path / "journal.sqlite", concurrency=32) as frontier:
        assert all(outcome.parsed for outcome in frontier.ask_all(requests(250)))
        assert server.log()["most"] >= 28, "after 75 or so 429s as many calls as ever are in flight"


@pytest.mark.parametrize(
    ("order", "level"),
    [({}, "json_schema"), ({"rejects": ["json_schema"]}, "json_object"), ({"rejects": ["json_schema", "json_object"]}, None)],
)
def test_descends_to_the_level_that_works_and_remembers_it(tmp_path, order, level):
    with chaos(**order) as server:
        with client(server, tmp_path / "journal.sqlite", concurrency=1) as frontier:
            assert all(outcome.parsed for outcome in frontier.ask_all(requests(3)))
        calls = server.log()["calls"]
        assert calls == 3 + len(order.get("rejects", [])), "only the first row had to find out"
        with client(server, tmp_path / "journal.sqlite") as frontier:
            assert all(outcome.asked <= 1 for outcome in frontier.ask_all(requests(6)))
        bodies = server.log()["bodies"]
        last = bodies[-1].get("response_format", {}).get("type")
        assert last == level and server.log()["calls"] == calls + 3
        assert ("JSON schema" in bodies[-1]["messages"][0]["content"]) == (level == "json_object")
        assert ("tools" in bodies[-1]) == (level is None)
        if level == "json_schema":
            assert bodies[-1]["response_format"]["json_schema"]["name"] == "BlindAnswer"


def test_a_server_that_ignores_schemas_is_told_in_words(tmp_path):
    with chaos(ignores_schema=True, latency_s=0.05) as server, client(server, tmp_path / "journal.sqlite", concurrency=1) as frontier:
        asked = {outcome.key: outcome.asked for outcome in frontier.ask_all(requests(30)) if outcome.parsed}
        assert len(asked) == 30 and [asked[f"row{i}"] for i in (0, 1, 2)] == [2, 2, 2]
        assert [asked[f"row{i}"] for i in range(15, 30)] == [1] * 15, "three repairs taught it to ask in another way"


def test_parameters_that_a_model_rejects(tmp_path):
    with chaos(rejects=["max_tokens", "temperature"]) as server:
        with client(server, tmp_path / "journal.sqlite", temperature=0.5, concurrency=4) as frontier:
            outcomes = list(frontier.ask_all(requests(20)))
            assert all(outcome.parsed for outcome in outcomes)
            assert [outcome.asked for outcome in outcomes][-8:] == [1] * 8
        last = server.log()["bodies"][-1]
        assert last["max_completion_tokens"] == 1500 and "max_tokens" not in last and "temperature" not in last
        assert last["response_format"]["type"] == "json_schema", "the level wasn't lowered for it"
        with client(server, tmp_path / "journal.sqlite", temperature=0.5) as frontier:
            assert [outcome.asked for outcome in frontier.ask_all(requests(3, start=50))] == [1, 1, 1]


def test_an_address_with_a_password_is_refused_before_it_stands_anywhere(tmp_path):
    journal, refused = tmp_path / "journal.sqlite", pytest.raises(FrontierStopped, match="contains a user name or password")
    with client("http://ada:sesame@127.0.0.1:9/v1", journal) as frontier, refused as stopped:
        list(frontier.ask_all(requests(1)))
    assert "sesame" not in str(stopped.value) and b"sesame" not in b"".join(path.read_bytes() for path in tmp_path.glob("journal*"))


def test_keys_file(tmp_path, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    file = tmp_path / "keys.json"
    file.write_text('{"MY_KEY": "sk-from-the-file-123"}')
    with chaos(key="sk-from-the-file-123") as server:
        with client(server, tmp_path / "journal.sqlite", api_key_env="MY_KEY") as frontier:
            file.chmod(0o644)
            with pytest.raises(FrontierStopped, match="chmod 600"):
                list(frontier.ask_all(requests(1)))
            file.chmod(0o600)
            assert [outcome.error for outcome in frontier.ask_all(requests(1))] == [None]
        assert b"sk-from" not in b"".join(path.read_bytes() for path in tmp_path.glob("journal*"))
