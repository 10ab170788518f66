"""The built-in pocket-teacher as an endpoint: started as a child, asked by the same client, gone with its parent."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from PIL import Image, ImageDraw

from models.frontier import Request
from models.frontier.client import OpenAICompatible
from tests.support.frontier_world import BlindAnswer


def question(folder: Path) -> Request:
    picture = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(picture).ellipse((16, 16, 48, 48), fill=(30, 60, 220))
    picture.save(folder / "circle.png")
    text = "Question: What color is the circle?\nAnswer with one word."
    return Request("row", "blind", "You answer questions about images.", text, (str(folder / "circle.png"),), BlindAnswer)


def children(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children() if "models.frontier.pocket_teacher_process" in child.cmdline()]


def test_looks_at_a_picture_costs_pretend_money_and_resumes_whatever_its_port(tmp_path):
    with OpenAICompatible(OpenAICompatible.Options()).open(tmp_path / "journal.sqlite") as frontier:
        assert frontier.price().pretend
        said = frontier.test()
        assert said.startswith("Works: pocket-teacher") and "sees images" in said and "$0.0" in said, said
        (outcome,) = frontier.ask_all([question(tmp_path)])
        assert outcome.parsed == BlindAnswer(answer="blue") and outcome.cost_usd > 0 and outcome.asked == 1
        (child,) = children(psutil.Process())
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    with OpenAICompatible(OpenAICompatible.Options(budget_usd=1.0)).open(tmp_path / "journal.sqlite") as frontier:
        (again,) = frontier.ask_all([question(tmp_path)])
        assert again.parsed == outcome.parsed and again.replies == outcome.replies and again.asked == 0
        assert {row.purpose: row.calls for row in frontier.journal.spend()} == {"blind": 1, "test": 1}


def test_dies_with_its_parent_even_by_kill_9(tmp_path):
    program = """
import sys, time
from pathlib import Path
from models.frontier.pocket_teacher_process import PocketTeacher
print(PocketTeacher(Path(sys.argv[1])).base_url, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline().startswith("http://127.0.0.1:")
    (child,) = children(psutil.Process(parent.pid))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.05)
