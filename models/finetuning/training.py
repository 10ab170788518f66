"""The training itself: transformers' Trainer with our optimiser groups, reports, stops and snapshot steps.

Importing this file loads torch; `models.finetune` does so only when a run begins.
"""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.optim import AdamW
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from models.finetuning.batches import ROW_IDS, NamedRows
from models.finetuning.finite_steps import FiniteSteps
from models.finetuning.spec import Recipe, Run, read_json
from models.finetuning.trainable import base_of, collator, memory_mb, mixed_precision
from models.finetuning.types import Diverged, Processor, Report
from models.weights.parts import parts_of


def devices() -> int:
    """Devices that train together, as `accelerate launch` says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def total_steps(recipe: Recipe, rows: int) -> int:
    """Optimiser steps of the whole run."""
    batch = min(recipe.device_batch_size, recipe.batch_size) * recipe.accumulation(devices()) * devices()
    return recipe.max_steps or math.ceil(recipe.epochs * math.ceil(rows / batch))


def last_snapshot(steps_folder: Path) -> Path | None:
    """The newest whole snapshot step: its trainer_state.json, which is written last, can be read."""
    whole = [path.parent for path in steps_folder.glob("*/trainer_state.json") if read_json(path)]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def build_trainer(run: Run, model: PeftModel, processor: Processor, report: Report, should_stop: Callable[[], bool]) -> "LoraTrainer":
    """The trainer of a run: its rows, its recipe, reports after each step, snapshot steps in `steps/`."""
    spec, train, dev = run.spec, run.train, run.dev
    recipe, device = spec.recipe, next(model.parameters()).device
    arguments = TrainingArguments(
        output_dir=str(run.folder / "steps"),
        per_device_train_batch_size=min(recipe.device_batch_size, recipe.batch_size),
        per_device_eval_batch_size=recipe.device_batch_size,
        gradient_accumulation_steps=recipe.accumulation(devices()),
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.scheduler,
        warmup_steps=math.ceil(recipe.warmup_share * total_steps(recipe, len(train))),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        bf16=mixed_precision(spec, device),
        logging_nan_inf_filter=False,  # it would put an average in the place of a loss that is no number
        logging_steps=max(1, total_steps(recipe, len(train)) // 400),
        save_steps=recipe.save_every,
        save_total_limit=2,
        eval_strategy="steps" if len(dev) else "no",
        eval_steps=recipe.dev_every,
        eval_on_start=len(dev) > 0,
        prediction_loss_only=True,
        label_names=["labels"],
        remove_unused_columns=False,
        dataloader_num_workers=recipe.workers,
        dataloader_pin_memory=device.type == "cuda",
        use_cpu=device.type == "cpu",
        seed=spec.seed,
        disable_tqdm=True,
        report_to=[],
    )
    if device.type == "cuda":
        arguments._n_gpu = 1  # several GPUs train by `accelerate launch`, never by Trainer's DataParallel
    reporter = Reporter(report, should_stop, device, recipe)
    trainer = LoraTrainer(
        recipe,
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=dev if len(dev) else None,
        data_collator=NamedRows(collator(spec, model, processor)),
        callbacks=[reporter],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class LoraTrainer(Trainer):
    """Trainer whose connector may have its own learning rate, and which takes no step that is no number."""

    def __init__(self, recipe: Recipe, **arguments: Any):
        super().__init__(**arguments)
        self.recipe, self.finite_steps = recipe, FiniteSteps()
        self.add_callback(self.finite_steps)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor | Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        row_ids: Any = inputs.pop(ROW_IDS)
        made = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        if model.training:
            self.finite_steps.note(row_ids, made[0] if isinstance(made, tuple) else made)
        return made

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        trained = model or self.model
        if trained is None:
            raise ValueError("the trainer was made without a model")
        parts = parts_of(base_of(self.accelerator.unwrap_model(trained)))
        named = [(parts.is_connector(n), p) for n, p in trained.named_parameters() if p.requires_grad]
        groups = [
            {"params": [p for connects, p in named if not connects], "lr": self.recipe.learning_rate},
            {"params": [p for connects, p in named if connects], "lr": self.recipe.projector_learning_rate or self.recipe.learning_rate},
        ]
        self.optimizer = AdamW([g for g in groups if g["params"]], lr=self.recipe.learning_rate, weight_decay=self.recipe.weight_decay)
        return self.optimizer


class Reporter(TrainerCallback):
    """Reports progress after each step and asks whether to stop; then the step is finished and a snapshot step kept."""

    def __init__(self, report: Report, should_stop: Callable[[], bool], device: torch.device, recipe: Recipe):
        self.report, self.should_stop, self.device = report, should_stop, device
        self.batch_size = recipe.batch_size
        self.last = (0, 0.0)  # step and time of the last report
        self.losses: list[tuple[int, float]] = []
        self.dev_losses: list[tuple[int, float]] = []

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.last = (state.global_step, time.perf_counter())

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.global_step < state.max_steps and self._all_agree(self.should_stop()):
            control.should_training_stop = control.should_save = control.should_log = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs: dict[str, float] = kwargs["logs"]
        if "loss" not in logs:
            return
        step, now = state.global_step, time.perf_counter()
        if not math.isfinite(logs["loss"]):
            raise Diverged(f"training diverged: the loss is {logs['loss']} at step {step}; lower the learning rate")
        speed = (step - self.last[0]) * self.batch_size / max(now - self.last[1], 1e-9)
        self.last = (step, now)
        self.losses.append((step, logs["loss"]))
        kept = {name: float(logs[name]) for name in ("loss", "learning_rate", "grad_norm") if name in logs}
        self._progress(state, **kept, samples_per_s=round(speed, 1), memory_mb=memory_mb(self.device))

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        dev_loss: float = kwargs["metrics"]["eval_loss"]
        self.last = (state.global_step, time.perf_counter())  # measuring isn't training time
        self.dev_losses.append((state.global_step, dev_loss))
        self._progress(state, dev_loss=dev_loss)

    def _progress(self, state: TrainerState, **values: float) -> None:
        self.report({"event": "progress", "done": state.global_step, "total": state.max_steps, **values, "time": time.time()})

    def _all_agree(self, stop: bool) -> bool:
        """True if any of the processes that train together was told to stop: all must leave after the same step."""
        import torch.distributed as dist

        if not dist.is_initialized():
            return stop
        votes = torch.tensor([int(stop)], device=self.device)
        dist.all_reduce(votes)
        return bool(votes.item())
