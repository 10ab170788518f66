"""Tries a checkpoint before anything long: `python -m models.checkpoint_test`, a process of its own.

One JSON object on standard input: {"checkpoint": {…}, "text": …, "image_path": …}. One finding a line on standard output, in the order of
`STEPS`: {"name": …, "ok": …, "detail": …}. The first that fails is the last.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from data.records import Ask, Checkpoint
from data.registry import BASELINES

STEPS = ("files", "template", "picture", "answer", "evaluation memory", "LoRA memory")
LORA_RANK = 16
SIDES = (224, 336, 672, 1344)  # pixels of square pictures whose tokens are counted


@dataclass(frozen=True)
class Finding:
    """One thing that was tried; a failed one says in `detail` what to do."""

    name: str
    ok: bool
    detail: str


def examine(checkpoint: Checkpoint, ask: Ask) -> Iterator[Finding]:
    """Loads a checkpoint, asks it, and takes a LoRA step with it; what it takes is measured, and thrown away."""
    options = {"model": checkpoint.model, "adapter": checkpoint.adapter, **checkpoint.options}
    trial = _Trial(BASELINES.make(checkpoint.baseline, options), ask)
    steps: dict[str, Callable[[], str]] = dict(
        zip(STEPS, (trial.files, trial.template, trial.picture, trial.answer, trial.evaluation_memory, trial.lora_memory))
    )
    for name, step in steps.items():
        try:
            yield Finding(name, True, step())
        except Exception as error:  # weights, processors and templates of others raise nearly anything
            known = type(error).__module__.startswith(("models.", "data."))
            yield Finding(name, False, str(error) if known else f"{type(error).__name__}: {error}")
            return


class _Trial:
    def __init__(self, baseline: Any, ask: Ask):
        self.baseline, self.ask = baseline, ask

    def files(self) -> str:
        began = time.monotonic()
        self.model, self.processor = self.baseline._loaded
        weights = sum(p.numel() for p in self.model.parameters())
        kinds = sorted({str(p.dtype).removeprefix("torch.") for p in self.model.parameters()})
        size = self.model.get_memory_footprint() / 2**30
        return (
            f"{type(self.model).__name__}, {weights:,} weights in {' and '.join(kinds)} ({size:.2f} GiB) on {self.model.device}, "
            f"every tensor from the files; loaded in {time.monotonic() - began:.1f} s"
        )

    def template(self) -> str:
        return f"asked as {self.baseline.chat.prompt(self.ask.text)!r}"

    def picture(self) -> str:
        from PIL import Image

        here = self._tokens(self.baseline.picture(str(self.ask.image_path)))
        others = ", ".join(f"{side} px: {self._tokens(Image.new('RGB', (side, side))):,}" for side in SIDES)
        vector = self.baseline.embed_images([str(self.ask.image_path)])
        return f"{here:,} tokens for this picture ({others}); one vector of {vector.shape[1]:,} numbers"

    def answer(self) -> str:
        began = time.monotonic()
        (answer,) = self.baseline.answer([self.ask])
        if isinstance(answer, Exception):
            raise answer
        cut = ", cut at the longest length" if getattr(answer, "cut", False) else ""
        return f"{str(answer)!r} to {self.ask.text!r} in {time.monotonic() - began:.1f} s{cut}"

    def evaluation_memory(self) -> str:
        return _memory(self.model.device, "asking one question takes")

    def lora_memory(self) -> str:
        """One step on one row, with optimiser states, as a finetune takes it."""
        import torch
        from peft import LoraConfig, get_peft_model

        from models.finetuning.batches import Collator
        from models.weights.parts import parts_of

        parts = parts_of(self.model)
        config = LoraConfig(r=LORA_RANK, target_modules=parts.modules, target_parameters=parts.matrices or None)
        collator = Collator(self.processor, self.model, self.baseline.options.template, self.baseline.picture)
        row = {"id": "0", "image_path": str(self.ask.image_path), "text": self.ask.text, "answer": "yes"}
        batch = {name: value.to(self.model.device) for name, value in collator([row]).items()}
        model = get_peft_model(self.model, config).train()
        trained = [p for p in model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=1e-4)
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.model.dtype == torch.bfloat16):
            loss = model(**batch).loss
        loss.backward()
        optimiser.step()
        count = sum(p.numel() for p in trained)
        layers = len(parts.modules) + len(parts.matrices)
        took = _memory(self.model.device, "one step on one row takes")
        return f"rank {LORA_RANK} on {layers} layers, {count:,} weights learn, loss {loss.item():.2f}; {took}"

    def _tokens(self, picture: Any) -> int:
        """Tokens of a picture in a prompt: those that are there beside the question's."""
        prompt = self.baseline.chat.prompt(self.ask.text)
        inputs = self.baseline.chat.inputs([picture], [prompt])
        text = self.baseline.chat.tokenizer(prompt.replace(self.baseline.chat.image_token, ""), add_special_tokens=False)
        return int(inputs["attention_mask"].sum()) - len(text["input_ids"])


def _memory(device: Any, what: str) -> str:
    """The most memory taken so far, and what there is."""
    import resource

    import psutil
    import torch

    if device.type == "cuda":
        free, whole = torch.cuda.mem_get_info(device)
        most = torch.cuda.max_memory_allocated(device)
        return f"{what} {most / 2**30:.2f} GiB of {whole / 2**30:.1f} GiB on {torch.cuda.get_device_name(device)} ({free / 2**30:.1f} free)"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    memory = psutil.virtual_memory()
    return f"{what} {most / 2**30:.2f} GiB of {memory.total / 2**30:.1f} GiB of memory, with the program itself"


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to the log
    asked = json.loads(sys.stdin.read())
    for finding in examine(Checkpoint.from_row(asked["checkpoint"]), Ask("test", asked["text"], asked["image_path"])):
        answers.write(json.dumps(asdict(finding), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
