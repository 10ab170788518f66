"""The Results page: its charts are what the comparison says, and in Chromium they answer to the pointer."""

import pytest

from curation import checkpoints
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.results import comparison
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.charts import Chart, check
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("results") / "seeded", 200, samples=20)
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store
    store.close()


def test_charts_hold_what_the_comparison_says(world):
    app, store = world
    shown = PageApi(app, "results")("summary")
    found = comparison.compare(store, *(checkpoints.find(store, name) for name in ("pocket-llava", "run 1")))
    lines = {line.name: line for line in [found.overall, *found.by_error_type]}
    drawn = shown["figures"]["differences"]["data"]
    points = {name: value for trace in drawn for name, value in zip(trace["y"], trace["x"])}
    assert points == pytest.approx({name: line.difference for name, line in lines.items()})
    for trace in drawn:
        for name, reach in zip(trace["y"], trace["error_x"]["array"]):
            assert points[name] + reach == pytest.approx(lines[name].high)
    _, before, after = shown["figures"]["accuracies"]["data"]
    assert dict(zip(before["y"], before["x"])) == pytest.approx({name: line.before for name, line in lines.items()})
    assert dict(zip(after["y"], after["x"])) == pytest.approx({name: line.after for name, line in lines.items()})


@pytest.mark.timeout(600)
def test_charts_are_drawn_answer_to_the_pointer_and_are_downloaded(world):
    executable()
    with served(world[0]) as address, chromium(f"{address}/?page=results") as page:
        accuracies, differences = (Chart(page, "#page-results [data-main]", number) for number in (0, 1))
        assert [trace["name"] for trace in accuracies.traces()[1:]] == ["pocket-llava", "run 1"]
        gained = next(trace for trace in differences.traces() if trace["name"] == "gained")
        assert "overall" in gained["y"]
        name = gained["y"][-1]
        marks = differences.box.locator(".scatterlayer .trace").first.locator(".point")
        marks.last.hover(force=True)
        differences.box.locator(f".hoverlayer text:has-text('{name}')").wait_for()
        place = marks.last.bounding_box()
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_url(f"**type={name}**")
        page.wait_for_selector(f"#page-results tr.on:has-text('{name}')")
        assert differences.box.locator(".shapelayer path").count() == 1
        check(accuracies, "accuracy-by-error-type-pocket-llava-run-1")
        check(differences, "difference-by-error-type-pocket-llava-run-1")
