"""LLaVA-1.5 and its kin: pocket-llava and llava-hf/llava-1.5-7b-hf go through the very same code."""

from typing import Any

from models.baselines._options import TransformersOptions
from models.baselines._transformers import TransformersBaseline


class Llava(TransformersBaseline):
    class Options(TransformersOptions):
        pass

    def patches(self, model: Any, output: Any) -> Any:
        """What the vision tower sees, without the class token where the model leaves it out too."""
        patches = super().patches(model, output)
        return patches[:, 1:] if getattr(model.config, "vision_feature_select_strategy", None) == "default" else patches
