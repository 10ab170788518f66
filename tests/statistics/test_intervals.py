"""The statistics against other implementations, brute force, and simulations of known truth (fixed seeds)."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from curation.statistics.intervals import accuracy, holm, minimum_detectable_difference, non_inferior, paired_difference, wilson

HARD = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=40)
SOFT = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=40)


@given(st.integers(0, 300), st.integers(1, 300))
def test_wilson_as_scipy(k, n):
    if k <= n:
        interval = binomtest(k, n).proportion_ci(method="wilson")
        assert wilson(k, n) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_accuracy():
    assert (accuracy([1, 1, 0, 0]).value, accuracy([1] * 10).high) == (0.5, 1.0)
    assert (accuracy([]).low, accuracy([]).high) == (0, 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.5))
def test_holm_is_the_step_down_procedure(p_values, alpha):
    """The smallest p is held against alpha / m, the next against alpha / (m - 1), ..., until one is too large."""
    rejected = set()
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if (len(p_values) - rank) * p_values[i] > alpha:
            break
        rejected.add(i)
    assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == rejected


def test_holm_of_nothing():
    assert holm([]) == []


@given(HARD)
def test_p_of_single_pairs_is_the_exact_mcnemar_test(pairs):
    before, after = zip(*pairs)
    fixed, broken = sum(a > b for b, a in pairs), sum(a < b for b, a in pairs)
    expected = binomtest(fixed, fixed + broken, 0.5).pvalue if fixed + broken else 1.0
    assert paired_difference(before, after).p == pytest.approx(expected)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0]), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 7)), min_size=1, max_size=25
    )
)
def test_p_over_clusters_is_that_of_all_sign_flips(rows):
    before, after, clusters = zip(*rows)
    sums = [sum(a - b for b, a, c in rows if c == name) for name in set(clusters)]
    totals = [sum(sign * s for sign, s in zip(signs, sums)) for signs in itertools.product((1, -1), repeat=len(sums))]
    expected = np.mean([abs(total) >= abs(sum(sums)) - 1e-9 for total in totals])
    assert paired_difference(before, after, clusters).p == pytest.approx(expected)


@given(SOFT)
def test_a_difference_holds_its_value_and_turns_round_with_its_sides(rows):
    before, after, clusters = zip(*rows)
    forward, back = paired_difference(before, after, clusters), paired_difference(after, before, clusters)
    assert -1 <= forward.low <= forward.value <= forward.high <= 1
    assert 0 <= forward.p <= 1
    assert (back.value, back.low, back.high, back.p) == pytest.approx((-forward.value, -forward.high, -forward.low, forward.p), abs=1e-9)


@given(SOFT, st.randoms())
def test_the_order_of_pairs_is_irrelevant(rows, rng):
    first, other = (paired_difference(*zip(*some)) for some in (rows, rng.sample(rows, len(rows))))
    assert (first.low, first.high, first.p) == pytest.approx((other.low, other.high, other.p), abs=1e-9)


def test_many_pairs_that_agree_with_the_textbook():
    rng = np.random.default_rng(1)
    before, after = rng.random(5000) < 0.5, rng.random(5000) < 0.55
    difference = paired_difference(before, after)
    deviation = np.std(after.astype(float) - before, ddof=1) / np.sqrt(5000)
    assert (difference.high - difference.low) / 2 == pytest.approx(1.96 * deviation, rel=0.01)


def test_answers_that_go_together_widen_the_interval():
    rng = np.random.default_rng(2)
    outcome = rng.choice([1.0, 0.0], size=100).repeat(5)
    alone = paired_difference(1 - outcome, outcome)
    clustered = paired_difference(1 - outcome, outcome, np.arange(100).repeat(5))
    assert (clustered.high - clustered.low) / (alone.high - alone.low) == pytest.approx(5**0.5, rel=0.05)


def test_nothing_changed_is_no_certainty():
    few, many = (paired_difference([1.0] * n, [1.0] * n) for n in (30, 3000))
    assert (few.value, few.p) == (0, 1)
    assert not non_inferior(few.low)
    assert non_inferior(many.low)


def test_one_cluster_says_nothing():
    difference = paired_difference([0] * 9, [1] * 9, ["same"] * 9)
    assert (difference.value, difference.low, difference.high, difference.p) == (1, -1, 1, 1)


def test_pairs_that_do_not_match_are_refused():
    for before, after, clusters in (([], [], None), ([1], [1, 0], None), ([1, 0], [1, 0], ["a"])):
        with pytest.raises(ValueError, match="the same examples are needed"):
            paired_difference(before, after, clusters)


def test_a_hundred_thousand_pairs():
    rng = np.random.default_rng(3)
    clusters = rng.integers(0, 30_000, 100_000)
    before, after = (rng.choice([0, 0.3, 0.6, 0.9, 1.0], size=100_000) for _ in range(2))
    assert paired_difference(before, after, clusters).p > 0.001
    assert paired_difference(before, np.minimum(1, after + 0.3), clusters).p < 1e-6


@pytest.mark.parametrize(
    ("clusters", "largest", "fixed", "broken", "together"),
    [
        (60, 1, 0.3, 0.05, 0),
        (60, 1, 0.02, 0.02, 0),
        (200, 1, 0.2, 0.05, 0),
        (100, 5, 0.1, 0.1, 0.5),
        (40, 5, 0.1, 0.1, 0.7),
        (300, 7, 0.02, 0.02, 0.9),
    ],
)
def test_intervals_cover_the_truth_and_false_alarms_are_rare(clusters, largest, fixed, broken, together):
    """Each pair takes its cluster's outcome with chance `together`, else its own; 500 repetitions, so +-0.02 is two deviations."""
    rng = np.random.default_rng(4)
    chances = [fixed, broken, 1 - fixed - broken]
    covered = alarms = 0
    for _ in range(500):
        names = np.repeat(np.arange(clusters), rng.integers(1, largest + 1, clusters))
        own, shared = (rng.choice([1, -1, 0], p=chances, size=size) for size in (len(names), clusters))
        outcome = np.where(rng.random(len(names)) < together, shared[names], own)
        difference = paired_difference(outcome < 0, outcome > 0, names)
        covered += difference.low <= fixed - broken <= difference.high
        alarms += difference.p < 0.05
    assert covered / 500 >= 0.93
    if fixed == broken:
        assert alarms / 500 <= 0.07


def test_detectable_has_the_power_it_states():
    n, discordant = 300, 0.25
    gain = minimum_detectable_difference(n, discordant)
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        outcome = rng.choice([1, -1, 0], p=[(discordant + gain) / 2, (discordant - gain) / 2, 1 - discordant], size=n)
        covered += paired_difference(outcome < 0, outcome > 0).p < 0.05
    assert 0.72 <= covered / 400 <= 0.85  # the exact test is a little cautious


def test_detectable_shrinks_with_pairs_and_grows_with_clustering():
    assert minimum_detectable_difference(0) == minimum_detectable_difference(1) == 1
    assert minimum_detectable_difference(4000) == pytest.approx(minimum_detectable_difference(1000) / 2, rel=0.05)
    assert minimum_detectable_difference(1000, design_effect=4) == pytest.approx(minimum_detectable_difference(250), rel=1e-3)
    assert minimum_detectable_difference(20, discordant=0.05) > 0.05


def test_non_inferior():
    assert non_inferior(-0.009)
    assert not non_inferior(-0.01)
    assert non_inferior(-0.04, margin=0.05)
