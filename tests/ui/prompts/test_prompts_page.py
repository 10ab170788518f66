"""The Prompts page: its routes, and in Chromium the whole way from an edit to the comparison and back to the shipped text."""

import uuid

import pytest

from curation.config import Settings
from curation.frontier import endpoints
from curation.jobs.manager import JobManager
from curation.prompts import versions
from curation.prompts.templates import parts, shipped
from curation.stage import NothingToDo
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store

CALLS = 6  # failures that a comparison asks about here


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("home") / "seeded", 60, samples=40)
    jobs = JobManager(store, workspace, stage_class)
    yield create_app(workspace, store, jobs, Settings(reviewer="ada")), store, jobs
    jobs.shutdown()
    store.close()


@pytest.fixture(scope="module")
def post(world):
    return PageApi(world[0], "prompts")


def draft(name, **changed):
    system, user = parts(shipped(name).text)
    return {"name": name, "system": system, "user": user} | changed


def test_the_list_names_every_prompt_that_something_asks_by(post):
    prompts = {row["name"]: row for row in post("list")}
    assert {"blind", "diagnosis", "title", "proposal", "judge", "agreement"} <= set(prompts)
    assert prompts["judge"]["stage"] == "filter" and prompts["diagnosis"]["used_by"] == ["diagnose"]
    assert all(row["in_use"] == row["shipped"] for row in prompts.values())


@pytest.mark.parametrize(
    "name, place", [(n, i) for i, n in enumerate(["blind", "diagnosis", "title", "proposal", "judge", "agreement", "guess"])]
)
def test_the_preview_is_what_goes_out_and_asking_costs_once(post, name, place):
    failure = post("failures", name=name)[place]["failure_id"]  # each another: blind.md and agreement.md may ask the very same
    body = draft(name, failure_id=failure, options={"endpoint": "pocket-teacher", "model": "pocket-teacher"})
    seen = post("preview", **body)
    assert seen["version"] == shipped(name).version and seen["calls"] == 1 and 0 < seen["usd"][0] < seen["usd"][1]
    assert "{{" not in seen["user"] and "properties" in seen["schema"]
    assert set(seen["system"].splitlines()) <= set(shipped(name).text.splitlines())  # less what stands under a condition
    first = post("ask", **body)
    assert first["error"] is None and first["bought"] == 1 and first["usd"] > 0, first
    again = post("ask", **body)
    assert (again["bought"], again["usd"], again["result"]) == (0, 0, first["result"])
    assert post("preview", **body)["calls"] == 0


def test_a_draft_with_flaws_is_neither_kept_nor_asked(post):
    user = parts(shipped("judge").text)[1].replace("{{ answer }}", "{{ anser }}")
    saved = post("save", **draft("judge", user=user))
    assert [(flaw["part"], flaw["line"]) for flaw in saved["flaws"]] == [("user", 6), ("user", 7)]
    assert "unknown field “anser”" in saved["flaws"][0]["problem"] and "{{ answer }} is missing" in saved["flaws"][1]["problem"]
    assert len(post("show", name="judge")["versions"]) == 1
    failure = post("failures", name="judge")[0]["failure_id"]
    assert "user part, line 6" in post("preview", 409, **draft("judge", user=user, failure_id=failure))["error"]
    post("show", 404, name="none")
    post("use", 404, name="judge", version="ffff")


def test_a_failure_that_is_not_teachable_gets_no_proposals(post):
    teachable = {row["failure_id"] for row in post("failures", name="proposal")}
    other = next(row["failure_id"] for row in post("failures", name="diagnosis") if row["failure_id"] not in teachable)
    assert "isn't teachable" in post("preview", 409, **draft("proposal", failure_id=other))["error"]


@pytest.mark.parametrize("name", ["blind", "diagnosis", "proposal", "judge", "agreement", "guess"])
def test_two_versions_are_compared_also_after_a_pause(post, world, name):
    """Every failure has both replies once, and nothing of it enters the loop."""
    _, store, jobs = world
    before = store.table_counts(("diagnosis", "sample", "verdict"))
    body = draft(name)
    other = post("save", **body | {"system": body["system"] + "\nTake your time.", "use": False})["version"]
    asked = {"prompt": name, "a": "shipped", "b": other[:7], "limit": CALLS}
    expected = jobs.estimate("compare_prompts", asked).calls
    job_id = jobs.launch("compare_prompts", asked, "ada")
    jobs.pause(job_id)
    if jobs.wait(job_id, 240).status == "paused":
        jobs.resume(job_id)
    ended = jobs.wait(job_id, 240)
    assert (ended.status, ended.done, ended.failed) == ("done", 2 * CALLS, 0), ended
    compared = post("comparison", job_id=job_id)
    assert compared["versions"] == {"a": shipped(name).version, "b": other} and len(compared["failures"]) == CALLS
    assert compared["counts"]["compared"] == CALLS and compared["costs"]["a"]["usd"] > 0
    assert compared["costs"]["b"]["prompt_tokens"] > compared["costs"]["a"]["prompt_tokens"]  # three words more
    assert store.value("calls_paid", job_id=job_id) <= expected <= 3 * CALLS
    assert store.table_counts(("diagnosis", "sample", "verdict")) == before
    assert post("show", name=name)["comparisons"][0]["job_id"] == job_id


def test_the_same_version_twice_is_no_comparison(world):
    with pytest.raises(NothingToDo, match="both sides are version"):
        world[2].launch("compare_prompts", {"prompt": "blind", "a": "shipped"}, "ada")


@pytest.fixture(autouse=True)
def queries(monkeypatch):
    from data import queries

    texts = {**queries._texts(), "calls_paid": "SELECT count(*) FROM reply WHERE job_id = $job_id"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)


def test_an_edit_is_mended_saved_tried_compared_and_taken_back_in_the_browser(tmp_path, home):
    executable()
    store, _, workspace = seeded_store(tmp_path / uuid.uuid4().hex, 60, samples=12)
    jobs = JobManager(store, workspace, stage_class)
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    diagnoses = store.value("prediction_count", checkpoint_id=1), len(store.rows("prompt_failures", **everything()))
    with served(app) as address, chromium(f"{address}/?page=prompts") as page:
        here = page.locator("#page-prompts")
        here.locator("[data-request]").wait_for()
        assert "Gold answer:" in here.locator("[data-request]").inner_text()

        text = page.locator("#prompt-system")
        text.fill(text.input_value() + "\nMind {{ golfs }}.")
        here.locator(".flaws button", has_text="unknown field “golfs”").wait_for()
        assert "The prompt has errors" in here.locator("[data-side]").inner_text()
        here.locator("text=Save and use").click()
        page.wait_for_function(
            "() => document.activeElement.value?.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
            " === 'Mind {{ golfs }}.'"
        )
        assert versions.in_use(store, "diagnosis") == shipped("diagnosis").version

        text.fill(text.input_value().replace("Mind {{ golfs }}.", "Be brief."))
        here.locator("[data-request]", has_text="Be brief.").wait_for()
        page.fill("#prompt-note", "shorter")
        here.locator("text=Save and use").click()
        page.wait_for_selector(".toast >> text=Saved as version")
        here.locator(".prompt-row", has_text="shorter").locator(".chip.ok").wait_for()
        version = versions.in_use(store, "diagnosis")
        assert version != shipped("diagnosis").version
        assert here.locator(".diff .new").inner_text().strip() == "Be brief."
        assert here.locator("[data-prompt=diagnosis] .chip", has_text="edited").count() == 1

        here.locator("[data-side-foot] .btn.p").click()
        here.locator("[data-reply]", has_text="Faulty reasoning").wait_for()
        here.locator("[data-side-foot]", has_text="no cost").wait_for()

        here.locator("[data-tabs] >> text=Compare").click()
        here.locator("text=Compare on 20 failures").click()
        page.wait_for_selector("dialog >> text=free")
        page.locator("dialog .field", has_text="Failures to compare on, balanced").locator("input").fill(str(CALLS))
        page.locator("dialog .btn.p", has_text="Compare").click()
        page.wait_for_function("() => location.search.includes('job=')")
        job_id = int(page.url.rpartition("job=")[2].partition("&")[0])
        ended = jobs.wait(job_id, 240)
        assert ended.status == "done" and ended.done == 2 * CALLS, ended
        here.locator("[data-side-note]", has_text="done").wait_for()
        assert here.locator(".pair[data-failure]").count() == CALLS
        sums = here.locator(".sums").inner_text()
        assert f"{CALLS} failures with both replies" in sums and f"{CALLS} of {CALLS}" in sums and "Cost per failure" in sums
        assert len(store.rows("prompt_failures", **everything())) == diagnoses[1]
        here.locator("text=Close").click()
        here.locator(f"[data-comparison='{job_id}']").wait_for()

        here.locator("text=Use the shipped version").click()
        page.wait_for_selector(".toast >> text=New jobs use the shipped prompt")
        page.wait_for_selector("#page-prompts >> text=This is the shipped prompt.")
        assert versions.in_use(store, "diagnosis") == shipped("diagnosis").version
        assert here.locator("[data-prompt=diagnosis] .chip").count() == 0
        assert here.locator(f"[data-version='{version}']").count() == 1  # kept

        endpoints.save("cheap", {"endpoint": "http://gpu-box:8000/v1", "model": "qwen"})
        endpoints.use("filter", "cheap")
        versions.save(store, "judge", "Be strict.\n" + parts(shipped("judge").text)[0], parts(shipped("judge").text)[1], "stricter", "ada")
        page.goto(page.url.partition("?")[0] + "?page=prompts&prompt=judge&tab=compare")
        here.locator("text=Compare on 20 failures").click()
        page.wait_for_selector("dialog >> text=unpriced")
        page.locator("dialog .btn.p", has_text="Compare").click()
        page.wait_for_selector("dialog >> text=Send to gpu-box?")  # the filters' own endpoint, not that of other stages
    jobs.shutdown()
    store.close()


def everything():
    return {"round": 1, "failure_ids": None, "teachable": False, "limit": None}
