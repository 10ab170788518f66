"""Guessing passwords gets slow: after some failures, each further one doubles the wait. Told by name and address, and by each alone."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_BOTH, FREE_ADDRESS, FREE_NAME = 5, 20, 50  # failures before the first wait; by name alone late, or anybody could lock anybody out
FIRST_WAIT, LONGEST_WAIT = 1.0, 900.0  # seconds
FORGET = 3600.0  # seconds after the last failure
MOST = 20_000  # names and addresses that are remembered


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0


class Lockout:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.RLock()
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def attempt(self, name: str, address: str) -> float:
        """Seconds until the next try counts; 0: this one does, and it is a failure until `succeeded` takes that back.

        Counted before the password is looked at, which takes long: of guesses sent at one moment each would else find none before it.
        """
        with self._lock:
            if not (wait := self.wait(name, address)):
                self.failed(name, address)
            return wait

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next try counts; 0: now."""
        with self._lock:
            return max(self._wait(key, free) for key, free in _keys(name, address))

    def failed(self, name: str, address: str) -> None:
        with self._lock:
            for key, _ in _keys(name, address):
                found = self._failures.pop(key, None) or _Failures()
                self._failures[key] = _Failures(found.count + 1, self._clock())
            while len(self._failures) > MOST:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """The password was right: what was tried for it before is forgotten, but not what the address tried for others."""
        with self._lock:
            self._failures.pop((name, address), None)
            self._failures.pop((name, ""), None)
            if found := self._failures.get(("", address)):
                found.count -= 1  # this attempt

    def _wait(self, key: tuple[str, str], free: int) -> float:
        found = self._failures.get(key)
        if found is None or found.count < free:
            return 0.0
        passed = self._clock() - found.last
        if passed > FORGET:
            del self._failures[key]
            return 0.0
        return max(0.0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(found.count - free, 20)) - passed)


def _keys(name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return ((name, address), FREE_BOTH), (("", address), FREE_ADDRESS), ((name, ""), FREE_NAME)
