"""Requests drawn from the routes' own schemas, and hostile ones, against the app on a seeded store.

Nothing is answered with 500, nothing hangs, and what is refused leaves nothing behind: no row, no file, no memory.
With MISTAKEBOOK_SLOW=1: some ten thousand requests, with their figures (-s).
"""

import gc
import http.client
import json
import os
import random
import re
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from schemathesis.openapi import from_dict

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support import hostile
from tests.support.browser import served
from tests.support.seed import seeded_store

SLOW = "MISTAKEBOOK_SLOW" in os.environ
PARTS = 8 if SLOW else 1  # of the routes, so that each takes minutes
OF_SCHEMA = 22 if SLOW else 1  # requests a route that its schema allows; as many that it doesn't
HOSTILE = 26 if SLOW else 1  # requests a route with a hostile value
SECONDS = 10  # most that an answer takes
GROWTH = 32 * 2**20  # bytes of memory that a thousand refused requests may leave
LEFT_OUT = {
    ("post", "/api/quit"): "ends the app",
    ("post", "/api/command/begin"): "waits for the end of a job",
    ("post", "/api/data/checkpoint/test"): "loads a model in a process of its own",
    ("post", "/login"): "each costs a password hash, and the lock-out answers soon: test_access.py",
}
PASSING = (".wal", ".tmp", "-journal", ".lock")  # there while somebody writes
TOKEN = "a token"
pytestmark = pytest.mark.timeout(7200 if SLOW else 300)


class Waiting(JobManager):
    """Takes jobs and starts none: what they do isn't asked here."""

    def _schedule(self) -> None:
        pass


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path[:200]} {self.body[:300] if self.body is not None else ''} {dict(self.headers)}"


class Server:
    """The app on loopback, and what it keeps."""

    def __init__(self, app: Any, address: str, home: Path) -> None:
        self.app, self.home, self.port = app, home, int(address.rpartition(":")[2])
        self.store = app.state.services.store
        tables = [name for name in self.store._tables() if name != "audit_event"]
        self.counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables)
        self.origin, self.connection = address, self._connected()
        self.statuses: Counter[int] = Counter()
        self.flaws: list[str] = []
        self.slowest: tuple[float, str] = (0.0, "")

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, request: Request) -> tuple[int, bytes]:
        """The answer's status and body. A connection that the server has closed is opened again."""
        headers = {"Origin": self.origin, "Authorization": f"Bearer {TOKEN}", **dict(request.headers)}
        try:
            self.connection.request(request.method, request.path, request.body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
            self.connection.close()
            self.connection = self._connected()
            self.connection.request(request.method, request.path, request.body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()

    def try_all(self, requests: list[Request]) -> None:
        """Sends requests, notes what is wrong with an answer; those that are refused once more, to see that they leave nothing behind."""
        refused = [request for request in requests if self._is_refused(request)]
        before = self.kept()
        if all(self._is_refused(request) for request in refused) and (after := self.kept()) != before:
            self.flaws.append(f"refused, but something was left: {after ^ before}: one of {[str(request) for request in refused]}")

    def _is_refused(self, request: Request) -> bool:
        """Whether the answer is 4xx."""
        began = time.monotonic()
        try:
            status, body = self.ask(request)
        except (TimeoutError, http.client.HTTPException) as error:
            self.flaws.append(f"{type(error).__name__}: {request}")
            self.connection = self._connected()
            return False
        took = time.monotonic() - began
        self.statuses[status] += 1
        self.slowest = max(self.slowest, (took, str(request)))
        if status >= 500:
            self.flaws.append(f"{status} {body[:200]!r}: {request}")
        if took > SECONDS:
            self.flaws.append(f"took {took:.1f} s: {request}")
        if 400 <= status < 500 and not _told(body):
            self.flaws.append(f"{status} without a word: {body[:100]!r}: {request}")
        return 400 <= status < 500

    def kept(self) -> set[str]:
        """Files of the home and of the temporary folder, and the rows of each table (but of the audit log, which is to grow)."""
        files = {str(Path(folder, name)) for folder, _, names in os.walk(self.home) for name in names if not name.endswith(PASSING)}
        return files | {f"{table}: {rows}" for table, rows in self.store._cursor().execute(self.counts).fetchall()}


def _told(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("temporary", "files"):
            (home / name).mkdir()
        patch.setenv("MISTAKEBOOK_HOME", str(home))
        patch.setenv("MISTAKEBOOK_FOLDERS", str(home / "files"))
        patch.setattr(tempfile, "tempdir", str(home / "temporary"))
        store, _, workspace = seeded_store(home / "fuzzed", 60, 40)
        app = create_app(workspace, store, Waiting(store, workspace, stage_class), Settings(token=TOKEN), headless=True)
        with served(app) as address:
            yield Server(app, address, home)
        app.state.services.audit.close()
        store.close()


@dataclass(frozen=True)
class Route:
    """One of the schema's operations, and how requests of it are drawn: as it allows, and as it doesn't."""

    operation: Any
    method: str
    path: str
    queries: list[str]
    in_path: list[str]
    has_body: bool

    def drawn(self, mode: GenerationMode, count: int) -> list[Request]:
        """Up to `count` different requests; none where the schema allows everything, or nothing."""
        found: dict[Request, None] = {}

        @settings(
            max_examples=count,
            phases=[Phase.generate],
            database=None,
            derandomize=not SLOW,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(self.operation.as_strategy(generation_mode=mode))
        def draw(case: Any) -> None:
            found[_request(case)] = None

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                draw()
            except Unsatisfiable:
                return []
        return list(found)


def _request(case: Any) -> Request:
    path = case.path
    for name, value in case.path_parameters.items():
        path = path.replace(f"{{{name}}}", str(value) or "x")  # escaped already
    pairs = [(str(name), _text(value)) for name, value in (case.query or {}).items()]
    query = "&".join(f"{quote(name, errors='replace')}={quote(value, errors='replace')}" for name, value in pairs)
    body = None if isinstance(case.body, NotSet) else case.body if isinstance(case.body, bytes) else hostile.dumped(case.body)
    headers = () if body is None else (("Content-Type", case.media_type or "application/json"),)
    return Request(case.method.upper(), _sendable(path) + (f"?{query}" if query else ""), body, headers)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _sendable(path: str) -> str:
    """What http.client lets through."""
    return re.sub(r"[^\x21-\x7e]", lambda found: quote(found[0], errors="replace"), path)


@pytest.fixture(scope="module")
def routes(server: Server) -> list[Route]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two methods of one function
        schema = server.app.openapi()
    found = []
    for result in from_dict(schema).get_all_operations():
        one = result.ok()
        if (one.method, one.path) in LEFT_OUT:
            continue
        said = schema["paths"][one.path][one.method]
        named: dict[str, list[str]] = {"query": [], "path": []}
        for parameter in said.get("parameters", []):
            named[parameter["in"]].append(parameter["name"])
        found.append(Route(one, one.method.upper(), one.path, named["query"], named["path"], "requestBody" in said))
    return found


def _hostile(route: Route, allowed: list[Request], drawn: random.Random, count: int) -> list[Request]:
    """Requests of a route with hostile values in all places, of which `count` are taken."""
    bodies = [json.loads(one.body) for one in allowed if one.body and one.headers[0][1] == "application/json"] or [{}]
    found = []
    for _ in range(count):
        path = route.path
        for name in route.in_path:
            path = path.replace(f"{{{name}}}", drawn.choice(hostile.PATHS if drawn.random() < 0.5 else ("1", "3", "pocket-quiz")))
        if route.queries:
            path += "?" + hostile.queries(drawn.sample(route.queries, drawn.randint(1, len(route.queries))), drawn)
        body, headers = None, {}
        if route.has_body:
            body, headers = hostile.spoiled(drawn.choice(bodies), drawn), {"Content-Type": "application/json"}
            if drawn.random() < 0.3:
                body, headers = drawn.choice(hostile.broken_bodies(drawn.choice(bodies)))
        found.append(Request(route.method, path, body, tuple(headers.items())))
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_breaks_the_app(server: Server, routes: list[Route], part: int) -> None:
    began = time.monotonic()
    server.statuses.clear()
    for route in routes[part::PARTS]:
        drawn = random.Random(None if SLOW else f"{route.method} {route.path}")  # of its own: another route changes nothing here
        allowed = route.drawn(GenerationMode.POSITIVE, OF_SCHEMA)
        forbidden = route.drawn(GenerationMode.NEGATIVE, OF_SCHEMA) if route.has_body or route.queries else []
        bad = _hostile(route, allowed, drawn, HOSTILE) if route.has_body or route.queries or route.in_path else []
        server.try_all([*allowed, *forbidden, *bad])
    seconds, sent = time.monotonic() - began, server.statuses.total()
    answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(server.statuses.items()))
    print(f"\n{sent:,} requests in {seconds:.0f} s; answers {answers}; slowest {server.slowest[0]:.1f} s: {server.slowest[1]}")
    assert not server.flaws, f"{len(server.flaws)} flaws\n" + "\n".join(server.flaws)
    assert server.statuses[200] > sent / 20 and sent > (1000 if SLOW else 400)


def test_refused_requests_leave_no_memory(server: Server, routes: list[Route]) -> None:
    drawn, taking = random.Random(3), [route for route in routes if route.has_body]
    deep, kind = b"[" * 100_000, (("Content-Type", "application/json"),)

    def refuse(count: int) -> int:
        for _ in range(count):
            route = drawn.choice(taking)
            assert server.ask(Request(route.method, route.path.replace("{", "").replace("}", ""), deep, kind))[0] < 500
        server.app.state.services.audit.settle()
        gc.collect()
        return psutil.Process().memory_info().rss

    refuse(200)
    before = refuse(100)
    after = refuse(4000 if SLOW else 300)
    print(f"memory {before / 2**20:.0f} MB, then {after / 2**20:.0f} MB")
    assert after - before < GROWTH
