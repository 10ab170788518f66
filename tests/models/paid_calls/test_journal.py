"""The journal of paid replies by itself: claims, budgets, spend, durability."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.frontier import FrontierStopped, Journal, Reply
from models.paid_calls.budget import OverBudget
from models.paid_calls.claim_owner import is_alive, new_owner
from models.paid_calls.ledger import ChargeLost, Claim, Find, RecordReply, Release, RenewClaims, SaveCapabilities
from models.paid_calls.prices import load_prices


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def claim(key="k", owner=None, worst=1.0, cap=None, scope="job") -> Claim:
    return Claim(key, owner or OURS, "here", "m", "judge", scope, worst, cap)


def reply(key="k", usd=0.5) -> Reply:
    return Reply(key, "here", "m", "judge", '{"a": 1}', 10, 2, None, usd, 0.1, 1000.0)


OURS = new_owner()


def test_a_key_is_claimed_once_then_answered(journal):
    other = new_owner()
    assert journal.apply([claim(), claim(), claim(owner=other)]) == ["ours", "busy", "busy"]
    journal.apply([RecordReply(claim(), reply(), "v1", "text")])
    assert journal.apply([claim(owner=other), Find("k"), Find("nothing")]) == [reply(), reply(), None]


def test_a_released_or_expired_or_dead_claim_can_be_taken(journal, monkeypatch):
    other = new_owner()
    journal.apply([claim()])
    assert journal.apply([Release(claim()), claim(owner=other)])[1] == "ours"
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert journal.apply([claim()]) == ["ours"]
    journal.apply([RenewClaims(OURS)])
    child = subprocess.Popen(
        [sys.executable, "-c", "from models.paid_calls.claim_owner import new_owner; print(new_owner())"], stdout=-1, text=True
    )
    dead = child.communicate()[0].strip()
    assert journal.apply([claim("j", owner=dead), claim("j")]) == ["ours", "ours"]
    assert not is_alive(dead, later + 60, later) and is_alive(OURS, later + 60, later)
    assert is_alive("elsewhere|1|1.0|x", later + 60, later), "another host's process can't be looked at: only its expiry counts"
    (row,) = journal.spend()
    assert row.lost == 2 and row.lost_usd == 2.0, "what the dead had in flight may have been billed"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 2), st.floats(0, 1), st.sampled_from(["answer", "lose", "release", "leave"])), max_size=30))
def test_spent_plus_reserved_never_exceeds_the_cap(tmp_path_factory, calls):
    journal = Journal(tmp_path_factory.mktemp("j") / "journal.sqlite")
    for i, (worst, share, end) in enumerate(calls):
        asked = claim(f"k{i}", worst=worst, cap=3.0)
        (result,) = journal.apply([asked])
        spent, in_flight = journal.spent_usd("job")
        assert spent + in_flight <= 3.0 + 1e-9
        if result == "ours" and end != "leave":
            if end == "lose":
                journal.apply([ChargeLost(asked, "reset"), Release(asked)])
            elif end == "answer":
                journal.apply([RecordReply(asked, reply(f"k{i}", worst * share), "", "text")])
            else:
                journal.apply([Release(asked)])
        elif result != "ours":
            assert isinstance(result, OverBudget) and spent + in_flight + worst > 3.0
    by_rows = sum((row.usd or 0) + row.lost_usd for row in journal.spend("job"))
    assert journal.spent_usd("job")[0] == pytest.approx(by_rows) == pytest.approx(journal.spent_usd("")[0])
    journal.close()


def test_scopes_have_budgets_of_their_own(journal):
    journal.apply([claim("a"), RecordReply(claim("a"), reply("a", 0.9), "", "text")])
    assert isinstance(journal.apply([claim("b", cap=1.5)])[0], OverBudget)
    assert journal.apply([claim("b", cap=1.5, scope="other")]) == ["ours"]
    assert isinstance(journal.apply([claim("c", cap=2.5, scope="")])[0], OverBudget), "everyone's budget counts both"


def test_replies_without_usage_count_at_their_worst_but_show_as_unpriced(journal):
    bare = replace(reply(usd=None), prompt_tokens=None, completion_tokens=None)
    journal.apply([claim(), RecordReply(claim(), bare, "", "text")])
    (row,) = journal.spend()
    assert row.usd is None and row.unpriced == 1 and journal.spent_usd()[0] == 1.0


def test_collector_reads_on_from_where_it_was(journal):
    for i in range(5):
        journal.apply([RecordReply(claim(f"k{i}"), reply(f"k{i}"), "", "text")])
    journal.apply([RecordReply(claim("k0"), reply("k0"), "", "text")])
    first = list(journal.replies(limit=3))
    rest = list(journal.replies(first[-1][0]))
    assert [reply.key for _, reply in first + rest] == [f"k{i}" for i in range(5)]
    assert list(journal.replies(rest[-1][0])) == []
    assert journal.scoped_replies(limit=3) == [(position, "job", reply) for position, reply in first]
    (row,) = journal.spend()
    assert row.calls == 5 and row.usd == 2.5 and row.lost == 1, "the one that was bought twice is known"


def test_capabilities_backup_and_reopening(journal, tmp_path):
    journal.apply([SaveCapabilities("here", "m", {"level": "text"}), claim(), RecordReply(claim(), reply(), "", "text")])
    journal.backup(tmp_path / "copy.sqlite")
    copy = Journal(tmp_path / "copy.sqlite")
    assert copy.capabilities("here", "m") == {"level": "text"} and copy.capabilities("here", "n") is None
    assert copy.apply([Find("k")]) == [reply()] and copy.typical("here", "m", "judge") == (1, 10.0, 2.0)
    copy.close()


def test_an_unusable_file_is_named(tmp_path):
    bad = tmp_path / "journal.sqlite"
    bad.write_bytes(b"this is no database, " * 100)
    with pytest.raises(FrontierStopped, match=r"journal.sqlite can't be used: file is not a database"):
        Journal(bad)


def test_many_processes_open_and_write_at_once(tmp_path):
    program = """
import sys
from pathlib import Path
from models.frontier import Journal
from models.paid_calls.ledger import Claim
from models.paid_calls.claim_owner import new_owner
journal, owner = Journal(Path(sys.argv[1])), new_owner()
print(sum(journal.apply([Claim(str(i), owner, "e", "m", "p", "", None, None)])[0] == "ours" for i in range(50)))
sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(tmp_path / "journal.sqlite")]
    children = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True) for _ in range(4)]
    won = [int(child.stdout.readline()) for child in children]
    for child in children:
        child.communicate()
    assert sum(won) == 50, won


def test_price_table(tmp_path):
    shipped = load_prices(None)
    assert shipped["pocket-teacher"].pretend and shipped["pocket-teacher"].usd(1_000_000, 1_000_000, 500_000) == pytest.approx(0.7125)
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"models": {"big": {"input": 3, "output": 15}}}))
    assert load_prices(file)["big"].usd(1000, 100) == pytest.approx(0.0045) and "pocket-teacher" in load_prices(file)
    file.write_text('{"models": {"big": {"input": -1, "output": 1}}}')
    with pytest.raises(ValueError, match=r"prices.json: models.big.input: .*greater than or equal to 0"):
        load_prices(file)
    file.write_text('{"models":\n {"big"}}')
    with pytest.raises(ValueError, match=r"prices.json, line 2: not JSON"):
        load_prices(file)
