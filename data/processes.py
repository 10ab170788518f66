"""A process, and whether the one that bears its number is still the same: a number is given again, a start time is not."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

BY_CLOCK = 1e9  # from here on a start time is in seconds since 1970: of another system than Linux, or of an earlier version
CLOCK_SHIFT = 5.0  # seconds: an adjusted clock moves such a start time


@dataclass(frozen=True)
class Process:
    pid: int
    started: float  # seconds since the machine started, which no clock moves; from BY_CLOCK on since 1970

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """The process that has this number now; None: this one. Raises psutil.NoSuchProcess."""
        process = psutil.Process(pid)
        return cls(process.pid, _started(process))

    def is_alive(self) -> bool:
        """Whether it still runs; a zombie (ended, not waited for) does not; one that may not be looked at counts as alive."""
        try:
            process = psutil.Process(self.pid)
            if self.started < BY_CLOCK:
                same = abs(_started(process) - self.started) < 0.01
            else:
                same = abs(process.create_time() - self.started) < CLOCK_SHIFT
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def _started(process: psutil.Process) -> float:
    if sys.platform != "linux":
        return process.create_time()
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()  # the name before it may hold blanks
    except FileNotFoundError:
        raise psutil.NoSuchProcess(process.pid) from None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc(5), in ticks since boot
