"""Waiting for a job: progress on standard error. Ctrl-C asks the job to stop, and so do SIGTERM and SIGHUP (a terminal that is closed)."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Protocol, Self

from curation.commands.app_client import App
from curation.commands.exit_codes import EXIT_OF_JOB, FAILED
from curation.commands.output import console_of, is_plain
from curation.jobs.views import JobView
from data.statuses import ACTIVE, FAULTY, JobStatus

STOPPING = (signal.SIGTERM, signal.SIGHUP)
EVERY = 0.4  # seconds between two requests for the job
LINE_EVERY = 10.0  # seconds between two lines where standard error is no terminal
BAR_WIDTH = 24  # characters


def follow(app: App, job: JobView) -> tuple[JobView, int]:
    """Waits until a job has ended or rests; returns it with the exit status: 0 done, 3 stopped on request, 1 otherwise."""
    number = job.job_id
    stopping = False
    with _signals_as_interrupts(), _display(job) as display:
        while True:
            try:
                job = app.get(f"/api/jobs/{number}", JobView)
                if job.status not in ACTIVE:
                    break
                display.show(job)
                time.sleep(EVERY)
            except KeyboardInterrupt:
                if stopping:
                    raise
                stopping = True
                app.post(f"/api/jobs/{number}/pause", {}, JobView)  # before anything is printed: the terminal may be gone
                with suppress(OSError):
                    display.note("asking the job to stop after what is in flight; Ctrl-C again leaves it running")
    with suppress(OSError):
        print("\n".join([in_words(job), *_next_steps(job)]), file=sys.stderr, flush=True)
    return job, EXIT_OF_JOB.get(job.status, FAILED)


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt, as SIGINT does; one that its parent ignores (nohup) stays ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_words(job: JobView) -> str:
    """A job in one line."""
    return " · ".join([_name(job), *_details(job)])


def _name(job: JobView) -> str:
    return f"{job.stage} (job {job.job_id})"


def _counts(job: JobView) -> tuple[int, int | None]:
    """Rows done, and rows in all: as the job says itself, else as they are in the store."""
    progress = job.progress or {}
    return progress.get("done", job.done + job.failed), progress.get("total", job.total)


def _details(job: JobView) -> list[str]:
    """Status or progress, rate, time left, failed rows, spend, message: what there is of these."""
    progress = job.progress or {}
    running = job.status == JobStatus.RUNNING
    done, total = _counts(job)
    parts = [f"{done:,}/{total:,}" if running else job.status]
    if running and progress.get("rows_per_s"):
        parts.append(f"{progress['rows_per_s']:.1f}/s")
    if running and progress.get("eta_s"):
        parts.append(f"{progress['eta_s']:.0f} s left")
    if job.failed:
        parts.append(f"{job.failed:,} failed")
    if job.spend_usd:
        parts.append(f"${job.spend_usd:.2f}")
    if job.message:
        parts.append(job.message)
    return parts


def _next_steps(job: JobView) -> list[str]:
    """The commands by which a job that isn't wholly done goes on."""
    number = job.job_id
    if job.status in (*FAULTY, JobStatus.PAUSED):
        limit = " (--budget USD for another limit)" if job.options.get("budget_usd") is not None else ""
        return [f"continue with: mistakebook jobs resume {number}{limit}"]
    if job.failed:
        return [f"see the errors: mistakebook jobs errors {number}; run the failed rows again: mistakebook jobs retry {number}"]
    return []


class _Display(Protocol):
    """Where a job's progress is shown while it runs."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def show(self, job: JobView) -> None:
        """Shows the progress as it is now."""

    def note(self, text: str) -> None:
        """Prints a line that stays."""


def _display(job: JobView) -> _Display:
    live = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    return _Bar(job) if live else _Lines()


class _Lines:
    """A line now and then, for files and pipes."""

    def __init__(self) -> None:
        self._shown_at, self._last = 0.0, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, job: JobView) -> None:
        text = in_words(job)
        if time.monotonic() - self._shown_at > LINE_EVERY and text != self._last:
            self.note(text)
            self._shown_at, self._last = time.monotonic(), text

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class _Bar:
    """One line that is written over, with a bar; with NO_COLOR without it. It is taken away at the end."""

    def __init__(self, job: JobView) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        name, details = (TextColumn(f"{{task.{field}}}", style="none", markup=False) for field in ("description", "fields[details]"))
        columns = (name, details) if is_plain(sys.stderr) else (name, BarColumn(BAR_WIDTH), details)
        self._progress = Progress(*columns, console=console_of(sys.stderr, live=True), auto_refresh=False, transient=True)
        self._task = self._progress.add_task(_name(job), total=None, details="")
        self._room = self._progress.console.width - len(_name(job)) - (BAR_WIDTH + 1) * (len(columns) - 2) - 1  # characters for the details

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, job: JobView) -> None:
        from rich.text import Text

        done, total = _counts(job)
        details = Text(" · ".join(_details(job)).replace("\n", " "))
        details.truncate(max(self._room, 0), overflow="ellipsis")  # a long message is printed in full at the end
        self._progress.update(self._task, completed=done, total=total, details=details.plain, refresh=True)

    def note(self, text: str) -> None:
        self._progress.console.print(text)
