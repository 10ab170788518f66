"""Answers that are dear and depend on little: the latest of each is kept while what it depends on stays the same."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar
from weakref import WeakKeyDictionary

from data.store import Store

T = TypeVar("T")
_kept: WeakKeyDictionary[Store, dict[str, tuple[Hashable, object]]] = WeakKeyDictionary()
_lock = threading.Lock()


def latest(store: Store, name: str, mark: Hashable, make: Callable[[], T]) -> T:
    """What `make` answers, or what it answered before for the same mark. The answer is shared: don't change it."""
    with _lock:
        kept = _kept.setdefault(store, {})
        if name in kept and kept[name][0] == mark:
            return kept[name][1]
    made = make()
    with _lock:
        kept[name] = (mark, made)
    return made
