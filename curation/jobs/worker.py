"""The child of a job: `python -m curation.jobs.worker JOB_FOLDER MODULE:STAGE_CLASS`. Rows in, results out; it never opens the store.

Results are appended line by line as they come, so that killing it loses only what was in flight; keys with a result are
skipped when it is started again. The exit code is an ExitCode; REFUSED: the job pauses itself.
"""

import fcntl
import importlib
import itertools
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.jobs.bad_rows import RecentRows, TooManyFailures, in_words, results_of
from curation.jobs.job_folder import JobFolder, earlier_results
from curation.stage import Context, Row, Stage
from data.child_work import ExitCode, StopRequest
from data.errors import MistakebookError
from data.files import cut_torn_line
from data.workspace import Workspace
from models.frontier import FrontierStopped

PROGRESS_EVERY = 0.5  # seconds
NICENESS = 5  # the page stays quick on a machine of two cores


class StoppedWaiting(MistakebookError):
    """Asked to stop before the folder was free."""


class Progress:
    """Counts rows and reports them now and then, unless the stage reports its own progress."""

    def __init__(self, files: JobFolder, total: int, done: int):
        self._files, self._total, self._done, self._already = files, total, done, done
        self._began, self._reported, self._stage_reports = time.monotonic(), 0.0, False

    def report(self, event: dict[str, Any]) -> None:
        """What a stage calls: its own events."""
        self._stage_reports = self._stage_reports or event["event"] == "progress"
        self._files.append_event({"time": time.time(), **event})

    def begin(self) -> None:
        """The rows begin: what was needed to load models doesn't count for the rate."""
        self._began = time.monotonic()
        self._report()

    def row(self) -> None:
        self._done += 1
        if time.monotonic() - self._reported >= PROGRESS_EVERY or self._done == self._total:
            self._report()

    def _report(self) -> None:
        if self._stage_reports:
            return
        self._reported = time.monotonic()
        rate = (self._done - self._already) / max(self._reported - self._began, 1e-6)
        eta = (self._total - self._done) / rate if rate else None
        event = {
            "event": "progress",
            "done": self._done,
            "total": self._total,
            "rows_per_s": round(rate, 3),
            "eta_s": eta and round(eta, 1),
        }
        self._files.append_event({"time": time.time(), **event})


def run(files: JobFolder, stage_class: str) -> ExitCode:
    """Works until the rows are through or something ends it; the last event says what. Returns the exit code.

    `stage_class` is the path of the stage's class: "curation.stages.diagnose:Diagnose".
    """
    stop = StopRequest(files.stop)
    try:
        with _locked(files, stop):
            files.append_event({"event": "start", "time": time.time(), "pid": os.getpid()})
            code, reason = _work(files, stage_class, stop)
    except StoppedWaiting:
        code, reason = ExitCode.STOPPED, None
    except FrontierStopped as error:
        code, reason = (ExitCode.REFUSED if error.resumable else ExitCode.FAILED), str(error)
    except TooManyFailures as error:
        code, reason = ExitCode.REFUSED, str(error)
    except BaseException as error:
        traceback.print_exc()
        code, reason = ExitCode.FAILED, in_words(error)
    if code == ExitCode.STOPPED:
        reason = stop.why
    files.append_event({"event": "end", "time": time.time(), "code": code, "reason": reason})
    return code


def _work(files: JobFolder, stage_class: str, stop: StopRequest) -> tuple[ExitCode, str | None]:
    spec = files.read_spec()
    cut_torn_line(files.results)
    finished, errors = earlier_results(files.results, spec.retry_before)
    # "attempt" tells a stage to ask anew, where the answer that it got was of no use
    rows = ({**row, "attempt": errors[row["key"]]} for row in files.rows() if row["key"] not in finished)
    first = next(rows, None)
    if first is None:
        return ExitCode.DONE, None
    stage = _imported(stage_class)()
    progress = Progress(files, spec.total, len(finished))
    options = stage.Options(**spec.options)
    context = Context(Workspace(spec.workspace), files.folder, options, stop, progress.report)
    stage.setup(context)
    progress.begin()
    recent = RecentRows()
    with files.results.open("ab", buffering=0) as out:
        for batch in _batches(itertools.chain([first], rows), stage.batch_size):
            if stop():
                return ExitCode.STOPPED, None
            for result in results_of(stage, batch, stop):
                out.write(json.dumps(result, ensure_ascii=False).encode() + b"\n")
                progress.row()
                recent.note(result)
    return (ExitCode.STOPPED, None) if stop() else (ExitCode.DONE, None)


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


def _imported(path: str) -> type[Stage[Any]]:
    module, _, name = path.partition(":")
    stage: type[Stage[Any]] = getattr(importlib.import_module(module), name)
    return stage


@contextmanager
def _locked(files: JobFolder, stop: StopRequest) -> Iterator[None]:
    """Holds the folder's lock; waits where an earlier child (left over from a killed app) still works, and then goes on behind it."""
    with files.lock.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stop():
                    raise StoppedWaiting from None
                time.sleep(0.1)
        yield


if __name__ == "__main__":
    os.nice(NICENESS)
    sys.exit(run(JobFolder(Path(sys.argv[1])), sys.argv[2]))
