"""pocket-teacher as a child process: started when it is first needed, gone when its parent is.

Run as a module this file is the child: it ends as soon as its standard input does, which the operating system
sees to when the parent dies, however it dies.
"""

import json
import os
import queue
import runpy
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from data.machine import HOUSE
from models.paid_calls.records import FrontierStopped

NAME = "pocket-teacher"
_PATIENCE = 120  # seconds for a start on a busy machine


class PocketTeacher:
    """The running child. `base_url` is where it listens."""

    def __init__(self, log: Path):
        """Starts it and waits until it is ready. Raises FrontierStopped with the end of its log if it isn't."""
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HOUSE), environment.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "models.frontier.pocket_teacher_process"]
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
        assert self._process.stdin and self._process.stdout  # they are pipes
        self._stdin = self._process.stdin
        started: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._process.stdout, started), name=f"{NAME} output", daemon=True).start()
        try:
            first = started.get(timeout=_PATIENCE)
        except queue.Empty:
            first = f"nothing within {_PATIENCE} seconds"
        try:
            self.base_url = f"http://127.0.0.1:{json.loads(first)['port']}/v1"
        except (ValueError, KeyError, TypeError) as error:
            self.close()
            output = (first + log.read_text(errors="replace"))[-800:].strip()
            raise FrontierStopped(f"{NAME} did not start: {output or 'no output'}; resume the job to try again", resumable=True) from error

    def is_running(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._stdin.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _listen(output: IO[str], started: queue.SimpleQueue[str]) -> None:
    """The first line holds the port; the rest is read away, so that the pipe never fills."""
    with output:
        started.put(output.readline())
        output.read()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_die_with_parent, daemon=True).start()
    sys.argv = ["models.pocket.teacher", "--port", "0"]
    runpy.run_module("models.pocket.teacher", run_name="__main__", alter_sys=True)
