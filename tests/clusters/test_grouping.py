"""Clusters within error types, the map, and the nearest centre."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.clusters import stability as cluster_stability
from curation.clusters.grouping import Principal, Space, centres_of, group, nearest_centre
from curation.clusters.layout import Known, beside, layout
from curation.clusters.stability import stability


def cloud(rng: np.random.Generator, centre: np.ndarray, count: int, spread: float = 0.5) -> np.ndarray:
    points = centre + spread * rng.normal(size=(count, len(centre))) / np.sqrt(len(centre))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def failures():
    """Counting is one cloud of 120; negation is two, of 80 and 60, which differ in text and picture."""
    rng = np.random.default_rng(3)
    text, image = np.linalg.qr(rng.normal(size=(48, 48)))[0], np.linalg.qr(rng.normal(size=(32, 32)))[0]
    sizes = (120, 80, 60)
    types = ["counting"] * 120 + ["negation"] * 140
    texts = np.vstack([cloud(rng, text[i], n) for i, n in enumerate(sizes)])
    images = np.vstack([cloud(rng, image[i], n) for i, n in enumerate(sizes)])
    return types, texts, images, np.repeat([0, 1, 2], sizes)


def test_splits_only_where_parts_are_apart(failures):
    types, texts, images, truth = failures
    assert group(types, texts, images, min_size=20, seed=0).tolist() == truth.tolist()


def test_a_part_below_min_size_is_not_made(failures):
    types, texts, images, _ = failures
    assert len(set(group(types, texts, images, min_size=70, seed=0))) == 2  # negation stays whole: 60 < 70


def test_weights_choose_what_counts(failures):
    types, texts, images, truth = failures
    alike = np.random.default_rng(0).normal(size=texts.shape).astype(np.float32)
    assert group(types, alike, images, weights=(0, 1)).tolist() == truth.tolist()
    assert len(set(group(types, alike, images, weights=(1, 0)))) == 2


def test_few_identical_or_no_failures():
    same = np.ones((5, 4), np.float32)
    assert group(["a"] * 5, same, same).tolist() == [0] * 5
    assert group([], same[:0], same[:0]).tolist() == []
    for count in range(6):
        places = layout(same[:count])
        assert places.shape == (count, 2) and places.dtype == np.float32 and np.isfinite(places).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=60), st.integers(1, 30), st.integers(0, 3))
def test_every_failure_has_a_cluster_of_its_own_type(types, min_size, seed):
    rng = np.random.default_rng(seed)
    texts, images = rng.normal(size=(len(types), 6)).astype(np.float32), rng.normal(size=(len(types), 3)).astype(np.float32)
    labels = group(types, texts, images, min_size=min_size, seed=seed)
    sizes = np.bincount(labels)
    assert sizes.min() > 0 and sizes.tolist() == sorted(sizes, reverse=True)
    for label in range(len(sizes)):
        members = {name for name, other in zip(types, labels) if other == label}
        assert len(members) == 1
        assert sizes[label] >= min_size or sizes[label] == types.count(members.pop())


def test_map_shows_islands_and_repeats(failures):
    _, texts, images, truth = failures
    vectors = Space.fit(texts, images).of(texts, images)
    places = layout(vectors, seed=1)
    assert places.shape == (260, 2) and places.min() >= 0 and places.max() <= 1
    assert np.array_equal(places, layout(vectors, seed=1))
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(260)
    assert (truth[distances.argmin(axis=1)] == truth).mean() > 0.98


def test_error_types_become_islands():
    rng = np.random.default_rng(5)
    vectors, types = rng.normal(size=(200, 12)), np.repeat(["a", "b"], 100)

    def same_type_share(places: np.ndarray) -> float:
        distances = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(200)
        return float((types[distances.argmin(axis=1)] == types).mean())

    assert same_type_share(layout(vectors, 0)) < 0.65 < 0.95 < same_type_share(layout(vectors, 0, types))


def test_map_of_1500_is_drawn_in_time():
    rng = np.random.default_rng(0)
    vectors = np.vstack([cloud(rng, rng.normal(size=128), 150) for _ in range(10)])
    started = time.process_time()
    layout(vectors)
    assert time.process_time() - started < 8  # seconds of one core


def test_space_lets_neither_block_outvote_the_other():
    rng = np.random.default_rng(0)
    narrow, wide = 1 + 0.001 * rng.normal(size=(500, 8)), rng.normal(size=(500, 16))
    points = Space.fit(narrow, wide, (1.0, 2.0)).of(narrow, wide)
    assert np.sum(points[:, :8].var(axis=0)) == pytest.approx(1, rel=1e-3)
    assert np.sum(points[:, 8:].var(axis=0)) == pytest.approx(2, rel=1e-3)


def test_nearest_centre_stays_within_the_type(failures):
    types, texts, images, truth = failures
    space = Space.fit(texts, images)
    vectors = space.of(texts, images)
    centres, owners = centres_of(vectors, truth), ["counting", "negation", "negation"]
    assert nearest_centre(centres, owners, vectors, types).tolist() == truth.tolist()
    rows = [0, 130, 210]  # one of each cluster
    assert nearest_centre(centres, owners, vectors[rows], [None] * 3).tolist() == [0, 1, 2]
    assert nearest_centre(centres, owners, vectors[rows], ["counting", "counting", "spatial"]).tolist() == [0, 0, -1]
    assert set(nearest_centre(centres, owners, vectors[:120], ["negation"] * 120)) <= {1, 2}
    assert nearest_centre(centres[:0], [], vectors[rows], [None] * 3).tolist() == [-1] * 3


def test_principal_axes_keep_distances_where_there_are_few_and_the_most_where_there_are_many():
    rng = np.random.default_rng(0)
    few = rng.normal(size=(40, 12)).astype(np.float32)
    kept = Principal.fit(few).of(few)
    assert np.allclose(np.linalg.norm(few[:, None] - few, axis=2), np.linalg.norm(kept[:, None] - kept, axis=2), atol=1e-3)
    many = rng.normal(size=(20_000, 80)).astype(np.float32) * np.linspace(2, 0.1, 80).astype(np.float32)
    basis = Principal.fit(many)
    assert basis.of(many).shape == (20_000, 50)
    assert basis.of(many).var(axis=0).sum() > 0.9 * many.var(axis=0).sum()
    assert np.allclose(basis.of(many[:7]), basis.of(many)[:7], atol=1e-4)


def test_real_clusters_come_back_and_made_up_ones_do_not(failures):
    types, texts, images, truth = failures
    real = stability(types, truth, texts, images, min_size=20, resamples=8)
    assert real.mean.min() > 0.95 and real.dissolved.max() == 0
    made_up = truth.copy()
    made_up[80:120] = 3  # a third of the one cloud of counting, at random
    result = stability(types, made_up, texts, images, min_size=20, resamples=8)
    assert result.mean[3] < 0.5 < result.mean[1] and result.dissolved[3] == 1


def test_stability_looks_at_some_of_many_failures():
    rng = np.random.default_rng(1)
    count = 3 * cluster_stability.MOST
    truth = np.sort(rng.integers(0, 3, count))
    texts, images = (np.eye(3, 8)[truth] + 0.05 * rng.normal(size=(count, 8)) for _ in range(2))
    types = np.where(truth == 0, "a", "b")
    result = stability(types, truth, texts, images, min_size=200, resamples=2)
    assert result.mean.min() > 0.99


def test_a_stopped_job_measures_no_stability(failures):
    types, texts, images, truth = failures
    assert stability(types, truth, texts, images, should_stop=lambda: True) is None


def test_new_failures_lie_beside_their_like_and_the_old_ones_stay(failures):
    types, texts, images, truth = failures
    vectors = Space.fit(texts, images).of(texts, images)
    places = layout(vectors, seed=1)
    new = np.arange(0, 260, 7)
    old = np.setdiff1d(np.arange(260), new)
    known = Known(places[old], np.array(types, object)[old], truth[old] + 40)
    halves = [(np.arange(100), vectors[old][:100]), (np.arange(100, len(old)), vectors[old][100:])]
    nearest, labels = beside(known, halves, vectors[new], [types[i] for i in new])
    assert labels.tolist() == (truth[new] + 40).tolist()
    spread = np.linalg.norm(places.max(axis=0) - places.min(axis=0))
    assert np.linalg.norm(nearest - places[new], axis=1).mean() < 0.1 * spread
    exact, same = beside(known, halves, vectors[old[:5]], [types[i] for i in old[:5]])
    assert np.allclose(exact, places[old[:5]], atol=0.02) and same.tolist() == (truth[old[:5]] + 40).tolist()
    lonely, _ = beside(known, halves, vectors[new[:1]], ["a type that is new"])
    assert np.isfinite(lonely).all()
