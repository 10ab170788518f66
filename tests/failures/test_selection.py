"""A selection of failures as a filter: what a lasso encloses, what jobs and changes in bulk make of it, and what they refuse."""

import json
import uuid

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.config import Settings
from curation.failures import selection
from curation.failures.selection import FailureFilter, SelectionChanged
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data import search
from data.search import Search
from tests.support.failures_page import failures_matching, groups
from tests.support.seed import seeded_store

FAR = 1000.0
LEFT_HALF = [[-FAR, -FAR], [0.0, -FAR], [0.0, FAR], [-FAR, FAR]]  # of the map, once its middle is at 0
TEACHER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}


class Api:
    def __init__(self, store, workspace):
        self.store, self.workspace = store, workspace
        self.jobs = JobManager(store, workspace, stage_class)
        self.jobs._schedule = lambda: None  # what is launched stays queued
        self.app = create_app(workspace, store, self.jobs, Settings(reviewer="ada"), headless=True)
        self.client = TestClient(self.app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})

    def __call__(self, path: str, status: int = 200, **body):
        answer = self.client.post(f"/api/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ids(self, **wanted) -> set[int]:
        return set(failures_matching(self.store, self.workspace, **wanted))


@pytest.fixture
def api(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 120, samples=10)
    change_places(store, "x - (SELECT median(x) FROM place) - 0.001")
    yield Api(store, workspace)
    store.close()


def change_places(store, x: str) -> None:
    with store.write() as write:
        write._cursor.execute(f"UPDATE place SET x = {x}")
        write.touch_failures()


def event() -> str:
    return uuid.uuid4().hex


def input_of(api: Api, job_id: int) -> list[dict]:
    return [json.loads(line) for line in (api.workspace.job(job_id) / "input.jsonl").read_text(encoding="utf-8").splitlines()]


def enclosed(x: float, y: float, polygon: list[tuple[float, float]]) -> bool:
    """As the map in the browser counts a point (curation/ui/failures/point_map.js: inside)."""
    within = False
    for a in range(len(polygon)):
        (ax, ay), (bx, by) = polygon[a], polygon[a - 1]
        if (ay > y) != (by > y) and x < ((bx - ax) * (y - ay)) / (by - ay) + ax:
            within = not within
    return within


corner = st.tuples(st.integers(-5, 15), st.integers(-5, 15)).map(lambda pair: (pair[0] / 10, pair[1] / 10))


@settings(max_examples=100, deadline=None)
@given(st.lists(corner, min_size=3, max_size=12), st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=40))
def test_a_polygon_encloses_what_the_browser_says(polygon, places):
    x, y = (np.array(values, np.float32) / 100 for values in zip(*places))
    wanted = [enclosed(float(px), float(py), polygon) for px, py in zip(x, y)]
    assert selection.inside(x, y, polygon).tolist() == wanted


def test_a_lasso_is_part_of_the_filter_everywhere(api):
    cards = [api("failures/card", failure_id=failure_id) for failure_id in sorted(api.ids())]
    inside = {card["failure_id"] for card in cards if card["x"] is not None and card["x"] < 0}
    assert 0 < len(inside) < len(cards)
    assert api.ids(lasso=LEFT_HALF) == inside
    quiz = {card["failure_id"] for card in cards if card["dataset"] == cards[0]["dataset"]}
    page = api("failures/page", lasso=LEFT_HALF, dataset=[cards[0]["dataset"]], limit=500)
    assert {row["failure_id"] for row in page["rows"]} == inside & quiz
    some = sorted(inside)[:3] + sorted(api.ids() - inside)[:2]
    assert api.ids(lasso=LEFT_HALF, failure_ids=some) == set(some[:3])
    change_places(api.store, "-x")  # the map is computed anew: the same lasso encloses others
    assert api.ids(lasso=LEFT_HALF) == {card["failure_id"] for card in cards if card["x"] is not None and card["x"] > 0}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"colour": ["red"]}, "colour"),
        ({"lasso": [[0, 0], [1, 1]]}, "lasso"),
        ({"lasso": [[0, 0], [1, "far"], [1, 1]]}, "lasso"),
        ({"round": "first"}, "round"),
    ],
)
def test_what_is_no_filter_is_refused(api, body, text):
    """A facet that nobody knows would let everything through."""
    assert text in api("failures/page", 422, **body)["error"]
    assert "matching" in api("estimate", 422, stage="diagnose", options={**TEACHER, "matching": body})["error"]


def test_an_estimate_and_a_job_take_the_failures_that_match(api):
    narrow = {"words": "what", "score": ["wrong"]}
    rows = api("failures/page", limit=500, **narrow)["rows"]
    chosen, open_ = api.ids(**narrow), {row["failure_id"] for row in rows if not row["diagnosed"]}
    assert 0 < len(open_) < len(chosen) < 120
    options = {**TEACHER, "matching": narrow}
    assert api("estimate", stage="diagnose", options=options)["detail"]["failures"] == len(open_)
    assert api("estimate", stage="diagnose", options={**options, "again": True})["detail"]["failures"] == len(chosen)
    assert api("estimate", stage="diagnose", options={**options, "again": True, "limit": 4})["rows"] == 4
    lassoed = {**TEACHER, "matching": {"lasso": LEFT_HALF}, "again": True}
    assert api("estimate", stage="diagnose", options=lassoed)["rows"] == len(api.ids(lasso=LEFT_HALF)) > 0
    job = api("jobs", stage="diagnose", options={**options, "expected": len(open_)})
    assert {row["failure_id"] for row in input_of(api, job["job_id"])} == open_


def test_what_a_job_takes_is_frozen_at_its_launch(api):
    matching = {"triage": [""], "use": ["teachable"]}
    chosen = api.ids(**matching)
    job = api("jobs", stage="generate", options={**TEACHER, "matching": matching, "route": "same_image", "expected": len(chosen)})
    before = input_of(api, job["job_id"])
    assert {row["failure_id"] for row in before} == chosen
    spec = json.loads((api.workspace.job(job["job_id"]) / "spec.json").read_text(encoding="utf-8"))
    assert spec["options"]["matching"]["use"] == ["teachable"] and spec["options"]["failure_ids"] is None, "the filter, and no list"
    assert json.loads(api.store.row("job", job_id=job["job_id"])["options"])["matching"]["triage"] == [""]
    api("failures/triage", matching=matching, label="label error", event_id=event())
    assert not api.ids(**matching) and input_of(api, job["job_id"]) == before


def test_another_number_than_was_shown_is_refused(api):
    options = {**TEACHER, "matching": {"use": ["teachable"]}}
    shown = api("estimate", stage="generate", options=options)["detail"]["failures"]
    assert shown == len(api.ids(use=["teachable"]))
    jobs = len(api.jobs.latest())
    api("failures/triage", failure_ids=[min(api.ids(use=["teachable"]))], label="label error", event_id=event())
    refused = api("jobs", 409, stage="generate", options={**options, "expected": shown})["error"]
    assert f"{shown - 1} failures match now, not {shown}" in refused
    assert len(api.jobs.latest()) == jobs and not list(api.workspace.root.glob("jobs/*/input.jsonl"))
    plan = api("generate/plan", options={**options, "expected": shown}, draw={}, filter={}, then=False)
    assert plan["failures"] == shown - 1, "a plan says what there is"
    assert sum(row["teachable"] for row in plan["by_error_type"]) == shown - 1
    with pytest.raises(SelectionChanged):
        api.jobs.launch("diagnose", {**TEACHER, "matching": {"use": ["teachable"]}, "again": True, "expected": shown}, "ada")


def test_many_are_triaged_by_a_filter_and_once(api):
    matching, sent = {"lasso": LEFT_HALF}, event()
    many = len(api.ids(**matching))
    assert (
        "match now, not"
        in api("failures/triage", 409, matching=matching, expected=many + 1, label="label error", event_id=event())["error"]
    )
    assert api("failures/triage", matching=matching, expected=many, label="label error", event_id=sent) == {"new": many, "moved": 0}
    change_places(api.store, "-x")  # by the time it is sent again, others match
    assert api("failures/triage", matching=matching, expected=many, label="label error", event_id=sent) == {"new": 0, "moved": 0}
    assert len(api.ids(triage=["label error"])) == api("failures/triage/undo", batch_id=sent, event_id=event())["undone"] == many
    nobody = {"matching": {"triage": ["scorer artefact"]}, "label": "label error"}
    assert "no failure matches" in api("failures/triage", 409, **nobody, event_id=event())["error"]
    both = {"failure_ids": [1], "matching": {}, "label": "label error"}
    assert "not both" in api("failures/triage", 422, **both, event_id=event())["error"]


def test_clusters_are_changed_by_a_filter_and_once(api):
    clusters = sorted(groups(api.store), key=lambda c: -len(groups(api.store)[c]))
    target, other = clusters[:2]
    matching, sent = {"cluster_id": [target], "lasso": LEFT_HALF}, event()
    part = api.ids(**matching)
    assert 0 < len(part) < len(groups(api.store)[target])
    split = {"cluster_id": target, "matching": matching, "expected": len(part), "title": "Left", "event_id": sent}
    made = api("clusters/split", **split)
    assert groups(api.store)[made["cluster_id"]] == part and made["moved"] == len(part)
    again = api("clusters/split", **split)
    assert (again["change_id"], again["cluster_id"]) == (made["change_id"], made["cluster_id"])
    moved = api("clusters/move", into=other, matching={"cluster_id": [made["cluster_id"]]}, expected=len(part), event_id=event())
    assert moved["moved"] == len(part) and part <= groups(api.store)[other]
    placed = set.union(*groups(api.store).values())
    right = placed - api.ids(lasso=LEFT_HALF)
    whole = api("clusters/make", title="Right", matching={"failure_ids": sorted(right)}, expected=len(right), event_id=event())
    assert groups(api.store)[whole["cluster_id"]] == right
    changed = {"into": other, "matching": {"cluster_id": [whole["cluster_id"]]}, "expected": 1, "event_id": event()}
    assert "match now, not 1" in api("clusters/move", 409, **changed)["error"]


def test_words_wait_for_the_whole_index(api, monkeypatch):
    monkeypatch.setattr(search, "AT_ONCE", 10)
    monkeypatch.setattr(search, "PORTION", 1)
    monkeypatch.setattr(search, "BREATH", 0.05)
    options = {**TEACHER, "matching": {"words": "not"}}
    assert "search index is still being built" in api("estimate", 409, stage="diagnose", options=options)["error"]
    monkeypatch.setattr(search, "BREATH", 0.0)
    Search.of(api.store, api.workspace.search).refresh()
    assert api("estimate", stage="diagnose", options={**options, "again": True})["rows"] == len(api.ids(words="not"))


def test_there_is_one_index_of_a_store(api):
    assert Search.of(api.store, api.workspace.search) is api.app.state.services.search


def test_without_a_round_it_is_that_of_the_job(api):
    """A page without a round means the latest; a job works on its own."""
    assert selection.selected(api.store, api.workspace, None, 1) is None
    assert selection.selected(api.store, api.workspace, FailureFilter(), 7) == selection.selected(
        api.store, api.workspace, FailureFilter(round=7), 1
    )
