"""Finetune a checkpoint by LoRA: `python -m models.finetune RUN_FOLDER`, also under `accelerate launch -m`.

A run folder holds `run.json` (RunSpec), `train.parquet` and `dev.parquet` (see spec.COLUMNS; dev may be empty). It gets
`events.jsonl` (one object a line: progress, preflight, message), `steps/` (snapshot steps, for going on after a stop; the names
in it are the Trainer's), and at the end `adapter/` (LoRA weights as PEFT writes them) and `result.json`. Launching it again goes
on from the last snapshot step with the same rows in the same order; after a kill the steps since then are reported once more.
Launching a finished run does nothing.

SIGTERM, SIGINT or a file named `stop` in the folder: the step is finished, a snapshot step kept, exit code 3.
Exit codes (data/child_work.py): 0 done, 1 failed, 2 wrong usage, 3 stopped, 4 the preflight found a reason not to start.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.child_work import ExitCode, StopRequest
from data.errors import MistakebookError
from data.files import append_line, cut_torn_line, part_of, remove, write_whole
from models.finetuning.card import model_card
from models.finetuning.preflight import Check, PreflightFailed, check_rows, run_checks
from models.finetuning.spec import RECIPES, BadRun, Recipe, Run, RunSpec, read_json, write_rows
from models.finetuning.types import Diverged, Event, Report

if TYPE_CHECKING:
    from models.finetuning.training import LoraTrainer

__all__ = [
    "RECIPES",
    "BadRun",
    "Check",
    "Diverged",
    "PreflightFailed",
    "Recipe",
    "RunSpec",
    "Stopped",
    "finetune",
    "preflight",
    "write_rows",
]


class Stopped(MistakebookError):
    """The run was told to stop; a snapshot step is kept and launching it again goes on from there."""


def finetune(run_folder: Path, report: Report, should_stop: Callable[[], bool]) -> Path:
    """Trains what the folder asks for and returns the adapter's folder.

    `report` gets every event (the caller writes events.jsonl); `should_stop` is asked after each step.
    Raises BadRun, PreflightFailed (before any training), Diverged or Stopped.
    """
    folder = Path(run_folder).resolve()
    adapter = folder / "adapter"
    if read_json(folder / "result.json"):
        return adapter
    run = Run.read(folder)
    emit = report if _is_main() else _ignore
    rows = check_rows(run.train)
    if not rows.ok:  # known before the seconds that loading takes
        _announce([rows], emit)

    from models.finetuning.finite_steps import check_weights
    from models.finetuning.trainable import load
    from models.finetuning.training import build_trainer, devices, last_snapshot, total_steps

    started = time.time()
    model, processor = load(run.spec, emit)
    snapshot = last_snapshot(folder / "steps")
    if snapshot:
        emit({"event": "message", "text": f"goes on from snapshot step {snapshot.name.rpartition('-')[2]}"})
    else:
        recipe = run.spec.recipe
        _announce(run_checks(run, model, processor, total_steps(recipe, len(run.train)), recipe.accumulation(devices())), emit)
    trainer = build_trainer(run, model, processor, emit, should_stop)
    trainer.train(resume_from_checkpoint=str(snapshot) if snapshot else None)
    if trainer.state.global_step < trainer.state.max_steps:
        text = f"stopped after step {trainer.state.global_step} of {trainer.state.max_steps}; launch it again to go on"
        emit({"event": "message", "text": text})
        raise Stopped(text)
    check_weights(model, folder / "steps")
    result = _result(run, trainer, time.time() - started)
    _save_adapter(trainer, adapter, model_card(run, result))
    if _is_main():
        write_whole(run.folder / "result.json", json.dumps(result, indent=1))
        shutil.rmtree(folder / "steps")  # only needed to go on; optimiser states are several times the adapter's size
    return adapter


def preflight(run_folder: Path) -> list[Check]:
    """The checks alone, without training; the run folder stays as it is. Raises BadRun if it can't be read."""
    run = Run.read(Path(run_folder).resolve())
    rows = check_rows(run.train)
    if not rows.ok:
        return [rows]

    from models.finetuning.trainable import load
    from models.finetuning.training import devices, total_steps

    model, processor = load(run.spec, _ignore)
    recipe = run.spec.recipe
    return run_checks(run, model, processor, total_steps(recipe, len(run.train)), recipe.accumulation(devices()))


def _ignore(event: Event) -> None:
    pass


def _is_main() -> bool:
    """Under `accelerate launch` only the first process writes."""
    return os.environ.get("RANK", "0") == "0"


def _announce(checks: list[Check], emit: Report) -> None:
    """Reports the preflight; raises PreflightFailed if a check failed."""
    emit({"event": "preflight", "checks": [asdict(check) for check in checks], "time": time.time()})
    if not all(check.ok for check in checks):
        raise PreflightFailed(checks)


def _append_to(path: Path) -> Report:
    """A function that appends an event to the file and prints it, at once. A torn last line of a killed run is cut."""
    cut_torn_line(path)

    def report(event: Event) -> None:
        append_line(path, event)
        print(json.dumps(event), flush=True)

    return report


def _save_adapter(trainer: "LoraTrainer", adapter: Path, card: str) -> None:
    """Writes the adapter with its card beside its place and then moves it there: a reader never sees half of one."""
    part = part_of(adapter)  # one name, for all processes of a run may write to it
    trainer.save_model(str(part))
    if _is_main():
        (part / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody reads
        (part / "README.md").write_text(card, encoding="utf-8")
        remove(adapter)
        part.rename(adapter)


def _result(run: Run, trainer: "LoraTrainer", seconds: float) -> dict[str, Any]:
    """What result.json holds."""
    from importlib.metadata import version

    history = trainer.state.log_history  # of the whole run, also of what came before a stop
    sources = run.train.column("source")
    return {
        "steps": trainer.state.global_step,
        "rows": {name: sources.count(name) for name in sorted(set(sources))},
        "dev_rows": len(run.dev),
        "losses": [[entry["step"], entry["loss"]] for entry in history if "loss" in entry],
        "dev_losses": [[entry["step"], entry["eval_loss"]] for entry in history if "eval_loss" in entry],
        "seconds": round(seconds, 1),  # of the last launch
        "parent_adapter": run.spec.checkpoint.adapter,
        "device": str(trainer.args.device),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "accelerate")},
        "spec": run.spec.model_dump(mode="json"),
    }


def main() -> ExitCode:
    parser = argparse.ArgumentParser(prog="python -m models.finetune", description="Finetune a checkpoint by LoRA.")
    parser.add_argument("run_folder", type=Path, help="folder with run.json, train.parquet and dev.parquet")
    parser.add_argument("--preflight", action="store_true", help="check only, and print the checks as JSON")
    arguments = parser.parse_args()
    folder: Path = arguments.run_folder
    stop = StopRequest(folder / "stop", (signal.SIGTERM, signal.SIGINT))
    (folder / "stop").unlink(missing_ok=True)  # of an earlier launch
    try:
        if arguments.preflight:
            checks = preflight(folder)
            print(json.dumps([asdict(check) for check in checks], indent=1))
            return ExitCode.DONE if all(check.ok for check in checks) else ExitCode.REFUSED
        finetune(folder, _append_to(folder / "events.jsonl"), lambda: bool(stop()))
    except Stopped:
        return ExitCode.STOPPED
    except PreflightFailed as error:
        print(f"not started: {error}", file=sys.stderr)
        return ExitCode.REFUSED
    except (BadRun, Diverged) as error:
        print(error, file=sys.stderr)
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
