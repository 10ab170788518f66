"""The file `<home>/config.toml`: read as a dictionary, edited so that the owner's comments and order stay."""

import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import workspace

if TYPE_CHECKING:
    import tomlkit


_editing = threading.Lock()


class BadSettings(ValueError):
    """A setting that can't be used; the text names it and where it came from."""


def path() -> Path:
    return workspace.home() / "config.toml"


def read() -> dict[str, Any]:
    """What the file says; nothing where there is no file. Raises BadSettings if it isn't TOML."""
    file = path()
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{file}: {error}; expected lines like MISTAKEBOOK_PORT = 7861") from error


def edit(change: Callable[["tomlkit.TOMLDocument"], None]) -> None:
    """Changes the file as a whole. Raises BadSettings where what is there isn't TOML: nothing is overwritten then."""
    import tomlkit

    with _editing:
        read()
        file = path()
        document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.is_file() else tomlkit.document()
        change(document)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".new")
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
        temporary.replace(file)
