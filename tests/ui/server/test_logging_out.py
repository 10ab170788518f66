"""Logging out waits until decisions are saved; where they can't be, the person is told and chooses. In Chromium."""

import time

import pytest
from playwright.sync_api import sync_playwright

from curation.access.users import Users
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import ARGUMENTS, executable, served
from tests.support.running_app import until
from tests.support.seed import seeded_store

PASSWORD = "correct horse battery"
ALL_SAVED = "[data-unsaved]:has-text('all saved')"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    users = Users(folder / "users.json")
    users.add("ada", "admin", PASSWORD)
    users.add("rev", "reviewer", PASSWORD)
    store, _, workspace = seeded_store(folder / "team", 60, 40)
    made = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(auth=users.path))
    yield made
    made.state.services.audit.close()
    store.close()


@pytest.fixture(scope="module")
def page(app):
    with served(app) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        opened = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.set_default_timeout(60_000)
        opened.asked = []  # by the browser itself: whether to leave
        opened.on("dialog", lambda dialog: (opened.asked.append(dialog.message), dialog.accept()))
        opened.address = address
        yield opened
        chromium.close()


def log_in(page):
    page.goto(f"{page.address}/?page=review")
    page.fill("input[name=name]", "rev")
    page.fill("input[name=password]", PASSWORD)
    page.click("button")
    page.wait_for_selector("#page-review [data-title]:has-text('Sample ')")
    page.wait_for_selector(ALL_SAVED)  # keys are listened to, and what lay in the browser is sent


def decided(app) -> int:
    return app.state.services.store.table_counts(["review"])["review"]


def test_it_waits_for_a_decision_that_is_on_its_way(app, page):
    log_in(page)
    before = decided(app)

    def late(route):
        time.sleep(2)
        route.continue_()

    page.route("**/api/review/decide", late)
    page.keyboard.press("a")
    page.wait_for_selector("[data-unsaved='1']")
    page.click("[data-logout]")
    page.wait_for_url("**/login")
    assert decided(app) == before + 1 and page.asked == []
    page.unroute("**/api/review/decide")


def test_what_cannot_be_saved_is_said_before_the_session_ends_and_sent_at_the_next(app, page):
    log_in(page)
    before = decided(app)
    page.route("**/api/review/deci*", lambda route: route.abort())
    page.keyboard.press("a")
    page.wait_for_selector("[data-unsaved='1']")
    page.click("[data-logout]")
    page.wait_for_selector("dialog:has-text('One decision is not saved yet')")
    page.click("dialog >> text=Cancel")
    page.wait_for_selector("[data-logout]:enabled:has-text('Log out')")
    assert page.evaluate("fetch('api/workspace').then((answer) => answer.status)") == 200, "the session stands"
    page.click("[data-logout]")
    page.click("dialog >> text=Log out without saving")
    page.wait_for_url("**/login")
    assert page.asked == [] and decided(app) == before
    page.unroute("**/api/review/deci*")
    log_in(page)
    until(lambda: decided(app) == before + 1, "the decision that lay in the browser")


def test_an_app_that_does_not_answer_is_said(page):
    page.route("**/logout", lambda route: route.abort())
    page.click("[data-logout]")
    page.wait_for_selector("text=You are still logged in")
    assert page.url.endswith("page=review")
