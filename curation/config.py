"""Settings: command-line flags over environment over `<home>/config.toml`, in this order by pydantic-settings.

The file holds environment variables by their own names:

    MISTAKEBOOK_PORT = 7861
    OPENAI_BASE_URL = "http://gpu-box:8000/v1"

Its tables [frontier.NAME] and [stages] name frontier endpoints and say which stage asks which (curation/frontier/endpoints.py),
[keys] which address a key may be sent to (curation/frontier/key_rules.py), [access] what the app may read.
A process never changes its own environment: variables of the file that libraries read from there (keys, proxies,
HF_HOME) are handed over by `restart_with_file_variables`.
"""

import os
import sys
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from curation.access.roles import Role
from data import workspace
from data.errors import MistakebookError
from data.files import write_whole

if TYPE_CHECKING:
    import tomlkit

DEFAULT_PORT = 7860
TABLES = ("frontier", "stages", "keys", "access")
HOME = "MISTAKEBOOK_HOME"
BUDGET = "MISTAKEBOOK_BUDGET_USD"
BACKUP_HOURS = "MISTAKEBOOK_BACKUP_HOURS"

_editing = threading.Lock()
_set_on_page: dict[str, str] = {}  # by `keep`, since this process started; "": unset


class BadSettings(MistakebookError, ValueError):
    """A setting that can't be used; the text names it and where it came from."""


@dataclass(frozen=True)
class Settings:
    """How the app is reached and by whom: the flags of app.py."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT  # 0: any free one
    allow_hosts: tuple[str, ...] = ()  # further names in the Host header, for tunnels and proxies
    root_path: str = ""  # the path under which a proxy shows the app
    auth: Path | None = None  # the file of users (mistakebook users); None: that of the home
    trust_proxies: tuple[str, ...] = ()  # addresses or networks of proxies whose headers count
    user_header: str = "X-Forwarded-User"  # in which a trusted proxy says who has logged in there
    proxy_role: Role = "reader"  # of those whom the file of users doesn't name
    tls_cert: Path | None = None
    tls_key: Path | None = None
    reviewer: str | None = None  # whose decisions these are, unless there is a login
    headless: bool = False
    idle_seconds: float = 0.0  # end after so long without requests and jobs; 0: never
    say_json: bool = False  # print the address as JSON on standard output
    token: str = ""  # what the command line shows to be let in; in app.json


class Variables(BaseSettings):
    """The variables that Mistakebook reads itself; each description says what is expected. An empty text means: not set."""

    model_config = SettingsConfigDict(case_sensitive=True, frozen=True, extra="ignore", populate_by_name=True)

    port: int = Field(
        DEFAULT_PORT, ge=0, le=65535, validation_alias="MISTAKEBOOK_PORT", description="port of the app, a number from 0 to 65535"
    )
    base_url: str | None = Field(
        None, validation_alias="OPENAI_BASE_URL", description="address of an OpenAI-compatible server, such as http://gpu-box:8000/v1"
    )
    model: str | None = Field(None, validation_alias="MISTAKEBOOK_MODEL", description="name of the frontier model at that address")
    image_model: str | None = Field(
        None, validation_alias="MISTAKEBOOK_IMAGE_MODEL", description="text-to-image model: a folder, a hub name, or its name at the server"
    )
    budget_usd: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        validation_alias=BUDGET,
        description="hard limit on each new job's spend, in dollars, such as 5",
    )
    backup_hours: float = Field(
        24.0,
        ge=0,
        allow_inf_nan=False,
        validation_alias=BACKUP_HOURS,
        description="hours between two automatic backups of a workspace that is open, such as 24; 0 makes none",
    )
    folders: str = Field(
        "",
        validation_alias="MISTAKEBOOK_FOLDERS",
        description="folders that pages may read beside your home, with : between them",
    )

    def listed_folders(self) -> list[Path]:
        """The folders of MISTAKEBOOK_FOLDERS."""
        return [Path(one) for one in self.folders.split(os.pathsep) if one.strip()]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, the Settings page, the environment, the file."""
        page, file = (InitSettingsSource(settings_cls, dict(values)) for values in (_set_on_page, file_variables()))
        return init_settings, page, env_settings, file

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if not isinstance(value, str) or value.strip()}


def variables(**flags: Any) -> Variables:
    """The variables as they stand now. `flags` are fields given on the command line, None for those left out.

    Raises BadSettings naming flag, variable or file, and what was expected.
    """
    try:
        return Variables(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise BadSettings("; ".join(_flaw(str(flaw["loc"][0]), flaw["input"]) for flaw in error.errors())) from None


def _flaw(name: str, value: Any) -> str:
    """`name` is the field's where a flag was given, else the variable's."""
    if name in Variables.model_fields:
        return f"--{name.replace('_', '-')} is {value!r}; expected: {Variables.model_fields[name].description}"
    field = next(field for field in Variables.model_fields.values() if field.validation_alias == name)
    where = "" if name in os.environ or name in _set_on_page else f"{path()}: "
    return f"{where}{name} is {value!r}; expected: {field.description}"


def path() -> Path:
    """Where the config file is, if there is one."""
    return workspace.home() / "config.toml"


def read() -> dict[str, Any]:
    """The file's content; empty where there is no file. Raises BadSettings if it isn't TOML."""
    file = path()
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{file}: {error}; expected lines like MISTAKEBOOK_PORT = 7861") from error


def file_variables() -> dict[str, str]:
    """The file's entries that stand for environment variables, as texts. Raises BadSettings for one that can't."""
    values = {}
    for name, value in read().items():
        if name in TABLES:
            continue
        if not isinstance(value, str | int | float):
            raise BadSettings(f"{path()}: {name} is {type(value).__name__}; expected a text or a number, as in the environment")
        if name == HOME and HOME not in os.environ:
            raise BadSettings(f"{path()}: {HOME} says where this file lies; set it in the environment instead")
        values[name] = str(value)
    return values


def restart_with_file_variables() -> None:
    """Starts this process anew, in place, if the file has variables that libraries read and its environment lacks.

    Raises BadSettings where environment or file hold something that can't be used.
    """
    variables()
    own = {field.validation_alias for field in Variables.model_fields.values()}
    missing = {name: value for name, value in file_variables().items() if name not in os.environ and name not in own}
    if missing:
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **missing})


def edit(change: Callable[["tomlkit.TOMLDocument"], None]) -> None:
    """Changes the file as a whole; its owner's comments and order stay.

    Raises BadSettings where what is there isn't TOML: nothing is overwritten then.
    """
    import tomlkit

    with _editing:
        read()
        file = path()
        document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.is_file() else tomlkit.document()
        change(document)
        write_whole(file, tomlkit.dumps(document))


def keep(name: str, value: str | None) -> None:
    """Sets a variable (None: unsets it) in the file, for the apps to come, and above the environment for this one."""

    def change(document: "tomlkit.TOMLDocument") -> None:
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value

    edit(change)
    _set_on_page[name] = value or ""
