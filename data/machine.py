"""What this machine gives us."""

import os


def cores() -> int:
    """Processor cores that this process may use; all there are where the system doesn't tell (macOS)."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
