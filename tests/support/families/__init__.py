"""Tiny random checkpoints of real model families, made without a hub: `build("qwen2_vl", folder)`.

Each has the family's own classes, special tokens and template text; one layer, 32 numbers a token, a tokenizer trained on a few lines.
Processors are saved as their parts (tokenizer, image processor, `processor_config.json`), for many can't be constructed without
torchvision, which their video half wants.
"""

from importlib.util import find_spec
from pathlib import Path

from tests.support.families import with_merger, with_projector  # noqa: F401 - their makers list themselves
from tests.support.families.parts import MAKERS

__all__ = ["FAMILIES", "HAS_TORCHVISION", "NEEDS_TORCHVISION", "build", "declare_torchvision"]
FAMILIES = list(MAKERS)
NEEDS_TORCHVISION = ("pixtral", "mistral3", "molmo2", "kimi_k25")  # their processors have no form without it
HAS_TORCHVISION = find_spec("torchvision") is not None


def declare_torchvision() -> None:
    """A torchvision built for another torch lacks two operators, which a processor never calls but its import asks for."""
    import torch

    if HAS_TORCHVISION and not hasattr(torch.ops.torchvision, "nms"):
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torch.ops.mistakebook_declared = library  # an operator lives as long as its library


def build(family: str, folder: Path, seed: int = 0) -> Path:
    """Saves model and processor of a family into the folder; the weights follow from the seed."""
    import torch

    declare_torchvision()
    torch.manual_seed(seed)
    MAKERS[family]().save(folder)
    return folder
