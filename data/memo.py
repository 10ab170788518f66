"""Expensive results, each kept until what it was made from is of another version."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """The latest result of each name, of the `most` names that were asked for last."""

    def __init__(self, most: int):
        self._most = most
        self._lock = threading.Lock()  # of the dictionary; a name has its own while its result is made
        self._results: OrderedDict[Hashable, _Result] = OrderedDict()

    def __call__(self, name: Hashable, mark: Hashable, make: Callable[[T | None], T]) -> T:
        """The result for a version mark; made if it is of another one. Two threads that ask at once make it once.

        `make` gets the result of the mark before (None at first), for those who go on from it. The result is shared: don't change it.
        """
        with self._lock:
            result = self._results.setdefault(name, _Result())
            self._results.move_to_end(name)
            while len(self._results) > self._most:
                self._results.popitem(last=False)
        with result.lock:
            if not result.made or result.mark != mark:
                result.value, result.mark, result.made = make(result.value), mark, True
            value: T = result.value
            return value


class _Result:
    """`mark` may be None, so `made` says whether there is a value yet."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.made = False
        self.mark: Hashable = None
        self.value: Any = None
