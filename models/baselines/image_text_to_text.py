"""Any other model that transformers loads as image-text-to-text: Qwen-VL, Idefics3, SmolVLM, InternVL and so on."""

from models.baselines._transformers import TransformersBaseline, TransformersOptions

# What the families call the layers between the vision tower and the language model
CONNECTORS = r"multi_modal_projector\.linear(_[12])?|connector\.modality_projection\.proj|visual\.merger\.(mlp\.[02]|linear_fc[12])"


class ImageTextToText(TransformersBaseline):
    """Some processors need packages of their own (torchvision, say); their error is shown as it is."""

    class Options(TransformersOptions):
        pass

    def lora_targets(self) -> str:
        """As for LLaVA. Vision towers have q_proj and even gate_proj too: the language model is named, not only the layer."""
        return rf".*((language_model|text_model)\.layers\.\d+\..*\.(q|k|v|o|gate|up|down)_proj|{CONNECTORS})"
