"""Prompts are files: prompts/<name>.md holds a system part and a user part, with Jinja fields.

A prompt's version is the hash of its text, so that a changed prompt is a different request.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined

FOLDER = Path(__file__).parent / "prompts"
_ENVIRONMENT = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False)


@dataclass(frozen=True)
class Prompt:
    system: str
    user: str
    version: str  # first 12 hexadecimal digits of the SHA-256 of the file


def render(name: str, **fields) -> Prompt:
    """The prompt prompts/<name>.md filled in. Raises jinja2.UndefinedError if a field is missing."""
    text, system, user = _parts(name)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Prompt(_ENVIRONMENT.from_string(system).render(fields), _ENVIRONMENT.from_string(user).render(fields), version)


@cache
def _parts(name: str) -> tuple[str, str, str]:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("# system\n")
    system, _, user = rest.partition("\n# user\n")
    return text, system.strip(), user.strip()
