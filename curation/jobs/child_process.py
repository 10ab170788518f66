"""The child process of a job, whether this app started it or found it alive after a restart."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from curation.frontier.options import JOB_VARIABLE
from curation.jobs.job_folder import JobFolder
from curation.stage import Stage
from data.machine import HOUSE
from data.processes import Process


@dataclass
class Child:
    process: Process
    popen: subprocess.Popen[bytes] | None = None  # None: an earlier app has started it; it may be dead
    began: float | None = None  # when this app started it, by the monotonic clock; None: an earlier app has
    leaving_since: float | None = None  # when it was first seen to be asked to stop, or to have reported its end; by the same clock
    events_seen: tuple[int, bool] = (-1, False)  # size of its events at the last look, and whether they were read at that size

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.popen.poll() is None if self.popen else self.process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Negative: ended by that signal. None: alive, or re-attached (only its parent may ask)."""
        return self.popen.poll() if self.popen else None

    def terminate(self) -> None:
        """Asks it to stop; it finishes what is in flight."""
        with suppress(ProcessLookupError):  # it may end between the look and the signal
            if self.is_alive():
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends it and all that it started (they share its session) at once."""
        with suppress(ProcessLookupError):
            if self.is_alive():
                os.killpg(self.pid, signal.SIGKILL)

    def kill_if_overdue(self, files: JobFolder, grace: float) -> None:
        """Kills it if it was asked to stop, or has reported its end, longer than `grace` seconds ago. To be called now and then."""
        if self.leaving_since is None:
            if files.stop.exists() or self._has_reported_its_end(files):
                self.leaving_since = time.monotonic()
        elif time.monotonic() - self.leaving_since > grace:
            self.kill()

    def _has_reported_its_end(self, files: JobFolder) -> bool:
        """Reads the events only where none was added since the last look, and then once: an end is the last of them."""
        size, (before, read) = files.events.stat().st_size, self.events_seen
        self.events_seen = (size, size == before)
        return size == before and not read and "end" in files.last_events()

    @property
    def seconds(self) -> float | None:
        """How long it has been at work; None where an earlier app has started it."""
        return None if self.began is None else time.monotonic() - self.began


def start(files: JobFolder, job_id: int, stage: type[Stage[Any]]) -> Child:
    """Starts the child of a job in a session of its own: it outlives an app that is killed, and Ctrl-C reaches only the app.

    The child is told where the stage's class lies now: a job that was launched by another version may be older than the module.
    """
    with files.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "curation.jobs.worker", str(files.folder), f"{stage.__module__}:{stage.__qualname__}"],
            cwd=HOUSE,
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, JOB_VARIABLE: str(job_id), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Child(Process.of(process.pid), process, time.monotonic())
