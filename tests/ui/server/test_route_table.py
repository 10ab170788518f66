"""All routes stand in one table: what isn't listed, Gradio's own included, is not there."""

import http.client
import json
import os
import threading
import time
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from curation.access.roles import covers
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from curation.ui.server.route_table import BODIES, MOST_JSON, RouteTable, rules
from data.images import MAX_BYTES
from data.store import Store
from data.workspace import Workspace
from tests.support.browser import chromium, served
from tests.support.page_api import client_of

GRADIO = {"/", "/theme.css", "/static/{path:path}", "/assets/{path:path}", "/favicon.ico", "/robots.txt"}
ANYBODYS = ["GET /login", "POST /login", "POST /logout", "GET /ui/{name:path}", "GET /favicon.ico", "GET /robots.txt"]
CATCH_ALL = "/api/{rest:path}"  # only says that there is nothing


def routes(found, prefix=""):
    """(methods, path) of all routes of an app, those of routers and of Gradio's app included."""
    for route in found:
        if included := getattr(route, "original_router", None):
            yield from routes(included.routes, prefix + route.include_context.prefix)
        elif isinstance(route, APIRoute | Route):
            yield route.methods - {"HEAD"}, prefix + route.path
        elif isinstance(route, Mount):
            yield from routes(route.routes or [], prefix + route.path)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("home") / "doors").create()
    store = Store(workspace.store, workspace.backups)
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings())
    store.close()


@pytest.fixture(scope="module")
def address(app):
    with served(app) as where:
        yield where


def test_every_route_is_in_the_table_and_the_table_names_no_other(app):
    there = {f"{method} {path}" for methods, path in routes(app.routes) for method in methods}
    listed = [rule.route for rule in rules()]
    assert len(listed) == len(set(listed)) and set(BODIES) <= set(listed)
    assert set(listed) <= there, set(listed) - there
    own = ("/api/", "/media/", "/ui/", "/login", "/logout")
    ours = {route for route in there if route.split(" ")[1].startswith(own)} - {"POST /login/", "GET /logout"}  # which are Gradio's
    assert ours - set(listed) == {f"GET {CATCH_ALL}", f"POST {CATCH_ALL}"}
    assert {rule.route.split(" ")[1] for rule in rules() if rule.route not in ours} == GRADIO
    assert len(there) - len(listed) > 50  # of Gradio's, closed


def test_what_a_rule_matches():
    table = RouteTable(rules())
    assert table.find("HEAD", "/").role == "reader"
    assert table.find("POST", "/api/jobs/7/cancel").route == "POST /api/jobs/{job_id}/{action}"
    assert table.find("POST", "/api/jobs/budget").role == "editor" and table.find("DELETE", "/api/jobs").role == "admin"
    assert table.find("DELETE", "/theme.css") is None and table.find("POST", "/gradio_api/upload") is None
    assert table.find("POST", "/api/endpoints/test").role == "admin"
    assert [rule.route for rule in rules() if covers("anybody", rule.role)] == ANYBODYS


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/run/predict", "/login/", "/gradio_api/reset"]
)
def test_gradios_own_routes_that_change_something_are_closed(app, path):
    client = client_of(app)
    answer = client.post(path, files={"files": ("x.bin", b"x" * 1000)}) if path.endswith("upload") else client.post(path, json={})
    assert answer.status_code == 404 and "there is nothing at" in answer.json()["error"]
    for read in (
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/file=/etc/passwd",
        "/config",
        "/gradio_api/info",
        "/gradio_api/queue/data",
    ):
        assert client.get(read).status_code == 404, read


def test_the_pages_need_none_of_the_closed_ones(address):
    refused = []
    with chromium(f"{address}?page=data") as page:
        page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
        for name in ("review", "settings", "jobs"):
            page.goto(f"{address}?page={name}")
            page.wait_for_selector(f"#page-{name}.on")
            page.wait_for_load_state("networkidle")
    assert refused == []


def sent(address, path, length=None, body=b"", chunks=None):
    """The status, error and bytes taken of a request that is refused before or while its body comes."""
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.putrequest("POST", path)
    connection.putheader("Origin", address)
    connection.putheader("Content-Type", "application/json")
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunks else ("Content-Length", str(length))))
    connection.endheaders()
    taken = len(body)
    connection.send(body)
    try:
        for _ in range(chunks or 0):
            part = b" " * 65536
            connection.send(b"10000\r\n" + part + b"\r\n")
            taken += len(part)
    except OSError:  # it has been told already
        pass
    answer = connection.getresponse()
    status, error = answer.status, json.loads(answer.read()).get("error", "")
    connection.close()
    return status, error, taken


@pytest.mark.parametrize(
    ("path", "most"),
    [("/api/jobs", MOST_JSON), ("/api/failures/page", MOST_JSON), ("/api/review/upload", MAX_BYTES), ("/api/try/picture", MAX_BYTES)],
)
def test_a_body_too_large_is_refused_before_it_is_read(address, path, most):
    status, error, _ = sent(address, path, length=most + 1)  # no byte of it was sent
    assert status == 413 and f"larger than {most >> 20} MB" in error and path in error


def test_a_body_without_a_length_is_counted_while_it_comes(address):
    status, error, taken = sent(address, "/api/jobs", chunks=2000)
    assert taken > MOST_JSON and status == 413 and "larger than 2 MB" in error
    assert sent(address, "/api/jobs", length="9" * 18)[0] == 413


def test_a_preview_of_what_is_no_file_says_so(app, tmp_path, monkeypatch):
    monkeypatch.setenv("MISTAKEBOOK_FOLDERS", f"/dev{os.pathsep}{tmp_path}")
    client = client_of(app)
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    for format_, of_folder in (("jsonl", "it is a pipe, not a file"), ("csv", "no list in it, expected a comma-separated file")):
        for path, said in (
            ("/dev/zero", "it is a device, not a file"),
            (str(pipe), "it is a pipe, not a file"),
            (str(tmp_path), of_folder),
        ):
            answer = client.post("/api/data/preview", json={"format": format_, "source": {"path": path}})
            assert answer.status_code == 200 and said in answer.json()["bad"][0]["error"], answer.text


def test_reading_ends_with_the_request(app, address, tmp_path, monkeypatch):
    """The client goes; the file that it wanted to see the beginning of is let go of, long before its line is read."""
    monkeypatch.setattr("curation.imports.preview.SECONDS", 3600)
    huge = tmp_path / "one-line.jsonl"
    with huge.open("wb") as file:
        file.truncate(4 * 2**40)  # of zeros: a line of 4 TB, none of it on disk
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    body = json.dumps({"format": "jsonl", "source": {"path": str(huge)}})
    connection.request("POST", "/api/data/preview", body, {"Origin": address, "Content-Type": "application/json"})
    _until(lambda: is_open(huge), "the file to be opened")
    time.sleep(0.5)
    assert is_open(huge), "it is read as long as the client waits"
    connection.close()
    _until(lambda: not is_open(huge), "the file to be let go of")
    assert not [thread for thread in threading.enumerate() if not thread.is_alive()]


def is_open(path: Path) -> bool:
    """Whether this process has a descriptor of the file."""
    return any(link.is_symlink() and str(path) == _target(link) for link in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _until(true, what, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
