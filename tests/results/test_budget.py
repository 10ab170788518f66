"""Gain per dollar and the split of the next budget: the bootstrap against SciPy's, quotas that add up, what may not be accepted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from curation.results import budget_split, gain_per_dollar
from curation.results.budget_split import BadSplit, TypeState, apportion, taught, weights
from curation.statistics.bootstrap import group_sums, percentile_interval
from tests.support.answers import add_answers, add_examples


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12).filter(lambda shares: sum(shares) > 1e-3), st.integers(1, 5000))
def test_quotas_add_up_and_none_is_a_whole_sample_off(shares, total):
    quotas = apportion(shares, total)
    assert sum(quotas) == total and min(quotas) >= 0
    assert all(abs(got - total * share / sum(shares)) < 1 for got, share in zip(quotas, shares))


def test_nothing_to_split_is_nothing():
    assert apportion([], 5) == [] and apportion([0, 0], 5) == [0, 0]


@given(st.integers(0, 100))
def test_the_bootstrap_of_independent_items_is_scipys(seed):
    rng = np.random.default_rng(seed)
    values = rng.choice([-1.0, 0.0, 1.0], 150, p=[0.1, 0.6, 0.3])
    drawn = group_sums(values, np.zeros(150, int), np.arange(150), 2000, seed)
    low, high = percentile_interval(drawn)
    theirs = stats.bootstrap((values,), np.sum, n_resamples=2000, method="percentile", rng=seed).confidence_interval
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=2.5)


def test_items_of_one_image_are_drawn_together():
    values = np.repeat(np.random.default_rng(1).choice([0.0, 1.0], 40), 5)
    apart = group_sums(values, np.zeros(200, int), np.arange(200)).std()
    together = group_sums(values, np.zeros(200, int), np.repeat(np.arange(40), 5)).std()
    assert together / apart == pytest.approx(5**0.5, rel=0.15)


def test_groups_of_a_replicate_add_up_and_a_seed_says_all():
    rng = np.random.default_rng(2)
    values, groups, images = rng.normal(size=90), rng.integers(0, 4, 90), rng.integers(0, 30, 90)
    sums = group_sums(values, groups, images, 50, seed=3)
    assert sums.sum(axis=1) == pytest.approx(group_sums(values, np.zeros(90, int), images, 50, seed=3)[:, 0])
    assert group_sums(np.zeros(0), np.zeros(0, int), np.zeros(0, int)).shape == (1000, 0)


def state(name, **changes):
    usual = {"share": 0.25, "accuracy": 0.5, "solved": 0.5, "teachable": 50, "approved": 100, "gain": 2.0, "deviation": 0.2}
    return TypeState(name, **{**usual, **changes})


def test_weights_follow_what_is_missing_what_was_taught_and_the_band():
    plain, better, done, out, empty, never = weights(
        [
            state("counting"),
            state("negation", gain=6.0),
            state("spatial", accuracy=0.9),
            state("attribute", solved=0.95),
            state("text-reading", teachable=0),
            state("label-error"),
        ]
    )
    assert better > plain > done > 0 and plain > out > 0 and empty == never == 0
    assert plain / done == pytest.approx(5) and plain / out == pytest.approx(2)


def test_what_was_taught_is_shrunk_where_it_is_not_known():
    sure = taught([state("a", gain=3.0, deviation=0.1), state("b", gain=1.0, deviation=0.1)])
    vague = taught([state("a", gain=3.0, deviation=3.0), state("b", gain=1.0, deviation=3.0)])
    assert sure[0] > 1.4 and sure[1] < 0.6 and vague == pytest.approx([1, 1])
    assert taught([state("a", gain=50.0, deviation=0.1), state("b", gain=0.1, deviation=0.1)]).tolist() == pytest.approx(
        [1.99, 0.5], abs=0.02
    )
    assert taught([state("a", gain=-1.0), state("b", gain=0.5)]).tolist() == [1, 1]  # nothing gained: no type teaches better
    assert taught([state("a", approved=0, gain=9.0), state("b")])[0] == 1


@pytest.fixture
def round_(store):
    """A round with two clusters: counting gained .5 on 40 examples for $4, negation nothing on 40 for $1."""
    rows = [{"kind": "counting/1", "image": f"c{k // 2}"} for k in range(40)] + [
        {"kind": "negation/1", "image": f"n{k // 2}"} for k in range(40)
    ]
    ids = add_examples(store, rows)
    before = add_answers(store, "base", dict.fromkeys(ids, 0.0))
    with store.write() as write:
        write.insert("round", [{"round": 1, "checkpoint_id": before.checkpoint_id}])
        clusters = [
            {"round": 1, "error_type": name, "title": f"{name} fails", "job_id": 1, "name": name} for name in ("counting", "negation")
        ]
        counting, negation = sorted(write.insert("cluster", clusters, returning="cluster_id"))
        places = [{"example_id": i, "round": 1, "error_type": "counting", "cluster_id": counting, "job_id": 1} for i in ids[:40]]
        places += [{"example_id": i, "round": 1, "error_type": "negation", "cluster_id": negation, "job_id": 1} for i in ids[40:]]
        write.insert("assignment", places)
        train = [
            {"dataset": "d", "external_id": f"t{k}", "split": "train", "image": f"t{k}", "question": "?", "choices": [], "golds": ["red"],
             "kind": kind} for k, kind in enumerate(("counting/1", "negation/1"))
        ]  # fmt: skip
        trained = sorted(write.insert("example", train, returning="example_id"))
        about = {"checkpoint_id": before.checkpoint_id, "answer": "x", "strict": 0.0, "lenient": 0.0}
        write.insert("prediction", [{"example_id": i, **about} for i in trained])
        write.run("failures_from_predictions", checkpoint_id=before.checkpoint_id)
        failures = {row["example_id"]: row["failure_id"] for row in write.run("failure_ids", round=1)}
        diagnoses = [
            {"failure_id": failures[i], "error_type": name, "own_answer": "red", "own_score": 1.0, "gold_looks_wrong": False,
             "right_but_misformatted": False, "confidence": 0.9, "replies": [f"reply {name}"], "job_id": 1}
            for i, name in zip(trained, ("counting", "negation"))
        ]  # fmt: skip
        write.insert("diagnosis", diagnoses)
        write.insert("place", [
            {"failure_id": failures[i], "cluster_id": c, "x": 0, "y": 0, "job_id": 1} for i, c in zip(trained, (counting, negation))
        ])  # fmt: skip
        write.insert("reply", [{"key": "reply counting", "cost_usd": 4.0}, {"key": "reply negation", "cost_usd": 1.0}])
        write.touch_failures()
    after = add_answers(store, "tuned", {i: float(k < 20) for k, i in enumerate(ids)}, "base", run_round=1)
    return store, before, after


def test_gain_per_dollar_of_each_cluster_and_the_whole(round_):
    returns = gain_per_dollar.returns(*round_)
    counting, negation = returns.clusters
    assert (counting.name, counting.items, counting.images) == ("counting fails", 40, 20)
    assert (counting.gain, counting.usd, counting.per_dollar) == pytest.approx((25, 4, 6.25))
    assert (negation.gain, negation.usd, negation.per_dollar) == pytest.approx((0, 1, 0))
    assert (returns.total.gain, returns.total.usd, returns.total.per_dollar) == pytest.approx((25, 5, 5))
    assert counting.gain_low < 25 < counting.gain_high and negation.gain_low == negation.gain_high == 0
    assert counting.per_dollar_low == pytest.approx(counting.gain_low / 4)
    assert sum(line.gain for line in returns.clusters) == pytest.approx(returns.total.gain)
    assert returns.unassigned == returns.unpriced == 0 and returns.examples == 80


def test_the_recommended_split_is_accepted_edited_and_cleared(round_):
    store, before, after = round_
    split = budget_split.recommend(store, before, after, 100)
    assert sum(quota.samples for quota in split.quotas) == 100
    by_name = {quota.name: quota for quota in split.quotas}
    assert by_name["negation"].samples > by_name["counting"].samples  # 1.0 of it is still wrong, against .5
    assert all(quota.low <= quota.samples <= quota.high for quota in split.quotas)
    assert budget_split.accepted(store) is None
    kept = budget_split.accept(store, split, {"negation": 80, "counting": 20, "spatial": 0}, "ada")
    assert kept.quotas == {"negation": 80, "counting": 20} and kept.author == "ada" and kept.round == 1
    assert kept.recommended == {quota.name: quota.samples for quota in split.quotas}
    assert budget_split.accepted(store) == kept
    for quotas, words in (({"negation": -1}, "below 0"), ({"negation": 0}, "every quota is 0")):
        with pytest.raises(BadSplit, match=words):
            budget_split.accept(store, split, quotas, "ada")
    budget_split.clear(store, "ada")
    assert budget_split.accepted(store) is None
    with pytest.raises(BadSplit, match="at least 1"):
        budget_split.recommend(store, before, after, 0)


def test_without_failures_there_is_nothing_to_recommend(store):
    ids = add_examples(store, [{}] * 5)
    first, two = add_answers(store, "one", dict.fromkeys(ids, 0.0)), add_answers(store, "two", dict.fromkeys(ids, 1.0))
    with pytest.raises(BadSplit, match="no error type has teachable failures"):
        budget_split.recommend(store, first, two, 10)
    with pytest.raises(ValueError, match="no eval example in common"):
        gain_per_dollar.returns(store, first, add_answers(store, "three", {}))
