"""Who holds a claim, and is that process still alive?"""

import os
import socket
import uuid
from functools import cache

import psutil


@cache
def _host() -> str:
    return socket.gethostname()


def new_owner() -> str:
    """A name for one run of calls in this process: host|pid|start time|random."""
    return f"{_host()}|{os.getpid()}|{psutil.Process().create_time():.2f}|{uuid.uuid4().hex[:8]}"


def is_here(owner: str) -> bool:
    """Whether it is, or was, a process of this host."""
    return owner.partition("|")[0] == _host()


def is_alive(owner: str, expires_at: float, now: float) -> bool:
    """False once the claim's last sign of life has expired, or (on this host) at once when its process is gone.

    A reused pid has another start time; a zombie, killed and not yet waited for, is gone.
    """
    if expires_at <= now:
        return False
    host, pid, started, _ = owner.split("|")
    if host != _host():
        return True
    try:
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < 5  # an adjusted clock moves it a little
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
