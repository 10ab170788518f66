"""What commands print: plain text for pipes and with NO_COLOR, tables and a progress line on a terminal; nothing is cut off."""

import io
import json
import os
import re
import sys
from contextlib import contextmanager, suppress

import pytest

from curation.commands import follow
from curation.commands.output import drawn, show, table
from curation.jobs.views import JobView

ERROR = "HTTP 500 [red] of /a/path/that/goes/on: not\nJSON at all, says the parser"
ROWS = [
    {"job_id": 7, "stage": "diagnose", "usd": 0.123456, "sha": "f" * 40, "error": None},
    {
        "job_id": 1234,
        "stage": "draw",
        "usd": None,
        "sha": "0" * 40,
        "error": ERROR,
    },
]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextmanager
def terminal(columns, monkeypatch):
    """A terminal to write to; `read` gives what it was sent so far."""
    import fcntl
    import struct
    import termios

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.set_blocking(master, False)
    stream = os.fdopen(slave, "w", encoding="utf-8")

    def read():
        stream.flush()
        sent = b""
        with suppress(BlockingIOError):
            while part := os.read(master, 1 << 16):
                sent += part
        return sent.decode()

    try:
        yield stream, read
    finally:
        stream.close()
        os.close(master)


def test_a_pipe_gets_plain_lines_of_any_length():
    assert drawn(table(ROWS, list(ROWS[0])), io.StringIO()).split("\n") == [
        f"job_id  stage        usd  {'sha':40}  error",
        f"     7  diagnose  0.1235  {'f' * 40}",
        f"  1234  draw              {'0' * 40}  HTTP 500 [red] of /a/path/that/goes/on: not",
        " " * 68 + "JSON at all, says the parser",
    ]
    assert drawn(table([], ["a", "b"]), io.StringIO()) == "a  b"


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_a_terminal_gets_a_drawn_table_with_every_character(columns, monkeypatch):
    with terminal(columns, monkeypatch) as (stream, _):
        text = drawn(table(ROWS, list(ROWS[0])), stream)
    assert "\x1b[1m" in text and "──" in text
    plain = ESCAPES.sub("", text)
    assert "f" * 40 in plain and "0" * 40 in plain and "1234" in plain and "diagnose" in plain
    squeezed = "".join(line[68:] for line in plain.split("\n")[2:])
    assert squeezed.replace(" ", "") == ERROR.replace(" ", "").replace("\n", "")


def test_no_color_means_plain_on_a_terminal_too(monkeypatch):
    with terminal(60, monkeypatch) as (stream, _):
        monkeypatch.setenv("NO_COLOR", "1")
        assert drawn(table(ROWS, list(ROWS[0])), stream) == drawn(table(ROWS, list(ROWS[0])), io.StringIO())


def test_json_is_one_document_whatever_is_drawn(capsys):
    show({"title": "Zähler – ½"}, True, lambda: 1 / 0)
    assert capsys.readouterr().out == '{"title": "Zähler – ½"}\n'
    show(ROWS, False, lambda: ["two jobs", table(ROWS, ["job_id"]), "that is all"])
    assert capsys.readouterr().out == "two jobs\njob_id\n     7\n  1234\nthat is all\n"


def job(status="running", **values):
    row = {"job_id": 3, "stage": "diagnose", "status": status, "done": 0, "failed": 0, "total": 400, "spend_usd": 0, "message": ""}
    row |= {"title": "Diagnose", "round": 1, "lane": "api", "stopping": False, "author": "ada", "seconds": None}
    row |= {"created_at": "2026-11-30T12:00:00Z", "started_at": None, "ended_at": None}
    return JobView.model_validate({**row, "options": {"budget_usd": 1}, "progress": None, **values})


class App:
    """An app whose job goes through given states."""

    def __init__(self, *states):
        self.states, self.posted = list(states), []

    def get(self, path, model):
        assert path == "/api/jobs/3" and model is JobView
        state = self.states.pop(0)
        if isinstance(state, BaseException):
            raise state
        return state

    def post(self, path, body, model=None):
        self.posted.append(path)


LONG = "very " * 40 + "long"
STATES = (
    job("queued"),
    job(message=LONG),
    job(progress={"done": 120, "total": 400, "rows_per_s": 3.25, "eta_s": 86.2}, spend_usd=0.25, failed=2, message="asks the endpoint"),
    KeyboardInterrupt(),
    job("paused", done=130, spend_usd=0.3),
)
PROGRESS = "120/400 · 3.2/s · 86 s left · 2 failed · $0.25 · asks the endpoint"
END = ["diagnose (job 3) · paused · $0.30", "continue with: mistakebook jobs resume 3 (--budget USD for another limit)"]


def test_a_job_that_is_followed_in_a_pipe(monkeypatch, capsys):
    monkeypatch.setattr(follow, "EVERY", 0)
    monkeypatch.setattr(follow, "LINE_EVERY", -1)
    app = App(*STATES)
    assert follow.follow(app, job()) == (STATES[-1], 3) and app.posted == ["/api/jobs/3/pause"]
    asked = "asking the job to stop after what is in flight; Ctrl-C again leaves it running"
    assert capsys.readouterr().err.splitlines() == [
        "diagnose (job 3) · queued",
        f"diagnose (job 3) · 0/400 · {LONG}",
        f"diagnose (job 3) · {PROGRESS}",
        asked,
        *END,
    ]


@pytest.mark.parametrize("coloured", [True, False])
def test_a_job_that_is_followed_on_a_terminal(coloured, monkeypatch):
    monkeypatch.setattr(follow, "EVERY", 0)
    with terminal(140, monkeypatch) as (stream, read):
        if not coloured:
            monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stderr", stream)
        follow.follow(App(*STATES), job())
        sent = read()
    assert ("━" in sent) == ("\x1b[38" in sent) == coloured
    assert all(part in sent for part in ("diagnose (job 3)", PROGRESS, "asking the job to stop"))
    assert LONG not in sent and "very…" in sent.replace(" …", "…")  # one line, with its start
    assert sent.endswith("\r\n".join([*END, ""])) and sent.count("\x1b[?25l") == sent.count("\x1b[?25h") == 1  # the cursor is back


def test_json_stays_as_it_was(capsys):
    from curation.commands.output import print_error

    assert print_error("no job 99", True) == 1
    captured = capsys.readouterr()
    assert captured.err == "mistakebook: no job 99\n" and json.loads(captured.out) == {"error": "no job 99"}
