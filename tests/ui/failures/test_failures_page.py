"""The Failures page in Chromium, on a real server: what is clicked, lassoed and typed is what the store holds."""

import re
import uuid

import pytest

from curation.config import Settings
from curation.failures import triage
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.failures_page import lasso, wait_for_count
from tests.support.seed import seeded_store

EVIL = "<img src=x onerror=\"document.title='broken into'\"> {{value}} ${1+1} `x`"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    executable()
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("browser") / "seeded", 240, samples=20)
    with store.write() as write:  # a dataset may hold anything
        failure_id = write.run("failure_ids", round=1)[0]["failure_id"]
        card = {"failure_id": failure_id, "description": EVIL, "faulty_reasoning": EVIL, "error_type": "spatial", "own_answer": EVIL}
        write.insert("diagnosis", [{**card, "own_score": 1.0, "gold_looks_wrong": False, "right_but_misformatted": False, "job_id": 7}])
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address:
        yield store, address, failure_id
    store.close()


def count(page) -> int:
    return int(re.sub(r"\D", "", page.locator("[data-count]").inner_text()))


def test_one_selection_for_map_grid_card_and_url(world):
    store, address, _ = world
    with chromium(address) as page:
        page.wait_for_selector("#page-failures .cl")
        wait_for_count(page, 240)
        page.wait_for_selector(".th")
        for way in ("cluster", "dataset", "score", "error_type"):
            page.select_option("[data-legend] select", way)

        lasso(page, 1 / 2)
        page.wait_for_selector(".fail-chips .chip.on")
        enclosed = int(re.sub(r"\D", "", page.locator(".fail-chips .chip.on").inner_text()))
        wait_for_count(page, enclosed)
        assert 5 < enclosed < 235
        assert page.locator(".th").count() == min(60, enclosed)

        address_of_lasso = page.url
        page.goto(address_of_lasso)  # a shared link shows the same
        page.wait_for_selector(".fail-chips .chip.on")
        wait_for_count(page, enclosed)

        page.keyboard.press("x")
        wait_for_count(page, 240)
        page.go_back()
        wait_for_count(page, enclosed)
        page.go_forward()
        wait_for_count(page, 240)

        page.locator(".cl").nth(1).click()
        page.wait_for_selector(".cl.on")
        page.wait_for_function(  # the clusters' numbers follow the pictures
            "() => document.querySelector('[data-count]').textContent === `${document.querySelector('.cl.on .n').textContent} selected`"
        )
        size = count(page)
        assert size == len(store.rows("failures_shown", round=["1"], cluster_id=[int(re.search(r"cluster=(\d+)", page.url)[1])]))

        page.keyboard.press("/")
        page.keyboard.type("jkm")  # letters of shortcuts, typed into the search: nothing is triaged
        page.wait_for_selector(".fail-chips >> text=jkm")
        wait_for_count(page, 0)
        assert "No matching failures" in page.locator("[data-thumbs]").inner_text()


def redrawn(page) -> None:
    """All of the page is drawn anew, for another selection; waits for the answers and for what they draw."""
    with page.expect_response("**/api/failures/facets"), page.expect_response("**/api/failures/card"):
        page.evaluate("history.pushState({}, '', '?page=failures&error_type=negation'); dispatchEvent(new PopStateEvent('popstate'))")
    page.wait_for_function("() => document.querySelector('.fail-chips')?.textContent.includes('negation')")
    page.wait_for_function("() => document.querySelector('.fail-card h4')?.textContent.startsWith('Failure 1 of')")


def test_a_click_counts_though_the_list_is_drawn_anew_meanwhile(world):
    _, address, _ = world
    with chromium(address) as page:
        page.wait_for_selector("#page-failures .cl")
        wait_for_count(page, 240)
        cluster = page.locator(".cl").nth(1)
        title = cluster.locator("b").inner_text()
        cluster.hover()
        page.mouse.down()
        redrawn(page)
        page.mouse.up()
        page.wait_for_selector(".cl.on")
        assert page.locator(".cl.on b").first.inner_text() == title and "error_type=negation" in page.url
        page.wait_for_function(
            "() => document.querySelector('[data-count]').textContent === `${document.querySelector('.cl.on .n').textContent} selected`"
        )


@pytest.mark.parametrize(
    ("button", "then"),
    [
        ("[data-actions] button >> text=Generate", "page=generate"),
        ("[data-triage] button >> text=Model error", "api/failures/triage"),
        (".fail-thumbs .th >> nth=3", "api/failures/card"),
        (".mb-rail a[data-page=jobs]", "page=jobs"),
    ],
)
def test_no_button_loses_its_click_to_a_redraw(world, button, then):
    _, address, _ = world
    with chromium(f"{address}/?page=failures&error_type=counting") as page:
        page.wait_for_selector(".near-row button")
        page.hover(button)
        page.mouse.down()
        page.evaluate("pressed_one = [...document.querySelectorAll('button:active, a:active')].at(-1)")
        redrawn(page)
        with page.expect_response("**/api/workspace"):
            page.evaluate("document.dispatchEvent(new Event('mb:poll'))")
        assert page.evaluate("pressed_one.isConnected")
        if then.startswith("page"):
            page.mouse.up()
            page.wait_for_url(f"**{then}*")
        else:
            with page.expect_response(f"**/{then}"):
                page.mouse.up()


def test_triage_by_keys_goes_on_to_the_next_and_is_stored(world):
    store, address, _ = world
    before = store.value("triage_count")
    with chromium(f"{address}/?page=failures&error_type=negation") as page:
        heading = page.locator(".fail-card h4").first
        page.wait_for_function("() => document.querySelector('.fail-card h4')?.textContent.startsWith('Failure 1 of')")
        first = int(page.locator(".th.sel").get_attribute("data-id"))
        page.keyboard.press("l")
        page.wait_for_function("() => document.querySelector('.fail-card h4')?.textContent.startsWith('Failure 2 of')")
        page.wait_for_function("() => document.querySelector('#page-failures [data-accuracy]').textContent.includes('without')")
        page.keyboard.press("k")
        page.wait_for_selector("[data-triage] .btn.on")
        assert heading.inner_text().upper().startswith("FAILURE 1 OF")
        assert "Label error" in page.locator("[data-triage] .btn.on").inner_text()
    assert store.row("failure_card_of", failure_id=first)["triage"] == "label error"
    assert store.value("triage_count") == before + 1


def test_a_slice_sets_the_facets_and_a_view_of_it_is_kept(world):
    store, address, _ = world
    with chromium(f"{address}/?page=failures&layout=slices&least=20") as page:
        page.wait_for_selector(".slices tbody tr")
        first = page.locator(".slices tbody tr").first
        shown = int(re.sub(r"\D", "", first.locator(".fig").first.inner_text().split("of")[0]))
        first.click()
        page.wait_for_selector(".slices tr.on")
        wait_for_count(page, shown)
        page.click("text=save view")
        page.fill("dialog input", "Where it fails most")
        page.click("dialog .btn.p")
        page.wait_for_selector(".fview.on >> text=Where it fails most")
        (saved,) = store.rows("views", page="failures")
        assert (saved["name"], saved["author"]) == ("Where it fails most", "ada")
        assert "layout=slices" in saved["query"] and "saved" not in saved["query"]

        page.goto(f"{address}/?page=failures&saved={saved['view_id']}")  # the short address of a view
        page.wait_for_selector(".slices tr.on")
        wait_for_count(page, shown)
        assert "layout=slices" in page.url
        page.keyboard.press("t")
        page.wait_for_selector("[data-map] canvas", state="visible")
        wait_for_count(page, shown)
        page.hover(".fview")
        page.click(".fview button")
        page.click("dialog .btn.p")
        page.wait_for_selector(".fview", state="detached")
        assert store.rows("views", page="failures") == []


def test_several_are_marked_and_triaged_at_once_and_a_neighbour_is_gone_to(world):
    store, address, _ = world
    with chromium(f"{address}/?page=failures&error_type=counting") as page:
        page.wait_for_selector(".near-row button")
        cells = page.locator(".fail-thumbs .th")
        ids = [int(cells.nth(i).get_attribute("data-id")) for i in (0, 1, 2, 4)]
        cells.nth(2).click(modifiers=["Shift"])
        cells.nth(4).click(modifiers=["Control"])
        page.wait_for_selector(".fail-chips >> text=4 marked")
        page.keyboard.press("o")
        page.wait_for_selector(".fail-chips >> text=4 marked", state="detached")
        page.wait_for_function("() => !document.querySelector('.th.marked')")
        page.wait_for_selector(".toast >> text=4 failures: scorer artefact")
        assert [store.row("failure_card_of", failure_id=failure_id)["triage"] for failure_id in ids] == ["scorer artefact"] * 4
        near = store.rows("failure_neighbours", failure_id=ids[0], limit=8)
        page.wait_for_function("n => document.querySelectorAll('.near-row button').length === n", arg=len(near))
        page.locator(".near-row button").nth(2).click()
        page.wait_for_function("id => location.search.includes(`card=${id}`)", arg=near[2]["failure_id"])


def test_what_a_model_wrote_is_shown_as_text(world):
    _, address, failure_id = world
    with chromium(f"{address}/?page=failures&card={failure_id}", scheme="dark") as page:
        page.wait_for_selector(".fail-card .kv")
        page.wait_for_selector("text=${1+1}")
        assert EVIL in page.locator(".fail-card").inner_text()
        assert page.title() == "Failures · seeded"
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_narrow_window_folds_the_selection_into_a_drawer(world):
    _, address, _ = world
    with chromium(address, 1024, 768) as page:
        page.wait_for_selector("#page-failures .cl")
        assert not page.locator("[data-card]").is_visible()
        page.click("#page-failures .drawer-tab[title=Selection]")
        page.wait_for_selector(".fail-card h4", state="visible")
        page.keyboard.press("Escape")
        page.wait_for_selector(".fail-card h4", state="hidden")


def test_nothing_is_shown_twice_and_lost_servers_are_named(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / uuid.uuid4().hex, 40, samples=5, clustered=False)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address, chromium(address, expect_errors=True) as page:
        page.wait_for_selector(".steps .card")
        wait_for_count(page, 40)
        assert page.locator(".th").count() == 40
        page.route("**/api/**", lambda route: route.abort())
        page.wait_for_selector("text=The app does not respond")
        page.unroute("**/api/**")
        page.wait_for_selector("text=The app does not respond", state="detached")
    store.close()


def test_each_key_of_triage_is_for_the_next_failure_though_its_card_is_on_its_way(world):
    store, address, _ = world
    with chromium(f"{address}/?page=failures&layout=grid") as page:
        page.wait_for_selector(".fail-card h4")
        rows = [int(text) for text in page.eval_on_selector_all("[data-wide-grid] .th", "all => all.map(one => one.dataset.id)")][:6]
        earlier = {row.batch_id for row in triage.history(store, [1], 1000)}
        for key in "mlomlo":
            page.keyboard.press(key)
        labels = ["model error", "label error", "scorer artefact"] * 2
        words = wait_for_words(page, store, earlier, lambda found: len(found) == 6)
        assert [words[failure] for failure in rows] == labels
        for key in "m" + 8 * "u":  # the last word before its answer is there
            page.keyboard.press(key)
        page.wait_for_selector(".toast >> text=Nothing to undo")  # for four seconds
        wait_for_words(page, store, earlier, lambda found: not found)


def wait_for_words(page, store, earlier, enough) -> dict[int, str]:
    """What stands of people's labels besides the `earlier` ones, once it is enough."""
    for _ in range(100):
        history = triage.history(store, [1], 1000)
        labels = {row.failure_id: row.label for row in history if row.batch_id not in earlier and not row.undone}
        if enough(labels):
            return labels
        page.wait_for_timeout(100)
    raise AssertionError(labels)


def test_a_link_to_what_is_not_there_shows_the_page_all_the_same(world):
    _, address, _ = world
    with chromium(f"{address}/?page=failures&colour=smell&card=99999999", expect_errors=True) as page:
        page.wait_for_selector(".toast >> text=there is no failure 99999999")
        page.wait_for_selector(".fail-card >> text=Failure 1 of")
        page.wait_for_selector("[data-legend] button")
