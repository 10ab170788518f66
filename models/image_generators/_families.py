"""Families of text-to-image pipelines, and their makers' advice where defaults differ from it: steps, guidance, prompt length.

By pipeline, and by what its weights say of themselves: the cards of FLUX.1, FLUX.2, Stable Diffusion XL and 3.5, Qwen-Image, Z-Image.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STEPS = "num_inference_steps"
WIDEST = 1024  # pixels, where neither the autoencoder nor the pipeline says


@dataclass(frozen=True)
class Advice:
    steps: int | None = None  # None: the pipeline's own
    guidance: float | None = None
    knob: str = "guidance_scale"  # the argument that guides
    negative: str | None = None  # what is always sent, where classifier-free guidance needs a text to turn away from
    longest: int | None = None  # tokens of a prompt


def _flux(pipeline: Any, name: str) -> Advice:
    """schnell was distilled on 256 tokens and takes no guidance, dev on 512."""
    return Advice(28, 3.5, longest=512) if pipeline.transformer.config.guidance_embeds else Advice(4, 0.0, longest=256)


def _flux2(pipeline: Any, name: str) -> Advice:
    return Advice(4, 1.0) if pipeline.config.get("is_distilled") else Advice(50, 4.0)


def _sdxl(pipeline: Any, name: str) -> Advice:
    return Advice(1, 0.0) if "turbo" in name else Advice(30, 6.0)


def _sd3(pipeline: Any, name: str) -> Advice:
    """3.5 medium 40 steps at 4.5, large 28 at 3.5, its turbo 4 without guidance; 3 medium is the pipeline's own 28 at 7."""
    if "turbo" in name:
        return Advice(4, 0.0, longest=256)
    if "3.5-medium" in name:
        return Advice(40, 4.5, longest=256)
    return Advice(28, 3.5 if "3.5-large" in name else 7.0, longest=256)


def _qwen(pipeline: Any, name: str) -> Advice:
    return Advice(50, 4.0, knob="true_cfg_scale", negative=" ")


def _z(pipeline: Any, name: str) -> Advice:
    return Advice(9, 0.0) if "turbo" in name else Advice(50, 4.0)


FAMILIES: dict[str, Callable[[Any, str], Advice]] = {
    "FluxPipeline": _flux,
    "Flux2Pipeline": _flux2,
    "Flux2KleinPipeline": _flux2,
    "StableDiffusionXLPipeline": _sdxl,
    "StableDiffusion3Pipeline": _sd3,
    "QwenImagePipeline": _qwen,
    "ZImagePipeline": _z,
}


def advice(pipeline: Any, model: str) -> Advice:
    """What suits a loaded pipeline; all of it empty for a family that isn't known here, whose own defaults then stand."""
    family = FAMILIES.get(type(pipeline).__name__)
    return family(pipeline, f"{model} {pipeline.config.get('_name_or_path', '')}".lower()) if family else Advice()


def settings(
    pipeline: Any, advised: Advice, steps: int | None, guidance: float | None, negative: str | None, width: int | None, height: int | None
) -> dict[str, Any]:
    """Arguments of the pipeline's call: what is given, else the advice, else the pipeline's own defaults."""
    accepted = inspect.signature(pipeline.__call__).parameters
    made: dict[str, Any] = {STEPS: next(v for v in (steps, advised.steps, accepted[STEPS].default) if v is not None)}
    if advised.knob in accepted:
        own = accepted[advised.knob].default
        made[advised.knob] = next((v for v in (guidance, advised.guidance, own) if v is not None), None)
    if "negative_prompt" in accepted and (negative or advised.negative) is not None:
        made["negative_prompt"] = negative or advised.negative
    if "max_sequence_length" in accepted and advised.longest is not None:
        made["max_sequence_length"] = min(advised.longest, _reads(pipeline))
    native = _native(pipeline)
    return made | {"width": width or native, "height": height or native}


def _reads(pipeline: Any) -> int:
    """Tokens that the longest-reading of the pipeline's text encoders takes; a small tokenizer (pocket-flux) knows its own limit."""
    tokenizers = (pipeline.components.get(name) for name in ("tokenizer_3", "tokenizer_2", "tokenizer"))
    return next((tokenizer.model_max_length for tokenizer in tokenizers if tokenizer is not None), WIDEST)


def _native(pipeline: Any) -> int:
    """The side of the pictures that the model was trained on, in pixels."""
    sample_size = pipeline.vae.config.get("sample_size")
    if isinstance(sample_size, int):
        return sample_size
    latent = getattr(pipeline, "default_sample_size", None)  # not every pipeline has it
    return latent * pipeline.vae_scale_factor if latent else WIDEST
