"""Rows to batches: text by the processor's chat template, padded right, labels on the answer's tokens alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.baselines._transformers import chat_text, open_image
from models.finetuning.types import Processor, Row, Tokenizer

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Collator:
    """Makes a batch of rows (see `spec.COLUMNS`) for a model of transformers.

    The batch is what the processor gives (input_ids and attention_mask (n, t), pixel values) and `labels` (n, t), which are
    -100 on the question, the image and the padding. How many tokens the answer has is counted on the unexpanded text, with
    and without the answer: the image's tokens, whatever their number, cancel out.
    """

    def __init__(self, processor: Processor, model: "PreTrainedModel"):
        self.processor = processor
        self.ends = _end_tokens(processor.tokenizer, model)

    def __call__(self, rows: Sequence[Row]) -> dict[str, "Tensor"]:
        import torch

        prompts, wholes = zip(*(self.texts(row) for row in rows))
        images = [open_image(row["image_path"]) for row in rows]
        batch = dict(self.processor(images=images, text=list(wholes), return_tensors="pt", padding=True, padding_side="right"))
        lengths = batch["attention_mask"].sum(1).tolist()
        labels = torch.full_like(batch["input_ids"], -100)
        for i, (prompt, whole) in enumerate(zip(prompts, wholes)):
            start = lengths[i] - self.answer_length(prompt, whole)
            labels[i, start : lengths[i]] = batch["input_ids"][i, start : lengths[i]]
        return {**batch, "labels": labels}

    def texts(self, row: Row) -> tuple[str, str]:
        """The prompt as the model is asked, and the same with the answer and an end token (which some templates forget)."""
        prompt = chat_text(self.processor, row["text"])
        whole = chat_text(self.processor, row["text"], row["answer"])
        if not any(end in whole[len(prompt) :] for end in self.ends):
            whole = whole.rstrip() + self.processor.tokenizer.eos_token
        return prompt, whole

    def answer_length(self, prompt: str, whole: str) -> int:
        """Tokens of `whole` from the first one that differs from the prompt's."""
        asked, full = self.processor.tokenizer([prompt, whole])["input_ids"]
        shared = next((i for i, (a, b) in enumerate(zip(asked, full)) if a != b), min(len(asked), len(full)))
        return len(full) - shared


def _end_tokens(tokenizer: Tokenizer, model: "PreTrainedModel") -> set[str]:
    """The texts of all tokens that end an answer, as tokenizer and generation config name them."""
    ids = model.generation_config.eos_token_id
    ids = ids if isinstance(ids, list) else [ids]
    return {tokenizer.eos_token, *(tokenizer.convert_ids_to_tokens(i) for i in ids if i is not None)}
