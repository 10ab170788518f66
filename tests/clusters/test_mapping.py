"""The cluster job with real embedders on a small seeded store: vectors kept, changes of people kept, new failures beside the old map."""

import numpy as np
import pytest

from curation.clusters import edits, splitting
from curation.clusters.edits import EditRequest, new_event
from curation.clusters.stored_space import StoredSpace
from curation.jobs.manager import JobManager
from curation.jobs.views import JobView
from curation.stage import NothingToDo
from curation.stages import stage_class
from tests.support.failures_page import groups
from tests.support.loop_world import TEACHER
from tests.support.seed import seeded_store
from tests.support.stores import log

pytestmark = pytest.mark.timeout(600)
OPTIONS = {**TEACHER, "min_size": 8, "resamples": 3}


class World:
    def __init__(self, folder):
        self.store, _, self.workspace = seeded_store(folder, 90, samples=5, clustered=False)
        self.jobs = JobManager(self.store, self.workspace, stage_class)

    def run(self, **options) -> JobView:
        job_id = self.jobs.launch("cluster", {**OPTIONS, **options}, "ada")
        ended = self.jobs.wait(job_id, 300)
        log_path = self.workspace.job(job_id) / "log.txt"
        words = log_path.read_text()[-3000:] if log_path.exists() else ""
        errors = self.store.rows("row_errors", job_id=job_id, after="", limit=9)
        assert (ended.status, ended.failed) == ("done", 0), f"{ended.message}\n{words}\n{errors}"
        return ended

    def change(self, action: str, **what) -> int:
        return edits.make(self.store, 1, EditRequest(action, "ada", new_event(), **what)).cluster_id

    def groups(self) -> dict[int, set[int]]:
        return groups(self.store)

    def titles(self) -> dict[int, str]:
        return {row["cluster_id"]: row["title"] for row in self.store.rows("clusters_known", round=1)}

    def places(self) -> dict[int, tuple]:
        return {row["failure_id"]: (row["x"], row["y"]) for row in log(self.store, "place")}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("cluster") / "seeded")
    yield world
    world.jobs.shutdown()
    world.store.close()


def test_the_map_its_evidence_what_people_changed_and_what_is_new(world):
    """One story, since each step takes a job."""
    with world.store.write() as write:  # a few diagnoses come later
        late = [row["failure_id"] for row in write.run("new_failures_to_cluster", round=1)][::12]
        put_back = [dict(row) for row in log(world.store, "diagnosis") if row["failure_id"] in late]
        write._cursor.execute("DELETE FROM diagnosis WHERE failure_id IN (SELECT unnest($late::BIGINT[]))", {"late": late})
        write.touch_failures(late)

    first = world.run()
    groups = world.groups()
    assert first.message is None and len(groups) >= 5
    evidence = {row["cluster_id"]: row for row in world.store.rows("cluster_quality_of_round", round=1)}
    assert set(evidence) == set(groups)
    assert all(0 < row["stability"] <= 1 and row["resamples"] == 3 for cluster, row in evidence.items() if len(groups[cluster]) >= 8)
    assert all(row["stability"] is None for cluster, row in evidence.items() if len(groups[cluster]) == 1)
    space = StoredSpace.of_round(world.store, world.workspace, 1)
    ids, points = space.failures(np.array(sorted(world.places())))
    assert ids.tolist() == sorted(world.places()) and points.shape[1] == 100
    assert len(space.examples(np.array([row["example_id"] for row in log(world.store, "example")]))[0]) == len(log(world.store, "example"))

    large, second, third, *_ = sorted(groups, key=lambda c: -len(groups[c]))
    world.change("rename", cluster_ids=[third], title="What ada calls it")
    world.change("merge", cluster_ids=[large, second], into_id=large, title="Two in one")
    part = splitting.part_of(world.store, world.workspace, 1, third, None)
    split = world.change("split", cluster_ids=[third], title="Split off", failure_ids=part.failure_ids, example_ids=part.example_ids)
    before = world.groups()
    assert before[large] == groups[large] | groups[second] and 0 < len(before[split]) < len(groups[third])

    plain = min(f for c, group in before.items() if c not in (large, second, third, split) for f in group)
    with world.store.write() as write:
        write.insert("triage", [{"failure_id": plain, "error_type": "text-reading", "reviewer": "ada", "event_id": new_event()}])

    vectors = {path: path.stat().st_size for path in (world.workspace.root / "vectors").rglob("values.f2")}
    again = world.run(text_weight=0.4, image_weight=1.5)
    assert "3 edits" in again.message
    assert {path: path.stat().st_size for path in vectors} == vectors, "nothing was embedded again"
    after = world.groups()
    assert after[large] == before[large] and after[split] == before[split]
    assert world.titles()[large] == "Two in one"
    of_plain = next(c for c, group in after.items() if plain in group)
    assert [row["error_type"] for row in world.store.rows("clusters_known", round=1) if row["cluster_id"] == of_plain] == ["text-reading"]
    heir = max(after, key=lambda c: len(after[c] & before[third]))
    assert world.titles()[heir] == "What ada calls it" and heir != third

    assert not (world.workspace.job(first.job_id) / "space").exists(), "the first map's points are of no use any more"

    with pytest.raises(NothingToDo, match="every diagnosed failure"):
        world.jobs.launch("cluster", {**OPTIONS, "only_new": True}, "ada")
    with world.store.write() as write:
        write.insert("diagnosis", [{k: v for k, v in row.items() if k != "created_at"} for row in put_back])
    old = world.places()
    assert world.jobs.estimate("cluster", {"only_new": True}).rows == len(late)
    world.run(only_new=True)
    new = world.places()
    assert set(new) - set(old) == set(late) and {failure: new[failure] for failure in old} == old, "the old points don't move"
    type_of = {row["failure_id"]: row["error_type"] for row in log(world.store, "failure_state")}
    clusters = {row["cluster_id"]: row["error_type"] for row in world.store.rows("clusters_known", round=1)}
    where = {failure: cluster for cluster, members in world.groups().items() for failure in members}
    known_types = {type_of[failure] for failure in old}
    assert all(clusters[where[f]] == type_of[f] or where[f] == large for f in late if type_of[f] in known_types)
    assert len(StoredSpace.of_round(world.store, world.workspace, 1).failures(np.array(late))[0]) == len(late)

    contents = world.groups(), world.places()
    for job_id in (first.job_id, again.job_id):  # taken up once more, as after a crash between two files
        stage, job = world.jobs._load(job_id)
        results = [{"key": "map", "clusters": []}]
        with world.store.write() as write:
            stage.collect(write, job, results)
    assert (world.groups(), world.places()) == contents


def test_without_any_weight_nothing_is_launched(world):
    with pytest.raises(NothingToDo, match="both 0"):
        world.jobs.launch("cluster", {**OPTIONS, "text_weight": 0, "image_weight": 0}, "ada")


def test_a_suggested_title_waits_until_a_person_takes_it(world):
    """Also for a cluster that a person made, which no job has named."""
    before = world.groups()
    large = max(before, key=lambda cluster: len(before[cluster]))
    made = world.change("make", failure_ids=sorted(before[large])[:6], title="Mine")
    titles = world.titles()
    assert world.jobs.estimate("cluster", {**TEACHER, "titles_of": [large, made]}).calls == 2
    world.run(titles_of=[large, made])
    assert world.titles() == titles
    qualities = {row["cluster_id"]: row for row in world.store.rows("cluster_quality_of_round", round=1)}
    assert all(0 < len(qualities[cluster]["suggested_title"]) <= 120 for cluster in (large, made))
    assert (qualities[made]["made_by"], qualities[made]["stability"]) == ("ada", None)
    assert sum(map(len, world.groups().values())) == sum(map(len, before.values()))
    with pytest.raises(NothingToDo, match="any more"):
        world.jobs.launch("cluster", {**OPTIONS, "titles_of": [987_654]}, "ada")
