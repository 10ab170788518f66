"""The accepted split becomes the quotas of generate: by error type, shared by its clusters, of as many failures as it takes."""

from collections import Counter

import pytest

from curation.results import budget_split
from curation.results.budget_split import Split
from curation.stage import NothingToDo
from curation.stages.generate import GenerateOptions, failures_to_practise, quotas_of
from curation.statistics.quotas import shares
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("split") / "seeded", 300, samples=10)
    yield store, workspace
    store.close()


def chosen(world, **options):
    store, workspace = world
    rows = failures_to_practise(store, workspace, 1, GenerateOptions(**options))
    return Counter(row["error_type"] for row in rows)


def accept(store, **quotas):
    budget_split.accept(store, Split(1, "a", "b", 100, [], {}), quotas, "ada")


def test_without_one_nothing_changes_and_asking_for_it_says_where_to_accept_one(world):
    everything = chosen(world)
    assert sum(chosen(world, limit=20).values()) == 20 and everything["negation"] > everything["spatial"] > 0
    with pytest.raises(NothingToDo, match=r"Accept one on Results \(mistakebook results --split"):
        chosen(world, split="accepted")


def test_an_accepted_split_sets_quotas_and_the_number_of_failures(world):
    store, workspace = world
    accept(store, counting=60, spatial=30)
    try:
        by_type = chosen(world, per_failure=3, route="same_image")
        assert by_type == {"counting": 20, "spatial": 10}  # 90 samples of 3 a failure, 2 : 1
        assert chosen(world, per_failure=3, route="both") == {"counting": 10, "spatial": 5}
        assert chosen(world, limit=12) == {"counting": 8, "spatial": 4}
        parts = quotas_of(store, workspace, 1, GenerateOptions(per_failure=3, route="same_image"))
        assert sum(part["quota"] for part in parts) == 30 and all(part["quota"] == 0 for part in parts if part["error_type"] == "negation")
        assert chosen(world, split="failures", limit=20) != chosen(world, limit=20)
    finally:
        budget_split.clear(store, "ada")
    assert len(chosen(world, limit=20)) > 2


def test_more_than_there_is_is_what_there_is(world):
    everything = chosen(world)
    accept(world[0], spatial=9000)
    try:
        assert chosen(world) == {"spatial": everything["spatial"]}
    finally:
        budget_split.clear(world[0], "ada")


def test_shares_by_weights_are_in_proportion_and_leave_out_what_has_none():
    assert shares({"a": 50, "b": 50, "c": 50}, 30, "accepted", {"a": 2.0, "b": 1.0}) == {"a": 20, "b": 10, "c": 0}
    assert shares({"a": 5, "b": 50}, 30, "accepted", {"a": 2.0, "b": 1.0}) == {"a": 5, "b": 25}
