"""Work for a request that ends with it: a client that has gone needs no answer."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from data import bounded_reading

T = TypeVar("T")
LOOK_EVERY = 0.25  # seconds


async def while_connected(request: Request, work: Callable[[], T]) -> T:
    """Runs `work` in a thread. Once the client has gone, its reading of files (data/bounded_reading.py) ends with NobodyWaits."""
    gone = threading.Event()
    with bounded_reading.bounded(over=gone.is_set):
        task = asyncio.ensure_future(asyncio.to_thread(work))
    while not (await asyncio.wait({task}, timeout=LOOK_EVERY))[0]:
        if not gone.is_set() and await request.is_disconnected():
            gone.set()
    return task.result()
