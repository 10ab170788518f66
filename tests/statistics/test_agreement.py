"""Kappa and alpha against published worked examples and other people's code; intervals by simulation; what few or equal ratings give."""

import doctest
import warnings
from collections import Counter

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from curation.statistics import agreement
from curation.statistics.agreement import alpha, alpha_interval, kappa, kappa_of_table, standard_error

COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]  # Cohen 1960, table 2: 200 patients
FLEISS = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]  # Fleiss, Levin & Paik 2003, table 18.1: 100 diagnoses


def ratings(table: list[list[int]]) -> tuple[list[int], list[int]]:
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def units_of(matrix):
    """Counts of each value a unit, from reliability data: a row a coder, a column a unit, None where a value is missing."""
    values = sorted({value for row in matrix for value in row if value is not None}, key=str)
    return np.array([[sum(row[unit] == value for row in matrix) for value in values] for unit in range(len(matrix[0]))])


def test_cohens_example():
    result = kappa(*ratings(COHEN))
    assert (result.agreed, result.pairs) == (140, 200)
    assert result.value == pytest.approx(0.492, abs=5e-4)


def test_fleiss_example_with_its_standard_error():
    result = kappa(*ratings(FLEISS))
    assert result.value == pytest.approx(0.68, abs=5e-3)
    error = standard_error(np.array(FLEISS) / 100, 100)
    assert error == pytest.approx(0.087, abs=1e-3)
    assert result.low <= result.value - 1.959 * error < result.value + 1.959 * error <= result.high


def test_the_interval_holds_the_truth_in_95_of_100():
    rng = np.random.default_rng(1)
    table = np.array(COHEN) / 200
    truth, hits = kappa(*ratings(COHEN)).value, 0
    for _ in range(400):
        drawn = rng.choice(9, 40, p=table.ravel())
        result = kappa((drawn // 3).tolist(), (drawn % 3).tolist())
        hits += result.low <= truth <= result.high
    assert 0.92 <= hits / 400 <= 0.99


def test_where_all_agree_the_interval_still_has_a_width():
    result = kappa(["a", "b"] * 5, ["a", "b"] * 5)
    assert (result.value, result.high) == (1.0, 1.0) and 0.3 < result.low < 0.8


@pytest.mark.parametrize("same", [[], ["a"], ["a"] * 9])
def test_one_single_type_tells_nothing(same):
    result = kappa(same, same)
    assert (result.value, result.low, result.agreed, result.pairs) == (None, None, len(same), len(same))


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="2 and 1 ratings"):
        kappa(["a", "b"], ["a"])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=40))
def test_value_and_limits_for_any_ratings(pairs):
    result = kappa([a for a, _ in pairs], [b for _, b in pairs])
    if result.value is not None:
        assert -1 <= result.low <= result.value <= result.high <= 1
        swapped = kappa([b for _, b in pairs], [a for a, _ in pairs])
        assert swapped.value == pytest.approx(result.value) and swapped.low == pytest.approx(result.low)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 5).flatmap(lambda k: st.lists(st.lists(st.integers(0, 60), min_size=k, max_size=k), min_size=k, max_size=k)))
def test_kappa_and_its_error_are_those_of_statsmodels(cells):
    table = np.array(cells)
    value = kappa_of_table(table)
    if value.value is None:
        return
    with warnings.catch_warnings():  # of divisions by zero in the tests that come along
        warnings.simplefilter("ignore")
        theirs = cohens_kappa(table)
    assert value.value == pytest.approx(theirs.kappa, abs=1e-9)
    assert standard_error(table / table.sum(), int(table.sum())) == pytest.approx(theirs.std_kappa, abs=1e-9)


# Krippendorff's alpha

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: four observers, twelve units, nominal: alpha = .743
PUBLISHED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def test_alpha_is_that_of_the_published_example():
    counts = units_of(PUBLISHED)
    assert alpha(counts) == pytest.approx(0.743, abs=5e-4)
    low, high = alpha_interval(counts, np.ones(12))
    assert 0 < low < 0.743 < high <= 1


def test_alpha_of_two_observers_is_that_of_the_published_binary_example():
    """Example A of the same text: two observers, ten units, alpha = .095."""
    first, second = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    assert alpha(units_of((first, second))) == pytest.approx(0.095, abs=5e-4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=8))
def test_weights_are_repetitions_and_the_formula_is_the_definition(patterns):
    counts = np.array([row[:2] for row in patterns])
    weights = np.array([row[2] for row in patterns])
    spread = np.repeat(counts, weights, axis=0)
    values = [[0] * no + [1] * yes for yes, no in spread.tolist()]
    pairs = [
        (a, b, 1 / (len(unit) - 1)) for unit in values if len(unit) > 1 for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j
    ]
    totals = Counter()
    for a, _, weight in pairs:
        totals[a] += weight
    n = sum(totals.values())
    expected = sum(totals[a] * totals[b] for a in totals for b in totals if a != b)
    result = alpha(counts, weights)
    if expected == 0:
        assert np.isnan(result)
    else:
        observed = sum(weight for a, b, weight in pairs if a != b)
        assert result == pytest.approx(1 - (n - 1) * observed / expected)
        assert result == pytest.approx(alpha(spread))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=30))
def test_alpha_is_that_of_the_package_krippendorff(cells):
    counts = np.array(cells)
    if ((counts.sum(axis=1) >= 2) @ counts > 0).sum() < 2:
        assert np.isnan(alpha(counts))
    else:
        assert alpha(counts) == pytest.approx(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"), abs=1e-9)


def test_the_docstrings_examples():
    assert doctest.testmod(agreement).failed == 0
