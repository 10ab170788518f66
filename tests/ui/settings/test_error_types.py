"""Error types over HTTP, on the command line, and on Settings in Chromium."""

import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store


@pytest.fixture
def app(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=20)
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    store.close()


def test_routes_edit_and_refuse(app):
    post = PageApi(app, "error_types")
    client = post.client
    first = client.post("/api/error_types", json={}).json()
    assert first["version"] == 1 and first["history"] == [] and len(first["error_types"]) == 14
    assert post("rename", name="counting", to="quantity")["version"] == 2
    assert "called 'quantity' now" in post("hide", 409, name="counting")["error"]
    assert "extra" in post("add", 422, name="x", definition="d", example="e", nonsense=1)["error"].lower()
    taxonomy = client.post("/api/error_types", json={}).json()
    assert taxonomy["aliases"] == {"counting": "quantity"} and taxonomy["history"][0]["author"] == "ada"
    quantity = next(type_ for type_ in taxonomy["error_types"] if type_["name"] == "quantity")
    assert quantity["used"]["failures"] > 0 and not quantity["fixed"]
    assert client.get("/api/workspace").json()["taxonomy"] == 2
    failures = PageApi(app, "failures")
    assert "not in the taxonomy" in failures("triage", 422, failure_ids=[1], event_id="an event of ours", error_type="counting")["error"]


@pytest.mark.timeout(600)
def test_on_settings_a_type_is_added_renamed_merged_and_every_page_follows(app):
    executable()
    with served(app) as address, chromium(f"{address}/?page=settings") as page:
        table = page.locator("#page-settings [data-error-types]")
        table.locator("button:has-text('Add an error type')").click()
        page.fill("#type-name", "hue")
        page.fill("#type-definition", "The hue is wrong.")
        page.fill("#type-example", "says teal for blue")
        page.locator("dialog button.p").click()
        table.locator("tr:has-text('says teal for blue')").wait_for()
        table.locator("tr:has-text('counts three cups') button:has-text('Edit')").click()
        page.fill("#type-name", "quantity")
        page.locator("dialog button.p").click()
        table.locator("b:has-text('quantity')").wait_for()
        table.locator("tr:has-text('says teal for blue') button:has-text('Merge')").click()
        page.select_option("#type-into", "attribute")
        page.locator("dialog button.p").click()
        page.locator("small:has-text('version 4')").wait_for()
        assert table.locator("tr:has-text('says teal for blue')").count() == 0
        page.goto(f"{address}/?page=failures")
        page.locator("#page-failures >> text=quantity").first.wait_for()
        assert page.locator("#page-failures").get_by_text("counting", exact=True).count() == 0
