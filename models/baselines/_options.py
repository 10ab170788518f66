"""How a baseline of transformers is loaded and asked: the fields of its form, its flags and its stored job specs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TransformersOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="Folder or hub name of the weights, or pocket-llava, the built-in model.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of a hub name; empty: its main branch.")
    adapter: str | None = Field(default=None, description="Folder of LoRA weights on top of them.")
    template: str | None = Field(
        default=None,
        description="Chat template, where the weights lack one: a file, or LLaVA-1.5, LLaVA-NeXT-Mistral, PaliGemma, ChatML or plain.",
    )
    device: str = Field(default="auto", description='Where it runs: "auto", "cpu", "cuda", "cuda:1", ...')
    device_map: str | None = Field(
        default=None, description='Spreads one model over several GPUs and the memory: "auto", "balanced", "sequential"; empty: one device.'
    )
    dtype: str = Field(default="auto", description="float32, bfloat16 or float16; auto: bfloat16 on a GPU, float32 on a CPU.")
    quantisation: Literal["4bit", "8bit"] | None = Field(default=None, description="Weights in 4 or 8 bits (needs bitsandbytes).")
    attention: str | None = Field(default=None, description="sdpa, eager, flash_attention_2, ...; empty: what transformers chooses.")
    min_pixels: int | None = Field(default=None, ge=1, description="Smaller pictures are enlarged to this many pixels.")
    max_pixels: int | None = Field(default=None, ge=1, description="Larger pictures are reduced to this many pixels.")
    batch_size: int = Field(default=64, ge=1, description="Most questions asked at once; halved where memory runs out.")
    max_new_tokens: int = Field(default=16, ge=1, description="Longest answer, in tokens.")
    stop: list[str] = Field(default=[], description="Texts at which an answer ends; they are no part of it.")
    temperature: float = Field(default=0.0, ge=0, description="Sampling temperature; 0: the likeliest answer, always the same.")
