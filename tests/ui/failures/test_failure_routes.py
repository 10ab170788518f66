"""The Failures page's routes, on a real store of 300 seeded failures: every count must agree with every other way to get it."""

import base64
import random
import uuid

import numpy as np
import pytest
from fastapi.testclient import TestClient

from curation.clusters.stored_space import PointsWriter
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.store import Store
from data.workspace import Workspace
from tests.support.seed import seeded_store

FAILURES = 300
ORIGIN = {"Origin": "http://127.0.0.1"}
FACETS = ("error_type", "dataset", "kind", "assigned", "opening", "length", "score", "confidence", "use", "triage", "checkpoint", "round")


class Api:
    def __init__(self, store: Store, workspace: Workspace):
        self.store, self.workspace = store, workspace
        app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"), headless=True)
        self.client = TestClient(app, base_url="http://127.0.0.1", headers=ORIGIN)

    def __call__(self, name: str, status: int = 200, **body):
        answer = self.client.post(f"/api/failures/{name}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """For tests that change nothing."""
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("failures") / "seeded", FAILURES, samples=40)
    yield Api(store, workspace)
    store.close()


@pytest.fixture
def fresh(tmp_path):
    """For tests that triage."""
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=10, seed=3)
    yield Api(store, workspace)
    store.close()


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_summary_counts_what_was_answered(seeded):
    summary = seeded("summary")
    assert summary["failures"] == FAILURES
    assert summary["accuracy"] == pytest.approx(1 - FAILURES / summary["answered"])
    right = summary["answered"] - FAILURES
    assert summary["accuracy_without_label_errors"] == pytest.approx(right / (summary["answered"] - summary["label_errors"]))
    assert summary["placed"] == summary["diagnosed"] < FAILURES
    assert 0 < summary["teachable"] < summary["diagnosed"]


def test_a_value_of_a_facet_lets_as_many_through_as_its_count_says(seeded):
    facets = seeded("facets")
    assert set(facets) == set(FACETS)
    for facet, values in facets.items():
        assert sum(value["count"] for value in values) == FAILURES
        for value in values:
            assert seeded("page", **{facet: [value["value"]]}, limit=1)["failures"] == value["count"] > 0


def test_all_answers_agree_under_random_filters(seeded):
    rng = random.Random(5)
    values = {facet: [value["value"] for value in found] for facet, found in seeded("facets").items()}
    clusters = [cluster["cluster_id"] for cluster in seeded("clusters")]
    everyone = unpacked(seeded("shown")["failure_id"], "<i4").tolist()
    placed = set(unpacked(seeded("points")["failure_id"], "<i4").tolist())
    sizes = set()
    for _ in range(25):
        chosen = {facet: rng.sample(values[facet], rng.randint(1, len(values[facet]))) for facet in rng.sample(FACETS, rng.randint(0, 2))}
        if rng.random() < 0.4:
            chosen["cluster_id"] = rng.sample(clusters, 3)
        if rng.random() < 0.4:
            ids = rng.sample(everyone, 150)
            chosen["failure_ids"] = ids
        if rng.random() < 0.3:
            chosen["words"] = rng.choice(("not", "SHAPE  what", "3"))
        page = seeded("page", **chosen, limit=500)
        shown = seeded("shown", **chosen)
        assert page["failures"] == len(page["rows"]) == shown["count"]
        assert sorted(row["failure_id"] for row in page["rows"]) == unpacked(shown["failure_id"], "<i4").tolist()
        assert page["failures"] - page["diagnosed"] == sum(not row["diagnosed"] for row in page["rows"])
        assert sum(row["failures"] for row in page["by_error_type"]) == page["failures"]
        for facet, found in seeded("facets", **chosen).items():
            let_through = sum(value["count"] for value in found if value["value"] in chosen.get(facet, [value["value"]]))
            assert let_through == page["failures"], facet
        inside = sum(c["shown"] for c in seeded("clusters", **chosen) if c["cluster_id"] in chosen.get("cluster_id", clusters))
        assert inside == sum(row["failure_id"] in placed for row in page["rows"])
        sizes.add(page["failures"])
    assert len(sizes) > 10, "the filters must really differ"


def test_pages_follow_each_other(seeded):
    seen = [row["failure_id"] for offset in range(0, FAILURES, 70) for row in seeded("page", offset=offset, limit=70)["rows"]]
    assert len(seen) == len(set(seen)) == FAILURES


def test_every_word_must_occur_and_no_letter_is_a_wildcard(seeded):
    for row in seeded("page", words="not TRIANGLE", limit=500)["rows"]:
        text = str(seeded("card", failure_id=row["failure_id"])).lower()
        assert "not" in text and "triangle" in text
    assert seeded("page", words="not triangle")["failures"] > 0
    for odd in ("%", "_", "'", "\\", '"; DROP TABLE failure; --'):
        assert seeded("page", words=odd)["failures"] == 0


def test_the_map_says_of_each_point_what_its_card_says(seeded):
    points = seeded("points")
    kinds = {"failure_id": "<i4", "x": "<f4", "y": "<f4", "error_type": "u1", "dataset": "u1", "cluster": "<u2", "score": "u1"} | {
        "round": "u1"
    }
    arrays = {name: unpacked(points[name], kind) for name, kind in kinds.items()}
    assert {len(array) for array in arrays.values()} == {points["count"]}
    for i in range(0, points["count"], 29):
        card = seeded("card", failure_id=int(arrays["failure_id"][i]))
        assert (card["x"], card["y"]) == (pytest.approx(float(arrays["x"][i])), pytest.approx(float(arrays["y"][i])))
        for name, of_card in (("error_type", "error_type"), ("dataset", "dataset"), ("cluster", "cluster_id")):
            assert points["names"][name][arrays[name][i]] == card[of_card]
        assert arrays["score"][i] == round(100 * card["strict"])


def test_accuracy_of_a_cluster_is_over_all_examples_assigned_to_it(seeded):
    clusters = seeded("clusters")
    assert sum(cluster["examples"] for cluster in clusters) == seeded("summary")["examples"]
    for cluster in clusters:
        wrong = seeded("page", kind=[_kind_of(seeded, cluster["cluster_id"])])["failures"]
        assert cluster["accuracy"] == pytest.approx(1 - wrong / cluster["examples"])


def _kind_of(api: Api, cluster_id: int) -> str:
    failure_id = api("page", cluster_id=[cluster_id], limit=1)["rows"][0]["failure_id"]
    return api("card", failure_id=failure_id)["kind"]


def test_a_label_error_leaves_the_accuracy_and_cannot_teach(fresh):
    before = fresh("summary")
    teachable = fresh("page", use=["teachable"])["rows"][0]["failure_id"]
    event = uuid.uuid4().hex
    assert fresh("triage", failure_ids=[teachable], label="label error", event_id=event) == {"new": 1, "moved": 0}
    assert fresh("triage", failure_ids=[teachable], label="label error", event_id=event) == {"new": 0, "moved": 0}
    card, after = fresh("card", failure_id=teachable), fresh("summary")
    assert (card["triage"], card["use"], card["history"][0]["reviewer"]) == ("label error", "gold looks wrong", "ada")
    assert after["label_errors"] == before["label_errors"] + 1
    assert after["teachable"] == before["teachable"] - 1
    assert after["accuracy"] == before["accuracy"] <= before["accuracy_without_label_errors"] < after["accuracy_without_label_errors"]
    assert after["version"] != before["version"]
    fresh("triage", failure_ids=[teachable], label="model error", event_id=uuid.uuid4().hex)
    assert fresh("summary")["teachable"] == before["teachable"]
    assert fresh.store.value("triage_count") == before["triaged"] + 2, "nothing is overwritten"


def test_a_corrected_error_type_stands_over_the_diagnosis(fresh):
    row = fresh("page", error_type=["negation"])["rows"][0]
    fresh("triage", failure_ids=[row["failure_id"]], error_type="spatial", event_id=uuid.uuid4().hex)
    assert fresh("card", failure_id=row["failure_id"])["error_type"] == "spatial"
    shown = {name: unpacked(fresh("shown", error_type=[name])["failure_id"], "<i4") for name in ("spatial", "negation")}
    assert row["failure_id"] in shown["spatial"] and row["failure_id"] not in shown["negation"]


def test_accuracy_is_told_strict_and_lenient_with_and_without_label_errors(fresh):
    ids = unpacked(fresh("shown")["failure_id"], "<i4").tolist()
    cursor = fresh.store._cursor()
    cursor.execute("UPDATE prediction SET lenient = 0.5 WHERE prediction_id IN (SELECT prediction_id FROM failure WHERE failure_id <= 10)")
    fresh.store.rebuild_states()
    fresh("triage", failure_ids=ids[:4], label="label error", event_id=uuid.uuid4().hex)
    summary = fresh("summary")
    scores = cursor.execute(
        "SELECT p.strict, p.lenient, coalesce(s.label_error, false) FROM prediction p JOIN example e USING (example_id) "
        "LEFT JOIN failure_state s USING (prediction_id) WHERE p.checkpoint_id = 1 AND e.split = 'train'"
    ).fetchall()
    kept = [(strict, lenient) for strict, lenient, label_error in scores if not label_error]
    assert len(scores) - len(kept) == summary["label_errors"] >= 4
    assert summary["accuracy"] == pytest.approx(np.mean([s[0] for s in scores]))
    assert summary["accuracy_lenient"] == pytest.approx(np.mean([s[1] for s in scores])) != pytest.approx(summary["accuracy"])
    assert summary["accuracy_without_label_errors"] == pytest.approx(np.mean([s for s, _ in kept]))
    assert summary["accuracy_lenient_without_label_errors"] == pytest.approx(np.mean([lenient for _, lenient in kept]))


def test_several_rounds_are_one_selection(fresh):
    from curation import checkpoints

    with fresh.store.write() as write:
        few = [row["example_id"] for row in write.run("failure_ids", round=1)[:20]]
        answers = [{"checkpoint_id": 2, "example_id": example_id, "answer": "no", "strict": 0.0, "lenient": 0.0} for example_id in few]
        write.insert("prediction", answers)
    checkpoints.begin_round(fresh.store, "run 1")
    assert fresh("page")["failures"] == fresh("page", round=2)["failures"] == 20
    assert fresh("page", round=1)["failures"] == 60 and fresh("page", round=[1, 2])["failures"] == 80
    both = fresh("facets", round=[1, 2], checkpoint=["2"])
    assert {row["value"]: row["count"] for row in both["round"]} == {"1": 0, "2": 20}
    assert {row["text"]: row["count"] for row in both["checkpoint"]} == {"pocket-llava": 60, "run 1": 20}
    assert fresh("summary", round=[1, 2])["failures"] == 80 and fresh("summary")["round"] == 2
    assert set(fresh("points", round=[1, 2])["names"]["round"]) == {1}, "the new ones have no place yet"


def test_neighbours_are_the_nearest_on_the_map(seeded):
    failure_id = seeded("page", cluster_id=[seeded("clusters")[0]["cluster_id"]], limit=1)["rows"][0]["failure_id"]
    neighbours = seeded("neighbours", failure_id=failure_id, by="vector", limit=5)
    assert neighbours["by"] == "place", "no vectors were kept for the drawn places"
    cards = {row["failure_id"]: seeded("card", failure_id=row["failure_id"]) for row in seeded("page", limit=300)["rows"]}
    here = cards.pop(failure_id)
    far = sorted((((c["x"] - here["x"]) ** 2 + (c["y"] - here["y"]) ** 2, i) for i, c in cards.items() if c["x"] is not None))
    assert [row["failure_id"] for row in neighbours["rows"]] == [i for _, i in far[:5]]
    assert seeded("neighbours", failure_id=99_999)["rows"] == []


def test_neighbours_by_likeness_are_the_nearest_vectors_that_the_map_s_job_kept(fresh):
    rng = np.random.default_rng(2)
    ids = unpacked(fresh("points")["failure_id"], "<i4").astype(np.int64)
    vectors = rng.normal(size=(len(ids), 6)).astype(np.float32)
    folder = fresh.workspace.job(77)
    folder.mkdir(parents=True)
    writer = PointsWriter(folder, "failures", len(ids), 6)
    writer.add(ids, vectors)
    writer.close()
    with fresh.store.write() as write:
        write.insert("layout", [{"round": 1, "job_id": 77, "adds": False}])
    neighbours = fresh("neighbours", failure_id=int(ids[4]), by="vector", limit=7)
    distances = np.linalg.norm(vectors - vectors[4], axis=1)
    expected = [int(ids[i]) for i in np.argsort(distances) if i != 4][:7]
    assert neighbours["by"] == "vector" and [row["failure_id"] for row in neighbours["rows"]] == expected
    everyone = fresh("neighbours", failure_id=int(ids[4]), by="vector", limit=60)["rows"]
    assert len(everyone) == len(ids) - 1 and ids[4] not in [row["failure_id"] for row in everyone]


def test_views_are_kept_listed_and_deleted(fresh):
    api = fresh.client.post
    saved = api("/api/views/save", json={"name": " Negations ", "query": "?page=failures&kind=a%2Fb&kind=c&card=7&saved=3"}).json()
    assert (saved["name"], saved["query"], saved["author"]) == ("Negations", "kind=a%2Fb&kind=c", "ada")
    assert [view["view_id"] for view in api("/api/views/list", json={}).json()] == [saved["view_id"]]
    assert api("/api/views/one", json={"view_id": saved["view_id"]}).json() == saved
    assert api("/api/views/save", json={"name": "  ", "query": ""}).status_code == 422
    assert api("/api/views/delete", json={"view_id": saved["view_id"]}).json() == {"deleted": True}
    assert api("/api/views/delete", json={"view_id": saved["view_id"]}).json() == {"deleted": False}
    assert "no saved view" in api("/api/views/one", json={"view_id": saved["view_id"]}).json()["error"]


def test_a_slice_counts_the_failures_that_its_facets_let_through(seeded):
    table = seeded.client.post("/api/slices/table", json={"least": 20}).json()
    assert table["compared"] == len(table["rows"]) > 5
    for row in table["rows"]:
        facets = {name: [value] for name, value in row["values"].items()}
        assert seeded("page", **facets, limit=1)["failures"] == row["failures"], row["values"]


@pytest.mark.parametrize(
    ("status", "name", "body", "says"),
    [
        (404, "card", {"failure_id": 99_999}, "no failure 99999"),
        (404, "summary", {"round": 9}, "no round 9; there are: 1"),
        (404, "triage", {"failure_ids": [99_999], "label": "model error", "event_id": "0123456789"}, "no failure 99999"),
        (
            422,
            "triage",
            {"failure_ids": [1], "error_type": "vibes", "event_id": "0123456789"},
            "'vibes' is not in the taxonomy: recognition",
        ),
        (422, "triage", {"failure_ids": [1], "event_id": "0123456789"}, "give a label, an error type, or both"),
        (422, "triage", {"failure_ids": [1], "label": "whatever", "event_id": "0123456789"}, "label"),
        (422, "page", {"cluster_id": "one"}, "cluster_id"),
        (422, "page", {"limit": 10_000}, "limit"),
        (422, "page", {"failure_ids": "no list"}, "failure_ids"),
        (404, "summary", {"round": [1, 7]}, "no round 7; there are: 1"),
    ],
)
def test_bad_requests_say_what_is_wrong(seeded, status, name, body, says):
    assert says in seeded(name, status, **body)["error"]


def test_an_empty_workspace_answers_too(store, workspace):
    api = Api(store, workspace)
    summary = api("summary")
    assert (summary["round"], summary["failures"]) == (0, 0)
    assert api("page") == {"failures": 0, "diagnosed": 0, "teachable": 0, "by_error_type": [], "rows": []}
    assert (api("clusters"), api("facets"), api("points")["count"], api("shown")["count"]) == ([], {}, 0, 0)
