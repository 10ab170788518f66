"""The bound for any number of looks: its evidence against numerical integration, its promise by simulation, its inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from curation.statistics.intervals import wilson
from curation.statistics.sequential import ALPHA, alpha_of, log_evidence, lower_bound, reaches, successes_needed, trials_needed

shares = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.3, 0.98))
def test_the_evidence_is_the_mean_likelihood_ratio(share, p):
    k, n = share
    mean, _ = integrate.quad(lambda theta: (theta / p) ** k * ((1 - theta) / (1 - p)) ** (n - k), p, 1, limit=200)
    assert float(log_evidence(k, n, p)) == pytest.approx(np.log(mean / (1 - p)), abs=1e-6)


def test_levels_add_up_to_the_promise_however_many_rules():
    assert sum(alpha_of(rank) for rank in range(1, 100_000)) <= ALPHA
    assert sum(alpha_of(rank) for rank in range(1, 100_000)) == pytest.approx(ALPHA, rel=1e-4)


@given(shares, st.integers(1, 20))
def test_the_lower_bound_is_where_the_evidence_ends(share, rank):
    k, n = share
    low = lower_bound(k, n, alpha_of(rank))
    assert 0 <= low <= k / n and low <= wilson(k, n)[0] + 1e-9  # never above that for one look
    if low > 1e-6:
        assert reaches(k, n, low - 1e-9, alpha_of(rank)) and not reaches(k, n, min(low + 1e-6, k / n), alpha_of(rank))


@given(st.integers(1, 400), st.sampled_from([0.8, 0.9, 0.95]), st.integers(1, 5))
def test_the_successes_needed_just_do(n, target, rank):
    needed = successes_needed(n, target, alpha_of(rank))
    if needed == float("inf"):
        assert not reaches(n, n, target, alpha_of(rank))
        return
    assert reaches(needed, n, target, alpha_of(rank)) and not reaches(needed - 0.01, n, target, alpha_of(rank))


@given(shares, st.sampled_from([0.7, 0.9, 0.95]))
def test_so_many_further_trials_just_do(share, target):
    k, n = share
    more = trials_needed(k / n, n, target, alpha_of(1))
    if more is None:
        assert k / n <= target
        return
    assert reaches(k / n * (n + more), n + more, target, alpha_of(1))
    assert more == 0 or not reaches(k / n * (n + more - 1), n + more - 1, target, alpha_of(1))


def test_known_cases():
    assert trials_needed(1.0, 0, 0.95, alpha_of(1)) == 121 and trials_needed(1.0, 0, 0.95, ALPHA) == 105
    assert trials_needed(0.95, 100, 0.95, alpha_of(1)) is None
    assert lower_bound(0, 10, ALPHA) == 0 and not reaches(0, 0, 0.5, ALPHA)


@pytest.mark.parametrize("precision", [0.9, 0.95])
def test_looking_after_every_label_breaks_no_promise(precision):
    """Three thousand filters at or below the target; Wilson's limit would let several times as many through as it says."""
    rng = np.random.default_rng(7)
    looks = np.arange(1, 801)
    approved = np.cumsum(rng.random((3000, 800)) < precision, axis=1)
    ever = reaches(approved, looks[None, :], 0.95, alpha_of(1)).any(axis=1).mean()
    assert ever <= alpha_of(1)
    if precision == 0.95:
        share = approved / looks
        wilson_ever = ((share > 0.95) & ((share - 0.95) ** 2 * looks >= 1.96**2 * 0.95 * 0.05)).any(axis=1).mean()
        assert wilson_ever > 3 * ALPHA
