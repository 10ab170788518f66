"""Any model that transformers loads as image-text-to-text: Qwen-VL, Idefics3, SmolVLM, Gemma-3, InternVL and so on."""

from models.baselines._options import TransformersOptions
from models.baselines._transformers import TransformersBaseline


class ImageTextToText(TransformersBaseline):
    """Some families need packages of the extra `families` (torchvision, say); the error names it."""

    class Options(TransformersOptions):
        pass
