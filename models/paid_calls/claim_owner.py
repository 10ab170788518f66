"""The owner of a claim: a run of calls in a process, and whether that process is still alive."""

import socket
import uuid
from functools import cache

from data.processes import Process


@cache
def _host() -> str:
    return socket.gethostname()


def new_owner() -> str:
    """A name for one run of calls in this process: host|pid|start time|random."""
    here = Process.of()
    return f"{_host()}|{here.pid}|{here.started:.2f}|{uuid.uuid4().hex[:8]}"


def is_on_this_host(owner: str) -> bool:
    """Whether the owner is, or was, a process of this host."""
    return owner.partition("|")[0] == _host()


def is_alive(owner: str, expires_at: float, now: float) -> bool:
    """False once the claim's last sign of life has expired, or (on this host) at once when its process is gone."""
    if expires_at <= now:
        return False
    host, pid, started, _ = owner.split("|")
    if host != _host():
        return True
    return Process(int(pid), float(started)).is_alive()
