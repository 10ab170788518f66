"""The clusters of the Failures page in Chromium: merged, renamed, undone, split, moved; what the page shows is what the store holds."""

import re

import pytest

from curation.clusters import edits
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.failures_page import groups, lasso, wait_for_count
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    executable()
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("clusters") / "seeded", 240, samples=10)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address:
        yield store, address
    store.close()


def on_page(page) -> dict[int, int]:
    """The tree's clusters and their numbers."""
    rows = page.eval_on_selector_all(".cl", "all => all.map(one => [one.dataset.cluster, one.querySelector('.n').textContent])")
    return {int(cluster): int(re.sub(r"\D", "", count)) for cluster, count in rows}


def wait_until_shown(page, store) -> None:
    """Until the tree is what the store holds, whole clusters being shown."""
    sizes = {str(cluster): str(len(members)) for cluster, members in groups(store).items()}
    page.wait_for_function(
        """sizes => { const rows = [...document.querySelectorAll('.cl')];
             return rows.length === Object.keys(sizes).length
               && rows.every(one => one.querySelector('.n').textContent === sizes[one.dataset.cluster]); }""",
        arg=sizes,
    )


def pick(page, cluster: int) -> None:
    page.click(f'.cl[data-cluster="{cluster}"]')
    page.wait_for_selector(f'.cl.on[data-cluster="{cluster}"]')


def test_merge_rename_undo_split_and_move(world):
    store, address = world
    start = groups(store)
    by_size = sorted(start, key=lambda cluster: (-len(start[cluster]), cluster))
    first, other, third = by_size[:3]
    with chromium(address) as page:
        page.wait_for_selector(".cl-foot")
        assert on_page(page) == {cluster: len(members) for cluster, members in start.items()}
        types = page.locator(".cl-type").count()
        assert types == len({row["error_type"] for row in store.rows("clusters_known", round=1) if row["cluster_id"] in start})
        page.locator(".cl-fold").first.click()
        page.wait_for_function("n => document.querySelectorAll('.cl').length < n", arg=len(start))
        page.locator(".cl-fold").first.click()

        # two clusters become one, with a title of one's own
        pick(page, first)
        page.wait_for_selector(".cl-strip img")
        pick(page, other)
        page.click("text=Merge 2 clusters")
        page.fill("dialog input", "Both of them")
        page.keyboard.press("Enter")
        page.wait_for_selector(".cl.on b >> text=Both of them")
        wait_for_count(page, len(start[first]) + len(start[other]))
        assert other not in groups(store)

        # rename; then back by key, and the merge by its entry in the list of changes
        page.click(".cl-more >> text=Rename")
        page.fill("dialog input", "Another name")
        page.keyboard.press("Enter")
        page.wait_for_selector(".cl.on b >> text=Another name")
        page.wait_for_selector("dialog", state="detached")  # while it is open no key of the page counts
        page.keyboard.press("u")
        page.wait_for_selector(".cl b >> text=Both of them")
        page.click(".cl-foot button")
        page.click("dialog tr:has-text('merged') button")
        page.wait_for_function("n => document.querySelectorAll('.cl').length === n", arg=len(start))
        wait_until_shown(page, store)
        assert groups(store) == start

        # split in two by likeness; both halves are chosen
        pick(page, third)
        page.click(".cl-more >> text=Split")
        page.fill("dialog input", "The other half")
        page.click("dialog .btn.p")
        page.wait_for_selector(".cl.on b >> text=The other half")
        page.wait_for_function("() => document.querySelectorAll('.cl.on').length === 2")
        halves = [len(members) for members in groups(store).values() if members < start[third]]
        assert len(halves) == 2 and sum(halves) == len(start[third])
        page.click("text=clear all")
        wait_for_count(page, 240)

        # a lasso's failures are moved
        lasso(page, 2 / 3)
        page.wait_for_selector("text=/Make a cluster of/")
        enclosed = int(re.sub(r"\D", "", page.locator("[data-count]").inner_text()))
        page.click("text=Move to…")
        page.select_option("dialog select", str(first))
        page.click("dialog .btn.p")
        page.wait_for_selector(f'.cl.on[data-cluster="{first}"]')
        wait_for_count(page, len(groups(store)[first]))
        moved = groups(store)[first] - start[first]
        assert 0 < len(moved) <= enclosed and start[first] <= groups(store)[first]

        # a look from another tab: what was done is there
        page.reload()
        page.wait_for_selector(".cl-foot")
        assert on_page(page) == {cluster: len(members) for cluster, members in groups(store).items()}
    done = store.rows("cluster_history", round=1, limit=50)
    assert [(row["action"], row["undone"]) for row in done] == [("move", False), ("split", False), ("rename", True), ("merge", True)]


def test_what_a_person_made_says_so_and_takes_a_suggested_title(world):
    store, address = world
    with chromium(address) as page:
        page.wait_for_selector(".cl-foot")
        lasso(page, 0.5)
        page.click("text=/Make a cluster of/")
        page.fill("dialog input", "By hand")
        page.keyboard.press("Enter")
        page.wait_for_selector(".cl-more >> text=Made by ada: not resampled")
        page.wait_for_selector(".cl-more .cl-strip img")
        page.wait_for_selector(".cl-more >> text=/Suggest a title · free/")
        made = int(page.locator(".cl.on").get_attribute("data-cluster"))
        assert f"{len(groups(store)[made])} failures" in page.locator(".cl-more .kv").inner_text()
        with store.write() as write:
            write.run("title_suggest", cluster_id=made, title="Negated questions")
        page.reload()
        page.wait_for_selector(".cl-more >> text=Suggested: Negated questions")
        assert "By hand" in page.locator(".cl.on b").inner_text()
        page.click(".cl-more >> text=Use it")
        page.wait_for_selector(".cl.on b >> text=Negated questions")
        page.keyboard.press("u")
        page.wait_for_selector(".cl b >> text=By hand")
        page.keyboard.press("Escape")
    done = store.rows("cluster_history", round=1, limit=2)
    assert [(row["action"], row["undone"]) for row in done] == [("rename", True), ("make", False)]


def test_a_confirmed_and_a_corrected_error_type_are_counted(world):
    store, address = world
    with chromium(address) as page:
        page.wait_for_selector(".cl-foot >> text=not checked by people yet")
        page.wait_for_selector(".fail-card .diag")
        for _ in range(3):
            page.wait_for_selector(".fail-card .diag")
            before = page.locator(".fail-card h4").first.inner_text()
            page.keyboard.press("c")
            page.wait_for_selector(".fail-card .btn.okay")
            page.keyboard.press("j")
            page.wait_for_function("text => document.querySelector('.fail-card h4').textContent.toUpperCase() !== text", arg=before.upper())
        page.wait_for_selector(".fail-card .diag")
        current = page.locator(".fail-card .diag select").input_value()
        page.select_option(".fail-card .diag select", "spatial" if current != "spatial" else "counting")
        page.wait_for_function("() => document.querySelector('.cl-foot').textContent.includes('over 4 failures')")
    assert len(store.rows("error_types_checked", round=1)) == 4


def test_a_dialog_does_what_it_says_once_however_often_it_is_pressed(world):
    store, address = world
    before = groups(store)
    known = len(edits.history(store, 1, 1000))
    with chromium(f"{address}/?page=failures&dataset=pocket-photo") as page:
        page.wait_for_selector(".cl-foot")
        page.click("text=/Make a cluster of/")
        page.fill("dialog input", "Made <b>once</b>")
        page.locator("dialog .btn.p").dblclick()
        page.wait_for_selector(".cl.on b >> text=Made <b>once</b>")
        page.wait_for_timeout(500)
        assert len(edits.history(store, 1, 1000)) == known + 1
        page.keyboard.press("u")
        page.wait_for_function("() => !document.querySelector('.cl.on')")
        assert groups(store) == before

        page.click("text=save view")
        page.fill("dialog input", "Photos")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.wait_for_selector(".fview >> text=Photos")
        page.wait_for_timeout(500)
        assert [row["name"] for row in store.rows("views", page="failures")].count("Photos") == 1
