"""Headers of every answer, and a policy under which the pages work and no foreign script does."""

import re

import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from curation.ui.server.pages import PAGES
from tests.support.browser import chromium, served
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("seeded") / "w", 80, 60)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as where:
        yield where
    app.state.services.audit.close()
    store.close()


def test_every_answer_bears_them(address):
    from tests.ui.server.test_server import Browser

    browser = Browser(int(address.rpartition(":")[2]))
    for path, status in (
        ("/", 200),
        ("/api/workspace", 200),
        ("/api/nothing", 404),
        ("/ui/shared/dom.js", 200),
        ("/gradio_api/upload", 404),
    ):
        assert browser("GET", path)[0] == status, path
        told = browser.headers
        assert told["referrer-policy"] == "no-referrer" and told["cross-origin-opener-policy"] == "same-origin"
        assert (
            "camera=()" in told["permissions-policy"] and told["x-frame-options"] == "DENY" and told["x-content-type-options"] == "nosniff"
        )
        policy = told["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src 'unsafe-inline'" not in policy
    assert "unsafe" not in browser("GET", "/login") and "unsafe" not in browser.headers["content-security-policy"]


def test_each_page_has_nonces_of_its_own(address):
    from tests.ui.server.test_server import Browser

    browser, nonces = Browser(int(address.rpartition(":")[2])), set()
    for _ in range(3):
        page = browser("GET", "/")[1].decode()
        (nonce,) = set(re.findall(r"'nonce-([\w-]+)'", browser.headers["content-security-policy"]))
        scripts = re.findall(r"<script[^>]*>", page)
        assert len(scripts) > 2 and all(f'nonce="{nonce}"' in script for script in scripts)
        nonces.add(nonce)
    assert len(nonces) == 3 and int(browser.headers["content-length"]) == len(page.encode())


@pytest.mark.timeout(300)
def test_all_pages_work_under_the_policy(address):
    """Chromium says each violation on its console, at which `chromium` fails."""
    with chromium(f"{address}/?page=failures") as page:
        for name in [page.name for page in PAGES]:
            page.goto(f"{address}/?page={name}")
            page.wait_for_selector(f"#page-{name}.on")
            page.wait_for_load_state("networkidle")


@pytest.mark.timeout(300)
def test_what_gets_into_the_page_does_not_run(address):
    """As if text of a dataset had got past the escaping."""
    with chromium(f"{address}/?page=settings", expect_errors=True) as page:
        page.wait_for_selector("#page-settings.on")
        page.evaluate(
            """() => {
              const box = document.createElement("div");
              box.innerHTML = '<img src="x" onerror="window.ran = 1"><a id="bad" href="javascript:window.ran = 2">x</a>';
              document.body.append(box);
              const script = document.createElement("script");
              script.textContent = "window.ran = 3";
              document.body.append(script);
              document.getElementById("bad").click();
            }"""
        )
        page.wait_for_timeout(500)
        assert page.evaluate("window.ran") is None
