"""Embeddings that are kept: computed once, the same after a restart and after a crash in the middle of a write."""

import json

import numpy as np
import pytest

from curation.clusters.embedding_cache import EmbeddingCache, weights_of
from curation.clusters.mapping import check_embedders
from curation.clusters.stored_space import FOLDER, StoredSpace
from data.workspace import Workspace


class Embedder:
    """A vector of length 1 from each text; counts what it was asked."""

    def __init__(self, items):
        self.items, self.asked = items, []

    def __call__(self, rows):
        self.asked += [self.items[i] for i in rows]
        return np.stack([self.vector(self.items[i]) for i in rows])

    @staticmethod
    def vector(item: str) -> np.ndarray:
        row = np.random.default_rng(abs(hash(item)) % 2**32).normal(size=6).astype(np.float32)
        return row / np.linalg.norm(row)


def ask(vectors: EmbeddingCache, items: list[str]) -> list[str]:
    """Checks the vectors of the items; what had to be embedded for them."""
    embedder = Embedder(items)
    rows = vectors.of(items, embedder)
    assert rows.dtype == np.float32 and np.allclose(rows, [Embedder.vector(item) for item in items], atol=1e-3)
    return embedder.asked


def test_each_item_is_embedded_once_and_kept(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    items = [f"question {i % 40}" for i in range(100)]
    assert sorted(ask(EmbeddingCache(workspace, "texts", "a"), items)) == sorted(set(items))
    again = EmbeddingCache(workspace, "texts", "a")
    assert ask(again, items[::-1]) == []
    assert ask(again, ["new", *items]) == ["new"]
    assert len(ask(EmbeddingCache(workspace, "texts", "other weights"), items)) == 40


def test_a_torn_end_is_embedded_again(tmp_path):
    vectors = EmbeddingCache(Workspace(tmp_path / "w").create(), "texts", "a")
    ask(vectors, [f"q{i}" for i in range(10)])
    with vectors._values_path.open("r+b") as file:
        file.truncate(9 * 12 + 5)  # the last vector of six float16 is torn, its key is whole
    assert len(ask(vectors, [f"q{i}" for i in range(12)])) == 3
    with vectors._keys_path.open("ab") as file:
        file.write(b"123")
    assert ask(vectors, [f"q{i}" for i in range(12)]) == []
    assert len(ask(vectors, [f"r{i}" for i in range(3)])) == 3
    assert ask(vectors, [f"q{i}" for i in range(12)] + ["r1"]) == []


def test_nothing_asked_nothing_done(tmp_path):
    vectors = EmbeddingCache(Workspace(tmp_path / "w").create(), "texts", "a")
    assert vectors.of([], lambda rows: 1 / 0).shape[0] == 0


def test_other_weights_are_told_by_their_bytes_not_their_times(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"a" * 3_000_000)
    first = weights_of(tmp_path)
    file.write_bytes(b"a" * 3_000_000)
    assert weights_of(tmp_path) == first != ""
    file.write_bytes(b"a" * 2_999_999 + b"b")
    assert weights_of(tmp_path) != first and weights_of(tmp_path / "nowhere") == ""


def test_vectors_of_other_weights_are_not_compared(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "embedders.json").write_text(json.dumps(["minilm-1", "vision_tower-1"]))
    space = StoredSpace((tmp_path / FOLDER,))
    check_embedders(space, ["minilm-1", "vision_tower-1"])
    with pytest.raises(ValueError, match="vision_tower-1, the weights now are minilm-1, vision_tower-2: recompute the map"):
        check_embedders(space, ["minilm-1", "vision_tower-2"])
