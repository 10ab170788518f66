"""A process, and whether the one that bears its number is still the same: a number is given again, a start time is not."""

from dataclasses import dataclass
from typing import Self

import psutil

CLOCK_SHIFT = 5.0  # seconds: an adjusted clock moves the start time that the system reports


@dataclass(frozen=True)
class Process:
    pid: int
    started: float  # seconds since 1970

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """The process that has this number now; None: this one. Raises psutil.NoSuchProcess."""
        process = psutil.Process(pid)
        return cls(process.pid, process.create_time())

    def is_alive(self) -> bool:
        """Whether it still runs; a zombie (ended, not waited for) does not; one that may not be looked at counts as alive."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_SHIFT
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
