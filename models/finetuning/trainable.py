"""The model that a finetune trains: the checkpoint's base with a LoRA, new or continued."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from data.registry import BASELINES
from models.finetuning.spec import BadRun, RunSpec
from models.finetuning.types import Processor, Report

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel


def load(spec: RunSpec, report: Report) -> tuple["PeftModel", Processor]:
    """Model and processor in training mode, its LoRA drawn from the spec's seed or taken from the checkpoint's adapter.

    Everything but the LoRA is frozen. `report` gets a message where the adapter's own shape stands over the recipe's.
    """
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import set_seed

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads are slow to wake for a few rows, and don't survive a fork
    set_seed(spec.seed)
    checkpoint, recipe = spec.checkpoint, spec.recipe
    options = {**checkpoint.options, "model": checkpoint.model, "adapter": None}
    if "LOCAL_RANK" in os.environ and options.get("device", "auto") == "auto":
        options["device"] = _device_of_rank(int(os.environ["LOCAL_RANK"]))
    baseline = BASELINES.make(checkpoint.baseline, options)
    model, processor = baseline.load()
    targets = recipe.target_modules or baseline.lora_targets()
    if checkpoint.adapter:
        peft = PeftModel.from_pretrained(model, checkpoint.adapter, is_trainable=True)
        own = peft.peft_config["default"]
        if not isinstance(own, LoraConfig):
            raise BadRun(
                f"{checkpoint.adapter}: an adapter of type {own.peft_type}; "
                "only LoRA adapters can be trained further: choose another checkpoint"
            )
        text = f"continues the adapter {Path(checkpoint.adapter).resolve()} (r={own.r}, alpha={own.lora_alpha})"
        if (own.r, own.lora_alpha) != (recipe.r, recipe.alpha):
            text += f"; the recipe's r={recipe.r}, alpha={recipe.alpha} don't apply to it"
        report({"event": "message", "text": text})
    else:
        config = LoraConfig(
            r=recipe.r, lora_alpha=recipe.alpha, lora_dropout=recipe.lora_dropout, target_modules=targets, task_type="CAUSAL_LM"
        )
        peft = get_peft_model(model, config)
    if recipe.activation_checkpointing:
        base_of(peft).activation_checkpointing_enable({"use_reentrant": False})
    return peft.train(), processor


def base_of(model: "PeftModel") -> "PreTrainedModel":
    """The model of transformers below the LoRA."""
    from transformers import PreTrainedModel

    base = model.get_base_model()
    if not isinstance(base, PreTrainedModel):
        raise BadRun(f"the base model is a {type(base).__name__}, expected a transformers model; choose another checkpoint")
    return base


def mixed_precision(spec: RunSpec, device: "torch.device") -> bool:
    """Whether this run computes in bfloat16: asked for, and the device is a GPU that can."""
    import torch

    return spec.recipe.bf16 and device.type == "cuda" and torch.cuda.is_bf16_supported()


def memory_mb(device: "torch.device") -> int:
    """Most memory taken so far, in MiB: of the GPU if the model is on one, else the process's resident memory now."""
    import psutil
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device) / 2**20)
    return int(psutil.Process().memory_info().rss / 2**20)


def _device_of_rank(rank: int) -> str:
    import torch

    return f"cuda:{rank}" if torch.cuda.is_available() else "cpu"
