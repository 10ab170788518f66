"""The nearest training samples, against a search by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.results import nearest as module
from curation.results.nearest import nearest


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12))
def test_as_a_search_by_hand(seed, n, m):
    rng = np.random.default_rng(seed)
    examples = rng.normal(size=(n, 6)) + 3, rng.normal(size=(n, 4)) - 2
    samples = rng.normal(size=(m, 6)) + 3, rng.normal(size=(m, 4)) - 2
    neighbours = nearest(examples, samples)
    assert neighbours.places.shape == (n, min(5, m))
    for i in range(n):
        cosines = []
        for own, theirs in zip(examples, samples):
            middle = theirs.mean(axis=0) if m > 1 else 0
            a, b = own[i] - middle, theirs - middle
            cosines.append(b @ a / np.linalg.norm(a) / np.linalg.norm(b, axis=1))
        score = np.mean(cosines, axis=0)
        assert np.allclose(neighbours.score[i], np.sort(score)[::-1][: min(5, m)], atol=1e-5)
        assert np.allclose(score[neighbours.places[i]], neighbours.score[i], atol=1e-5)
        assert np.allclose((neighbours.text[i] + neighbours.image[i]) / 2, neighbours.score[i], atol=1e-6)


def test_portions_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    examples, samples = (rng.normal(size=(50, 5)), rng.normal(size=(50, 3))), (rng.normal(size=(9, 5)), rng.normal(size=(9, 3)))
    whole = nearest(examples, samples)
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    assert (nearest(examples, samples).places == whole.places).all()


def test_a_sample_like_all_others_is_like_nothing():
    same = np.ones((4, 3))
    neighbours = nearest((same, same), (same, same))
    assert (neighbours.score == 0).all() and np.isfinite(neighbours.text).all()
