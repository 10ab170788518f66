"""Rows to batches: the prompt exactly as the model is asked, the answer behind it, labels on the answer's tokens alone."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models.finetuning.types import Processor, Row
from models.weights.chat import Chat

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor
    from transformers import PreTrainedModel

Picture = Callable[[str], "Image"]
ROW_IDS = "row_ids"
IGNORED = -100  # a label that isn't learnt, as torch's cross entropy has it


class Collator:
    """Makes a batch of rows (see `spec.COLUMNS`) for a model of transformers.

    The batch is what the processor gives for the prompts (input_ids and attention_mask (n, t), pixel values, …), each row continued by
    the tokens of its answer and one end token, padded right; and `labels` (n, t), which are -100 on all but these.
    """

    def __init__(self, processor: Processor, model: "PreTrainedModel", template: str | None = None, picture: Picture | None = None):
        """`template`: as the checkpoint's options have it; `picture`: opens a file as the model is shown it."""
        self.processor = processor
        self.chat = Chat(processor, model.config.model_type, template, str(model.name_or_path))
        self.ends = end_tokens(processor.tokenizer, model)
        self.form = self.chat.answer_form(self.ends)
        self._picture = picture or _opened

    def __call__(self, rows: Sequence[Row]) -> dict[str, "Tensor"]:
        import torch
        from torch.nn.utils.rnn import pad_sequence

        prompts = [self.chat.prompt(row["text"]) for row in rows]
        asked = dict(self.chat.inputs([self.picture(row) for row in rows], prompts))
        shape, mask = asked["input_ids"].shape, asked["attention_mask"].bool()
        answers = [torch.tensor(self.answer_ids(prompt, row["answer"])) for prompt, row in zip(prompts, rows)]

        def continued(name: str, values: "Tensor", padding: int) -> "Tensor":
            """A tensor of one value a token: each row without its padding, then the answer's values, then padding."""
            ends = [answer if name == "input_ids" else torch.full_like(answer, self._of_answer(name)) for answer in answers]
            whole = [torch.cat([row[seen], end.to(row.dtype)]) for row, seen, end in zip(values, mask, ends)]
            return pad_sequence(whole, batch_first=True, padding_value=padding)

        batch = {
            name: continued(name, values, self._pad_id() if name == "input_ids" else 0) if values.shape == shape else values
            for name, values in asked.items()
        }
        labels = [torch.cat([torch.full((int(seen.sum()),), IGNORED), answer]) for seen, answer in zip(mask, answers)]
        return {**batch, "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED)}

    def picture(self, row: Row) -> "Image":
        """A row's picture as the model is shown it."""
        return self._picture(row["image_path"])

    def answer_ids(self, prompt: str, answer: str) -> list[int]:
        """Tokens of an answer behind its prompt, with one end token. Where tokens would span both, the answer's are made alone: a model
        that is asked has read the prompt's tokens by then."""
        tokenizer = self.chat.tokenizer
        written = self.form.before + self.chat.plain(answer.strip()) + self.form.end
        context = prompt + self.chat.behind_prompt
        before, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (context, context + written))
        if whole[: len(before)] == before:
            ids: list[int] = whole[len(before) :]
            return ids
        alone: list[int] = tokenizer(written, add_special_tokens=False)["input_ids"]
        return alone

    def _of_answer(self, name: str) -> int:
        """A token's value on an answer: it is attended to; by PaliGemma's types it is no part of the prompt, by others' it is text."""
        if name == "attention_mask":
            return 1
        return int(name == "token_type_ids" and self.chat.answers_are_typed)

    def _pad_id(self) -> int:
        pad = self.chat.tokenizer.pad_token_id
        return int(pad if pad is not None else self.chat.tokenizer.eos_token_id)


class NamedRows:
    """A collator whose batches say which rows they are, as `ROW_IDS`; whoever gives one to a model takes these out."""

    def __init__(self, collator: Collator) -> None:
        self.collator = collator

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        return {**self.collator(rows), ROW_IDS: [row["id"] for row in rows]}


def end_tokens(tokenizer: Any, model: "PreTrainedModel") -> list[str]:
    """The texts of all tokens that end an answer, as generation config and tokenizer name them."""
    ids = model.generation_config.eos_token_id if model.generation_config else None
    named = [tokenizer.convert_ids_to_tokens(i) for i in (ids if isinstance(ids, list) else [ids]) if i is not None]
    return list(dict.fromkeys(token for token in [*named, tokenizer.eos_token] if token))


def _opened(path: str) -> "Image":
    from models.baselines._transformers import open_image

    return open_image(path)
