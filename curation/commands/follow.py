"""Waiting for a job: progress on standard error, Ctrl-C asks the job to stop."""

import sys
import time
from typing import Any

from curation.commands.app_client import App

EVERY = 0.4  # seconds between two looks
LINE_EVERY = 10.0  # seconds between two lines where standard error is no terminal
ACTIVE = ("queued", "running")
STATUS = {"done": 0, "paused": 3, "cancelled": 3}


def follow(app: App, job: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Waits until a job has ended or rests; returns it with the exit status: 0 done, 3 stopped on request, 1 otherwise."""
    number, line = job["job_id"], _Line()
    stopping = False
    while True:
        try:
            job = app.get(f"/api/jobs/{number}")
            if job["status"] not in ACTIVE:
                line.end(job)
                return job, STATUS.get(job["status"], 1)
            line.show(job)
            time.sleep(EVERY)
        except KeyboardInterrupt:
            if stopping:
                raise
            stopping = True
            line.note("asking the job to stop after what is in flight; Ctrl-C again leaves it running")
            app.post(f"/api/jobs/{number}/pause", {})


def in_words(job: dict[str, Any]) -> str:
    """A job in one line."""
    progress = job["progress"] or {}
    done, total = progress.get("done", job["done"] + job["failed"]), progress.get("total", job["total"])
    parts = [f"{job['stage']} (job {job['job_id']})", job["status"] if job["status"] != "running" else f"{done:,}/{total:,}"]
    if job["status"] == "running" and progress.get("rows_per_s"):
        parts.append(f"{progress['rows_per_s']:.1f}/s")
    if job["status"] == "running" and progress.get("eta_s"):
        parts.append(f"{progress['eta_s']:.0f} s left")
    if job["failed"]:
        parts.append(f"{job['failed']:,} failed")
    if job["spend_usd"]:
        parts.append(f"${job['spend_usd']:.2f}")
    if job["message"]:
        parts.append(job["message"])
    return " · ".join(parts)


class _Line:
    """One line that is written over on a terminal; a line now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal, self._shown, self._last = sys.stderr.isatty(), 0.0, ""

    def show(self, job: dict[str, Any]) -> None:
        text = in_words(job)
        if self._terminal:
            print(f"\r\x1b[K{text[:200]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._shown > LINE_EVERY and text != self._last:
            print(text, file=sys.stderr, flush=True)
            self._shown, self._last = time.monotonic(), text

    def note(self, text: str) -> None:
        print(f"\r\x1b[K{text}" if self._terminal else text, file=sys.stderr, flush=True)

    def end(self, job: dict[str, Any]) -> None:
        number = job["job_id"]
        self.note(in_words(job))
        if job["status"] in ("failed", "interrupted", "paused"):
            cap = " (--budget USD for another cap)" if job["options"].get("budget_usd") is not None else ""
            self.note(f"go on with: mistakebook jobs resume {number}{cap}")
        elif job["failed"]:
            self.note(
                f"see them with: mistakebook jobs errors {job['job_id']}; try them again with: mistakebook jobs retry {job['job_id']}"
            )
