"""The import dialog in Chromium: rows of the file beside the examples they become, a column chosen for each field, the import with it."""

import os

import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support import official_layouts as official
from tests.support.browser import chromium, executable, served
from tests.support.running_app import until
from tests.support.seed import seeded_store

LOOKS = [(1440, "light"), (1024, "dark"), (390, "light"), (390, "dark"), (1440, "dark"), (1024, "light")]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    executable()
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("data") / "seeded", 60, samples=10)
    jobs = JobManager(store, workspace, stage_class)
    with served(create_app(workspace, store, jobs, Settings(reviewer="ada"))) as address:
        yield address, store, jobs
    jobs.shutdown()
    store.close()


@pytest.fixture(scope="module")
def page(world):
    with chromium(f"{world[0]}/?page=data") as page:
        page.wait_for_selector("#page-data .set")
        yield page


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table with columns of its own names; its third row names a picture that isn't there."""
    folder = tmp_path_factory.mktemp("own")
    for number in range(3):
        official.put(folder / f"{number}.png", official.picture(number))
    rows = ["nr;shot;wording;other;gold;note", "1;0.png;What is <b>it</b>?;Left?;bus;", "2;1.png;How many?;Right?;3;seen twice"]
    rows += ["3;gone.png;Where?;Up?;here;", "4;2.png;Who?;Down?;nobody;"]
    return official.put(folder / "shop.csv", "\n".join(rows))


def opened(page, path):
    page.click("text=Import dataset")
    page.fill("dialog .field:has(label:text-is('Path')) input", str(path))
    page.wait_for_selector("dialog .columns select")


def chosen(page, field):
    return page.locator(f"dialog .columns select[data-field='{field}']").input_value()


def choose(page, field, column):
    select = page.locator(f"dialog .columns select[data-field='{field}']")
    select.focus()
    with page.expect_response("**/api/data/preview"):
        select.select_option(column)


def test_a_mapping_is_chosen_previewed_and_imported(world, page, table):
    _, store, jobs = world
    opened(page, table)
    assert (chosen(page, "answers"), chosen(page, "question"), chosen(page, "image")) == ("gold", "", "")
    look = page.locator("dialog .look")
    assert "no column image and question" in look.inner_text() and "How many?" in look.inner_text()  # rows are shown all the same
    choose(page, "image", "shot")
    choose(page, "question", "wording")
    page.wait_for_selector("dialog .look img")
    assert page.evaluate("document.activeElement.dataset.field") == "question"  # the keyboard stays where it was
    text = look.inner_text()
    assert "What is <b>it</b>?" in text and "→ question" in text and "not imported: " in text and "gone.png" in text
    assert look.locator("img").count() == 3
    choose(page, "question", "other")
    page.wait_for_selector("dialog .look tr:has(img) >> text=Left?")
    choose(page, "id", "nr")
    page.click("dialog .foot .btn.p")
    page.wait_for_selector("dialog", state="detached")
    until(lambda: store.rows("jobs", limit=1) and store.rows("jobs", limit=1)[0]["stage"] == "import", "the import")
    jobs.wait(store.rows("jobs", limit=1)[0]["job_id"], 240)
    page.wait_for_selector("#page-data .set >> text=shop")
    items = store.rows("dataset_items", dataset="shop", split=None, limit=None)
    assert sorted((item["external_id"], item["question"], item["golds"]) for item in items) == [
        ("1", "Left?", ["bus"]),
        ("2", "Right?", ["3"]),
        ("4", "Down?", ["nobody"]),
    ]


def test_another_path_forgets_the_chosen_columns(page, table):
    opened(page, table)
    choose(page, "image", "shot")
    other = official.put(table.parent / "plain.csv", "image,question,answer\n0.png,What?,x\n")
    with page.expect_response("**/api/data/preview"):
        page.fill("dialog .field:has(label:text-is('Path')) input", str(other))
    page.wait_for_selector("dialog .look img")
    assert chosen(page, "image") == "image" and "can't be" not in page.locator("dialog .look").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_the_dialog_fits_every_width(world, page, table):
    """Nothing of the dialog is cut at the side; with PICTURES=FOLDER in the environment screenshots are kept."""
    opened(page, table)
    choose(page, "image", "shot")
    choose(page, "question", "wording")
    page.wait_for_selector("dialog .look img")
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        wide = page.evaluate(
            "[...document.querySelectorAll('dialog .columns select, dialog .from > *, dialog .wide-table')].filter((one) => "
            "one.offsetParent && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 90))"
        )
        assert wide == [], (width, wide)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/import-{width}-{scheme}.png")
            page.locator("dialog .look").scroll_into_view_if_needed()
            page.evaluate("document.querySelector('dialog .inner').scrollTo(0, 99999)")
            page.screenshot(path=f"{folder}/import-{width}-{scheme}-end.png")
            page.evaluate("document.querySelector('dialog .inner').scrollTo(0, 0)")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1440, "height": 900})
