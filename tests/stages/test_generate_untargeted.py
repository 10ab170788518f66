"""Samples without a failure: made from train examples in the data's own mix, never reviewed, approved or trained on but in an arm."""

from collections import Counter

import pytest

from curation.experiments import planning
from curation.experiments.planning import ExperimentOptions
from curation.review import decisions
from curation.stage import NothingToDo
from curation.training.plan import ApprovedSample
from curation.ui.experiments import generation
from curation.ui.experiments.generation import Generation
from tests.support import loop_world
from tests.support.loop_world import TEACHER

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = loop_world.begin(tmp_path_factory.mktemp("untargeted") / "small")
    world.job("evaluate", {})
    world.results["made"] = world.job("generate_untargeted", {**TEACHER, "examples": 24, "per_example": 2})
    ids = [row["sample_id"] for row in world.rows("sample")]
    world.job("draw", {"model": "pocket-flux", "sample_ids": ids_to_draw(world)})
    filters = [row["filter"] for row in world.store.rows("filters") if row["enabled"]]
    world.job("filter", {**TEACHER, "sample_ids": ids, "filters": filters})
    yield world
    world.close()


def ids_to_draw(world):
    return [row["sample_id"] for row in world.rows("sample") if row["image"] is None]


def test_they_come_from_train_examples_whatever_was_answered(world):
    samples, examples = world.rows("sample"), {row["example_id"]: row for row in world.rows("example")}
    failed = {row["example_id"] for row in world.rows("failure")}
    assert len(samples) > 20
    for row in samples:
        seed = examples[row["example_id"]]
        assert (row["round"], row["failure_id"], row["diagnosis_id"], row["dataset"]) == (0, None, None, seed["dataset"])
        assert seed["split"] == "train" and row["question"] and row["answer"]
        assert row["question"] != seed["question"] or row["route"] == "new_image"
    outcomes = Counter(row["example_id"] in failed for row in samples)
    assert outcomes[True] and outcomes[False]
    assert {row["route"] for row in samples} == {"same_image", "new_image"}
    assert len({row["error_type"] for row in samples}) > 2
    replies = [row for row in world.rows("reply") if row["purpose"] == "untargeted"]
    assert len(replies) == 48


def test_nobody_reviews_approves_or_trains_on_them(world):
    states = world.rows("sample_state")
    assert {row["status"] for row in states} <= {"undrawn", "unfiltered"}
    assert any(row["failed"] for row in states) and any(row["judged"] and not row["failed"] for row in states)
    assert decisions.decide_bulk(world.store, {}, "approve", "ada", decisions.new_event(), "all").count == 0
    assert world.store.value("review_total", statuses=None) == 0
    assert world.store.rows("samples_to_train", ApprovedSample, round=1) == []
    assert world.store.rows("samples_to_export", statuses=["approved", "auto_approved"]) == []
    with pytest.raises(NothingToDo):
        world.jobs.launch("draw", {"model": "pocket-flux"}, "ada")
    with pytest.raises(NothingToDo, match="every drawn sample has all its verdicts"):
        world.jobs.launch("filter", TEACHER, "ada")
    with pytest.raises(NothingToDo, match="no sample is approved yet"):
        world.jobs.launch("finetune", {}, "ada")


def test_states_can_be_rebuilt_from_the_logs(world):
    before = sorted(map(str, world.rows("sample_state")))
    world.store.rebuild_states()
    assert sorted(map(str, world.rows("sample_state"))) == before


def test_those_that_pass_the_filters_are_the_pool_of_their_arm(world):
    options = ExperimentOptions(arms=["untargeted"], n=5)
    here = planning.stock(world.store, 1, options)
    mask = planning.mask_of_controls(world.store)
    passed = {row["sample_id"] for row in world.rows("sample_state") if row["judged"] & mask == mask and not row["failed"] & mask}
    assert {row.identity for row in here.pools["untargeted"]} == passed and len(passed) >= 5
    assert not here.pools["targeted"] and not here.pools["unfiltered"]


def test_examples_without_samples_come_first_and_what_is_there_is_not_made_again(world):
    used = {row["example_id"] for row in world.rows("sample")}
    assert not used & set(world.store.column("examples_to_write_after", int, datasets=None, seed=0, limit=24))
    options = ExperimentOptions(arms=["untargeted"], n=5)
    made = planning.plan(world.store, options, planning.stock(world.store, 1, options), 1)
    assert generation.chain(world.store, world.workspace, world.jobs, made, Generation()) == []
