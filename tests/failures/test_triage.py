"""People's words on failures: taken back by appending, and a corrected error type moves its failures at once."""

import uuid
from collections import Counter

import pytest

from curation.clusters import edits
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.clusters.test_edits import Api
from tests.support.browser import chromium, executable, served
from tests.support.failures_page import failures_matching, groups, wait_for_count
from tests.support.seed import seeded_store
from tests.support.stores import table


@pytest.fixture
def api(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 120, samples=10)
    yield Api(store, workspace)
    store.close()


def say(api: Api, failure_ids, event: str | None = None, **word) -> str:
    event = event or uuid.uuid4().hex
    api("failures/triage", failure_ids=list(failure_ids), event_id=event, **word)
    return event


def take_back(api: Api, batch: str, status: int = 200) -> dict:
    return api("failures/triage/undo", status, batch_id=batch, event_id=uuid.uuid4().hex)


def all_that_follows(api: Api) -> tuple:
    """What a word may change: states, clusters, examples' clusters."""
    summary = {name: value for name, value in api("failures/summary").items() if name not in ("version", "map", "triaged")}
    return table(api.store, "failure_state"), summary, api.all_that_follows()


def test_a_label_on_many_is_taken_back_as_one_and_the_word_before_it_stands_again(api):
    ids = failures_matching(api.store, api.workspace)[:9]
    say(api, ids[:3], label="scorer artefact")
    before, count = all_that_follows(api), api.store.value("triage_count")
    batch = say(api, ids, label="label error")
    assert Counter(api("failures/card", failure_id=failure_id)["triage"] for failure_id in ids) == {"label error": 9}
    assert api("failures/summary")["label_errors"] > before[1]["label_errors"]
    assert take_back(api, batch) == {"undone": 9, "moved": 0}
    assert all_that_follows(api) == before
    assert api("failures/card", failure_id=ids[0])["triage"] == "scorer artefact"
    assert api.store.value("triage_count") == count + 18, "words and their reversals are appended"
    store_says = table(api.store, "failure_state")
    api.store.rebuild_states()
    assert table(api.store, "failure_state") == store_says


def test_an_undo_sent_twice_counts_once_and_a_second_one_is_refused(api):
    batch, event = say(api, [1, 2], label="label error"), uuid.uuid4().hex
    assert api("failures/triage/undo", batch_id=batch, event_id=event)["undone"] == 2
    assert api("failures/triage/undo", batch_id=batch, event_id=event)["undone"] == 0
    assert "already been undone" in take_back(api, batch, 422)["error"]
    assert "reload" in take_back(api, "there is none", 422)["error"]


def test_the_history_has_a_line_for_what_was_said_in_one_go(api):
    first = say(api, [1, 2, 3], label="label error")
    second = say(api, [4], error_type="spatial")
    take_back(api, first)
    latest, other = api("failures/triage/history", limit=2)
    assert (latest["batch_id"], latest["error_type"], latest["failures"], latest["undone"]) == (second, "spatial", 1, False)
    assert (other["batch_id"], other["label"], other["failures"], other["undone"], other["reviewer"]) == (
        first,
        "label error",
        3,
        True,
        "ada",
    )
    assert api("failures/triage/history", round=99) == []


def of_type(api: Api, error_type: str) -> list[int]:
    return [row["cluster_id"] for row in api("failures/clusters") if row["error_type"] == error_type]


def test_a_corrected_error_type_moves_its_failures_to_the_nearest_cluster_of_that_type(api):
    before = all_that_follows(api)
    sizes = Counter({row["error_type"]: row["failures"] for row in api("failures/clusters")})
    (source, n), (other, _) = sizes.most_common()[0], sizes.most_common()[-1]
    chosen = failures_matching(api.store, api.workspace, cluster_id=of_type(api, source))[:4]
    kappa = api("clusters/evidence")["kappa"]
    batch = say(api, chosen, error_type=other)
    assert set(chosen) <= set().union(*(groups(api.store)[cluster] for cluster in of_type(api, other)))
    points = api("failures/points")
    assert points["count"] == sum(sizes.values())  # the same map in other colours
    facet = {row["value"]: row["count"] for row in api("failures/facets")["error_type"]}
    assert facet[source] == n - 4
    evidence = api("clusters/evidence")
    assert evidence["kappa"]["pairs"] == kappa["pairs"] + 4
    agreed = {row["cluster_id"]: row["agreement"] for row in evidence["clusters"]}
    assert sum(agreed[cluster]["checked"] for cluster in of_type(api, source) if agreed[cluster]) == 4, (
        "it speaks against where they came from"
    )
    with api.store.write() as write:
        assert edits.apply_state(write, 1) == [], "folded anew, log and layouts come to the same"
    assert api("clusters/history") == [], "it is a line of the words, not one of its own"
    assert take_back(api, batch)["moved"] == 4
    assert all_that_follows(api) == before


def test_a_type_without_a_cluster_gets_one_that_goes_with_the_correction(api):
    unused = next(name for name in ("text-reading", "hallucination", "other", "chart-or-table", "spatial") if not of_type(api, name))
    chosen = sorted(min(groups(api.store).values(), key=len))[:2]
    batch = say(api, chosen, error_type=unused)
    (made,) = of_type(api, unused)
    assert groups(api.store)[made] == set(chosen)
    say(api, [next(iter(groups(api.store)[max(groups(api.store), key=lambda c: len(groups(api.store)[c]))]))], error_type=unused)
    assert len(groups(api.store)[made]) == 3, "the next one joins it"
    with api.store.write() as write:
        assert edits.apply_state(write, 1) == []
    take_back(api, batch)
    assert len(of_type(api, unused)) <= 1


def test_what_a_person_put_together_keeps_its_members(api):
    chosen = failures_matching(api.store, api.workspace)[:5]
    made = api("clusters/make", failure_ids=chosen, title="Mine", event_id=uuid.uuid4().hex)["cluster_id"]
    members = groups(api.store)[made]
    here = api("failures/card", failure_id=min(members))["error_type"]
    say(api, members, error_type="spatial" if here != "spatial" else "counting")
    assert groups(api.store)[made] == members


def test_in_the_browser_a_label_and_a_correction_are_taken_back_by_key_and_from_the_history(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / "seeded", 120, samples=10)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    start = groups(store)
    cluster = max(start, key=lambda one: len(start[one]))
    script = "id => document.querySelector('.fail-card .diag select')?.value === id"
    with served(app) as address, chromium(f"{address}/?page=failures&cluster={cluster}") as page:
        page.wait_for_selector(".fail-card .diag select")
        first = int(page.locator(".th.sel").get_attribute("data-id"))
        page.keyboard.press("l")
        page.wait_for_selector(".toast >> text=label error")
        page.keyboard.press("k")
        page.wait_for_selector("[data-triage] .btn.on")
        page.keyboard.press("u")
        page.wait_for_selector(".toast >> text=Undone for 1 failure")  # said once the server has it; what is shown may change before
        page.wait_for_selector("[data-triage] .btn.on", state="detached")
        assert store.row("failure_card_of", failure_id=first)["triage"] is None

        # another error type: it leaves the cluster at once, and comes back
        was = page.locator(".fail-card .diag select").input_value()
        other = "spatial" if was != "spatial" else "counting"
        page.select_option(".fail-card .diag select", other)
        page.wait_for_selector(".toast >> text=moved to the clusters of that type")
        wait_for_count(page, len(start[cluster]) - 1)
        assert first not in groups(store)[cluster]
        page.click("[data-triage] [aria-label=History]")
        page.wait_for_selector("dialog tr >> nth=1")
        assert [row.split("\t")[-1] for row in page.locator("dialog tr").all_inner_texts()][:2] == ["Undo", "undone"]
        page.click(f"dialog tr:has-text('error type {other}') >> text=Undo")
        wait_for_count(page, len(start[cluster]))
        assert groups(store) == start
        page.goto(f"{address}/?page=failures&card={first}")
        page.wait_for_function(script, arg=was)
    store.close()
