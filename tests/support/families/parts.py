"""What the tiny checkpoints are made of: tokenizers, vision and text configurations, and how a family is saved."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUESTION = "What color is this? Answer with one word."
TEXTS = ["What color is this? Answer with one word.", "red green blue yellow", "How many shapes are there?", "user assistant system"]
WIDE = {"initializer_range": 0.2}  # answers of a random model then depend on what it is asked


def tokenizer(
    special: Sequence[str], *, bos: str | None, eos: str, pad: str, adds_bos: bool = False, plain: Sequence[str] = (), **extra: str
):
    """A byte-level tokenizer with a family's special tokens; `extra` names some (image_token=…), as the family's processor reads them.

    `plain`: added tokens that are not special. `adds_bos`: a BOS before every text, which templates that write one double.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    known = list(dict.fromkeys([*([bos] if bos else []), eos, pad, *special]))
    trainer = trainers.BpeTrainer(vocab_size=330 + len(known), special_tokens=known, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    raw.train_from_iterator(TEXTS * 5, trainer)
    if adds_bos:
        raw.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, raw.token_to_id(bos))])
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token=bos, eos_token=eos, pad_token=pad, padding_side="left", extra_special_tokens=extra
    )
    if plain:
        made.add_tokens([AddedToken(token, special=False) for token in plain])
    return made


def llama_like(tokenizer, **more: Any) -> dict[str, Any]:
    """What most text configurations share: one layer of 32 numbers."""
    return {
        "vocab_size": len(tokenizer) + 8,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": 2048,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **WIDE,
        **more,
    }


def siglip_like(**more: Any) -> dict[str, Any]:
    """A vision tower of one layer of 32 numbers over 32 pixels."""
    return {
        "image_size": 32,
        "patch_size": 8,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        **more,
    }


MAKERS: dict[str, Callable[[], "Made"]] = {}


def maker(function: "Callable[[], Made]") -> "Callable[[], Made]":
    """Lists a function that makes a family, by its name."""
    MAKERS[function.__name__] = function
    return function


@dataclass
class Made:
    """A family's model and the parts of its processor."""

    model: Any
    tokenizer: Any
    images: Any  # image processor
    processor_class: str
    template: str | None
    arguments: dict[str, Any] = field(default_factory=dict)  # of the processor, beside its parts
    ends: Sequence[str] = ()  # what ends an answer, beside the tokenizer's EOS
    video: dict[str, Any] | None = None  # video_preprocessor_config.json

    def save(self, folder: Path) -> None:
        ends = [self.tokenizer.eos_token_id, *(self.tokenizer.convert_tokens_to_ids(end) for end in self.ends)]
        generation = self.model.generation_config
        generation.eos_token_id = ends if len(ends) > 1 else ends[0]
        generation.pad_token_id, generation.bos_token_id = self.tokenizer.pad_token_id, self.tokenizer.bos_token_id
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.images.save_pretrained(folder)
        (folder / "processor_config.json").write_text(json.dumps({"processor_class": self.processor_class, **self.arguments}))
        if self.template:
            (folder / "chat_template.jinja").write_text(self.template)
        if self.video:
            (folder / "video_preprocessor_config.json").write_text(json.dumps(self.video))
