"""Text-to-image pipelines of Hugging Face Diffusers: FLUX, Stable Diffusion, SDXL, SD3 and the built-in pocket-flux."""

import inspect
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from models import pocket
from models.image_generators import DrawError

# Steps and guidance where the pipeline's own defaults aren't its makers' advice (the FLUX.1-schnell and SDXL cards).
SCHNELL = {"num_inference_steps": 4, "guidance_scale": 0.0}
SDXL = {"num_inference_steps": 30, "guidance_scale": 6.0}
POCKET = {"num_inference_steps": 8, "guidance_scale": 2.5}


class Diffusers:
    """Draws with any text-to-image pipeline that `DiffusionPipeline.from_pretrained` loads."""

    class Options(BaseModel, extra="forbid"):
        model: str = Field("pocket-flux", description="A folder, a hub name such as black-forest-labs/FLUX.1-schnell, or pocket-flux")
        steps: int | None = Field(
            None, ge=1, le=200, description="Denoising steps; empty: what suits the model (FLUX.1-schnell 4, -dev 28)"
        )
        guidance: float | None = Field(
            None, ge=0, le=30, description="Guidance scale; empty: what suits the model (schnell 0, dev 3.5, SD3 7)"
        )
        width: int | None = Field(None, ge=16, le=4096, multiple_of=16, description="Pixels; empty: the model's own size")
        height: int | None = Field(None, ge=16, le=4096, multiple_of=16, description="Pixels; empty: the model's own size")
        batch_size: int | None = Field(None, ge=1, le=256, description="Pictures drawn together; empty: 32 for pocket-flux, 4 for others")
        device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="auto: bfloat16 on a GPU, float32 on a CPU")
        cpu_offload: bool = Field(
            False, description="Keep the parts in main memory and move each to the GPU when needed: slower, fits 24 GB"
        )

    def __init__(self, options: Options):
        self.options = options

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Any]:
        """A PIL image or a DrawError for each prompt. A picture follows from its own prompt and seed, not from its batch.

        Raises DrawError only if the model can't be loaded.
        """
        pairs = list(zip(prompts, seeds, strict=True))
        self._pipeline  # a model that can't be loaded is one error, not one a prompt  # noqa: B018
        size = self.options.batch_size or (32 if self._is_pocket else 4)
        return [picture for start in range(0, len(pairs), size) for picture in self._draw_some(pairs[start : start + size])]

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside prompt and seed: generator, model, steps, guidance, width and height in pixels."""
        settings = self._settings
        return {
            "generator": "diffusers",
            "model": self.options.model,
            "steps": settings["num_inference_steps"],
            "guidance": settings.get("guidance_scale"),
            "width": settings["width"],
            "height": settings["height"],
        }

    def _draw_some(self, pairs: list[tuple[str, int]]) -> Iterator[Any]:
        """One batch; if it fails, one by one, so that only the prompts that fail by themselves are lost."""
        try:
            return self._draw_batch(pairs)
        except (RuntimeError, ValueError) as error:  # out of memory is a RuntimeError
            if len(pairs) > 1:
                return [picture for pair in pairs for picture in self._draw_some([pair])]
            return [DrawError(f"{self.options.model} could not draw {pairs[0][0]!r}: {error}")]

    def _draw_batch(self, pairs: list[tuple[str, int]]) -> list[Any]:
        import torch

        # A generator on the CPU gives the same noise whatever the device and whatever else is in the batch.
        dice = [torch.Generator("cpu").manual_seed(seed) for _, seed in pairs]
        settings = dict(self._settings)
        if self._is_unguided_flux and settings["guidance_scale"] > 1:
            # such a FLUX ignores guidance_scale; classifier-free guidance is what the word means for it
            settings |= {"true_cfg_scale": settings["guidance_scale"], "negative_prompt": [""] * len(pairs)}
        with torch.inference_mode():
            drawn = self._pipeline(prompt=[prompt for prompt, _ in pairs], generator=dice, **settings)
        withheld = getattr(drawn, "nsfw_content_detected", None) or [False] * len(pairs)
        refused = DrawError(f"{self.options.model}: its safety checker withheld the picture; reword the prompt or change the seed")
        return [refused if hidden else picture for picture, hidden in zip(drawn.images, withheld)]

    @property
    def _is_pocket(self) -> bool:
        return self.options.model == "pocket-flux"

    @property
    def _is_unguided_flux(self) -> bool:
        """A FLUX without embedded guidance: schnell, pocket-flux."""
        return self._pipeline.__class__.__name__ == "FluxPipeline" and not self._pipeline.transformer.config.guidance_embeds

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """Arguments of the pipeline's call: the options where given, else what suits the model."""
        pipeline, options = self._pipeline, self.options
        accepted = inspect.signature(pipeline.__call__).parameters
        native = pipeline.vae.config.sample_size
        settings = {name: accepted[name].default for name in ("num_inference_steps", "guidance_scale") if name in accepted}
        settings |= self._advice(pipeline)
        given = {"num_inference_steps": options.steps, "guidance_scale": options.guidance}
        settings |= {name: value for name, value in given.items() if value is not None}
        if pipeline.__class__.__name__ == "FluxPipeline":
            # schnell was distilled on 256 tokens, dev on 512; a smaller tokenizer (pocket-flux) knows its own limit
            longest = 512 if pipeline.transformer.config.guidance_embeds else 256
            settings["max_sequence_length"] = min(longest, pipeline.tokenizer_2.model_max_length)
        return settings | {"width": options.width or native, "height": options.height or native}

    def _advice(self, pipeline: Any) -> dict[str, Any]:
        if self._is_pocket:
            return POCKET
        if self._is_unguided_flux:
            return SCHNELL
        return SDXL if pipeline.__class__.__name__ == "StableDiffusionXLPipeline" else {}

    @cached_property
    def _pipeline(self) -> Any:
        import torch
        from diffusers import DiffusionPipeline

        options = self.options
        device = _device() if options.device == "auto" else options.device
        dtype = options.dtype if options.dtype != "auto" else "float32" if device == "cpu" else "bfloat16"
        source = str(pocket.folder(options.model)) if options.model in pocket.FOLDERS else options.model
        try:
            pipeline = DiffusionPipeline.from_pretrained(source, dtype=getattr(torch, dtype), use_safetensors=True)
        except (OSError, ValueError) as error:
            raise DrawError(
                f"can't load image generator {options.model!r}: {error}. Give a folder that holds a model_index.json"
                f" ({Path(source).absolute()} was looked for), the hub name of a pipeline you may download, or pocket-flux."
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        if options.cpu_offload:
            pipeline.enable_model_cpu_offload(device=device)
            return pipeline
        return pipeline.to(device)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
