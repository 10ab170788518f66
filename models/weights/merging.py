"""An adapter added to its base for good: merged in float32, saved, loaded again, and held against base and adapter on examples."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import MistakebookError
from data.records import Ask, Checkpoint, Record
from data.registry import BASELINES
from models.weights import files
from models.weights.chat import read_template
from models.weights.files import BadWeights

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
PROCESSOR_FILES = (".json", ".jinja", ".txt", ".model", ".tiktoken")
SPARE = 1.1  # beside the weights: activations, the tokenizer


class NoRoom(MistakebookError):
    """A merge that memory has no room for."""


@dataclass(frozen=True)
class Merged(Record):
    """What a merge came to. Errors are absolute differences of logits, the largest over all tokens of the examples."""

    dtype: str
    parameters: int
    examples: int
    largest_error: float  # of the files as they were saved, loaded in float32, against base and adapter in float32
    float32_error: float  # of the merge alone, before weights are rounded to the dtype
    largest_logit: float  # what these errors are to be held against
    same_choice: float  # share of tokens whose likeliest next token is the same


def dtype_of(folder: Path) -> str:
    """The type that the weights of a folder are kept in, as its configuration says; float32 where it doesn't."""
    config = files.read_object(folder / files.CONFIG)
    kept = str(config.get("dtype") or config.get("torch_dtype") or "float32").removeprefix("torch.")
    return kept if kept in BYTES else "float32"


def parameters_of(folder: Path) -> int:
    """How many weights a folder's safetensors files hold, by their headers."""
    count = 0
    for path in sorted(folder.glob("*.safetensors")):
        shapes, flaw = files.tensors(path)
        if flaw:
            raise BadWeights(f"{folder}: {flaw}")
        for shape in shapes.values():
            size = 1
            for side in shape:
                size *= side
            count += size
    return count


def check_memory(folder: Path) -> None:
    """Raises NoRoom where the base doesn't fit into memory in float32."""
    import psutil

    needed, free = parameters_of(folder) * BYTES["float32"] * SPARE, psutil.virtual_memory().available
    if needed > free:
        raise NoRoom(f"merging in float32 needs about {needed / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free")


def merge(checkpoint: Checkpoint, asks: Sequence[Ask], target: Path, dtype: str, say: Callable[[str], None] = lambda text: None) -> Merged:
    """Writes base and adapter as one model into an empty folder. Raises BadWeights; what it raises leaves the folder to be thrown away.

    Quantised checkpoints are merged from their base as it was trained: weights in 4 or 8 bits would round the adapter too.
    """
    import torch

    from models.weights.loading import Placement, load, locate, with_adapter

    options = {name: value for name, value in checkpoint.options.items() if name not in ("quantisation", "device_map", "device", "dtype")}
    plain = {"model": checkpoint.model, "device": "cpu", "dtype": "float32", **options}
    baseline = BASELINES.make(checkpoint.baseline, plain)
    folder = locate(checkpoint.model, checkpoint.options.get("revision"))
    say("loading the base in float32")
    model, processor = load(folder, checkpoint.model, Placement())
    wrapped = with_adapter(model, Path(str(checkpoint.adapter))).eval()
    chat = baseline.chat_of(model, processor)
    batches = [(ask, chat.inputs([baseline.picture(str(ask.image_path))], [chat.prompt(ask.text)])) for ask in asks]
    with torch.no_grad():
        expected = [wrapped(**batch).logits.float() for _, batch in batches]
        say("merging")
        merged = wrapped.merge_and_unload()
        float32_error = max((_error(merged(**batch).logits, logits) for (_, batch), logits in zip(batches, expected)), default=0.0)
        parameters = sum(weight.numel() for weight in merged.parameters())
        merged = merged.to(getattr(torch, dtype))
        merged.config.dtype = getattr(torch, dtype)
        say("saving")
        merged.save_pretrained(str(target), safe_serialization=True)
        _copy_processor(folder, target, checkpoint.options.get("template"))
        del merged, wrapped, model
        say("loading what was saved, and comparing")
        again, _ = load(target, checkpoint.model, Placement())
        found = [again(**batch).logits.float() for _, batch in batches]
    same = [(one.argmax(-1) == other.argmax(-1)).float() for one, other in zip(found, expected)]
    return Merged(
        dtype=dtype,
        parameters=parameters,
        examples=len(asks),
        largest_error=max((_error(one, other) for one, other in zip(found, expected)), default=0.0),
        float32_error=float32_error,
        largest_logit=max((float(logits.abs().max()) for logits in expected), default=0.0),
        same_choice=float(torch.cat([row.flatten() for row in same]).mean()) if same else 1.0,
    )


def _copy_processor(base: Path, target: Path, template: str | None) -> None:
    """The base's own files of processor and tokenizer, as they are, with the chat template that the checkpoint is asked by."""
    for path in sorted(base.iterdir()):
        if path.suffix in PROCESSOR_FILES and path.is_file() and not (target / path.name).exists() and path.name != files.INDEX:
            shutil.copyfile(path, target / path.name)
    if template:
        (target / "chat_template.jinja").write_text(read_template(template), encoding="utf-8")


def _error(found: Any, expected: Any) -> float:
    return float((found.float() - expected).abs().max())
