"""What the tests of the frontier client share: a chaos server in a process of its own, requests, a client on a journal."""

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from models.frontier import Request
from models.frontier.client import OpenAICompatible
from tests.support import loopback

SERVER = "tests.support.chaos_server"


class BlindAnswer(BaseModel):
    answer: str


class Server:
    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}/v1"
        self._log = f"http://127.0.0.1:{port}/log"

    def log(self) -> dict:
        with urllib.request.urlopen(self._log) as response:
            return json.load(response)


@contextlib.contextmanager
def chaos(**order) -> Iterator[Server]:
    """A running server; see chaos_server.ORDER."""
    with loopback.running(SERVER, order) as port:
        yield Server(port)


def requests(count: int, images: tuple[str, ...] = (), start: int = 0) -> list[Request]:
    return [Request(f"row{i}", "blind", "You answer.", f"question {i}", images, BlindAnswer) for i in range(start, start + count)]


def client(server: Server | str, journal: Path | None, **options):
    url = server if isinstance(server, str) else server.url
    return OpenAICompatible(OpenAICompatible.Options(**{"endpoint": url, "model": "m", **options})).open(journal)


def priced(folder: Path, **price) -> None:
    """A price table beside the journal: a call of the chaos server costs 1000 x input + 100 x output per million."""
    (folder / "prices.json").write_text(json.dumps({"models": {"m": {"input": 1.0, "output": 10.0} | price}}))
