"""Differences over images and seeds: against paired_difference, against statsmodels' mixed model, and how often they hold the truth."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.statistics.answer_balance import balanced_accuracy
from curation.statistics.intervals import paired_difference
from curation.statistics.repeated_runs import difference_of_runs


def drawn(rng, seeds, images, each, spread_of_seeds, spread_of_images, gain=0.05, base=0.7):
    """Right or wrong answers of two arms: a gain that differs by seed and by image."""
    members = np.repeat(np.arange(images), each)
    by_seed = rng.normal(0, spread_of_seeds, (seeds, 1))
    by_image = rng.normal(0, spread_of_images, images)
    chance = np.clip(base + gain + by_seed + by_image[members], 0, 1)
    before = (rng.random((seeds, len(members))) < np.clip(base - by_image[members] / 2, 0, 1)).astype(float)
    return before, (rng.random(chance.shape) < chance).astype(float), members


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 120))
def test_one_seed_gives_the_interval_of_paired_difference(seed, items):
    rng = np.random.default_rng(seed)
    before, after = rng.integers(0, 2, items).astype(float), rng.integers(0, 2, items).astype(float)
    images = rng.integers(0, max(2, items // 2), items)
    single, pair = difference_of_runs(before, after, images), paired_difference(before, after, images.tolist())
    assert (single.value, single.low, single.high) == pytest.approx((pair.value, pair.low, pair.high), abs=1e-12)


def test_golden():
    before = np.array([[1, 0, 0, 1, 0, 1, 1, 0], [1, 0, 1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 0, 1, 1, 0]], float)
    after = np.array([[1, 1, 1, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1, 1, 1]], float)
    difference = difference_of_runs(before, after, [1, 1, 2, 3, 3, 4, 5, 6])
    # By hand, with two items added: sums of the residuals by image, means over seeds (7, 6, -3, -4, -4, 6) / 15; of their squares .72.
    # Variance (6/5 * .72 + 1 + 2 * (4/15)^2) / 10^2; that between seeds, 1/300, is below the noise of the runs, 6/5 * 1.04 / 10^2.
    reach = 2.570582 * ((1.2 * 0.72 + 1 + 2 * (4 / 15) ** 2) / 100) ** 0.5
    assert (difference.value, difference.low, difference.high) == pytest.approx((1 / 3, 4 / 15 - reach, 4 / 15 + reach), abs=1e-6)
    assert 0.03 < difference.p < 0.1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(4, 60))
def test_what_must_hold_of_any_scores(seed, seeds, items):
    rng = np.random.default_rng(seed)
    before, after = rng.choice([0, 0.3, 0.6, 1], (seeds, items)), rng.choice([0, 0.3, 0.9, 1], (seeds, items))
    images, answers = rng.integers(0, items, items), rng.integers(0, 3, items)
    difference, mirrored = difference_of_runs(before, after, images), difference_of_runs(after, before, images)
    assert -1 <= difference.low <= difference.value <= difference.high <= 1 and 0 <= difference.p <= 1
    assert (mirrored.value, mirrored.low, mirrored.high, mirrored.p) == pytest.approx(
        (-difference.value, -difference.high, -difference.low, difference.p)
    )
    order, turn = rng.permutation(items), rng.permutation(seeds)
    again = difference_of_runs(before[turn][:, order], after[turn][:, order], images[order])
    assert (again.value, again.low, again.high) == pytest.approx((difference.value, difference.low, difference.high))
    balanced = difference_of_runs(before, after, images, answers)
    means = [balanced_accuracy(a, answers) - balanced_accuracy(b, answers) for a, b in zip(after, before)]
    assert balanced.value == pytest.approx(np.mean(means))
    assert balanced.low <= balanced.value <= balanced.high


def test_nothing_changed_is_no_interval_of_width_zero():
    scores = np.ones((3, 40))
    difference = difference_of_runs(scores, scores, np.arange(40))
    assert (difference.value, difference.p) == (0.0, 1.0)
    assert difference.low < -0.01 and difference.high > 0.01


def test_an_arm_of_one_run_is_held_against_each_seed():
    rng = np.random.default_rng(3)
    before, after, images = drawn(rng, 3, 60, 2, 0.02, 0.1)
    single = difference_of_runs(before[:1], after, images)
    assert single.value == pytest.approx((after - before[0]).mean())
    assert single == difference_of_runs(np.repeat(before[:1], 3, axis=0), after, images)


def test_seeds_that_differ_widen_the_interval():
    rng = np.random.default_rng(5)
    before, after, images = drawn(rng, 3, 300, 2, 0.0, 0.1)
    calm = difference_of_runs(before, after, images)
    after[0, : len(images) // 4] = 1 - after[0, : len(images) // 4] * 0  # one seed gets a quarter of the items right, whatever it was
    loose = difference_of_runs(before, after, images)
    assert loose.high - loose.low > 1.5 * (calm.high - calm.low)


@pytest.mark.parametrize(
    ("before", "after"), [(np.ones((2, 3)), np.ones((3, 3))), (np.ones((2, 3)), np.ones((2, 4))), (np.ones((1, 0)), np.ones((1, 0)))]
)
def test_scores_that_do_not_fit_are_refused(before, after):
    with pytest.raises(ValueError, match="the same items are needed, and the same seeds or one run"):
        difference_of_runs(before, after, np.arange(before.shape[1]))


def test_the_mixed_model_of_statsmodels_agrees():
    """REML on the same crossed random effects: the variance of the mean that it finds is ours, where there are seeds enough to tell."""
    import pandas as pd
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(11)
    seeds, images, each = 12, 40, 2
    members = np.repeat(np.arange(images), each)
    d = 0.1 + rng.normal(0, 0.1, (seeds, 1)) + rng.normal(0, 0.2, images)[members] + rng.normal(0, 0.15, (seeds, images * each))
    frame = pd.DataFrame({"d": d.ravel(), "seed": np.repeat(np.arange(seeds), images * each), "image": np.tile(members, seeds), "all": 1})
    model = smf.mixedlm("d ~ 1", frame, groups="all", vc_formula={"seed": "0 + C(seed)", "image": "0 + C(image)"}).fit()
    ours = difference_of_runs(np.zeros_like(d), d, members)
    assert model.fe_params["Intercept"] == pytest.approx(ours.value, abs=1e-6)
    normal = 2 * 1.96 * float(model.bse["Intercept"])
    assert 1.0 < (ours.high - ours.low) / normal < 1.25  # ours knows that twelve seeds are few


@pytest.mark.parametrize("spread_of_seeds", [0.0, 0.01, 0.02, 0.05])
def test_intervals_hold_the_truth_as_often_as_they_say(spread_of_seeds):
    rng = np.random.default_rng(17)
    far = rng.normal(0, 0.1, 400_000)
    truth = float((np.clip(0.75 + far + rng.normal(0, spread_of_seeds, far.size), 0, 1) - np.clip(0.7 - far / 2, 0, 1)).mean())
    rounds = 400
    held = 0
    for _ in range(rounds):
        difference = difference_of_runs(*drawn(rng, 3, 200, 2, spread_of_seeds, 0.1))
        held += difference.low <= truth <= difference.high
    assert held / rounds > 0.93


def test_a_bootstrap_of_three_seeds_holds_the_truth_less_often():
    """Why there is no bootstrap over images and seeds: where three seeds differ more than the images make them, it is too narrow."""
    rng = np.random.default_rng(23)
    rounds, images = 150, 100
    held = np.zeros(2)
    for _ in range(rounds):
        gains = 0.05 + rng.normal(0, 0.1, (3, 1)) + rng.normal(0, 0.1, images) + rng.normal(0, 0.1, (3, images))
        difference = difference_of_runs(np.zeros_like(gains), gains, np.arange(images))
        drawn_seeds, drawn_images = (rng.multinomial(n, np.full(n, 1 / n), 300) / n for n in gains.shape)
        low, high = np.quantile(((drawn_seeds @ gains) * drawn_images).sum(1), (0.025, 0.975))
        held += [difference.low <= 0.05 <= difference.high, low <= 0.05 <= high]
    assert held[0] / rounds > 0.91
    assert held[1] / rounds < 0.88


def test_ten_arms_of_three_seeds_on_three_thousand_items_take_seconds():
    rng = np.random.default_rng(1)
    before, after, images = drawn(rng, 3, 2000, 1, 0.01, 0.1)
    began = time.process_time()
    for _ in range(20):
        difference_of_runs(before, after, images, rng.integers(0, 20, len(images)))
    assert time.process_time() - began < 2
