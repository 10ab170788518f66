"""Text-to-image pipelines of Hugging Face Diffusers: FLUX, Stable Diffusion, SDXL, SD3, Qwen-Image, Z-Image, and pocket-flux."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from models import pocket
from models.image_generators._base import DrawError, Generator
from models.image_generators._families import STEPS, Advice, advice, settings

if TYPE_CHECKING:
    from PIL.Image import Image

POCKET = Advice(8, 2.5, longest=256)


class Diffusers(Generator):
    """Draws with any text-to-image pipeline that `DiffusionPipeline.from_pretrained` loads."""

    class Options(BaseModel, extra="forbid"):
        model: str = Field("pocket-flux", description="A folder, a hub name such as black-forest-labs/FLUX.1-schnell, or pocket-flux")
        steps: int | None = Field(
            None, ge=1, le=200, description="Denoising steps; empty: what suits the model (FLUX.1-schnell 4, -dev 28, SDXL 30)"
        )
        guidance: float | None = Field(
            None, ge=0, le=30, description="Guidance scale; empty: what suits the model (schnell 0, dev 3.5, SD3 7)"
        )
        negative_prompt: str | None = Field(None, description="What images shall not show, where the model is guided away from a text")
        width: int | None = Field(None, ge=16, le=4096, multiple_of=16, description="Pixels; empty: the model's own size")
        height: int | None = Field(None, ge=16, le=4096, multiple_of=16, description="Pixels; empty: the model's own size")
        batch_size: int | None = Field(None, ge=1, le=256, description="Pictures drawn together; empty: 32 for pocket-flux, 4 for others")
        device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="auto: bfloat16 on a GPU, float32 on a CPU")
        cpu_offload: bool = Field(
            False,
            description="Keep the parts in main memory and move each to the GPU when needed: slower; the largest part, its working memory "
            "and the images have to fit (FLUX.1's transformer alone takes 23.8 GB in bfloat16, SDXL's U-Net 5.1 GB)",
        )
        layer_offload: bool = Field(
            False, description="The same layer by layer, for a GPU that the largest part doesn't fit: much slower; stands over cpu_offload"
        )
        low_memory: bool = Field(False, description="Decode one image at a time and in tiles (VAE slicing and tiling): for large images")

    options: Options

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list["Image | DrawError"]:
        """A PIL image or a DrawError for each prompt. A picture follows from its own prompt and seed, not from its batch.

        Raises DrawError only if the model can't be loaded.
        """
        pairs = list(zip(prompts, seeds, strict=True))
        self._pipeline  # a model that can't be loaded is one error, not one a prompt  # noqa: B018
        size = self.options.batch_size or (32 if self._is_pocket else 4)
        return [picture for start in range(0, len(pairs), size) for picture in self._draw_some(pairs[start : start + size])]

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside prompt and seed: pipeline, model, steps, guidance, what is turned away from, pixels, precision."""
        made = self._settings
        return {
            "generator": "diffusers",
            "pipeline": type(self._pipeline).__name__,
            "model": self.options.model,
            "steps": made[STEPS],
            "guidance": made.get(self._advice.knob),
            "negative_prompt": made.get("negative_prompt"),
            "width": made["width"],
            "height": made["height"],
            "dtype": self._dtype,
        }

    def _draw_some(self, pairs: list[tuple[str, int]]) -> list["Image | DrawError"]:
        """One batch; if it fails, its halves, so that only the prompts that fail by themselves are lost."""
        try:
            return self._draw_batch(pairs)
        except (RuntimeError, ValueError) as error:  # out of memory is a RuntimeError
            if len(pairs) > 1:
                half = len(pairs) // 2
                return [*self._draw_some(pairs[:half]), *self._draw_some(pairs[half:])]
            hint = "; try low_memory and cpu_offload, then layer_offload" if "out of memory" in str(error) else ""
            return [DrawError(f"{self.options.model} could not draw {pairs[0][0]!r}: {error}{hint}")]

    def _draw_batch(self, pairs: list[tuple[str, int]]) -> list["Image | DrawError"]:
        import torch

        # A generator on the CPU gives the same noise whatever the device and whatever else is in the batch.
        dice = [torch.Generator("cpu").manual_seed(seed) for _, seed in pairs]
        made = dict(self._settings)
        if self._is_unguided_flux and made["guidance_scale"] > 1:
            # such a FLUX ignores guidance_scale; classifier-free guidance is what the word means for it
            made |= {"true_cfg_scale": made["guidance_scale"], "negative_prompt": made.get("negative_prompt") or ""}
        if "negative_prompt" in made:
            made["negative_prompt"] = [made["negative_prompt"]] * len(pairs)
        with torch.inference_mode():
            drawn = self._pipeline(prompt=[prompt for prompt, _ in pairs], generator=dice, **made)
        withheld = getattr(drawn, "nsfw_content_detected", None) or [False] * len(pairs)
        refused = DrawError(f"{self.options.model}: its safety checker withheld the image; reword the prompt or change the seed")
        return [refused if hidden else picture for picture, hidden in zip(drawn.images, withheld)]

    @property
    def _is_pocket(self) -> bool:
        return self.options.model == "pocket-flux"

    @property
    def _is_unguided_flux(self) -> bool:
        """A FLUX without embedded guidance: schnell, pocket-flux."""
        return type(self._pipeline).__name__ == "FluxPipeline" and not self._pipeline.transformer.config.guidance_embeds

    @cached_property
    def _advice(self) -> Advice:
        return POCKET if self._is_pocket else advice(self._pipeline, self.options.model)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """Arguments of the pipeline's call: the options where given, else what suits the model."""
        options = self.options
        given = (options.steps, options.guidance, options.negative_prompt, options.width, options.height)
        return settings(self._pipeline, self._advice, *given)

    @cached_property
    def _device(self) -> str:
        return _best_device() if self.options.device == "auto" else self.options.device

    @property
    def _dtype(self) -> str:
        return self.options.dtype if self.options.dtype != "auto" else "float32" if self._device == "cpu" else "bfloat16"

    @cached_property
    def _pipeline(self) -> Any:
        import torch
        from diffusers import DiffusionPipeline

        options = self.options
        source = str(pocket.folder(options.model)) if options.model in pocket.FOLDERS else options.model
        try:
            pipeline = DiffusionPipeline.from_pretrained(source, dtype=getattr(torch, self._dtype), use_safetensors=True)
        except (OSError, ValueError) as error:
            raise DrawError(
                f"can't load image generator {options.model!r}: {error}. Give a folder that holds a model_index.json"
                f" ({Path(source).absolute()} was looked for), the hub name of a pipeline you may download, or pocket-flux."
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        if options.low_memory:
            pipeline.vae.enable_slicing()
            pipeline.vae.enable_tiling()
        if self._device == "cpu":  # all parts are in main memory anyway
            return pipeline
        if options.layer_offload:
            pipeline.enable_sequential_cpu_offload(device=self._device)
            return pipeline
        if options.cpu_offload:
            pipeline.enable_model_cpu_offload(device=self._device)
            return pipeline
        return pipeline.to(self._device)


def _best_device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
