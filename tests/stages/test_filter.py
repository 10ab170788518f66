"""The filter stage: what is judged anew and what isn't, what it says it will cost, its lane, and filters that come to an old workspace."""

import io
import random

import pytest

from curation import checkpoints
from curation.filtering.base import passes
from curation.filtering.settings import add_default_settings, change_setting
from curation.jobs.manager import JobManager
from curation.prompts import versions
from curation.prompts.templates import shipped
from curation.stages import stage_class
from curation.stages.filter import FilterOptions, FilterStage, _pairs
from curation.workspaces.builtin import POCKET_LLAVA, prepare
from data import scenes
from data.images import ImageStore
from data.registry import FILTERS
from data.store import Store
from data.workspace import Workspace
from tests.support.loop_world import TEACHER
from tests.support.stores import differences, log

QUESTIONS = [("How many sides does a hexagon have?", "6"), ("What color is the circle?", "red"), ("Is there a square?", "yes")]
COUNT = 12
PAID = {"judge", "agreement", "needs_image"}


class World:
    """A workspace with drawn samples and a round, before any filter has judged."""

    def __init__(self, root):
        self.workspace = Workspace(root).create()
        self.store = Store(self.workspace.store)
        prepare(self.store)
        checkpoints.register(self.store, POCKET_LLAVA)
        checkpoints.begin_round(self.store, POCKET_LLAVA.name)
        images, rows = ImageStore(self.workspace.images), []
        about = {
            "name": "d",
            "metric": "exact_match",
            "threshold": 0.5,
            "prompt_suffix": "Answer with one word.",
            "answer_form": "one word",
        }
        for i in range(COUNT):
            buffer = io.BytesIO()
            scenes.draw(scenes.random_things(random.Random(i), 2)).save(buffer, "PNG")
            info = images.add(buffer.getvalue())
            question, answer = QUESTIONS[i % 3]
            rows.append(({"image": info.sha256, "phash": info.phash}, {"question": question, "answer": answer, "image": info.sha256}))
        with self.store.write() as write:
            write.insert("dataset", [about])
            write.insert("image", [image for image, _ in rows])
            shared = {"round": 1, "dataset": "d", "error_type": "counting", "route": "new_image", "choices": []}
            ids = write.insert("sample", [{**shared, "key": str(i), **row} for i, (_, row) in enumerate(rows)], returning="sample_id")
            write.touch(ids)

    def judge_all(self) -> None:
        """A verdict of every filter's present version on every sample, as if a job had given them."""
        stamps = {row["filter"]: row["version"] for row in self.rows(filters=FILTERS.names())}
        samples = sorted(row["sample_id"] for row in log(self.store, "sample"))
        shared = {"revision": 0, "score": 1.0, "reason": "r", "job_id": 1}
        with self.store.write() as write:
            write.insert(
                "verdict", [{**shared, "sample_id": i, "filter": name, "version": v} for name, v in stamps.items() for i in samples]
            )
            write.touch(samples)

    def rows(self, **options) -> list[dict]:
        """What a launch would judge; nothing if there is nothing to do."""
        return _pairs(self.store, FilterOptions(**TEACHER, **options))

    def to_judge(self) -> dict[str, int]:
        names = [row["filter"] for row in self.rows(filters=FILTERS.names())]
        return {name: names.count(name) for name in names}

    def estimate(self, **options) -> dict[str, dict]:
        found = FilterStage().estimate(self.store, self.workspace, FilterOptions(**TEACHER, **options))
        return {part["filter"]: part for part in found.detail["filters"]} | {"": found}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "workspace")
    yield made
    made.store.close()


def test_only_the_filter_whose_version_rose_judges_again(world, monkeypatch):
    assert world.to_judge() == dict.fromkeys(FILTERS.names(), COUNT)
    world.judge_all()
    assert world.to_judge() == {}
    monkeypatch.setattr(FILTERS.load("answer_style"), "version", 2)
    assert world.to_judge() == {"answer_style": COUNT}
    found = world.estimate(filters=FILTERS.names())
    assert set(found) == {"", "answer_style"}
    assert found["answer_style"]["outdated"] == found["answer_style"]["samples"] == COUNT
    assert world.rows(filters=FILTERS.names(), outdated=False) == [], "what an earlier version has judged can be left alone"


@pytest.mark.parametrize(("prompt", "filter_"), [("judge", "judge"), ("agreement", "agreement"), ("guess", "needs_image")])
def test_only_the_filter_whose_prompt_changed_judges_again(world, prompt, filter_):
    world.judge_all()
    system, _, user = shipped(prompt).text.partition("\n\n# user\n")
    edited = versions.save(world.store, prompt, f"{system.removeprefix('# system')} Be strict.", user, "", "ada")
    assert world.to_judge() == {}, "it is not in use yet"
    versions.use(world.store, prompt, edited, "ada")
    assert world.to_judge() == {filter_: COUNT}
    versions.use(world.store, prompt, shipped(prompt).version, "ada")
    assert world.to_judge() == {}, "verdicts by the shipped prompt count again"


def test_what_it_takes_is_told_by_filter_before_it_runs(world):
    assert set(world.estimate()) == {"", *(name for name in FILTERS.names() if FILTERS.load(name).enabled_by_default)}
    found = world.estimate(filters=FILTERS.names())
    assert {name for name, part in found.items() if name and part["calls"]} == PAID
    assert (found["judge"]["calls"], found["needs_image"]["calls"]) == (COUNT, 3 * COUNT)
    low, high = found["needs_image"]["usd"]
    assert 0 < low < high
    assert found["duplicate"]["seconds"] >= 0
    assert found["not_already_known"]["asks"] == "baseline"
    whole = found[""]
    assert whole.rows == COUNT * len(FILTERS.names())
    assert whole.usd == pytest.approx(tuple(sum(found[name]["usd"][i] for name in PAID) for i in (0, 1)))
    more = world.estimate(filters=["needs_image"], filter_options={"needs_image": {"k": 5}})
    assert more["needs_image"]["calls"] == 5 * COUNT


def test_a_job_with_the_checkpoint_waits_for_the_gpu_and_its_verdicts_count(world):
    change_setting(world.store, "needs_image", True, 0.5, "ada")
    change_setting(world.store, "not_already_known", True, 0.8, "ada")
    jobs = JobManager(world.store, world.workspace, stage_class)
    try:
        job_id = jobs.launch("filter", TEACHER, "ada")
        assert jobs.get(job_id).lane == "gpu"
        ended = jobs.wait(job_id, 240)
        assert (ended.status, ended.failed) == ("done", 0), ended.message
        verdicts = log(world.store, "verdict")
        assert len(verdicts) == COUNT * len(FILTERS.names())
        given_away = {v["sample_id"] for v in verdicts if v["filter"] == "needs_image" and not passes(v["score"], 0.5, "at_most")}
        assert given_away == {row["sample_id"] for row in log(world.store, "sample") if "hexagon" in row["question"]}
        assert all("pocket-llava is right in" in v["reason"] for v in verdicts if v["filter"] == "not_already_known")
        assert world.to_judge() == {}
        assert differences(world.store) == 0
        again = world.estimate(filters=FILTERS.names())
        assert again[""].rows == 0
    finally:
        jobs.shutdown()


@pytest.mark.parametrize("outdated", [True, False])
def test_what_an_estimate_counts_is_what_a_launch_judges(world, outdated):
    """Whatever verdicts there are: failed ones, of other versions, of an earlier text or picture, several of one filter."""
    chance = random.Random(4)
    samples = sorted(row["sample_id"] for row in log(world.store, "sample"))
    stamps = {row["filter"]: row["version"] for row in world.rows(filters=FILTERS.names())}
    with world.store.write() as write:
        edited = [
            {"revision": 1, "question": "What?", "choices": [], "answer": "red", "reviewer": "ada"} | {"sample_id": i} for i in samples[:3]
        ]
        write.insert("revision", edited)
        verdicts = {
            (i, revision, name, job): {"score": chance.choice([0.5, 1.0, None]), "version": version + chance.choice([0, 0, 1])}
            for i in samples
            for name, version in stamps.items()
            for revision in range(1 + (i in samples[:3]))
            for job in range(chance.randint(0, 2))
        }
        names = ("sample_id", "revision", "filter", "job_id")
        write.insert("verdict", [{**dict(zip(names, key)), **row, "reason": "r"} for key, row in verdicts.items()])
        write.touch(samples)
    image = log(world.store, "image")[0]["image"]
    with world.store.write() as write:  # later than the verdicts
        drawing = {"image": image, "generator": "g", "seed": 1, "recipe": {}, "job_id": 1}
        write.insert("drawing", [{**drawing, "sample_id": i} for i in samples[3:5]])
        write.touch(samples[3:5])
    for chosen in (None, samples[2:6]):
        options = {"filters": FILTERS.names(), "outdated": outdated, "sample_ids": chosen}
        rows = [row["filter"] for row in world.rows(**options)]
        found = world.estimate(**options)
        assert {name: part["samples"] for name, part in found.items() if name} == {name: rows.count(name) for name in set(rows)}
        assert found[""].rows == len(rows) > 0
        first = {row["filter"] for row in world.rows(**options | {"outdated": False})}
        assert all((part["samples"] > part["outdated"]) == (name in first) for name, part in found.items() if name)


def test_how_long_each_filter_took_here_is_the_next_estimate(world):
    jobs = JobManager(world.store, world.workspace, stage_class)
    try:
        job_id = jobs.launch("filter", {**TEACHER, "filters": ["answer_style", "image_quality"]}, "ada")
        assert jobs.get(job_id).lane == "api"
        assert jobs.wait(job_id, 240).status == "done"
    finally:
        jobs.shutdown()
    speeds = FilterStage.speeds(world.store)
    assert set(speeds) == {"answer_style", "image_quality"}
    assert 0 < speeds["answer_style"] < speeds["image_quality"]
    sample = log(world.store, "sample")[0]["sample_id"]
    with world.store.write() as write:
        write.insert(
            "revision", [{"sample_id": sample, "revision": 1, "question": "What?", "choices": [], "answer": "red", "reviewer": "ada"}]
        )
        write.touch([sample])
    assert world.estimate(filters=["image_quality"])["image_quality"]["samples"] == 1


def test_a_new_filter_comes_to_an_old_workspace_switched_off_and_behind_the_others(world):
    before = world.store.rows("filters")
    assert [row["enabled"] for row in before] == [FILTERS.load(row["filter"]).enabled_by_default for row in before]
    world.store._cursor().execute("DELETE FROM filter_setting WHERE filter IN ('judge', 'needs_image')")
    old = world.store.rows("filters")
    add_default_settings(world.store, "built-in")
    now = {row["filter"]: row for row in world.store.rows("filters")}
    assert [now[row["filter"]] for row in old] == old
    assert {now[name]["enabled"] for name in ("judge", "needs_image")} == {False}
    bits = [row["bit"] for row in now.values()]
    assert len(set(bits)) == len(bits)
    assert differences(world.store) == 0
