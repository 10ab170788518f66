"""Real servers of others. llama.cpp's: structured output works on it, and its errors are understood. transformers': images arrive."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from pydantic import BaseModel

from curation.prompts import reply_schemas
from models import pocket
from models.frontier import Request
from tests.support.frontier_world import client
from tests.support.llama_cpp_server import HERE, INSTALL

LLAVA = Path(pocket.__file__).parent / "llava"
SERVER = Path(__file__).parents[2] / "support" / "llama_cpp_server.py"
REPLIES = [kind for kind in vars(reply_schemas).values() if isinstance(kind, type) and kind.__module__ == reply_schemas.__name__]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    if not (HERE / "xllamacpp").is_dir():
        pytest.skip(f"LLAMA.CPP'S SERVER ISN'T INSTALLED, STRUCTURED OUTPUT GOES UNTESTED ON A REAL SERVER: {INSTALL}")
    folder = tmp_path_factory.mktemp("llama_cpp")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, SERVER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    line = process.stdout.readline()
    assert line, (folder / "log").read_text()
    yield f"http://127.0.0.1:{json.loads(line)['port']}/v1"
    process.kill()
    process.wait()


def asked(kind: type[BaseModel], i: int = 0, text: str = "What is it?", images=()) -> Request:
    return Request(f"{kind.__name__}{i}", "blind", "You answer.", f"{text} ({i})", images, kind)


def test_random_weights_reply_in_every_schema_that_we_ask_for(url, tmp_path):
    with client(url, tmp_path / "journal.sqlite", max_tokens=400, concurrency=4, temperature=1.0) as frontier:
        outcomes = list(frontier.ask_all(asked(kind, i) for kind in REPLIES for i in range(2)))
        cut = [outcome for outcome in outcomes if outcome.error and "cut off at max_tokens" in outcome.error]
        fitting = [outcome for outcome in outcomes if outcome.parsed]
        assert len(fitting) + len(cut) == len(outcomes) and len(cut) <= 1, [outcome.error for outcome in outcomes if outcome.error]
        assert frontier.journal.capabilities(frontier.endpoint, "m")["level"] == "json_schema"
        assert all(type(outcome.parsed).__name__ == outcome.key[:-1] for outcome in fitting)
        spent = {row.purpose: row for row in frontier.journal.spend()}["blind"]
        assert spent.prompt_tokens > 100 and spent.completion_tokens > 100, "usage is read"
    with client(url, tmp_path / "journal.sqlite", max_tokens=400, temperature=1.0) as frontier:
        again = list(frontier.ask_all(asked(kind, i) for kind in REPLIES for i in range(2)))
        assert {outcome.key: outcome.parsed for outcome in again} == {outcome.key: outcome.parsed for outcome in outcomes}
        assert all(outcome.asked == 0 for outcome in again)


def test_its_errors_fail_the_row_with_their_cause_and_at_once(url, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    with client(url, tmp_path / "journal.sqlite", max_tokens=50) as frontier:
        blind, long = (
            asked(reply_schemas.BlindAnswer, 1, images=(str(tmp_path / "black.png"),)),
            asked(reply_schemas.BlindAnswer, 2, text="a" * 9000),
        )
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all([blind, long])}
        assert outcomes["BlindAnswer1"].error.startswith("HTTP 500: image input is not supported")
        assert "exceeds the available context size" in outcomes["BlindAnswer2"].error
        assert [outcome.asked for outcome in outcomes.values()] == [1, 1]


@pytest.fixture(scope="module")
def transformers_url(tmp_path_factory):
    """`transformers serve` with pocket-llava, which sees, but speaks no JSON."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("transformers"), "serve", str(LLAVA), "--host", "127.0.0.1", "--port", str(port)]
    log = tmp_path_factory.mktemp("transformers") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            break
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}/v1"
    process.kill()
    process.wait()


def test_images_arrive_and_a_model_that_speaks_no_json_gets_a_named_error(transformers_url, tmp_path):
    made = []
    for colour in ("red", "blue"):
        picture = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(picture).ellipse((16, 16, 48, 48), fill={"red": (220, 30, 30), "blue": (30, 60, 220)}[colour])
        picture.save(tmp_path / f"{colour}.png")
        made.append(
            Request(colour, "blind", "", "What color is the circle?", (str(tmp_path / f"{colour}.png"),), reply_schemas.BlindAnswer)
        )
    with client(transformers_url, tmp_path / "journal.sqlite", model=str(LLAVA), max_tokens=20, concurrency=1) as frontier:
        outcomes = list(frontier.ask_all(made))
        kept = {reply.key: json.loads(reply.body) for _, reply in frontier.journal.replies()}
    for outcome in outcomes:
        first = kept[outcome.replies[0]]["choices"][0]["message"]["content"]
        assert first.strip() == outcome.key, "it saw the picture that we sent"
        assert outcome.error.startswith("3 replies didn't fit BlindAnswer") and len(outcome.replies) == 3, "never guessed"
