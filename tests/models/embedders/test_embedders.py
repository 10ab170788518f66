"""Text and image vectors, and what they put near each other."""

import numpy as np
import pytest
from PIL import Image

import tests.support.tiny_llava as tiny_llava
from data.registry import EMBEDDERS


@pytest.fixture(scope="module")
def minilm():
    return EMBEDDERS.make("minilm", {"device": "cpu"})


def test_texts_of_like_meaning_are_near(minilm):
    texts = ["How many circles are there?", "Count the circles.", "Which bar is the tallest?", "How many circles are there?"]
    vectors = minilm.embed(texts)
    assert vectors.shape == (4, 384) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.7 > 0.4 > alike[0, 2]
    assert np.array_equal(vectors[0], vectors[3])


def test_a_text_has_the_same_vector_in_any_company(minilm):
    alone = minilm.embed(["Is there no red square?"])
    among = minilm.embed(["a", "Is there no red square?", "a much longer text " * 30])
    assert np.allclose(alone[0], among[1], atol=1e-5)


def test_half_precision_puts_texts_nearly_where_full_precision_does(minilm):
    texts = [f"How many {shape}s are {where}?" for shape in ("circle", "square", "hexagon") for where in ("there", "left of the bar")]
    half, full = EMBEDDERS.make("minilm", {"device": "cpu", "half": True}).embed(texts), minilm.embed(texts)
    assert half.dtype == np.float32 and np.linalg.norm(half, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(half @ half.T - full @ full.T).max() < 0.01
    assert np.sum(half * full, axis=1).min() > 0.999


def test_nothing_gives_no_vectors(minilm):
    assert minilm.embed([]).shape == (0, 384)


def test_pictures_by_the_baselines_tower(tmp_path):
    tower = EMBEDDERS.make("vision_tower", {"model": str(tiny_llava.build(tmp_path / "base")), "device": "cpu", "batch_size": 2})
    paths = []
    for name, colour in (("red", (220, 40, 40)), ("other-red", (215, 45, 40)), ("blue", (40, 60, 220))):
        paths.append(tmp_path / f"{name}.png")
        Image.new("RGB", (40, 40), colour).save(paths[-1])
    vectors = tower.embed([*paths, paths[0]])
    assert vectors.shape == (4, 32) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert np.array_equal(vectors[0], vectors[3])
