"""Keys of frontier endpoints: which there are and where each was found, never a value. The look-up: models/paid_calls/keys.py."""

import json
import os
from dataclasses import dataclass
from typing import Literal

from curation.frontier import endpoints
from data.records import Record
from data.workspace import Workspace
from models.frontier import FrontierStopped
from models.paid_calls.keys import find_key

KEYS = ("OPENAI_API_KEY",)


@dataclass(frozen=True)
class KeyPlace(Record):
    """A key's name and where it was found (None: nowhere); `trouble` is what is wrong with keys.json."""

    name: str
    where: Literal["environment", "keys.json"] | None
    trouble: str | None


def has_key(workspace: Workspace, name: str) -> bool:
    """Whether a key of that name is in the environment or in keys.json."""
    try:
        return find_key(name, workspace.root / "keys.json") is not None
    except FrontierStopped:
        return False


def keys(workspace: Workspace) -> list[KeyPlace]:
    """Names of keys and where each was found; never a value."""
    file, names, trouble = workspace.root / "keys.json", list(KEYS), None
    named = [values.get("api_key_env") for values in endpoints.read().named.values()]
    names += [name for name in dict.fromkeys(named) if name and name not in names]
    try:
        find_key("", file)
        if file.exists():
            names += [name for name in json.loads(file.read_text(encoding="utf-8")) if name not in names]
    except FrontierStopped as error:
        trouble = str(error)
    shown = []
    for name in names:
        inside = bool(os.environ.get(name, "").strip())
        beside = not inside and trouble is None and find_key(name, file) is not None
        shown.append(KeyPlace(name, "environment" if inside else "keys.json" if beside else None, None if inside else trouble))
    return shown
