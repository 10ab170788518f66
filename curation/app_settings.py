"""Settings of the app: flags stand over environment over the config file.

The config file is `<home>/config.toml` and holds names of environment variables, so that there is one set of names:

    MISTAKEBOOK_PORT = 7861
    OPENAI_BASE_URL = "http://gpu-box:8000/v1"
"""

import getpass
import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from data import workspace

DEFAULT_PORT = 7860


class BadSettings(ValueError):
    """A setting that can't be used; the text names it and where it came from."""


@dataclass(frozen=True)
class Settings:
    """How the app is reached and by whom."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT  # 0: any free one
    allow_hosts: tuple[str, ...] = ()  # further names in the Host header, for tunnels and proxies
    root_path: str = ""  # the path under which a proxy shows the app
    auth: Path | None = None  # file of mode 600 with a line "user:password" each
    reviewer: str | None = None  # whose decisions these are, unless there is a login
    headless: bool = False
    idle_seconds: float = 0.0  # end after so long without requests and jobs; 0: never
    say_json: bool = False  # name the address as JSON on standard output
    token: str = ""  # what the command line shows to be let in; in app.json


def operating_system_user() -> str:
    """The name of the account, or "someone" where there is none (a bare container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"


def load_config() -> None:
    """Puts the config file's values into the environment where it doesn't have them. Raises BadSettings."""
    path = workspace.home() / "config.toml"
    if not path.is_file():
        return
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: {error}; expected lines like MISTAKEBOOK_PORT = 7861") from error
    for name, value in values.items():
        if not isinstance(value, str | int | float):
            raise BadSettings(f"{path}: {name} is {type(value).__name__}; expected a text or a number, as in the environment")
        os.environ.setdefault(name, str(value))


def default_port() -> int:
    """MISTAKEBOOK_PORT, else 7860."""
    text = os.environ.get("MISTAKEBOOK_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or int(text) > 65535:
        raise BadSettings(f"MISTAKEBOOK_PORT is {text!r}; expected a number from 0 to 65535")
    return int(text)


def keep(name: str, value: str | None) -> None:
    """Sets a standard (None: takes it away) for this app, its jobs, and the apps to come: in the environment and the config file."""
    path = workspace.home() / "config.toml"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [line for line in lines if line.partition("=")[0].strip() != name]
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
        kept.append(f"{name} = {json.dumps(value)}")  # a JSON text is one of TOML too
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    temporary.replace(path)
