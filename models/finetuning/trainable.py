"""The model that a finetune trains: the checkpoint's base with a LoRA, new or continued."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from data.registry import BASELINES
from models.finetuning.spec import BadRun, Recipe, RunSpec
from models.finetuning.types import Processor, Report

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig, PeftModel
    from transformers import PreTrainedModel

    from models.finetuning.batches import Collator
    from models.weights.parts import Parts


def load(spec: RunSpec, report: Report) -> tuple["PeftModel", Processor]:
    """Model and processor in training mode, its LoRA drawn from the spec's seed or taken from the checkpoint's adapter.

    Everything but the LoRA is frozen. `report` gets a message where the adapter's own shape stands over the recipe's.
    """
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    from models.weights.loading import with_adapter
    from models.weights.parts import parts_of

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads are slow to wake for a few rows, and don't survive a fork
    set_seed(spec.seed)
    checkpoint, recipe = spec.checkpoint, spec.recipe
    options = {**checkpoint.options, "model": checkpoint.model, "adapter": None}
    if "LOCAL_RANK" in os.environ and options.get("device", "auto") == "auto":
        options["device"] = _device_of_rank(int(os.environ["LOCAL_RANK"]))
    baseline = BASELINES.make(checkpoint.baseline, options)
    model, processor = baseline.load()
    if checkpoint.adapter:
        peft = with_adapter(model, Path(checkpoint.adapter), trainable=True)
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
        peft = get_peft_model(model, _config(recipe, parts_of(model), checkpoint.options.get("revision"), report))
    if recipe.activation_checkpointing:
        base_of(peft).activation_checkpointing_enable({"use_reentrant": False})
    return peft.train(), processor


def collator(spec: RunSpec, model: "PeftModel", processor: Processor) -> "Collator":
    """Makes batches as the checkpoint's options have its template and pictures."""
    from models.finetuning.batches import Collator

    baseline = BASELINES.make(spec.checkpoint.baseline, {**spec.checkpoint.options, "model": spec.checkpoint.model})
    return Collator(processor, base_of(model), baseline.options.template, baseline.picture)


def base_of(model: "PeftModel") -> "PreTrainedModel":
    """The model of transformers below the LoRA."""
    from transformers import PreTrainedModel

    base = model.get_base_model()
    if not isinstance(base, PreTrainedModel):
        raise BadRun(f"the base model is a {type(base).__name__}, expected a transformers model; choose another checkpoint")
    return base


def _config(recipe: Recipe, parts: "Parts", revision: str | None, report: Report) -> "LoraConfig":
    """Every linear layer of language model and connector, fused experts too, unless the recipe names others."""
    from peft import LoraConfig

    matrices, dropout = [] if recipe.target_modules else parts.matrices, recipe.lora_dropout
    if matrices and dropout:  # peft applies a LoRA to them without seeing their input
        report({"event": "message", "text": f"lora_dropout is 0 and not {dropout}: it can't be applied to {matrices[0]}"})
        dropout = 0.0
    return LoraConfig(
        r=recipe.r,
        lora_alpha=recipe.alpha,
        lora_dropout=dropout,
        target_modules=recipe.target_modules or parts.modules,
        target_parameters=matrices or None,
        task_type="CAUSAL_LM",
        revision=revision,
    )


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
