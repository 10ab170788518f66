"""Users, their hashed passwords, sessions, and how guessing gets slow."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from curation.access import passwords
from curation.access.lockout import FREE_BOTH, LONGEST_WAIT, Lockout
from curation.access.passwords import WeakPassword
from curation.access.sessions import IDLE, LONGEST, Sessions
from curation.access.users import BadUsers, Users

HOUSE = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


def test_passwords_are_kept_as_hashes_that_cost_something():
    first, second = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert first != second and PASSWORD not in first and first.startswith("scrypt$32768$8$1$")
    assert passwords.matches(PASSWORD, first) and passwords.matches(PASSWORD, second)
    assert not passwords.matches(PASSWORD + "x", first) and not passwords.matches(PASSWORD, None)
    for bad in ("short", "x" * 2000):
        with pytest.raises(WeakPassword, match="expected 10 to 1024"):
            passwords.hashed(bad)


def test_the_file_of_users(tmp_path):
    users = Users(tmp_path / "users.json")
    assert users.all() == {}
    users.add("ann", "admin", PASSWORD)
    assert users.path.stat().st_mode & 0o777 == 0o600 and PASSWORD not in users.path.read_text()
    users.add("bob", "reviewer", PASSWORD)
    other = Users(users.path)  # of the app, which runs meanwhile
    assert other.check("bob", PASSWORD).role == "reviewer"
    users.set_role("bob", "editor")
    assert other.check("bob", PASSWORD).role == "editor"
    users.set_password("bob", "another long one")
    assert other.check("bob", PASSWORD) is None and other.check("bob", "another long one")
    users.add("eve", "reader", "")
    assert other.check("eve", "") is None, "one without a password can't log in"
    users.remove("bob")
    assert "bob" not in other.all() and other.check("nobody", PASSWORD) is None


def test_what_is_wrong_with_users_is_said(tmp_path):
    users = Users(tmp_path / "users.json")
    users.add("ann", "admin", PASSWORD)
    for change, words in (
        (lambda: users.add("ann", "admin", PASSWORD), "there is a user 'ann' already"),
        (lambda: users.add("a:b", "admin", PASSWORD), "no colons"),
        (lambda: users.add("bob", "king", PASSWORD), "there is no role 'king'; there are: reader"),
        (lambda: users.remove("eve"), "there is no user 'eve'.*there are: ann"),
        (lambda: users.set_role("ann", "reader"), "nobody would be an admin"),
    ):
        with pytest.raises(BadUsers, match=words):
            change()
    assert [(user.name, user.role) for user in users.all().values()] == [("ann", "admin")]
    users.path.chmod(0o644)
    with pytest.raises(BadUsers, match="chmod 600"):
        Users(users.path).all()
    users.path.write_text("ann:secret\n")
    users.path.chmod(0o600)
    with pytest.raises(BadUsers, match=r"plain text.*mistakebook users add"):
        Users(users.path).all()


def test_two_who_add_at_once_lose_nobody(tmp_path):
    path = tmp_path / "users.json"
    Users(path).add("ann", "admin", "")
    threads = [threading.Thread(target=lambda i=i: Users(path).add(f"user {i}", "reader", "")) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Users(path).all()) == 13


def test_sessions_end_by_time_by_logging_out_and_by_revocation(tmp_path):
    now = [1000.0]
    sessions = Sessions(tmp_path, lambda: now[0])
    assert not sessions.path.exists() and sessions.find("") is None
    cookie = sessions.begin("ann", "10.0.0.1")
    assert sessions.path.stat().st_mode & 0o777 == 0o600
    assert cookie not in str(sqlite3.connect(sessions.path).execute("SELECT * FROM session").fetchall()), "the file holds hashes"
    assert sessions.find(cookie) == "ann" and sessions.find(cookie + "x") is None
    for _ in range(30):  # used all along: until the longest time
        now[0] += IDLE - 60
        standing = sessions.find(cookie)
        assert (standing == "ann") == (now[0] - 1000 <= LONGEST)
    idle = sessions.begin("ann", "")
    now[0] += IDLE + 1
    assert sessions.find(idle) is None
    first, second, others = sessions.begin("ann", ""), sessions.begin("ann", ""), sessions.begin("bob", "")
    assert [session.name for session in sessions.all()].count("ann") == 2
    sessions.end(first)
    assert sessions.find(first) is None and sessions.find(second) == "ann"
    assert Sessions(tmp_path, lambda: now[0]).revoke("ann") == 1  # by the command, while the app runs
    assert sessions.find(second) is None and sessions.find(others) == "bob"


def test_guesses_get_slower():
    now = [0.0]
    lockout = Lockout(lambda: now[0])
    tried = 0
    for _ in range(400):  # as fast as they are let
        if wait := lockout.wait("ann", "10.0.0.1"):
            now[0] += wait
        lockout.failed("ann", "10.0.0.1")
        tried += 1
        if now[0] > 3600:
            break
    assert tried < 25, "an hour is enough for a few guesses"
    assert lockout.wait("ann", "10.0.0.2") == 0, "somebody else's guesses don't lock ann out"
    assert lockout.wait("bob", "10.0.0.1") == 0 or tried >= 20
    lockout.succeeded("ann", "10.0.0.1")


def test_guesses_at_one_moment_are_all_counted_and_a_right_password_takes_its_own_back():
    lockout = Lockout(lambda: 0.0)
    assert [lockout.attempt("ann", "a") for _ in range(FREE_BOTH + 3)] == [0.0] * FREE_BOTH + [1.0] * 3  # none has been looked at yet
    for _ in range(100):
        assert lockout.attempt("bob", "b") == 0
        lockout.succeeded("bob", "b")
    assert lockout.wait("eve", "b") == 0, "an address from which many log in rightly is not locked"


@given(some.integers(0, 200))
def test_the_wait_grows_and_has_an_end(failures):
    lockout = Lockout(lambda: 0.0)
    waits = []
    for _ in range(failures):
        lockout.failed("ann", "a")
        waits.append(lockout.wait("ann", "a"))
    assert waits == sorted(waits) and all(wait == 0 for wait in waits[: FREE_BOTH - 1]) and max(waits, default=0) <= LONGEST_WAIT


def command(home, *arguments, password=PASSWORD):
    environment = {**os.environ, "MISTAKEBOOK_HOME": str(home)}
    line = [sys.executable, "-m", "curation.cli", "users", *arguments]
    return subprocess.run(line, cwd=HOUSE, env=environment, input=password + "\n", capture_output=True, text=True, timeout=120)


def test_the_command(tmp_path):
    assert "asks for no login" in command(tmp_path).stdout
    assert "ann may log in as admin" in command(tmp_path, "add", "ann").stdout  # the first one
    assert command(tmp_path, "add", "bob", "--role", "reviewer", "--json").returncode == 0
    assert json.loads(command(tmp_path, "--json").stdout)[1]["role"] == "reviewer"
    assert command(tmp_path, "role", "bob", "editor").returncode == 0
    weak = command(tmp_path, "add", "eve", password="x")
    assert weak.returncode == 1 and "10 to 1024" in weak.stderr
    assert "may not log in any more" in command(tmp_path, "remove", "bob").stdout
    assert Users(tmp_path / "users.json").check("ann", PASSWORD)
