"""Cards of datasets in Chromium: what was left out with its list, renaming, removing and restoring."""

import csv
import io
import json
import os
from urllib.request import urlopen

import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support import official_layouts as official
from tests.support.browser import chromium, executable, served
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A seeded store, and an own list of which a row has no picture file, one no picture, one no answer and one is no JSON."""
    executable()
    folder = tmp_path_factory.mktemp("cards")
    store, _, workspace = seeded_store(folder / "seeded", 60, samples=10)
    official.put(folder / "a.png", official.picture(1))
    rows = [{"image": "a.png", "question": f"Q{i}?", "answer": "x"} for i in range(3)]
    rows += [{"image": "gone.png", "question": "=1+1", "answer": "x"}, {"image": "a.png", "question": "Q?", "split": "test"}]
    path = official.put(folder / "mine.jsonl", "\n".join([*map(json.dumps, rows), "{"]))
    jobs = JobManager(store, workspace, stage_class)
    job = jobs.wait(jobs.launch("import", {"format": "jsonl", "source": {"path": str(path)}}, "ada"), 240)
    assert job.status == "done"
    with served(create_app(workspace, store, jobs, Settings(reviewer="ada"))) as address, chromium(f"{address}/?page=data") as page:
        yield address, store, page, path
    jobs.shutdown()
    store.close()


def card(page, name):
    return page.locator("#page-data .set", has=page.locator(f"button[aria-label='Remove {name}']"))


def test_what_was_left_out_stands_on_the_card_with_its_list(world):
    address, _, page, path = world
    page.wait_for_selector("#page-data .set")
    text = card(page, "mine").inner_text()
    assert "Left out: 1 no answers, 2 not usable." in text
    with page.expect_download() as download:
        card(page, "mine").locator("text=Download the list").click()
    assert download.value.suggested_filename == "mine-left-out.csv"
    with urlopen(f"{address}/api/datasets/mine/skipped.csv") as answer:
        rows = list(csv.reader(io.TextIOWrapper(answer, encoding="utf-8")))
    assert rows[0] == ["source", "reason", "import"]
    assert [row[0] for row in rows[1:]] == [f"{path}:5", f"{path}:4", f"{path}:6"]
    assert rows[1][1] == "no answers" and "gone.png" in rows[2][1] and "not valid JSON" in rows[3][1]


def test_a_dataset_is_renamed_removed_and_restored(world):
    _, store, page, _ = world
    card(page, "mine").locator("button", has_text="Rename").click()
    page.fill("#dataset-new-name", "shop photos")
    page.click("dialog .foot .btn.p")
    page.wait_for_selector("text=mine is called shop photos now")
    card(page, "shop photos").wait_for()
    card(page, "pocket-photo").locator("button", has_text="Remove").click()
    page.wait_for_selector("dialog .uses")
    uses = page.locator("dialog .inner").inner_text()
    assert "diagnoses" in uses and "samples" in uses and "People decided or paid for some of this" in uses
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/remove.png")
    page.click("dialog .foot .btn.b")
    page.wait_for_selector("text=pocket-photo was removed")
    page.wait_for_selector("#page-data button[aria-label='Restore pocket-photo']")
    assert card(page, "pocket-photo").count() == 0
    for width, scheme in ((1440, "light"), (1024, "dark"), (390, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), width
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/cards-{width}-{scheme}.png")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.click("#page-data button[aria-label='Restore pocket-photo']")
    page.wait_for_selector("text=pocket-photo is back")
    card(page, "pocket-photo").wait_for()
    assert store.rows("removed_datasets") == []
