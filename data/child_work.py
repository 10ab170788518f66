"""What a process that works in a folder has in common with others: how it is told to stop, and what its exit code says."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

LOOK_EVERY = 0.1  # seconds between two looks for the file


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1  # an error that it did not expect, or input that can't be used
    STOPPED = 3  # on request, after what was in flight; starting it again goes on from there
    REFUSED = 4  # it found a reason not to start, or not to go on


@dataclass(frozen=True)
class WorkFolder:
    """What such a folder holds whatever the work is."""

    folder: Path

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def stop(self) -> Path:
        return self.folder / "stop"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"


class StopRequest:
    """True once the process is to stop: after a signal, or when the file `path` is there, whose text says why."""

    def __init__(self, path: Path, signals: Sequence[signal.Signals] = (signal.SIGTERM,)):
        self._path, self._stopping, self._looked = path, False, 0.0
        for number in signals:
            signal.signal(number, lambda *_: self._by_signal())

    def _by_signal(self) -> None:
        self._stopping = True

    def __call__(self) -> bool | str:
        """Why, once it is to stop; True where the signal came alone or the file is empty."""
        if not self._stopping and time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            self._stopping = self._path.exists()
        return self._stopping and (self.why or True)

    @property
    def why(self) -> str | None:
        """The text of the file; None while it isn't there."""
        return self._path.read_text(encoding="utf-8") if self._path.exists() else None
