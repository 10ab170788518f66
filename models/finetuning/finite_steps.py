"""Ends a run before it takes a step that is no number: the weights stay as they were, and the rows of the step are named."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils import get_total_norm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from models.finetuning.types import Diverged

SHOWN = 8  # rows that are named


class FiniteSteps(TrainerCallback):
    """Is told the rows and the loss of each batch, and looks at the gradient before each step. Raises Diverged."""

    def __init__(self) -> None:
        self._batches: list[tuple[Sequence[str], torch.Tensor]] = []

    def note(self, row_ids: Sequence[str], loss: torch.Tensor) -> None:
        self._batches.append((row_ids, loss.detach()))

    def on_pre_optimizer_step(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        batches, self._batches = self._batches, []
        gradients = [weight.grad for weight in kwargs["model"].parameters() if weight.grad is not None]
        if torch.isfinite(get_total_norm(gradients)):
            return
        bad = [ids for ids, loss in batches if not torch.isfinite(loss)] or [ids for ids, _ in batches]
        rows = [row_id for ids in bad for row_id in ids]
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        raise Diverged(
            f"training diverged: the gradient of step {state.global_step + 1} is no number, and the step was not taken. Its rows: "
            f"{', '.join(rows[:SHOWN])}{more}. {_kept(Path(args.output_dir or '.'))}. Look at these rows, or lower the learning rate"
        )


def check_weights(model: torch.nn.Module, steps_folder: Path) -> None:
    """Raises Diverged if weights that were trained are no numbers after the last step."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    bad = sum(int((~torch.isfinite(weight)).sum()) for weight in trained)
    if bad:
        total = sum(weight.numel() for weight in trained)
        raise Diverged(
            f"training diverged: {bad:,} of {total:,} weights are no numbers after the last step, and no adapter was written. "
            f"{_kept(steps_folder)}. Lower the learning rate"
        )


def _kept(steps_folder: Path) -> str:
    steps = sorted(int(path.parent.name.rpartition("-")[2]) for path in steps_folder.glob("*/trainer_state.json"))
    return f"Snapshot step {steps[-1]} is kept in {steps_folder}" if steps else "There was no snapshot step yet"
