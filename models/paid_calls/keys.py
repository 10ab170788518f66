"""API keys: from the environment, or from a keys.json that only its owner can read."""

import json
import os
import stat
from pathlib import Path

from models.paid_calls.records import FrontierStopped


def find_key(name: str, file: Path) -> str | None:
    """The key called `name`, None if there is none. Raises FrontierStopped if the file is readable by others or isn't {name: key}."""
    if value := os.environ.get(name, "").strip():
        return value
    if not file.exists():
        return None
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise FrontierStopped(f"{file} can be read by other users; run: chmod 600 {file}", resumable=True)
    try:
        keys = json.loads(file.read_text(encoding="utf-8"))
        value = keys.get(name, "")
        return value.strip() or None
    except (ValueError, AttributeError):
        raise FrontierStopped(f'{file} is not of the form {{"{name}": "<key>"}}; correct it', resumable=True) from None


def not_found(key_env: str) -> str:
    """Where such a key was looked for, for an error message."""
    return f"{key_env} is neither in the environment that the app was started in nor in keys.json"
