"""What this machine gives us."""

import getpass
import os
from pathlib import Path

HOUSE = Path(__file__).parents[1]  # the folder that the packages lie in: where child processes are started


def keep_files_private() -> None:
    """What this process and its children write, only its owner may read: stores, images, journals, logs."""
    os.umask(0o077)


def cores() -> int:
    """Processor cores that this process may use; all there are where the system doesn't tell (macOS)."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether a GPU's driver is loaded (NVIDIA, AMD); told without torch, which the app never loads."""
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/kfd"))


def operating_system_user() -> str:
    """The name of the account, or "someone" where there is none (a bare container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"
