"""Calibration, the pure part: intervals against published values, further labels, thresholds, the rule search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.calibration import approval_rules
from curation.calibration.approval_rules import (
    Condition,
    agreement,
    joint,
    labels_still_needed,
    levels,
    lower_bound,
    lower_bound_reaches,
    murmur3_finalizer,
    search,
)
from curation.statistics.intervals import wilson
from data.store import Store

shares = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
scores = st.lists(
    st.one_of(st.sampled_from([0.0, 0.33, 0.67, 1.0, 2.0, 3.0]), st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=80
)
sides = st.sampled_from(["at_least", "at_most"])


@pytest.mark.parametrize(
    "k, n, low, high", [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
)
def test_the_interval_is_the_published_one(k, n, low, high):
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, score method without continuity correction."""
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_further_labels_of_known_cases():
    assert labels_still_needed(0, 0) == 121  # all approved: (1 - t^(n + 1)) / ((n + 1) (1 - t) t^n) >= 80
    assert lower_bound_reaches(121, 121, 0.95) and not lower_bound_reaches(120, 120, 0.95)
    assert labels_still_needed(121, 121) == 0 and labels_still_needed(60, 60) == 61
    assert labels_still_needed(0, 0, rank=2) > 121 and not lower_bound_reaches(121, 121, 0.95, rank=2)
    assert labels_still_needed(95, 100) is None and labels_still_needed(9, 10) is None
    assert labels_still_needed(85, 100, 0.8) > 0


@given(shares, st.floats(0.55, 0.99))
def test_so_many_further_labels_just_do(share, target):
    k, n = share
    more = labels_still_needed(k, n, target)
    p = k / n
    if more is None:
        assert p <= target
        return
    assert lower_bound_reaches(p * (n + more), n + more, target)
    assert more == 0 or not lower_bound_reaches(p * (n + more - 1), n + more - 1, target)


@given(scores, sides, st.floats(0, 1))
def test_a_code_says_which_thresholds_a_score_meets(values, side, kept):
    values = np.array(values)
    stops = levels("f", side, values, [kept], most=12)
    codes = stops.index_of(values)
    assert kept in stops.cuts and len(stops.cuts) <= 13
    for position in range(1, len(stops.cuts) + 1):
        wanted = stops.condition(position).threshold
        meets = values >= wanted if side == "at_least" else values <= wanted
        assert ((codes >= position) == meets).all()
    assert stops.condition(stops.position(kept)).threshold == kept and stops.condition(0) is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([-1, 0, 1])), min_size=1))
def test_precision_and_misses_are_counted(rows):
    passes, label = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    counted = agreement(passes, label)
    labelled = [(p, one == 1) for p, one in rows if one >= 0]
    approved = [p for p, good in labelled if good]
    passing = [good for p, good in labelled if p]
    rejected = [p for p, good in labelled if not good]
    assert counted.labels == len(labelled) and counted.passing == len(passing)
    for interval, share in (
        (counted.precision, passing),
        (counted.false_negative_rate, [not p for p in approved]),
        (counted.specificity, [not p for p in rejected]),
    ):
        if share:
            assert interval.value == pytest.approx(np.mean(share)) and interval.low <= interval.value <= interval.high
        else:
            assert np.isnan(interval.value) and (interval.low, interval.high) == (0, 1)


@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(2, 5))
def test_joint_counts_are_those_of_the_samples(seed, n, filters):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, (n, filters)).astype(float)
    stops = [levels(str(i), "at_least" if i % 2 else "at_most", values[:, i]) for i in range(filters)]
    codes = np.stack([one.index_of(values[:, i]) for i, one in enumerate(stops)], axis=1)
    open, label, held = rng.random(n) < 0.5, rng.integers(-1, 2, n), rng.random(n) < 0.5
    counts = joint(stops, codes, open, label, held)
    assert len(np.unique(counts.threshold_index, axis=0)) == len(counts.threshold_index)
    rule = [int(rng.integers(0, len(scale.cuts) + 1)) for scale in stops]
    inside, rows = (codes >= rule).all(axis=1), counts.inside(rule)
    assert counts.open[rows].sum() == (inside & open).sum()
    assert counts.labels[rows].sum() == (inside & (label >= 0) & ~held).sum()
    assert counts.approved[rows].sum() == (inside & (label == 1) & ~held).sum()
    assert counts.held[rows].sum() == (inside & (label >= 0) & held).sum()


def world(seed=0, n=40_000, labelled=4_000, noise=6):
    """Samples with one filter that tells good from bad and others that tell nothing; half of the labels held back."""
    rng = np.random.default_rng(seed)
    good = rng.random(n)
    scores = np.round(np.clip(good + rng.normal(0, 0.1, n), 0, 1), 2)
    values = np.stack([scores, *(rng.random(n).round(2) for _ in range(noise))], axis=1)
    label = np.where(rng.random(n) < labelled / n, (rng.random(n) < 0.6 + 0.4 * (good > 0.5)).astype(int), -1)
    return values, label, murmur3_finalizer(np.arange(n)) % 2 == 1


def searched(values, label, held, target):
    stops = [levels(str(i), "at_least", values[:, i]) for i in range(values.shape[1])]
    codes = np.stack([one.index_of(values[:, i]) for i, one in enumerate(stops)], axis=1)
    positions = search(joint(stops, codes, label < 0, label, held), target)
    return [condition for scale, position in zip(stops, positions) if (condition := scale.condition(position))]


def test_the_search_finds_the_filter_that_tells_something():
    values, label, held = world()
    (told, *_) = found = searched(values, label, held, 0.95)
    assert told == Condition("0", "at_least", pytest.approx(0.6, abs=0.15)) and len(found) <= 3
    inside = np.all([values[:, int(condition.filter)] >= condition.threshold for condition in found], axis=0)
    assert inside.mean() > 0.2
    judged = inside & held & (label >= 0)
    assert lower_bound(int((label[judged] == 1).sum()), int(judged.sum())) > 0.94  # the chance of .95 was at least even


def test_the_search_does_not_see_how_the_held_back_half_was_decided():
    values, label, held = world(seed=3, n=4_000, labelled=1_500)
    other = np.where(held & (label >= 0), 1 - label, label)
    assert searched(values, label, held, 0.9) == searched(values, other, held, 0.9)


def test_a_lucky_rule_is_found_out_by_the_held_back_half():
    """All scores are noise, 80 % are approved: the search finds something that looks better, the other half does not confirm it."""
    rng = np.random.default_rng(5)
    gained, confirmed = [], 0
    for _ in range(12):
        values, held = rng.random((3_000, 8)).round(2), rng.random(3_000) < 0.5
        label = np.where(rng.random(3_000) < 0.2, (rng.random(3_000) < 0.8).astype(int), -1)
        conditions = searched(values, label, held, 0.85)
        inside = np.all([values[:, int(condition.filter)] >= condition.threshold for condition in conditions], axis=0) & (label >= 0)
        seen, unseen = ((int((label[inside & half] == 1).sum()), int((inside & half).sum())) for half in (~held, held))
        gained.append(seen[0] / max(seen[1], 1) - unseen[0] / max(unseen[1], 1))
        confirmed += lower_bound_reaches(*unseen, 0.85)
    assert np.mean(gained) > 0.02 and confirmed <= 1


def test_draws_are_the_same_in_the_store_and_here(store: Store):
    numbers = np.concatenate([np.arange(1, 300), [2**31, 2**32 - 1]])
    rows = store._cursor().execute("SELECT mixed(n)::BIGINT FROM (SELECT unnest($n) AS n)", {"n": numbers.tolist()}).fetchall()
    assert [row[0] for row in rows] == murmur3_finalizer(numbers).tolist()
    assert int(murmur3_finalizer(np.array([1]))[0]) == 0x514E28B7  # MurmurHash3's fmix32(1)
    halves = murmur3_finalizer(np.arange(100_000)) % 2
    assert abs(halves.mean() - 0.5) < 0.01 and approval_rules.MOST_LEVELS < 255
