"""What every baseline of transformers shares: loading, asking in batches, embedding pictures, and being finetuned."""

import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from data.images import BadImage, load
from data.records import Ask
from models import pocket


class TransformersOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="Folder or hub name of the weights, or pocket-llava, the built-in model.")
    adapter: str | None = Field(default=None, description="Folder of LoRA weights on top of them.")
    device: str = Field(default="auto", description='Where it runs: "auto", "cpu", "cuda", "cuda:1", ...')
    dtype: str = Field(default="auto", description="float32, bfloat16 or float16; auto: bfloat16 on a GPU, float32 on a CPU.")
    batch_size: int = Field(default=64, ge=1, description="Questions asked at once.")
    max_new_tokens: int = Field(default=16, ge=1, description="Longest answer, in tokens.")
    temperature: float = Field(default=0.0, ge=0, description="Sampling temperature; 0: the likeliest answer, always the same.")


class TransformersBaseline:
    """An `AutoModelForImageTextToText` with a chat template. Weights are loaded when first needed."""

    def __init__(self, options: TransformersOptions):
        self.options = options

    def warm_up(self) -> None:
        """Loads the weights now, so that what is wrong with them shows before the first row."""
        _ = self._loaded

    def answer(self, asks: Sequence[Ask]) -> list[str | Exception]:
        """Answers, one a row, greedy unless there is a temperature; a row whose picture can't be read gets the exception instead.

        Sampled too, the same rows get the same answers.
        """
        found: list[str | Exception] = [""] * len(asks)
        readable: list[tuple[int, Image.Image]] = []
        for i, ask in enumerate(asks):
            try:
                readable.append((i, open_image(_path(ask))))
            except (BadImage, OSError) as error:
                found[i] = error
        if self.options.temperature:  # once, not for each batch: a question asked k times may be all that two batches hold
            import torch

            torch.manual_seed(zlib.crc32("\n".join(ask.text for ask in asks).encode()))
        for start in range(0, len(readable), self.options.batch_size):
            batch = readable[start : start + self.options.batch_size]
            answers = self._generate([picture for _, picture in batch], [asks[i].text for i, _ in batch])
            for (i, _), text in zip(batch, answers):
                found[i] = text
        return found

    def embed_images(self, paths: Sequence[str | Path]) -> np.ndarray:
        """Vectors (n, d), float32, of length 1: the mean of the patch features of the model's own vision tower."""
        import torch

        model, processor = self._loaded
        vectors = []
        for start in range(0, len(paths), self.options.batch_size):
            pictures = [open_image(path) for path in paths[start : start + self.options.batch_size]]
            inputs = processor.image_processor(images=pictures, return_tensors="pt").to(model.device, model.dtype)
            with torch.inference_mode():
                vectors.append(self.patch_features(model, inputs).mean(dim=1).float().cpu().numpy())
        stacked = np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32)
        return stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)

    def patch_features(self, model, inputs):
        """Features (n, patches, d) of a batch of prepared pictures; families differ in how they are had."""
        features = model.get_image_features(**inputs)
        features = getattr(features, "pooler_output", features)
        if isinstance(features, (list, tuple)):
            import torch

            return torch.stack([each.mean(dim=0, keepdim=True) for each in features])
        return features

    def load(self):
        """Model (with its adapter, if any) and processor, on the device, in evaluation mode: for finetuning."""
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        device = self.options.device if self.options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        wanted = self.options.dtype if self.options.dtype != "auto" else "float32" if device == "cpu" else "bfloat16"
        source = resolve(self.options.model)
        processor = AutoProcessor.from_pretrained(source)
        model = AutoModelForImageTextToText.from_pretrained(source, dtype=getattr(torch, wanted)).to(device)
        if self.options.adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, self.options.adapter).merge_and_unload()
        return model.eval(), processor

    def lora_targets(self) -> str:
        """Regular expression of the layers that get a LoRA: all linear ones of the language model, and the projector."""
        return r".*(language_model.*\.(q|k|v|o|gate|up|down)_proj|multi_modal_projector\.linear_[12])"

    @cached_property
    def _loaded(self):
        return self.load()

    def _generate(self, pictures: list[Image.Image], texts: list[str]) -> list[str]:
        import torch

        model, processor = self._loaded
        prompts = [chat_text(processor, text) for text in texts]
        inputs = processor(images=pictures, text=prompts, return_tensors="pt", padding=True, padding_side="left").to(model.device)
        inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
        sampling = {"do_sample": True, "temperature": self.options.temperature} if self.options.temperature else {"do_sample": False}
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=self.options.max_new_tokens, **sampling)
        answers = processor.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return [answer.strip() for answer in answers]


def resolve(model: str) -> str:
    """Where the weights are: the folder of a built-in model, else the name as given."""
    return str(pocket.folder(model)) if model in pocket.FOLDERS else model


def chat_text(processor, text: str, answer: str | None = None) -> str:
    """The prompt as the model's chat template has it: one picture and the text; with an answer, the whole exchange."""
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
    if answer is not None:
        messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    return processor.apply_chat_template(messages, add_generation_prompt=answer is None)


def _path(ask: Ask) -> str:
    if ask.image_path is None:
        raise BadImage("the example has no image, and this model needs one; import its dataset again")
    return ask.image_path


def open_image(path: str | Path) -> Image.Image:
    """A picture as every baseline sees it, RGB. Raises BadImage or OSError."""
    return load(Path(path))
