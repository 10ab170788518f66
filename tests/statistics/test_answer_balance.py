"""Accuracy balanced by answer against scikit-learn, its interval against statsmodels, the majority answer against a dummy classifier."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score

from curation.statistics import answer_balance, intervals
from curation.statistics.answer_balance import answer_weights, balanced_accuracy, balanced_difference, gold_answer, majority_rate

ANSWERS = st.lists(st.sampled_from(["yes", "no", "red", "blue"]), min_size=1, max_size=40)


@given(ANSWERS, st.randoms())
def test_balanced_as_scikit_learn(golds, rng):
    given_answers = [rng.choice(golds) for _ in golds]
    scores = [float(a == b) for a, b in zip(golds, given_answers)]
    assert balanced_accuracy(scores, golds) == pytest.approx(balanced_accuracy_score(golds, given_answers))


@given(ANSWERS)
def test_majority_as_a_classifier_that_looks_at_nothing(golds):
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(golds), 1)), golds)
    assert majority_rate(golds) == pytest.approx(dummy.score(np.zeros((len(golds), 1)), golds))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["yes", "no", "red"])), min_size=1, max_size=40))
def test_majority_of_strata_is_that_of_each_weighted_by_its_size(rows):
    strata, golds = zip(*rows)
    parts = {s: [gold for stratum, gold in rows if stratum == s] for s in strata}
    assert majority_rate(golds, strata) == pytest.approx(sum(majority_rate(part) * len(part) for part in parts.values()) / len(rows))
    assert majority_rate(golds, strata) >= majority_rate(golds) - 1e-12


def test_saying_yes_to_everything_is_no_skill():
    """As of easy-VQA's negated questions: gold "yes" in 84 %."""
    golds = ["yes"] * 84 + ["no"] * 16
    scores = [float(gold == "yes") for gold in golds]
    assert np.mean(scores) == majority_rate(golds) == 0.84
    assert balanced_accuracy(scores, golds) == 0.5
    difference = balanced_difference(1 - np.array(scores), scores, golds)
    assert difference.value == pytest.approx(0)
    assert difference.low < 0 < difference.high


@given(st.integers(0, 10_000))
def test_the_interval_is_that_of_weighted_least_squares(seed):
    rng = np.random.default_rng(seed)
    n = 200
    golds, clusters = rng.choice(["a", "b", "c"], n, p=[0.7, 0.2, 0.1]), rng.integers(0, 40, n)
    before, after = (rng.integers(0, 2, n).astype(float) for _ in range(2))
    weights = answer_weights(golds)
    fitted = sm.WLS(after - before, np.ones(n), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}, use_t=True
    )
    difference = balanced_difference(before, after, golds, clusters)
    assert difference.value == pytest.approx(balanced_accuracy(after, golds) - balanced_accuracy(before, golds))
    assert difference.value == pytest.approx(fitted.params[0])
    groups = len(set(clusters))
    t = fitted.tvalues[0] * np.sqrt((groups - 1) / groups)  # CR1's factor for one coefficient
    assert difference.p == pytest.approx(2 * intervals.stats.t.sf(abs(t), groups - 1))
    deviation = fitted.bse[0] * np.sqrt(groups / (groups - 1))
    reach = intervals.stats.t.ppf(0.975, groups - 1) * deviation
    assert (difference.high - difference.low) / 2 == pytest.approx(reach, rel=0.05)  # the added pairs change little at this size


@given(st.integers(0, 1000))
def test_balanced_answers_need_no_balancing(seed):
    rng = np.random.default_rng(seed)
    golds = ["yes", "no"] * 50
    before, after, clusters = rng.integers(0, 2, 100), rng.integers(0, 2, 100), rng.integers(0, 30, 100)
    plain, balanced = intervals.paired_difference(before, after, clusters), balanced_difference(before, after, golds, clusters)
    assert (plain.value, plain.low, plain.high) == pytest.approx((balanced.value, balanced.low, balanced.high))


def test_intervals_of_unbalanced_answers_cover_the_truth():
    rng = np.random.default_rng(4)
    golds = np.array(["yes"] * 84 + ["no"] * 16)
    rise = np.where(golds == "yes", 0.1, 0.4)
    covered = 0
    for _ in range(400):
        after = rng.random(100) < 0.3 + rise
        difference = balanced_difference(rng.random(100) < 0.3, after, golds)
        covered += difference.low <= 0.25 <= difference.high
    assert covered / 400 >= 0.92


def test_gold_answers():
    assert gold_answer(["Two", "three", "2"]) == "2"
    assert gold_answer(["The red one."]) == "red 1"  # as scores compare it
    assert gold_answer(["no", "yes"]) == "no"  # the earlier of a tie


def test_nothing_and_lengths_that_differ():
    assert np.isnan(balanced_accuracy([], [])) and np.isnan(majority_rate([]))
    with pytest.raises(ValueError, match="one answer a score"):
        balanced_accuracy([1], [])
    with pytest.raises(ValueError, match="one stratum an answer"):
        majority_rate(["a"], [])


def test_codes_are_one_a_value():
    assert answer_balance.codes(["b", "a", "b"]).tolist() == [0, 1, 0]
    assert answer_balance.codes(np.array([7, 3, 7])).tolist() == [1, 0, 1]
