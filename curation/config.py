"""Settings of the app: flags stand over environment over the config file.

The config file is `<home>/config.toml` and holds names of environment variables, so that there is one set of names:

    MISTAKEBOOK_PORT = 7861
    OPENAI_BASE_URL = "http://gpu-box:8000/v1"

Its tables [frontier.NAME] and [stages] name frontier endpoints and say which stage asks which (curation/frontier/endpoints.py).
"""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from curation import config_file
from curation.config_file import BadSettings
from curation.frontier import endpoints

DEFAULT_PORT = 7860
TABLES = ("frontier", "stages")


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
    """Puts the config file's values into the environment where it doesn't have them; its tables are checked. Raises BadSettings."""
    for name, value in config_file.read().items():
        if name in TABLES:
            continue
        if not isinstance(value, str | int | float):
            raise BadSettings(f"{config_file.path()}: {name} is {type(value).__name__}; expected a text or a number, as in the environment")
        os.environ.setdefault(name, str(value))
    endpoints.read()


def default_port() -> int:
    """MISTAKEBOOK_PORT, else 7860."""
    text = os.environ.get("MISTAKEBOOK_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or int(text) > 65535:
        raise BadSettings(f"MISTAKEBOOK_PORT is {text!r}; expected a number from 0 to 65535")
    return int(text)


def keep(name: str, value: str | None) -> None:
    """Sets a standard (None: takes it away) for this app, its jobs, and the apps to come: in the environment and the config file."""

    def change(document) -> None:
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value

    config_file.edit(change)
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
