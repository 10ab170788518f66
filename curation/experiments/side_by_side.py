"""Runs of an experiment as processes, several at a time: started, watched, asked to stop. One that fails leaves the others alone."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from curation.experiments.run_folder import RunFolder
from data.child_work import ExitCode
from data.files import read_lines
from data.machine import HOUSE, cores

LOOK_EVERY = 0.2  # seconds
REPORT_EVERY = 1.0  # seconds
GRACE = 15.0  # seconds that a run has to stop; the job's own grace period is longer
ASKED_AT_ONCE = 64  # eval examples that count as much as a step in the progress


@dataclass
class Running:
    """A run at work, and how far it has come as its events tell."""

    key: str
    files: RunFolder
    process: subprocess.Popen[bytes]
    offset: int = 0
    steps: int = 0
    total_steps: int | None = None
    answered: int = 0
    told: str = "starts"

    def look(self) -> None:
        """Reads what it has reported since the last look."""
        events, self.offset = read_lines(self.files.events, self.offset)
        for event in events:
            if event["event"] == "progress":
                self.steps, self.total_steps = event["done"], event["total"]
                self.told = f"step {self.steps:,} of {self.total_steps:,}"
            elif event["event"] == "answered":
                self.answered = event["done"]
                self.told = f"answer {event['done']:,} of {event['total']:,}"


@dataclass
class SideBySide:
    """`run` yields the key of each run that has ended, with None or what went wrong. Work is counted in steps and batches of answers."""

    at_once: int
    steps: int  # of a run that is trained
    examples: int  # of the eval splits
    should_stop: Callable[[], bool | str]
    report: Callable[[dict[str, Any]], None]
    _done: float = field(default=0.0, init=False)
    _total: float = field(default=0.0, init=False)

    def run(self, runs: Sequence[tuple[str, RunFolder]]) -> Iterator[tuple[str, str | None]]:
        waiting, working = deque(runs), list[Running]()
        self._total = sum(self._work(files) for _, files in runs)
        began, reported = time.monotonic(), 0.0
        try:
            while waiting or working:
                while waiting and len(working) < self.at_once and not self.should_stop():
                    working.append(self._start(*waiting.popleft()))
                for one in list(working):
                    one.look()
                    if one.process.poll() is not None:
                        working.remove(one)
                        self._done += self._work(one.files)
                        if one.process.returncode == ExitCode.STOPPED and self.should_stop():
                            continue
                        yield one.key, _fault(one)
                if self.should_stop():
                    break
                if time.monotonic() - reported >= REPORT_EVERY:
                    reported = time.monotonic()
                    self._report(working, reported - began)
                time.sleep(LOOK_EVERY)
        finally:
            stop_all(working)

    def _start(self, key: str, files: RunFolder) -> Running:
        files.stop.unlink(missing_ok=True)
        threads = max(1, cores() // self.at_once)
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        with files.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "curation.experiments.run_process", str(files.folder)],
                cwd=HOUSE,
                env={**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return Running(key, files, process)

    def _work(self, files: RunFolder) -> float:
        return (self.steps if files.is_trained else 0) + self.examples / ASKED_AT_ONCE

    def _report(self, working: list[Running], seconds: float) -> None:
        done = self._done + sum(one.steps + one.answered / ASKED_AT_ONCE for one in working)
        eta = seconds * (self._total - done) / done if done else None
        event = {"event": "progress", "done": round(done), "total": round(self._total), "eta_s": eta and round(eta, 1)}
        self.report({**event, "runs": {one.key: one.told for one in working}})
        self.report({"event": "message", "text": " · ".join(f"{one.key.replace('/', ', seed ')}: {one.told}" for one in working)})


def stop_all(working: Sequence[Running]) -> None:
    """Asks all to stop and waits; kills those that take longer than GRACE."""
    for one in working:
        one.files.stop.write_text("stop", encoding="utf-8")
        if one.process.poll() is None:
            one.process.terminate()
    end = time.monotonic() + GRACE
    for one in working:
        try:
            one.process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()


def _fault(one: Running) -> str | None:
    code = one.process.returncode
    if code == ExitCode.DONE:
        return None
    if code < 0:
        return f"its process was killed by signal {-code} (out of memory?); run the failed arms again to go on from its last snapshot step"
    lines = one.files.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"its process ended with code {code}"
