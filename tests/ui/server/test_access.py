"""Users, roles, sessions and the audit log over real HTTP; two people in two browsers."""

import json
import threading
import time

import pytest

from curation.access.users import Users
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from curation.ui.server.route_table import RouteTable, rules
from tests.support.browser import served
from tests.support.seed import seeded_store
from tests.ui.server.test_server import TOKEN, Browser

PASSWORD = "correct horse battery"
ROLES = {"rea": "reader", "rev": "reviewer", "edi": "editor", "adm": "admin"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """A seeded workspace with a user of each role."""
    folder = tmp_path_factory.mktemp("home")
    users = Users(folder / "users.json")
    for name, role in reversed(ROLES.items()):
        users.add(name, role, PASSWORD)
    store, _, workspace = seeded_store(folder / "team", 60, 40)
    settings = Settings(token=TOKEN, auth=users.path, trust_proxies=("10.9.8.0/24",), allow_hosts=("label.example.org",))
    made = create_app(workspace, store, JobManager(store, workspace, stage_class), settings)
    yield made
    made.state.services.audit.close()
    store.close()


@pytest.fixture(scope="module")
def address(app):
    with served(app) as where:
        yield where


@pytest.fixture
def browser(address):
    return Browser(int(address.rpartition(":")[2]))


def logged_in(browser, name, password=PASSWORD):
    """The cookie of a new session."""
    status, answer = browser("POST", "/login", {"name": name, "password": password}, **browser.own)
    assert status == 200, answer
    return {"Cookie": browser.headers["set-cookie"].partition(";")[0], **browser.own}


@pytest.fixture(scope="module")
def cookies(address):
    browser = Browser(int(address.rpartition(":")[2]))
    return {name: logged_in(browser, name) for name in ROLES}


def test_nothing_is_to_be_seen_without_a_login(browser):
    for route in ("/api/health", "/api/workspace", "/media/x/full", "/", "/theme.css"):
        assert browser("GET", route)[0] == 401, route
    assert browser("GET", "/?page=review", Accept="text/html")[0] == 303
    assert browser.headers["location"] == "/login?next=%3Fpage%3Dreview"
    status, page = browser("GET", "/login")
    assert status == 200 and b"Log in" in page and browser("GET", "/ui/login/login.js")[0] == 200
    for cookie in ("mistakebook=x", "mistakebook_00000000=1", "=;;=", "a=\xe9"):
        assert browser("GET", "/api/workspace", Cookie=cookie)[0] == 401
    assert browser("GET", "/api/workspace", Authorization="Basic YWRtOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==")[0] == 401


def test_a_session_has_a_cookie_that_no_script_reads_and_ends(browser):
    own = logged_in(browser, "rev")
    cookie = browser.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    status, here = browser("GET", "/api/workspace", **own)
    assert status == 200 and (here["reviewer"], here["role"], here["login"]) == ("rev", "reviewer", True)
    body = {"sample_id": 1, "action": "approve", "event_id": "x"}
    assert browser("POST", "/api/review/decide", body, Cookie=own["Cookie"])[0] == 403  # a login is no origin
    assert browser("POST", "/api/review/decide", body, **{**own, "Origin": "http://evil.example"})[0] == 403
    assert browser("POST", "/logout", {}, **own)[0] == 200 and "Max-Age=0" in browser.headers["set-cookie"]
    assert browser("GET", "/api/workspace", **own)[0] == 401, "the cookie is worth nothing any more"


def test_wrong_passwords_are_few(browser, app):
    refused = [browser("POST", "/login", {"name": "rea", "password": f"guess number {i}"}, **browser.own)[0] for i in range(5)]
    assert refused == [401] * 5
    began, answers = time.monotonic(), []

    def guess(number):
        answers.append(Browser(browser.port)("POST", "/login", {"name": "rea", "password": f"guess {number}"}, **browser.own))

    threads = [threading.Thread(target=guess, args=[number]) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tried = sum(status == 401 for status, _ in answers)
    assert tried <= 3 + (time.monotonic() - began) and len(answers) == 40
    assert any(status == 429 and "try again in" in answer["error"] for status, answer in answers)
    app.state.services.gate.lockout = type(app.state.services.gate.lockout)()


@pytest.mark.parametrize("name", ROLES)
def test_each_route_is_for_its_role_and_those_above(browser, cookies, name):
    """Bodies are empty: who may not, is refused before anything is read."""
    order = list(ROLES.values())
    for rule in rules():
        method, _, path = rule.route.partition(" ")
        if rule.role in ("anybody",) or path == "/api/quit":
            continue
        path = path.replace("{name:path}", "x").replace("{batch}", "1").replace("{job_id}", "0").replace("{", "").replace("}", "")
        needed = order.index(rule.role)
        if order.index(ROLES[name]) >= needed:
            continue
        status, answer = browser(method, path, {} if method == "POST" else None, **cookies[name])
        assert status == 403 and f"needs the role {rule.role}, and yours is {ROLES[name]}" in answer["error"], (rule, status, answer)


def test_what_roles_may(browser, cookies):
    assert browser("POST", "/api/failures/facets", {}, **cookies["rea"])[0] == 200
    for name in ("rev", "edi", "adm"):
        assert browser("POST", "/api/views/save", {"page": "failures", "name": "mine", "query": ""}, **cookies[name])[0] in (200, 422)
    assert browser("POST", "/api/access/users", {}, **cookies["adm"])[0] == 200
    options = {"format": "jsonl", "source": {"path": "/etc/passwd"}}
    for name, words in (("edi", "role admin"), ("adm", "MISTAKEBOOK_FOLDERS")):
        for route, body in (
            ("/api/data/preview", options),
            ("/api/jobs", {"stage": "import", "options": options}),
            ("/api/jobs", {"stage": "import_predictions", "options": {"path": "/etc/passwd", "dataset": "x", "checkpoint": "y"}}),
        ):
            status, answer = browser("POST", route, body, **cookies[name])
            assert status == 403 and words in answer["error"] and "root:" not in json.dumps(answer), answer
    upload = {"stage": "export", "options": {"push_to_hub": "ada/x"}}
    nested = {"stage": "export", "then": [{"stage": "export", "options": {}, "then": [upload]}]}
    for body in (upload, {"stage": "export", "options": {"folder": "/tmp/x"}}, nested):
        status, answer = browser("POST", "/api/jobs", body, **cookies["edi"])
        assert status == 403 and "role admin" in answer["error"], answer
    asked = {"stage": "diagnose", "options": {"endpoint": "http://10.0.0.1/v1", "model": "m"}}
    status, answer = browser("POST", "/api/jobs", asked, **cookies["edi"])
    assert status == 403 and "name an endpoint" in answer["error"]


def test_a_role_that_changes_and_a_user_who_goes_count_at_once(browser, app, cookies):
    users = app.state.services.gate.users
    users.add("tom", "reader", PASSWORD)
    own = logged_in(browser, "tom")
    assert browser("POST", "/api/access/role", {"name": "tom", "role": "reviewer"}, **cookies["adm"])[0] == 200
    assert browser("GET", "/api/workspace", **own)[1]["role"] == "reviewer"
    status, access = browser("POST", "/api/access/revoke", {"name": "tom"}, **cookies["adm"])
    assert status == 200 and browser("GET", "/api/workspace", **own)[0] == 401
    assert "password" not in json.dumps(access).replace('"password": true', "")
    own = logged_in(browser, "tom")
    users.remove("tom")
    assert browser("GET", "/api/workspace", **own)[0] == 401


def test_who_did_what_is_in_the_audit_log(browser, cookies):
    assert browser("POST", "/api/settings/budget", {"usd": -1}, **cookies["rea"])[0] == 403
    renamed = {"cluster_id": 1, "title": "=1+1", "event_id": "e"}
    assert browser("POST", "/api/clusters/rename", renamed, **cookies["edi"])[0] in (200, 409, 422)
    status, events = browser("POST", "/api/access/events", {"limit": 200}, **cookies["adm"])
    assert status == 200 and [event["number"] for event in events] == sorted((event["number"] for event in events), reverse=True)
    last = {(event["who"], event["what"]): event for event in events}
    assert last["rea", "POST /api/settings/budget"]["status"] == 403
    assert '"title": "=1+1"' in last["edi", "POST /api/clusters/rename"]["asked"]
    assert ("rev", "log in") in last and not any(PASSWORD in json.dumps(event) for event in events)
    assert not any(event["what"].endswith("/facets") for event in events), "what only looks is not logged"
    refused = browser("POST", "/api/access/events", {"refused": True, "who": "rea"}, **cookies["adm"])[1]
    assert refused and all(event["status"] >= 400 and event["who"] == "rea" for event in refused)
    status, table = browser("GET", "/api/access/events.csv", **cookies["adm"])
    assert status == 200 and table.decode().startswith("number,created_at,who,role")
    lines = browser("GET", "/api/access/events.jsonl", **cookies["adm"])[1].decode().splitlines()
    assert len(lines) == len(table.decode().splitlines()) and json.loads(lines[0])["number"] == 1


def through_proxy(app, method, path, peer, headers):
    """The status and body of a request that comes from `peer`, an address."""
    import asyncio

    answer = {"body": b""}

    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
            answer["headers"] = dict(message["headers"])
        answer["body"] += message.get("body", b"")

    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": lines}
    scope |= {"client": (peer, 5), "server": ("x", 80), "scheme": "http", "http_version": "1.1", "root_path": ""}
    asyncio.run(app(scope, receive, send))
    return answer["status"], json.loads(answer["body"])


def test_a_trusted_proxy_says_who_comes_and_others_do_not(app):
    host = {"Host": "127.0.0.1:7860", "X-Forwarded-Host": "label.example.org", "Content-Type": "application/json"}
    named = {**host, "X-Forwarded-User": "rev", "Origin": "https://label.example.org", "Sec-Fetch-Site": "same-origin"}
    status, here = through_proxy(app, "GET", "/api/workspace", "10.9.8.7", named)
    assert status == 200 and (here["reviewer"], here["role"]) == ("rev", "reviewer")
    assert through_proxy(app, "POST", "/api/data/overview", "10.9.8.7", named)[0] == 200
    status, here = through_proxy(app, "GET", "/api/workspace", "10.9.8.7", {**named, "X-Forwarded-User": "a stranger"})
    assert status == 200 and here["role"] == "reader"
    for peer in ("10.9.9.1", "127.0.0.1"):  # their headers count for nothing
        assert through_proxy(app, "GET", "/api/workspace", peer, named)[0] == 401
    assert through_proxy(app, "GET", "/api/workspace", "10.9.8.7", host)[0] == 401
    gate = app.state.services.gate
    told = {"x-forwarded-for": "1.2.3.4, 5.6.7.8, 10.9.8.9"}
    assert gate.address({"client": ("10.9.8.7", 5)}, told) == "5.6.7.8", "what stands before the last stranger anybody may have written"
    assert gate.address({"client": ("6.6.6.6", 5)}, told) == "6.6.6.6"
    assert "Secure" in gate.set_cookie({"client": ("10.9.8.7", 5), "scheme": "http"}, {"x-forwarded-proto": "https"}, "x")


def test_a_proxy_that_passes_its_own_host_is_told_what_to_do(store, workspace, home):
    """nginx as it comes."""
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(), headless=True)
    sent = {"Host": "127.0.0.1:7860", "Origin": "https://label.example.org", "Sec-Fetch-Site": "same-origin"}
    sent |= {"X-Forwarded-Host": "label.example.org", "X-Forwarded-Proto": "https", "Content-Type": "application/json"}
    status, answer = through_proxy(app, "POST", "/api/data/overview", "127.0.0.1", sent)
    assert status == 403
    for words in ("--allow-host label.example.org", "proxy_set_header Host $host", "X-Forwarded-Host", "--trust-proxy"):
        assert words in answer["error"]
    evil = {**sent, "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert through_proxy(app, "POST", "/api/data/overview", "127.0.0.1", evil)[0] == 403


def test_a_laptop_user_alone_needs_no_login(store, workspace, home):
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(), headless=True)
    status, here = through_proxy(app, "GET", "/api/workspace", "127.0.0.1", {"Host": "127.0.0.1"})
    assert status == 200 and (here["role"], here["login"]) == ("admin", False)
    Users().add("ann", "admin", PASSWORD)
    assert through_proxy(app, "GET", "/api/workspace", "127.0.0.1", {"Host": "127.0.0.1"})[0] == 401


@pytest.mark.timeout(300)
def test_two_people_in_two_browsers(address, app):
    """A reviewer decides; a reader sees it, and is told that it isn't for them."""
    from playwright.sync_api import sync_playwright

    from tests.support.browser import ARGUMENTS, executable

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        pages = {}
        for name in ("rev", "rea"):
            pages[name] = page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.set_default_timeout(60_000)
            page.goto(f"{address}/?page=review")
            page.wait_for_url("**/login?next=**")
            page.fill("input[name=name]", name)
            page.fill("input[name=password]", "not the password")
            page.click("button")
            page.wait_for_selector("text=wrong name or password")
            page.fill("input[name=password]", PASSWORD)
            page.click("button")
            page.wait_for_selector("#page-review.on [data-card], #page-review.on .card")
            assert page.url.endswith("?page=review")
            page.wait_for_selector("[data-unsaved]:has-text('all saved')")  # keys are listened to
            page.wait_for_selector("#page-review [data-title]:has-text('Sample ')")
        pages["rea"].wait_for_selector("[data-reviewer]:has-text('rea · reader')")
        decided = len(app.state.services.store.rows("reviewers"))
        pages["rea"].keyboard.press("a")
        pages["rea"].wait_for_selector("text=needs the role reviewer")
        assert len(app.state.services.store.rows("reviewers")) == decided
        pages["rev"].keyboard.press("a")
        _until(lambda: any(row["reviewer"] == "rev" for row in app.state.services.store.rows("reviewers")))
        pages["rev"].wait_for_selector("[data-unsaved]:has-text('all saved')")  # else the page asks whether to leave
        pages["rev"].click("[data-logout]")
        pages["rev"].wait_for_url("**/login")
        pages["rev"].goto(f"{address}/?page=review")
        pages["rev"].wait_for_url("**/login?next=**")
        chromium.close()


def _until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_table_has_a_line_for_what_it_is_asked():
    assert RouteTable(rules()).find("GET", "/api/access/events.csv").role == "admin"
