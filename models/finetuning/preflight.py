"""What is checked before a finetune spends time: one named check a question, each with the numbers it saw."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import MistakebookError
from models.finetuning.spec import Rows, Run
from models.finetuning.trainable import collator, memory_mb, mixed_precision
from models.finetuning.types import Processor
from models.weights.parts import image_features, image_ids

if TYPE_CHECKING:
    from peft import PeftModel

PROBED = 64  # rows looked at for their length: the longest by characters


@dataclass(frozen=True)
class Check:
    """One answer of the preflight; a failed one says in `detail` what to do."""

    name: str
    ok: bool
    detail: str


class PreflightFailed(MistakebookError):
    """The run doesn't start; `checks` holds all of them."""

    def __init__(self, checks: list[Check]):
        super().__init__("; ".join(f"{c.name}: {c.detail}" for c in checks if not c.ok))
        self.checks = checks


def check_rows(rows: Rows, name: str = "rows") -> Check:
    """There are rows, and each has a question, an answer and a picture that is there."""
    bad = [
        f"{id}: {reason}"
        for id, path, text, answer in zip(*(rows.column(name) for name in ("id", "image_path", "text", "answer")))
        if (reason := _row_error(path, text, answer))
    ]
    if bad:
        return Check(name, False, f"{rows.path.name}: {len(bad)} of {len(rows)} rows can't be used: {'; '.join(bad[:3])}")
    if not len(rows):
        return Check(name, False, f"{rows.path.name} is empty; approve samples or add replay first")
    sources = rows.column("source")
    return Check(name, True, ", ".join(f"{sources.count(source)} {source}" for source in sorted(set(sources))) + " rows")


def run_checks(run: Run, model: "PeftModel", processor: Processor, steps: int, accumulation: int) -> list[Check]:
    """All checks, on the rows that are longest. The model's weights are the same afterwards; random generators are not."""
    checks = [check_rows(run.train), *([check_rows(run.dev, "dev rows")] if len(run.dev) else [])]
    if not all(check.ok for check in checks):
        return checks
    probe = _Probe(run, model, processor)
    checks += [_guarded("length", probe.length)]
    for name, check in (("labels", probe.labels), ("image tokens", probe.image_tokens), ("one step", probe.one_step)):
        if all(check.ok for check in checks):
            checks.append(_guarded(name, check))
    if all(check.ok for check in checks):
        checks += [probe.adapter(), probe.estimate(steps, accumulation, len(run.dev))]
    return checks


class _Probe:
    """The batch of the longest rows, and what one step on it shows."""

    def __init__(self, run: Run, model: "PeftModel", processor: Processor):
        lengths = [len(text) + len(answer) for text, answer in zip(run.train.column("text"), run.train.column("answer"))]
        longest = sorted(range(len(run.train)), key=lambda i: -lengths[i])[:PROBED]
        self.spec, self.model, self.collator = run.spec, model, collator(run.spec, model, processor)
        self.rows = [run.train[i] for i in longest]
        self.size = min(run.spec.recipe.device_batch_size, run.spec.recipe.batch_size, len(self.rows))
        self.device = next(model.parameters()).device

    def length(self) -> Check:
        """Nothing is cut off: the collator never truncates, so a longer row than allowed stops the run here."""
        limit, lengths = self.spec.recipe.max_length, []
        for i in range(0, len(self.rows), self.size):
            batch = self.collator(self.rows[i : i + self.size])
            lengths += batch["attention_mask"].sum(1).tolist()
            if not i:
                self.batch = {name: value.to(self.device) for name, value in batch.items()}
        long = [row["id"] for row, length in zip(self.rows, lengths) if length > limit]
        if long:
            return Check("length", False, f"{max(lengths)} tokens, max_length is {limit}: raise it or leave out {', '.join(long[:5])}")
        return Check("length", True, f"longest {max(lengths)} tokens of {limit} (with the image), nothing is cut off")

    def labels(self) -> Check:
        """The prompt is as the model is asked; behind it the answer and one end token learn, and nothing else does."""
        chat, form = self.collator.chat, self.collator.form
        for row, ids, labels, mask in zip(self.rows, self.batch["input_ids"], self.batch["labels"], self.batch["attention_mask"]):
            learnt = [i for i in labels.tolist() if i >= 0]
            if not learnt:
                return Check("labels", False, f"row {row['id']} has no token to learn from: is its answer empty?")
            seen = ids[mask.bool()].tolist()
            prompt = chat.prompt(row["text"])
            asked = chat.inputs([self.collator.picture(row)], [prompt])["input_ids"][0].tolist()
            wanted = (form.before + chat.plain(row["answer"].strip()) + form.end).strip()
            shown = chat.tokenizer.decode(learnt)
            if seen != asked + learnt:
                return Check("labels", False, f"row {row['id']}: the prompt that is trained on is not the one that is asked")
            if shown.strip() != wanted:
                return Check("labels", False, f"row {row['id']} learns {shown!r} in place of {wanted!r}")
        learns, total = int((self.batch["labels"] >= 0).sum()), int(self.batch["attention_mask"].sum())
        first = chat.tokenizer.decode([i for i in self.batch["labels"][0].tolist() if i >= 0])
        return Check("labels", True, f"{learns} of {total} tokens learn; the first row learns {first!r}")

    def image_tokens(self) -> Check:
        """As many image tokens in the text as features from the vision tower, or the model would read other pictures' features."""
        import torch

        base = self.model.get_base_model()
        with torch.no_grad():
            count = rows_in(image_features(base, self.batch))
        tokens = max((int((self.batch["input_ids"] == i).sum()) for i in image_ids(base.config)), default=None)
        if tokens is None:
            return Check("image tokens", True, f"{count} image features, {self.size} images; only the model can compare them")
        return Check("image tokens", tokens == count, f"{tokens} image tokens, {count} image features, {self.size} images")

    def one_step(self) -> Check:
        """One real optimiser step, timed after a first; the loss must be finite. The weights are put back by `adapter`."""
        import torch

        weights = [p for p in self.model.parameters() if p.requires_grad]
        self.kept = [p.detach().clone() for p in weights]
        optimiser = torch.optim.AdamW(weights, lr=self.spec.recipe.learning_rate, weight_decay=0.0)
        losses = []
        for _ in range(2):
            started = time.perf_counter()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed_precision(self.spec, self.device)):
                loss = self.model(**self.batch).loss
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            self.seconds = time.perf_counter() - started
        self.memory = memory_mb(self.device)
        ok = all(math.isfinite(loss) for loss in losses)
        return Check("one step", ok, f"loss {losses[0]:.4f}, then {losses[1]:.4f} on the same rows")

    def adapter(self) -> Check:
        """The trained LoRA changes what the model says; else its layers aren't in the model's path."""
        import torch

        self.model.eval()
        with torch.no_grad():
            with_adapter = self.model(**self.batch).logits
            with self.model.disable_adapter():
                change = (with_adapter - self.model(**self.batch).logits).abs().max().item()
            for weight, kept in zip((p for p in self.model.parameters() if p.requires_grad), self.kept):
                weight.copy_(kept)
        self.model.train()
        count = sum(kept.numel() for kept in self.kept)
        return Check("adapter", change > 0, f"{count:,} weights learn; two steps change the logits by up to {change:.3g}")

    def estimate(self, steps: int, accumulation: int, dev_rows: int) -> Check:
        """Time and memory of the whole run from one step's; the held-out loss costs a third of a step a batch."""
        measurements = steps // self.spec.recipe.dev_every + 2
        batches = steps * accumulation + measurements * math.ceil(dev_rows / self.size) / 3
        return Check("estimate", True, f"{steps} steps, about {_duration(batches * self.seconds)}, {self.memory:,} MB of memory")


def rows_in(features: Any) -> int:
    """How many vectors there are in features of any form: (…, d), or several of these."""
    if isinstance(features, (list, tuple)):
        return sum(rows_in(part) for part in features)
    return int(features.shape[:-1].numel())


def _row_error(path: str | None, text: str | None, answer: str | None) -> str | None:
    if not text or not text.strip():
        return "no question"
    if not answer or not answer.strip():
        return "no answer"
    if not path or not Path(path).is_file():
        return f"no image at {path}"
    return None


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """A model that fails on its batch fails the check, with the model's own words."""
    try:
        return check()
    except (MistakebookError, ValueError, RuntimeError, TypeError, OSError, AttributeError) as error:
        return Check(name, False, f"{type(error).__name__}: {error}")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
