"""Image vectors by a baseline's own vision tower: what the model that fails can see of a picture."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field

from data.registry import BASELINES


class VisionTower:
    """Embeds pictures by the mean of the patch features of a baseline's vision tower."""

    kind = "image"

    class Options(BaseModel):
        baseline: str = Field("llava", description="Plugin of models/baselines whose tower is used")
        model: str = Field("pocket-llava", description="Its weights: a built-in model's name, a folder or a hub name")
        device: str = Field("auto", description='Where it runs: "auto", "cpu", "cuda", "cuda:1", ...')
        batch_size: int = Field(64, ge=1, description="Pictures embedded at once")

    def __init__(self, options: Options):
        self.options = options

    @cached_property
    def _baseline(self):
        wanted = {"model": self.options.model, "device": self.options.device, "batch_size": self.options.batch_size}
        return BASELINES.make(self.options.baseline, wanted)

    def embed(self, items: Sequence[str | Path]) -> np.ndarray:
        """Vectors (n, d) of the pictures at these paths, float32, of length 1; a path that comes several times is computed once."""
        distinct = {str(path): i for i, path in enumerate(dict.fromkeys(map(str, items)))}
        vectors = self._baseline.embed_images(list(distinct))
        return vectors[[distinct[str(path)] for path in items]]
