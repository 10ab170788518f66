"""The server over real HTTP: guards, pictures, jobs, errors; and that it never imports torch."""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from curation.config import BadSettings, Settings
from curation.jobs.manager import JobManager
from curation.ui.server import serving
from curation.ui.server.app import create_app
from curation.workspaces import builtin
from data.images import ImageStore
from tests.support.trivial_stages import stage_class

pytestmark = pytest.mark.timeout(600)
HOUSE = Path(__file__).parents[3]
TOKEN = "the-token"


class Browser:
    """Sends requests with just the headers that are named."""

    def __init__(self, port):
        self.port = port
        self.own = {"Origin": f"http://127.0.0.1:{port}"}

    def __call__(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        content = response.read()
        self.headers = response.headers
        connection.close()
        if response.headers.get_content_type() == "application/json":
            return response.status, json.loads(content)
        return response.status, content


def serve(app):
    listening = serving._bind(Settings(port=0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    return server, thread, Browser(listening.getsockname()[1])


@pytest.fixture
def jobs(store, workspace):
    made = JobManager(store, workspace, stage_class, grace=60)
    yield made
    made.shutdown()


@pytest.fixture
def make(store, workspace, jobs, home):
    """Starts servers with the given settings."""
    started = []

    def started_server(routes=(), **settings):
        app = create_app(workspace, store, jobs, Settings(token=TOKEN, **settings), headless=True)
        for path, handler in routes:
            app.router.routes.insert(0, __import__("fastapi").routing.APIRoute(path, handler))
        started.append(serve(app))
        return started[-1][2]

    yield started_server
    for server, thread, _ in started:
        server.should_exit = True
        thread.join(60)


def test_hosts_that_are_not_ours_are_refused(make):
    browser = make(allow_hosts=("tunnel.example",))
    port = browser.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "tunnel.example", "LOCALHOST"):
        assert browser("GET", "/api/health", Host=host)[0] == 200, host
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "10.0.0.7"):
        status, answer = browser("GET", "/api/health", Host=host)
        assert status == 400 and "--allow-host" in answer["error"], host


def test_only_our_own_pages_may_change_anything(make):
    browser = make()
    body = {"stage": "double", "options": {"count": 2}}
    evil = "http://evil.example"
    assert browser("POST", "/api/jobs", body, **browser.own)[0] == 200
    assert browser("POST", "/api/jobs", body, Authorization=f"Bearer {TOKEN}")[0] == 200
    assert browser("POST", "/api/jobs", body)[0] == 403  # no Origin, no token
    assert browser("POST", "/api/jobs", body, Origin=evil)[0] == 403
    assert browser("POST", "/api/jobs", body, Origin="null")[0] == 403
    assert browser("POST", "/api/jobs", body, Origin=f"http://127.0.0.1:{browser.port + 1}")[0] == 403  # another app on this machine
    assert browser("POST", "/api/jobs", body, Origin=evil, Content_Type="text/plain")[0] == 403  # needs no preflight
    assert browser("POST", "/api/jobs", body, Authorization="Bearer wrong")[0] == 403
    assert browser("POST", "/api/jobs", body, **browser.own, Sec_Fetch_Site="cross-site")[0] == 403
    assert browser("OPTIONS", "/api/jobs", Origin=evil)[0] == 403
    assert browser("DELETE", "/anything", Origin=evil)[0] == 403  # whatever the route


def test_other_sites_may_link_here_but_not_embed_or_fetch(make):
    browser = make()
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert browser("GET", "/api/health", **link)[0] == 200
    assert browser("GET", "/api/health", **{**link, "Sec_Fetch_Dest": "iframe"})[0] == 403
    assert browser("GET", "/api/health", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")[0] == 403
    assert browser("GET", "/api/health", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")[0] == 200
    assert browser.headers["x-frame-options"] == "DENY" and browser.headers["x-content-type-options"] == "nosniff"


def test_answers_do_not_wait_for_acknowledgements(make):
    connection = http.client.HTTPConnection("127.0.0.1", make().port, timeout=120)
    taken = []
    while len(taken) < 3 or (min(taken[2:]) >= 0.03 and len(taken) < 300):  # one of many is undisturbed, however busy the machine
        started = time.perf_counter()
        connection.request("GET", "/api/nothing")
        connection.getresponse().read()
        taken.append(time.perf_counter() - started)
    connection.close()
    assert min(taken[2:]) < 0.03  # with Nagle's algorithm it is 0.04, each time but the first


def test_the_reviewer_is_the_login_else_the_flag(make):
    browser = make(reviewer="carol")
    assert browser("GET", "/api/workspace")[1]["reviewer"] == "carol"
    named = {"Authorization": f"Bearer {TOKEN}", "X_Mistakebook_Reviewer": "dave"}
    assert browser("GET", "/api/workspace", **named)[1]["reviewer"] == "dave"
    assert browser("GET", "/api/workspace", X_Mistakebook_Reviewer="eve")[1]["reviewer"] == "carol"  # not without the token


def test_pictures_go_out_by_their_hash_alone(make, store, workspace):
    from PIL import Image

    picture = Image.effect_noise((400, 300), 90).convert("RGB")
    source = workspace.root / "noise.png"
    picture.save(source)
    info = ImageStore(workspace.images).add(source)
    with store.write() as write:
        write.insert("image", [{"image": info.sha256, "mime": info.mime, "width": info.width, "height": info.height, "bytes": info.bytes}])
    browser = make()
    status, content = browser("GET", f"/media/{info.sha256}/full")
    assert status == 200 and content == source.read_bytes()
    assert browser.headers["cache-control"] == "private, max-age=31536000, immutable"
    sizes = [len(browser("GET", f"/media/{info.sha256}/{size}")[1]) for size in ("thumb", "card", "large")]
    assert sizes == sorted(sizes) and sizes[0] < sizes[1]
    assert browser.headers.get_content_type() == "image/jpeg"
    for path in (f"/media/{info.sha256}/huge", "/media/unknown/full", "/media/..%2f..%2fstore.duckdb/full", "/media/../store.duckdb/full"):
        status, answer = browser("GET", path)
        assert status == 404 and "error" in answer, path


def test_a_job_over_http(make, jobs):
    browser = make()
    status, job = browser("POST", "/api/jobs", {"stage": "double", "options": {"count": 5, "refused": [3]}}, **browser.own)
    assert status == 200 and job["status"] in ("queued", "running") and job["total"] == 5
    number = job["job_id"]
    jobs.wait(number, 240)
    status, job = browser("GET", f"/api/jobs/{number}")
    assert (job["status"], job["done"], job["failed"]) == ("done", 4, 1)
    assert [row["error"] for row in browser("GET", f"/api/jobs/{number}/errors")[1]] == ["refused"]
    events = browser("GET", f"/api/jobs/{number}/events")[1]
    assert [event["event"] for event in events["events"]][:3] == ["launched", "start", "message"]
    assert browser("GET", f"/api/jobs/{number}/events?offset={events['offset']}")[1]["events"] == []
    assert browser("GET", f"/api/jobs/{number}/log")[0] == 200
    status, answer = browser("POST", f"/api/jobs/{number}/cancel", {}, **browser.own)
    assert status == 409 and f"job {number} is done" in answer["error"]
    assert browser("POST", f"/api/jobs/{number}/retry", {}, **browser.own)[0] == 200
    jobs.wait(number, 240)
    status, estimate = browser("POST", "/api/estimate", {"stage": "double", "options": {"count": 4}}, **browser.own)
    assert estimate["calls"] == 8 and estimate["usd"] == [0.1, 0.2]
    status, here = browser("GET", "/api/workspace")
    assert here["name"] == "test" and here["running"] == [] and here["round"] == 0
    assert [job["job_id"] for job in browser("GET", "/api/jobs")[1]] == [number]


def test_errors_say_what_failed_and_no_traceback_leaves(make, caplog):
    def broken():
        raise KeyError("secret detail")

    def full():
        raise OSError(28, "No space left on device")

    browser = make(routes=[("/api/stages", broken), ("/api/workspace", full)])
    status, answer = browser("GET", "/api/stages")
    assert status == 500 and "secret detail" not in answer["error"]
    number = re.search(r"under (\w{8})", answer["error"])[1]
    assert number in caplog.text and "secret detail" in caplog.text
    assert browser("GET", "/api/workspace")[0] == 507
    cases = (
        ({"stage": "double", "options": {"count": "many"}}, 422, "count: input should be a valid integer"),
        ({"stage": "double", "options": {"count": 0}}, 409, "no numbers; give some"),
        ({}, 422, "stage: field required"),
    )
    for body, code, text in cases:
        status, answer = browser("POST", "/api/jobs", body, **browser.own)
        assert (status, text in answer["error"]) == (code, True), answer
    assert browser("GET", "/api/jobs/77")[0] == 404
    assert browser("GET", "/api/nothing")[1] == {"error": "there is nothing at /api/nothing"}
    assert browser("POST", "/api/jobs/1/explode", {}, **browser.own)[0] == 404
    assert browser("GET", "/docs")[0] == browser("GET", "/openapi.json")[0] == browser("GET", "/redoc")[0] == 404


def test_what_app_refuses_before_it_listens(workspace, tmp_path, home):
    with pytest.raises(BadSettings, match="mistakebook users add"):
        serving.serve(workspace, Settings(host="0.0.0.0", port=0))
    with pytest.raises(BadSettings, match="go together"):
        serving.serve(workspace, Settings(port=0, tls_cert=tmp_path / "cert.pem"))
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    with pytest.raises(BadSettings, match="can't be used"):
        serving.serve(workspace, Settings(port=taken.getsockname()[1]))
    taken.close()


PAGES = """
import sys, json, urllib.request
from pathlib import Path
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.ui.server.app import create_app
from data.store import Store
from data.workspace import Workspace
from curation.stages import stage_class
from tests.ui.server.test_server import serve
workspace = Workspace(Path(sys.argv[1])).create()
store = Store(workspace.store)
jobs = JobManager(store, workspace, stage_class)
headless = sys.argv[2] == "headless"
server, thread, browser = serve(create_app(workspace, store, jobs, Settings(token="t"), headless=headless))
status, page = browser("GET", "/")
evil = browser("POST", "/gradio_api/queue/join", {"data": [], "fn_index": 0}, Origin="http://evil.example")[0]
docs = [browser("GET", path)[0] for path in ("/docs", "/openapi.json", "/redoc", "/api/nothing")]
answer = {"status": status, "evil": evil, "docs": docs, "workspace": browser("GET", "/api/workspace")[0]}
answer |= {name: name in sys.modules for name in ("torch", "transformers", "gradio", "openai")}
print(json.dumps(answer))
server.should_exit = True
thread.join(60)
"""


@pytest.mark.parametrize("mode", ["headless", "pages"])
def test_pages_are_guarded_and_torch_stays_out_of_the_process(tmp_path, mode):
    command = [sys.executable, "-c", PAGES, str(tmp_path / "w"), mode]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    pages = mode == "pages"
    assert answer["status"] == (200 if pages else 404)
    assert answer["workspace"] == 200 and answer["evil"] == 403
    assert answer["docs"] == [404] * 4
    assert answer["gradio"] == pages
    assert not answer["torch"] and not answer["transformers"] and not answer["openai"]


def test_what_is_begun_while_the_app_ends_is_no_fault(store, workspace, caplog):
    """The built-in workspace is begun by a thread of its own; Ctrl-C closes the store beneath it."""
    jobs, stopped = JobManager(store, workspace, stage_class), threading.Event()
    jobs.shutdown()
    store.close()
    serving._begin(builtin, store, jobs, stopped)
    assert "could not be started" in caplog.text
    caplog.clear()
    stopped.set()
    serving._begin(builtin, store, jobs, stopped)
    assert caplog.text == ""
