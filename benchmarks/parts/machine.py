"""What a benchmark says of the machine that it ran on."""

import os
import platform
from pathlib import Path

from data.machine import cores


def machine() -> dict:
    """Processor, cores that may be used, memory, load, and versions."""
    import duckdb  # for its version only

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": cores(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
    }


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB."""
    return int(_status("VmHWM")) / 1024


def resident_mb() -> float:
    """The memory that this process holds now, in MB."""
    return int(_status("VmRSS")) / 1024


def _status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
