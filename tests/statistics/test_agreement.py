"""Kappa and its error against published worked examples; the interval by simulation; what few or equal ratings give."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.statistics import agreement
from curation.statistics.agreement import kappa, standard_error

COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]  # Cohen 1960, table 2: 200 patients
FLEISS = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]  # Fleiss, Levin & Paik 2003, table 18.1: 100 diagnoses


def ratings(table: list[list[int]]) -> tuple[list[int], list[int]]:
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def test_cohens_example():
    found = kappa(*ratings(COHEN))
    assert (found.agreed, found.pairs) == (140, 200)
    assert found.value == pytest.approx(0.492, abs=5e-4)


def test_fleiss_example_with_its_standard_error():
    found = kappa(*ratings(FLEISS))
    assert found.value == pytest.approx(0.68, abs=5e-3)
    error = standard_error(np.array(FLEISS) / 100, 100)
    assert error == pytest.approx(0.087, abs=1e-3)
    assert found.low <= found.value - 1.959 * error < found.value + 1.959 * error <= found.high


def test_the_interval_holds_the_truth_in_95_of_100():
    rng = np.random.default_rng(1)
    table = np.array(COHEN) / 200
    truth, hits = kappa(*ratings(COHEN)).value, 0
    for _ in range(400):
        drawn = rng.choice(9, 40, p=table.ravel())
        found = kappa((drawn // 3).tolist(), (drawn % 3).tolist())
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 400 <= 0.99


def test_where_all_agree_the_interval_still_has_a_width():
    found = kappa(["a", "b"] * 5, ["a", "b"] * 5)
    assert (found.value, found.high) == (1.0, 1.0) and 0.3 < found.low < 0.8


@pytest.mark.parametrize("same", [[], ["a"], ["a"] * 9])
def test_one_single_type_tells_nothing(same):
    found = kappa(same, same)
    assert (found.value, found.low, found.agreed, found.pairs) == (None, None, len(same), len(same))


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="2 and 1 ratings"):
        kappa(["a", "b"], ["a"])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=40))
def test_value_and_limits_for_any_ratings(pairs):
    found = kappa([a for a, _ in pairs], [b for _, b in pairs])
    if found.value is not None:
        assert -1 <= found.low <= found.value <= found.high <= 1
        swapped = kappa([b for _, b in pairs], [a for a, _ in pairs])
        assert swapped.value == pytest.approx(found.value) and swapped.low == pytest.approx(found.low)


def test_the_docstrings_example():
    assert doctest.testmod(agreement).failed == 0
