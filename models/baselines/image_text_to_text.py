"""Any other model that transformers loads as image-text-to-text: Qwen-VL, Idefics3, SmolVLM, InternVL and so on."""

from models.baselines._transformers import TransformersBaseline, TransformersOptions


class ImageTextToText(TransformersBaseline):
    """Some processors need packages of their own (torchvision, say); their error is shown as it is."""

    class Options(TransformersOptions):
        pass

    def lora_targets(self) -> str:
        return r".*(language_model|text_model|layers).*\.(q|k|v|o|gate|up|down)_proj"
