"""Changes to clusters by the routes, on a real store: what pages read follows, undo leads back, a new map keeps them."""

import uuid
from collections import Counter

import numpy as np
import pytest
from fastapi.testclient import TestClient

from curation.clusters import edits
from curation.clusters.stored_space import PointsWriter
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.failures_page import groups
from tests.support.seed import seeded_store


class Api:
    def __init__(self, store, workspace):
        self.store, self.workspace = store, workspace
        app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"), headless=True)
        self.client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})

    def __call__(self, path: str, status: int = 200, **body):
        if path in ("clusters/rename", "clusters/merge", "clusters/split", "clusters/make", "clusters/move", "clusters/undo"):
            body.setdefault("event_id", uuid.uuid4().hex)
        answer = self.client.post(f"/api/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def groups(self) -> dict[int, set[int]]:
        return groups(self.store)

    def shown(self) -> dict[int, dict]:
        return {row["cluster_id"]: row for row in self("failures/clusters")}

    def all_that_follows(self) -> tuple:
        """Everything that changes may touch."""
        return self.groups(), self.store.rows("examples_of_clusters", round=1, cluster_ids=list(self.groups())), self.shown()


@pytest.fixture
def api(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 120, samples=10)
    yield Api(store, workspace)
    store.close()


def by_size(api: Api) -> list[int]:
    return sorted(api.groups(), key=lambda c: -len(api.groups()[c]))


def test_a_renamed_cluster_is_called_so_everywhere(api):
    first, *_ = by_size(api)
    reply = api("clusters/rename", cluster_id=first, title="  Cups on shelves ")
    assert api.shown()[first]["title"] == "Cups on shelves"
    failure = min(api.groups()[first])
    assert api("failures/card", failure_id=failure)["cluster"] == "Cups on shelves"
    evidence = {row["cluster_id"]: row for row in api("clusters/evidence")["clusters"]}[first]
    assert evidence["found_title"] not in (None, "Cups on shelves")
    api("clusters/undo", change_id=reply["change_id"])
    assert api.shown()[first]["title"] == evidence["found_title"]


def test_merged_clusters_are_one_with_the_accuracy_of_all_their_examples(api):
    first, other, *_ = by_size(api)
    before, shown = api.groups(), api.shown()
    reply = api("clusters/merge", cluster_ids=[first, other], into=first, title="Both")
    after = api.groups()
    assert other not in after and after[first] == before[first] | before[other]
    now = api.shown()[first]
    assert (now["title"], now["failures"]) == ("Both", len(before[first]) + len(before[other]))
    right = sum(shown[c]["accuracy"] * shown[c]["examples"] for c in (first, other))
    assert now["accuracy"] == pytest.approx(right / (shown[first]["examples"] + shown[other]["examples"]))
    assert api("failures/page", cluster_id=[first])["failures"] == now["failures"]
    about = {row["cluster_id"]: row for row in api("clusters/evidence")["clusters"]}
    assert (about[first]["made_by"], about[first]["stability"]) == ("ada", None) and other not in about
    api("clusters/undo", change_id=reply["change_id"])
    assert api.groups() == before and api.shown() == shown


def test_every_change_can_be_undone_in_any_order(api):
    start = api.all_that_follows()
    a, b, c, *_ = by_size(api)
    changes = [
        api("clusters/split", cluster_id=a),
        api("clusters/make", failure_ids=sorted(api.groups()[b])[:3] + sorted(api.groups()[c])[:2], title="Mine"),
        api("clusters/move", failure_ids=sorted(api.groups()[c])[:2], into=b),
        api("clusters/merge", cluster_ids=[b, c], into=c),
        api("clusters/rename", cluster_id=c, title="B and C"),
    ]
    assert len(api.groups()) == len(start[0]) + 2 - 1
    for index in (1, 3, 0, 4, 2):
        api("clusters/undo", change_id=changes[index]["change_id"])
    assert api.all_that_follows() == start
    log = api("clusters/history")
    assert [row["action"] for row in log] == ["rename", "merge", "move", "make", "split"] and all(row["undone"] for row in log)


def test_a_split_takes_the_smaller_half_and_the_examples_nearest_to_it(api):
    """With vectors that say which failures are alike: the halves follow them, not the map."""
    target = by_size(api)[0]
    members = np.array(sorted(api.groups()[target]))
    odd = members[::3]
    examples = np.array([row["example_id"] for row in api.store.rows("examples_of_clusters", round=1, cluster_ids=[target])])
    with api.store.write() as write:
        edits.adopt(write, 1)
    folder = api.workspace.job(api.store.value("layout_job", round=1))
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for what, ids, far in (("failures", members, np.isin(members, odd)), ("examples", examples, examples % 2 == 1)):
        points = rng.normal(size=(len(ids), 8)).astype(np.float32) + 30 * far[:, None]
        writer = PointsWriter(folder, what, len(ids), 8)
        writer.add(ids, points)
        writer.close()
    made = api("clusters/split", cluster_id=target, title="The odd ones")
    assert api.groups()[made["cluster_id"]] == set(odd.tolist())
    of_failures = {row["example_id"] for row in api.store.rows("examples_of_failures", failure_ids=odd.tolist())}
    gone = {row["example_id"] for row in api.store.rows("examples_of_clusters", round=1, cluster_ids=[made["cluster_id"]])}
    assert gone == of_failures | {int(e) for e in examples if e % 2 == 1}
    nearest = api("clusters/typical", cluster_id=made["cluster_id"])
    assert [row["distance"] for row in nearest] == sorted(row["distance"] for row in nearest)
    assert nearest[0]["distance"] < 10, "measured from the new cluster's own centre"


def test_a_selection_splits_its_own_part_off(api):
    target, other, *_ = by_size(api)
    wanted = sorted(api.groups()[target])[:4]
    made = api("clusters/split", cluster_id=target, failure_ids=[*wanted, *sorted(api.groups()[other])[:3]])
    assert api.groups()[made["cluster_id"]] == set(wanted)
    assert api.shown()[made["cluster_id"]]["title"].endswith("(2)")
    everyone = sorted(api.groups()[target])
    assert "all of the" in api("clusters/split", 422, cluster_id=target, failure_ids=everyone)["error"]


def test_sent_twice_it_counts_once(api):
    large, other, *_ = by_size(api)
    event = uuid.uuid4().hex
    first = api("clusters/merge", cluster_ids=[large, other], into=large, event_id=event)
    again = api("clusters/merge", cluster_ids=[large, other], into=large, event_id=event)
    assert again["change_id"] == first["change_id"] and len(api("clusters/history")) == 1
    undone = [api("clusters/undo", change_id=first["change_id"], event_id="undo-" + event)["change_id"] for _ in range(2)]
    assert undone[0] == undone[1] and other in api.groups()


@pytest.mark.parametrize(
    ("path", "status", "body", "says"),
    [
        ("rename", 404, {"cluster_id": 999, "title": "x"}, "no such cluster"),
        ("rename", 422, {"cluster_id": 1, "title": "  "}, "a title must have 1 to 120"),
        ("merge", 422, {"cluster_ids": [1, 1], "into": 1}, "at least two clusters"),
        ("move", 404, {"failure_ids": [99_999], "into": 999}, "no such cluster"),
        ("make", 422, {"failure_ids": [], "title": "x"}, "failure_ids"),
        ("undo", 404, {"change_id": 77}, "no such"),
        ("split", 404, {"cluster_id": 999}, "no such cluster"),
    ],
)
def test_what_cannot_be_done_says_why(api, path, status, body, says):
    assert says in api(f"clusters/{path}", status, **body)["error"]


def test_an_undo_is_not_undone_and_nothing_is_undone_twice(api):
    first = api("clusters/rename", cluster_id=by_size(api)[0], title="x")
    undone = api("clusters/undo", change_id=first["change_id"])
    assert "already been undone" in api("clusters/undo", 422, change_id=first["change_id"])["error"]
    assert "is an undo" in api("clusters/undo", 422, change_id=undone["change_id"])["error"]


def test_agreement_counts_what_people_checked(api):
    assert api("clusters/evidence")["kappa"] == {"value": None, "low": None, "high": None, "agreed": 0, "pairs": 0}
    rows = api("failures/page", limit=120)["rows"]
    diagnosed = [row for row in rows if row["diagnosed"]][:40]
    for i, row in enumerate(diagnosed):  # every fifth is corrected, the others confirmed
        person = row["error_type"] if i % 5 else ("spatial" if row["error_type"] != "spatial" else "counting")
        api("failures/triage", failure_ids=[row["failure_id"]], error_type=person, event_id=uuid.uuid4().hex)
    evidence = api("clusters/evidence")
    assert (evidence["kappa"]["agreed"], evidence["kappa"]["pairs"]) == (32, 40)
    assert 0.5 < evidence["kappa"]["low"] < evidence["kappa"]["value"] < 0.8 < evidence["kappa"]["high"]
    by_cluster = {row["cluster_id"]: row["agreement"] for row in evidence["clusters"] if row["agreement"]}
    assert sum(a["checked"] for a in by_cluster.values()) == 40 and sum(a["agreed"] for a in by_cluster.values()) == 32


def test_the_state_of_failures_follows(api):
    a, b, *_ = by_size(api)
    api("clusters/merge", cluster_ids=[a, b], into=b)
    api("clusters/split", cluster_id=b)
    of_places = Counter(row["cluster_id"] for row in api.store.rows("places_of_round", round=1))
    for cluster_id, count in of_places.items():
        assert api("failures/page", cluster_id=[cluster_id])["failures"] == count
