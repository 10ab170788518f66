"""Finetune a checkpoint by LoRA: `python -m models.finetune RUN_FOLDER`, also under `accelerate launch -m`.

A run folder holds `run.json` (RunSpec), `train.parquet` and `dev.parquet` (see spec.COLUMNS; dev may be empty). It gets
`events.jsonl` (one object a line: progress, preflight, message), `steps/` (snapshot steps, for going on after a stop; the names
in it are the Trainer's), and at the end `adapter/` (LoRA weights as PEFT writes them) and `result.json`. Launching it again goes
on from the last snapshot step with the same rows in the same order; after a kill the steps since then are reported once more.
Launching a finished run does nothing.

SIGTERM, SIGINT or a file named `stop` in the folder: the step is finished, a snapshot step kept, exit code 3.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stopped, 4 the preflight found a reason not to start.
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

from data.errors import MistakebookError
from data.files import cut_torn_line, part_of, remove, write_whole
from models.finetuning.preflight import Check, PreflightFailed, check_rows, run_checks
from models.finetuning.spec import RECIPES, BadRun, Recipe, Rows, RunSpec, read_json, write_rows

__all__ = ["RECIPES", "BadRun", "Check", "PreflightFailed", "Recipe", "RunSpec", "Stopped", "finetune", "preflight", "write_rows"]

STOPPED, REFUSED = 3, 4  # exit codes


class Stopped(MistakebookError):
    """The run was told to stop; a snapshot step is kept and launching it again goes on from there."""


def finetune(run_folder: Path, report: Callable[[dict], None], should_stop: Callable[[], bool]) -> Path:
    """Trains what the folder asks for and returns the adapter's folder.

    `report` gets every event (the caller writes events.jsonl); `should_stop` is asked after each step.
    Raises BadRun, PreflightFailed (before any training) or Stopped.
    """
    run_folder = Path(run_folder).resolve()
    adapter = run_folder / "adapter"
    if read_json(run_folder / "result.json"):
        return adapter
    spec, train, dev = _read(run_folder)
    emit = report if _is_main() else lambda event: None
    rows = check_rows(train)
    if not rows.ok:  # known before the seconds that loading takes
        _announce([rows], emit)

    from models.finetuning.trainable import load
    from models.finetuning.training import build_trainer, devices, last_snapshot, total_steps

    started = time.time()
    model, processor = load(spec, emit)
    snapshot = last_snapshot(run_folder / "steps")
    if snapshot:
        emit({"event": "message", "text": f"goes on from snapshot step {snapshot.name.rpartition('-')[2]}"})
    else:
        steps = total_steps(spec.recipe, len(train))
        checks = run_checks(spec, model, processor, train, dev, steps, spec.recipe.accumulation(devices()))
        _announce(checks, emit)
    trainer = build_trainer(spec, model, processor, train, dev, run_folder, emit, should_stop)
    trainer.train(resume_from_checkpoint=str(snapshot) if snapshot else None)
    if trainer.state.global_step < trainer.state.max_steps:
        text = f"stopped after step {trainer.state.global_step} of {trainer.state.max_steps}; launch it again to go on"
        emit({"event": "message", "text": text})
        raise Stopped(text)
    _save_adapter(trainer, run_folder)
    if _is_main():
        _write_result(run_folder, spec, train, dev, trainer, time.time() - started)
        shutil.rmtree(run_folder / "steps")  # only needed to go on; optimiser states are several times the adapter's size
    return adapter


def preflight(run_folder: Path) -> list[Check]:
    """The checks alone, without training; the run folder stays as it is. Raises BadRun if it can't be read."""
    run_folder = Path(run_folder).resolve()
    spec, train, dev = _read(run_folder)
    rows = check_rows(train)
    if not rows.ok:
        return [rows]

    from models.finetuning.trainable import load
    from models.finetuning.training import devices, total_steps

    model, processor = load(spec, lambda event: None)
    return run_checks(spec, model, processor, train, dev, total_steps(spec.recipe, len(train)), spec.recipe.accumulation(devices()))


def _read(run_folder: Path) -> tuple[RunSpec, Rows, Rows]:
    return RunSpec.read(run_folder), Rows(run_folder / "train.parquet"), Rows(run_folder / "dev.parquet")


def _is_main() -> bool:
    """Under `accelerate launch` only the first process writes."""
    return os.environ.get("RANK", "0") == "0"


def _announce(checks: list[Check], emit: Callable[[dict], None]) -> None:
    """Reports the preflight; raises PreflightFailed if a check failed."""
    emit({"event": "preflight", "checks": [asdict(check) for check in checks], "time": time.time()})
    if not all(check.ok for check in checks):
        raise PreflightFailed(checks)


def _append_to(path: Path) -> Callable[[dict], None]:
    """A function that appends an event to the file and prints it, at once. A torn last line of a killed run is cut."""
    cut_torn_line(path)

    def report(event: dict) -> None:
        line = json.dumps(event) + "\n"
        with path.open("a") as file:
            file.write(line)
        print(line, end="", flush=True)

    return report


def _save_adapter(trainer, run_folder: Path) -> None:
    """Writes the adapter beside its place and then moves it there: a reader never sees half of one."""
    adapter = run_folder / "adapter"
    part = part_of(adapter)  # one name, for all processes of a run may write to it
    trainer.save_model(str(part))
    if _is_main():
        (part / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody reads
        remove(adapter)
        part.rename(adapter)


def _write_result(run_folder: Path, spec: RunSpec, train: Rows, dev: Rows, trainer, seconds: float) -> None:
    from importlib.metadata import version

    history = trainer.state.log_history  # of the whole run, also of what came before a stop
    sources = train.column("source")
    result = {
        "steps": trainer.state.global_step,
        "rows": {name: sources.count(name) for name in sorted(set(sources))},
        "dev_rows": len(dev),
        "losses": [[entry["step"], entry["loss"]] for entry in history if "loss" in entry],
        "dev_losses": [[entry["step"], entry["eval_loss"]] for entry in history if "eval_loss" in entry],
        "seconds": round(seconds, 1),  # of the last launch
        "parent_adapter": spec.checkpoint.adapter,
        "device": str(trainer.args.device),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "accelerate")},
        "spec": spec.model_dump(mode="json"),
    }
    write_whole(run_folder / "result.json", json.dumps(result, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m models.finetune", description="Finetune a checkpoint by LoRA.")
    parser.add_argument("run_folder", type=Path, help="folder with run.json, train.parquet and dev.parquet")
    parser.add_argument("--preflight", action="store_true", help="check only, and print the checks as JSON")
    arguments = parser.parse_args()
    told = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.append(True))
    stop_file = arguments.run_folder / "stop"
    stop_file.unlink(missing_ok=True)  # of an earlier launch
    try:
        if arguments.preflight:
            checks = preflight(arguments.run_folder)
            print(json.dumps([asdict(check) for check in checks], indent=1))
            return 0 if all(check.ok for check in checks) else REFUSED
        RunSpec.read(arguments.run_folder)  # a wrong folder gets no events.jsonl
        report = _append_to(arguments.run_folder / "events.jsonl") if _is_main() else lambda event: None
        finetune(arguments.run_folder, report, lambda: bool(told) or stop_file.exists())
    except Stopped:
        return STOPPED
    except PreflightFailed as error:
        print(f"not started: {error}", file=sys.stderr)
        return REFUSED
    except BadRun as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
