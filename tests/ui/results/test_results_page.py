"""The Results page: its charts are what the comparison says, and in Chromium they answer to the pointer."""

import pytest

from curation import checkpoints
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.results import budget_split, comparison, gate
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.answers import add_answers
from tests.support.browser import chromium, executable, served
from tests.support.charts import Chart, check
from tests.support.page_api import PageApi
from tests.support.running_app import until
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("results") / "seeded", 200, samples=20)
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store
    store.close()


def test_charts_hold_what_the_comparison_says(world):
    app, store = world
    shown = PageApi(app, "results")("summary")
    compared = comparison.compare(store, *(checkpoints.find(store, name) for name in ("pocket-llava", "run 1")))
    lines = {line.name: line for line in [compared.overall, *compared.by_error_type]}
    drawn = shown["figures"]["differences"]["data"]
    points = {name: value for trace in drawn for name, value in zip(trace["y"], trace["x"])}
    assert points == pytest.approx({name: line.difference for name, line in lines.items()})
    for trace in drawn:
        for name, reach in zip(trace["y"], trace["error_x"]["array"]):
            assert points[name] + reach == pytest.approx(lines[name].high)
    _, before, after, majority = shown["figures"]["accuracies"]["data"]
    assert dict(zip(majority["y"], majority["x"])) == pytest.approx({name: line.majority for name, line in lines.items()})
    assert dict(zip(before["y"], before["x"])) == pytest.approx({name: line.before for name, line in lines.items()})
    assert dict(zip(after["y"], after["x"])) == pytest.approx({name: line.after for name, line in lines.items()})


@pytest.mark.timeout(600)
def test_charts_are_drawn_answer_to_the_pointer_and_are_downloaded(world):
    executable()
    with served(world[0]) as address, chromium(f"{address}/?page=results") as page:
        accuracies, differences = (Chart(page, "#page-results [data-main]", number) for number in (0, 1))
        assert [trace["name"] for trace in accuracies.traces()[1:]] == ["pocket-llava", "run 1", "majority answer"]
        gained = next(trace for trace in differences.traces() if trace["name"] == "gained")
        assert "overall" in gained["y"]
        name = gained["y"][-1]
        marks = differences.box.locator(".scatterlayer .trace").first.locator(".point")
        marks.last.hover(force=True)
        differences.box.locator(f".hoverlayer text:has-text('{name}')").wait_for()
        place = marks.last.bounding_box()
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_url(f"**group={name}**")
        page.wait_for_selector(f"#page-results tr.on:has-text('{name}')")
        assert differences.box.locator(".shapelayer path").count() == 1
        check(accuracies, "accuracy-by-error-type-pocket-llava-run-1")
        check(differences, "difference-by-error-type-pocket-llava-run-1")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A workspace of three checkpoints, the last of which has answered a part of the eval examples."""
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("three") / "seeded", 120, samples=60)
    ids = store.columns("eval_examples", round=1)["example_id"].tolist()
    add_answers(store, "run 2", {i: float(k % 5 != 0) for k, i in enumerate(ids) if k % 4})
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store
    store.close()


@pytest.mark.timeout(600)
def test_tables_side_by_side_gate_and_split_in_the_browser(three):
    executable()
    app, store = three
    with served(app) as address, chromium(f"{address}/?page=results&before=pocket-llava&after=run+1") as page:
        page.click("#page-results .choose >> text=kind")
        page.wait_for_url("**by=kind**")
        page.wait_for_selector("#page-results h4:has-text('By kind')")
        assert page.locator("#page-results .card.rows").first.locator("tbody tr").count() > 5
        page.select_option("#page-results select[title='Show another checkpoint side by side']", "run 2")
        page.wait_for_selector("#page-results table.many th:has-text('run 2')")
        assert page.locator("#page-results .warning:has-text('answered by some, not by all')").count() == 1
        page.click("#page-results button.chip:has-text('release gate')")
        page.fill("#gate-margin", "0.05")
        page.click("dialog >> text=every kind")
        page.click("dialog >> text=Save rule")
        page.wait_for_selector("#page-results button.chip:has-text('release gate: not shown')")
        until(lambda: gate.rule(store).groups == ("overall", "dataset", "kind"), "the rule in force has kinds")
        assert gate.rule(store).margin == pytest.approx(0.0005)
        page.click("#page-results button.chip:has-text('release gate')")
        page.click("dialog >> text=Keep this verdict")
        page.wait_for_selector("text=Verdict kept: not shown")
        box = page.locator("#page-results input[aria-label='samples for counting']")
        box.fill("77")
        page.click("#page-results >> text=Accept as edited")
        page.wait_for_selector("#page-results >> text=accepted by ada")
        assert budget_split.accepted(store).quotas["counting"] == 77
        page.click("#page-results .budget >> text=Clear")
        page.wait_for_selector("#page-results >> text=Generate goes without quotas")
    assert gate.verdicts(store)[0].rule["margin"] == pytest.approx(0.0005)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "scheme"), [(1024, "light"), (390, "light"), (390, "dark")])
def test_nothing_is_wider_than_the_window(three, width, scheme):
    executable()
    with served(three[0]) as address, chromium(f"{address}/?page=results&before=pocket-llava&after=run+1", width, 844, scheme) as page:
        page.wait_for_selector("#page-results .budget table")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        parts = "[...document.querySelectorAll('#page-results [data-main] > *')]"
        assert page.evaluate(f"{parts}.filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.className)") == []
