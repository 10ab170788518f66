"""LLaVA-1.5 and its kin: pocket-llava and llava-hf/llava-1.5-7b-hf go through the very same code."""

from models.baselines._transformers import TransformersBaseline, TransformersOptions


class Llava(TransformersBaseline):
    class Options(TransformersOptions):
        pass

    def patch_features(self, model, inputs):
        """What the vision tower sees, before the projector (which a finetune changes); without the class token."""
        return model.model.vision_tower(pixel_values=inputs["pixel_values"]).last_hidden_state[:, 1:]
