"""Several people at the review bench, each in a browser of their own; keys of one's own; notes that outlive a reload."""

import re

import pytest

from curation.access.users import Users
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import ARGUMENTS, executable, served
from tests.support.seed import seeded_store

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A store, the address of the app on it with logins for two, and a browser."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)
    folder = tmp_path_factory.mktemp("office")
    store, _, workspace = seeded_store(folder / "seeded", 60, samples=140, seed=23)
    users = Users(folder / "users.json")
    users.add("ada", "admin", PASSWORD)
    users.add("grace", "editor", PASSWORD)
    with (
        served(create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(auth=users.path))) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        yield store, address, browser
        browser.close()
    store.close()


@pytest.fixture
def person(office):
    """Opens the review page as one of the two; whatever goes wrong on the page fails the test."""
    _, address, browser = office
    faults, contexts = [], []

    def open_as(name, query="page=review"):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        said = context.request.post(f"{address}/login", data={"name": name, "password": PASSWORD}, headers={"Origin": address})
        assert said.ok, said.text()
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(f"{name}: {error}"))
        page.on("dialog", lambda shown: shown.accept())
        page.goto(f"{address}/?{query}")
        page.wait_for_selector("#page-review [data-modes] button, #page-settings .keylist")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert faults == []


def log(store):
    """What people did, oldest first, without what the seed did."""
    text = "SELECT reviewer, sample_id, action::TEXT, reason, note FROM review WHERE event_id NOT LIKE 'seed-%' ORDER BY review_id"
    return store._cursor().execute(text).fetchall()


def sample(page):
    return int(re.search(r"[\d,]+", page.locator("#page-review [data-title]").inner_text())[0].replace(",", ""))


def saved(page):
    from playwright.sync_api import expect

    expect(page.locator("#page-review [data-buttons] [data-unsaved]")).to_have_text("all saved")


def test_two_people_share_a_blind_assignment_and_settle_what_they_disagree_on(office, person):
    from playwright.sync_api import expect

    store, _, _ = office
    ada, grace = person("ada", "page=review&view=people"), person("grace")
    giving = ada.locator("#page-review .rev-give")
    expect(giving.get_by_role("button", name="Assign")).to_be_enabled()
    giving.get_by_label("Reviewers per sample").select_option("2")
    giving.locator("input[type=checkbox]").check()
    giving.get_by_label("Name of the assignment").fill("both look")
    giving.get_by_role("button", name="Assign").click()
    expect(ada.locator("#page-review .rev-given")).to_contain_text("both look")
    assert {row["reviewer"] for row in store.rows("share_progress")} == {"ada", "grace"}

    # each in a queue of their own, at the same time
    grace.reload()
    for page in (ada, grace):
        if page is ada:
            page.keyboard.press("p")
        with page.expect_response("**/api/review/next"):
            page.locator("#page-review .facet-value", has_text="To do").click()
        expect(page.locator("#page-review .rev-text")).to_contain_text(
            "Filter verdicts and other reviewers' decisions are shown after you decide"
        )
        expect(page.locator("#page-review .rev-text [data-filter]")).to_have_count(0)
    order = []
    before = len(log(store))
    for _ in range(6):
        order.append(sample(ada))
        assert sample(grace) == order[-1]
        ada.keyboard.press("a")
        grace.keyboard.press("r")
        grace.keyboard.press("2")
    saved(ada), saved(grace)
    rows = log(store)[before:]
    assert [row[1:3] for row in rows if row[0] == "ada"] == [(sample_id, "approve") for sample_id in order]
    assert [row[1:4] for row in rows if row[0] == "grace"] == [(sample_id, "reject", "ambiguous question") for sample_id in order]
    assert all(store.row("sample_revisions", sample_ids=[sample_id])["status"] == "disputed" for sample_id in order)

    # ada goes back: now everything is shown, side by side, and her next word settles it
    for _ in order:
        ada.keyboard.press("k")
    expect(ada.locator("#page-review .rev-said")).to_have_count(2)
    assert sample(ada) == order[0]
    expect(ada.locator("#page-review .rev-said.no")).to_contain_text("ambiguous question")
    ada.keyboard.press("w")
    ada.keyboard.type("the colour is plain")
    expect(ada).to_have_url(re.compile(f"sample={order[0]}"))
    ada.reload()
    expect(ada.locator("#page-review .rev-note")).to_contain_text("the colour is plain")
    assert sample(ada) == order[0]
    ada.keyboard.press("a")
    saved(ada)
    assert log(store)[-1] == ("ada", order[0], "approve", None, "the colour is plain")
    assert store.row("sample_revisions", sample_ids=[order[0]])["status"] == "approved"
    ada.keyboard.press("p")
    expect(ada.locator("#page-review [data-people]")).to_contain_text("Krippendorff's alpha")
    expect(ada.locator("#page-review [data-people] tr", has_text="grace").first).to_contain_text("6 of ")
    ada.get_by_role("button", name="Resolve disputes").click()
    expect(ada.locator("#page-review .rev-said")).to_have_count(2)


def test_a_bulk_decision_is_undone_from_the_history_as_one(office, person):
    from playwright.sync_api import expect

    store, _, _ = office
    page = person("grace", "page=review&status=failed&view=grid")
    count = store.rows("samples_matching_by_status", statuses=["failed"], leaking=0)[0]["count"]
    page.locator("#page-review [data-bulk]").get_by_role("button", name="Reject").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text(f"{count} samples of {count} will be rejected")
    expect(dialog.locator(".rev-few .th")).to_have_count(min(count, 12))
    dialog.get_by_label("Note").fill("all of these")
    dialog.get_by_role("button", name="Reject", exact=False).last.click()
    expect(page.locator("#page-review [data-grid]")).to_contain_text("No matching samples")
    assert {row[4] for row in log(store)[-count:]} == {"all of these"}
    page.evaluate("document.querySelectorAll('.toast button[title=Close]').forEach((button) => button.click())")
    page.keyboard.press("h")
    expect(dialog.locator("tr").first).to_contain_text(f"{count} samples")
    dialog.locator("tr").first.get_by_role("button", name="Undo").click()
    expect(dialog.locator("tr").first).to_contain_text("undone")
    assert store.rows("samples_matching_by_status", statuses=["failed"], leaking=0)[0]["count"] == count


def test_any_page_s_keys_can_be_changed_swapped_and_put_back(office, person):
    from playwright.sync_api import expect

    store, address, _ = office
    page = person("ada", "page=settings")
    keys = page.locator("#page-settings [data-keymap]")
    for title in ("Failures", "Review", "Generate", "Jobs", "Data & models"):
        expect(keys.locator("b", has_text=title)).to_be_visible()

    def give(what, key):
        keys.locator(".line", has_text=what).first.locator(".key").click()
        page.keyboard.press(key)

    give("approve and go to the next", "y")
    give("reject; then", "/")
    expect(page.locator(".toast", has_text="search")).to_be_visible()
    give("write a note", "s")
    page.get_by_role("button", name="Swap: the other gets w").click()
    expect(keys.locator(".line", has_text="skip").locator("kbd")).to_have_text("w")

    page.goto(f"{address}/?page=review&status=all")
    saved(page)
    expect(page.locator("#page-review [data-buttons] button", has_text="Approve").locator("kbd")).to_have_text("y")
    first, before = sample(page), len(log(store))
    page.keyboard.press("a")
    page.keyboard.press("w")
    assert sample(page) != first
    second = sample(page)
    page.keyboard.press("y")
    saved(page)
    assert log(store)[before:] == [("ada", second, "approve", None, None)]
    page.goto(f"{address}/?page=settings")
    page.get_by_role("button", name="Reset all").click()
    expect(keys.locator(".line", has_text="skip").locator("kbd")).to_have_text("s")
    assert page.evaluate("localStorage.getItem('mistakebook.keys')") is None


def test_undo_brings_the_note_back_and_the_url_follows_and_a_key_pressed_twice_opens_one_dialog(person):
    from playwright.sync_api import expect

    ada = person("ada", "page=review&status=failed")
    saved(ada)
    first = sample(ada)
    note = "‘quoted’ <b>bold</b> 🙂 مرحبا"
    ada.keyboard.press("w")
    ada.keyboard.insert_text(note)
    ada.keyboard.press("Enter")
    ada.keyboard.press("a")
    saved(ada)
    expect(ada).to_have_url(re.compile(f"sample={sample(ada)}$"))
    ada.keyboard.press("u")
    expect(ada.locator("#page-review .rev-note")).to_contain_text(note)
    expect(ada).to_have_url(re.compile(f"sample={first}$"))
    ada.locator("#page-review [data-origin] .rev-siblings button").first.click()
    expect(ada.locator("#page-review [data-title]")).not_to_have_text(f"Sample {first}")
    expect(ada).to_have_url(re.compile(f"sample={sample(ada)}$"))

    ada.keyboard.press("g")
    expect(ada.locator("#page-review .th.here")).to_have_count(1)
    ada.keyboard.press("a")
    ada.keyboard.press("a")
    expect(ada.locator("dialog[open]")).to_have_count(1)
    ada.wait_for_timeout(500)
    expect(ada.locator("dialog[open]")).to_have_count(1)
