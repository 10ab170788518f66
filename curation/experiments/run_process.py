"""One run as a process: `python -m curation.experiments.run_process RUN_FOLDER`. It is trained, asked the eval examples, and scored.

Whatever is killed, starting it again goes on from the last snapshot step or the last answer. It stops by itself where its parent is gone.
Exit codes are those of data/child_work.py; the last line of its log says what went wrong.
"""

import fcntl
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from curation import checkpoints
from curation.experiments.run_folder import RunFolder, RunOutcome, read_eval
from curation.scoring import Scorer, answered
from data.child_work import ExitCode, StopRequest
from data.errors import MistakebookError
from data.files import append_line, cut_torn_line
from data.records import Checkpoint
from models.finetuning.types import Diverged, Event

AT_ONCE = 64  # examples asked between two looks at whether to stop
ENOUGH = 20  # steps, fewer than which tell nothing of where a loss goes: one batch differs from another by more
PART = 0.1  # of the steps, at the beginning and at the end, whose mean losses are compared
Stop = Callable[[], bool]


class RunStopped(MistakebookError):
    """Asked to stop; what is done is kept."""


def run(run_folder: RunFolder, checkpoint: Checkpoint, should_stop: Stop) -> RunOutcome:
    """Trains and asks, as far as it isn't done already. Raises RunStopped, and what models.finetune raises but Diverged."""
    if done := run_folder.outcome():
        return done
    cut_torn_line(run_folder.events)
    diverged: str | None = None
    asked: Checkpoint | None = checkpoint
    if run_folder.is_trained:
        try:
            with _timed(run_folder, "train"):
                asked = _trained(run_folder, checkpoint, should_stop)
        except Diverged as error:
            diverged, asked = str(error), None
    losses = losses_of(run_folder.events_so_far())
    first, last = ends(losses)
    if diverged is None and first is not None and last is not None and last > first and len(losses) >= ENOUGH:
        diverged = f"the loss rose from {first:.3f} to {last:.3f}"
    if asked is not None:
        with _timed(run_folder, "answer"):
            answer_all(run_folder, asked, should_stop)
    outcome = RunOutcome(
        steps=max(losses, default=0),
        first_loss=first,
        last_loss=last,
        diverged=diverged,
        train_seconds=_seconds(run_folder, "train"),
        eval_seconds=_seconds(run_folder, "answer"),
        threads=threads(),
    )
    run_folder.write_outcome(outcome)
    return outcome


@contextmanager
def _timed(run_folder: RunFolder, phase: str) -> Iterator[None]:
    """Notes how long a phase took in this launch, however it ends; a kill leaves no note."""
    began = time.monotonic()
    try:
        yield
    finally:
        append_line(run_folder.events, {"event": "seconds", "phase": phase, "seconds": round(time.monotonic() - began, 2)})


def _seconds(run_folder: RunFolder, phase: str) -> float:
    """What the launches of a run took in a phase, together."""
    noted = (event for event in run_folder.events_so_far() if event["event"] == "seconds" and event["phase"] == phase)
    return float(sum(event["seconds"] for event in noted))


def _trained(run_folder: RunFolder, checkpoint: Checkpoint, should_stop: Stop) -> Checkpoint:
    from models.finetune import Stopped, finetune

    try:
        adapter = finetune(run_folder.folder, lambda event: append_line(run_folder.events, event), should_stop)
    except Stopped as error:
        raise RunStopped(str(error)) from error
    return replace(checkpoint, adapter=str(adapter))


def answer_all(run_folder: RunFolder, checkpoint: Checkpoint, should_stop: Stop) -> None:
    """Asks the checkpoint the eval examples that have no answer yet. Raises RunStopped."""
    run_folder.cut_torn_answer()
    known = {answer["example_id"] for answer in run_folder.read_answers()}
    rows = [row for row in read_eval(run_folder.eval) if row["example_id"] not in known]
    total = len(rows) + len(known)
    if not rows:
        return
    baseline, scorer = checkpoints.make_baseline(checkpoint), Scorer(run_folder.job_folder)
    for start in range(0, len(rows), AT_ONCE):
        if should_stop():
            raise RunStopped(f"stopped after {len(known) + start} of {total} answers")
        some = rows[start : start + AT_ONCE]
        run_folder.append_answers(_as_kept(result) for result in answered(baseline, scorer, some))
        done = len(known) + start + len(some)
        append_line(run_folder.events, {"event": "answered", "done": done, "total": total, "time": time.time()})


def _as_kept(result: dict) -> dict:
    kept = {name: result[name] for name in ("answer", "strict", "lenient", "error") if name in result}
    return {"example_id": int(result["key"]), **kept}


def losses_of(events: Sequence[Event]) -> dict[int, float]:
    """Loss by step; a step that was done again after a kill counts as it was done last."""
    return {event["done"]: event["loss"] for event in events if event["event"] == "progress" and "loss" in event}


def ends(losses: dict[int, float]) -> tuple[float | None, float | None]:
    """Mean loss of the first and of the last tenth of the steps.

    >>> ends({1: 2.0, 2: 1.0, 3: 0.5})
    (2.0, 0.5)
    """
    if not losses:
        return None, None
    ordered = [losses[step] for step in sorted(losses)]
    part = max(1, math.floor(PART * len(ordered)))
    return sum(ordered[:part]) / part, sum(ordered[-part:]) / part


def threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def _locked(run_folder: RunFolder, should_stop: Stop) -> IO[str]:
    """The run's lock, held until the file is closed. An orphan of a killed job may still hold it: it ends by itself. Raises RunStopped."""
    file = run_folder.lock.open("w")
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if should_stop():
                file.close()
                raise RunStopped("stopped while another process was at work on this run") from None
            time.sleep(0.1)


def main(folder: Path) -> ExitCode:
    run_folder, parent = RunFolder(folder), os.getppid()
    stop = StopRequest(run_folder.stop, (signal.SIGTERM,))

    def should_stop() -> bool:
        return bool(stop()) or os.getppid() != parent

    try:
        with _locked(run_folder, should_stop):
            run(run_folder, checkpoints.read_from_folder(run_folder.job_folder), should_stop)
    except RunStopped as stopped:
        print(stopped, file=sys.stderr)
        return ExitCode.STOPPED
    except MistakebookError as error:
        print(error, file=sys.stderr)
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
