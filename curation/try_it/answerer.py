"""Asking checkpoints about any picture, outside of datasets and rounds: a child process answers (curation/try_it/answer_process.py)."""

import hashlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.checkpoints import IMPORTED
from data.errors import MistakebookError
from data.images import load
from data.machine import HOUSE
from data.records import Checkpoint, Record
from data.workspace import Workspace

FOLDER = "tries"
KEEP = 24 * 3600.0  # seconds that a picture stays
PATIENCE = 600.0  # seconds for an answer; a large model is loaded first


class CannotAnswer(MistakebookError):
    """A checkpoint can't be asked, or the picture is gone; the text says what to do."""


@dataclass(frozen=True)
class Answer(Record):
    """What a checkpoint answered, how long that took, and how long its weights took to load before."""

    answer: str
    seconds: float
    load_seconds: float


@dataclass(frozen=True)
class NoAnswer(Record):
    error: str


class Answerer:
    """The child, started when it is first asked; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()

    def ask(self, workspace: Workspace, checkpoint: Checkpoint, text: str, image_path: Path) -> Answer | NoAnswer:
        """The checkpoint's answer to a question about a picture, or why there is none. Raises CantTry."""
        if checkpoint.baseline == IMPORTED:
            raise CannotAnswer(f"only answers of {checkpoint.name} were imported; it can't be run")
        line = json.dumps({"checkpoint": checkpoint.to_row(), "text": text, "image_path": str(image_path)}) + "\n"
        with self._lock:
            child = self._running(workspace)
            assert child.stdin is not None  # a pipe, as below
            try:
                child.stdin.write(line.encode())
                child.stdin.flush()
                answer = self._lines.get(timeout=PATIENCE)
            except (OSError, queue.Empty):
                answer = b""
            if not answer:
                child.kill()
                child.wait()
                return NoAnswer(f"the model's process ended or hung (out of memory, perhaps); its log: {self._log(workspace)}")
            fields = json.loads(answer)
            return NoAnswer.from_row(fields) if "error" in fields else Answer.from_row(fields)

    def close(self) -> None:
        """Ends the child; the weights leave memory."""
        with self._lock:
            if self._child and self._child.poll() is None:
                self._child.kill()
                self._child.wait()

    def _running(self, workspace: Workspace) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._log(workspace).parent.mkdir(exist_ok=True)
            self._lines = queue.Queue()
            with self._log(workspace).open("wb") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "curation.try_it.answer_process"],
                    cwd=HOUSE,
                    env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,
                )
            threading.Thread(target=_read, args=(self._child.stdout, self._lines), daemon=True).start()
        return self._child

    def _log(self, workspace: Workspace) -> Path:
        return workspace.root / FOLDER / "log.txt"


def keep_picture(workspace: Workspace, content: bytes) -> str:
    """Checks a picture and keeps it for a day, beside the datasets; returns its name. Raises BadImage."""
    picture = load(content, "the image")
    folder = workspace.root / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        if time.time() - old.stat().st_mtime > KEEP:
            old.unlink(missing_ok=True)
    name = hashlib.sha256(content).hexdigest()
    picture.save(folder / f"{name}.png")
    return name


def kept_picture(workspace: Workspace, name: str) -> Path:
    """The path of a picture that was kept. Raises CannotAnswer."""
    path = workspace.root / FOLDER / f"{name}.png"
    if not name.isalnum() or not path.is_file():
        raise CannotAnswer("the image is gone; choose it again")
    return path


def _read(stream: Any, lines: "queue.Queue[bytes]") -> None:
    """Hands on lines; an empty one at the end."""
    for line in stream:
        lines.put(line)
    lines.put(b"")
