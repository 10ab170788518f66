"""Calibration curves against a count by hand."""

import numpy as np
import pytest

from curation.calibration.curves import Tally, approval_by_score, rates_by_threshold
from curation.statistics.intervals import wilson


def tally(comparison: str, threshold: float, cuts: list[float], rng: np.random.Generator) -> Tally:
    codes = len(cuts) + 1
    approved, rejected = rng.integers(0, 30, codes), rng.integers(0, 9, codes)
    scored = approved + rejected + rng.integers(0, 50, codes)
    return Tally(comparison, threshold, cuts, scored.tolist(), approved.tolist(), rejected.tolist())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("comparison", ["at_least", "at_most"])
def test_precision_and_miss_rate_are_what_a_count_by_hand_says(comparison, seed):
    rng = np.random.default_rng(seed)
    cuts = sorted(rng.choice(100, 12, replace=False) / 100, reverse=comparison == "at_most")
    counts = tally(comparison, cuts[4], cuts, rng)
    points = rates_by_threshold(counts)
    assert [point.threshold for point in points] == cuts
    for position, point in enumerate(points, 1):
        good, bad = sum(counts.approved[position:]), sum(counts.rejected[position:])
        missed = sum(counts.approved[:position])
        assert point.precision is not None and point.miss_rate is not None
        assert (point.precision.value, point.precision.low, point.precision.high) == (good / (good + bad), *wilson(good, good + bad))
        assert point.miss_rate.value == missed / sum(counts.approved)


@pytest.mark.parametrize("comparison", ["at_least", "at_most"])
def test_bins_hold_every_sample_once_and_never_lie_on_both_sides_of_the_threshold(comparison):
    rng = np.random.default_rng(3)
    cuts = [i / 50 for i in range(50)] if comparison == "at_least" else [1 - i / 50 for i in range(50)]
    counts = tally(comparison, 0.5, cuts, rng)
    bins = approval_by_score(counts)
    assert 4 <= len(bins) <= 20
    assert sum(part.scored for part in bins) == sum(counts.scored)
    assert sum(part.labels for part in bins) == sum(counts.approved) + sum(counts.rejected)
    assert sum(part.scored for part in bins if part.passes) == sum(count for code, count in enumerate(counts.scored) if counts.passes(code))
    passes = [part.passes for part in bins]
    assert passes == sorted(passes, reverse=comparison == "at_most")  # ascending by score
    for part in bins:
        assert part.approval is None or part.approval.value == part.approved / part.labels


def test_few_levels_stay_as_they_are_and_what_no_label_tells_is_left_open():
    counts = Tally("at_least", 3, [1, 2, 3], [0, 5, 6, 40], [0, 0, 2, 20], [0, 0, 1, 0])
    assert [(part.name, part.scored, part.passes) for part in approval_by_score(counts)] == [
        ("1", 5, False),
        ("2", 6, False),
        ("3", 40, True),
    ]
    assert approval_by_score(counts)[0].approval is None
    nothing = Tally("at_most", 0.5, [1.0, 0.5], [0, 3, 4], [0, 0, 0], [0, 2, 0])
    assert [point.miss_rate for point in rates_by_threshold(nothing)] == [None, None]
    assert rates_by_threshold(nothing)[1].precision is None


def test_a_long_row_of_thresholds_is_thinned_evenly():
    cuts = [i / 250 for i in range(250)]
    points = rates_by_threshold(tally("at_least", 0.5, cuts, np.random.default_rng(1)))
    assert len(points) == 60 and (points[0].threshold, points[-1].threshold) == (cuts[0], cuts[-1])
