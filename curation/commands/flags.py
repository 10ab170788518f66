"""Command-line flags: those that every command has, and one a field of a stage's pydantic Options.

argparse reads them, not the command line of pydantic-settings: that one keeps the values of NAME=VALUE as texts (30 would be "30"),
splits texts at commas, and shows the code of a computed default in place of its value.
"""

import argparse
import json
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from curation.commands.app_client import CommandFailed
from data.machine import operating_system_user
from data.workspace import DEFAULT_NAME


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the flags that every command has."""
    made = argparse.ArgumentParser(prog=f"mistakebook {name}", description=description)
    made.add_argument("--workspace", default=DEFAULT_NAME, metavar="NAME", help="name of the workspace (default: %(default)s)")
    made.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    return made


def add_reviewer(made: argparse.ArgumentParser) -> None:
    made.add_argument("--reviewer", default=operating_system_user(), help="author of decisions and jobs (default: %(default)s)")


def add_upload(made: argparse.ArgumentParser) -> None:
    made.add_argument("--push-to-hub", metavar="REPO", help="upload to this repository of the hub afterwards; the token is HF_TOKEN")
    made.add_argument("--private", action=argparse.BooleanOptionalAction, default=True, help="a new repository is private (default: yes)")


def add_flags(parser: "argparse._ActionsContainer", options: type[BaseModel]) -> None:
    """Adds `--field-name` for each field: lists take several values, dictionaries NAME=VALUE or JSON; a repeated flag adds to them."""
    for name, field in options.model_fields.items():
        kind = _plain(field.annotation)
        origin = typing.get_origin(kind) or kind
        flag: dict[str, Any] = {"dest": name, "default": None, "required": field.is_required(), "help": _help(field)}
        if origin is bool:
            flag |= {"action": argparse.BooleanOptionalAction}
        elif origin is list:
            flag |= {"nargs": "*", "action": "extend", "metavar": name.upper().rstrip("S")}
        elif origin is dict or (isinstance(origin, type) and issubclass(origin, BaseModel)):
            flag |= {"nargs": "*", "action": "extend", "metavar": "NAME=VALUE", "type": _pairs_of(kind)}
        elif origin is typing.Literal:
            flag |= {"choices": typing.get_args(kind)}
        else:
            flag |= {"metavar": origin.__name__.upper().replace("STR", "TEXT")}
        dashed = name.replace("_", "-")
        short = [f"--{dashed.removesuffix('-usd')}"] if dashed.endswith("-usd") else []  # --budget 5 is dollars too
        parser.add_argument(f"--{dashed}", *short, **flag)


def validated(options: type[BaseModel], given: argparse.Namespace) -> dict[str, Any]:
    """The options as JSON-able values, those not given by their defaults here. Raises CommandFailed naming the flags."""
    values = {name: getattr(given, name) for name in options.model_fields if getattr(given, name) is not None}
    values = {name: merged(v) if v and isinstance(v, list) and isinstance(v[0], dict) else v for name, v in values.items()}
    try:
        return options(**values).model_dump(mode="json")
    except ValidationError as error:
        raise CommandFailed("; ".join(_flaw(flaw) for flaw in error.errors())) from error


def _flaw(error: ErrorDetails) -> str:
    if not error["loc"]:  # of all flags together: an endpoint that isn't there, say
        return error["msg"].removeprefix("Value error, ")
    return f"--{str(error['loc'][0]).replace('_', '-')}: {error['msg'].lower()} (got {error['input']!r})"


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Several NAME=VALUE as one dictionary; the last of a name counts."""
    return {name: value for part in parts for name, value in part.items()}


def _plain(annotation: Any) -> Any:
    """`X` of `X | None`."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return next(part for part in typing.get_args(annotation) if part is not type(None))
    return annotation


def _help(field: FieldInfo) -> str:
    text = field.description or ""
    default = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
    shown = text if default in (PydanticUndefined, None, "", [], {}) else f"{text} (default: {default})"
    return shown.replace("%", "%%")  # argparse formats it


def from_here(source: dict[str, Any]) -> dict[str, Any]:
    """Options of a format with paths from this folder as whole ones: the app may have been started in another."""
    here = {name: Path(value).expanduser() for name, value in source.items() if name in ("path", "images") and isinstance(value, str)}
    return source | {name: str(path.absolute()) for name, path in here.items() if path.exists()}


def _pairs_of(kind: Any) -> Callable[[str], dict[str, Any]]:
    """How NAME=VALUE is read: a dictionary of texts keeps them as they are, a column called 2 too."""
    return text_pairs if typing.get_args(kind)[1:] == (str,) else pairs


def text_pairs(text: str) -> dict[str, Any]:
    """NAME=VALUE as a dictionary with the value as text, or a whole JSON object."""
    name, equals, value = text.partition("=")
    return {name: value} if name and equals and not text.startswith("{") else pairs(text)


def pairs(text: str) -> dict[str, Any]:
    """NAME=VALUE as a dictionary (a value that reads as JSON is taken as such), or a whole JSON object."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object: {error}") from error
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return {name: json.loads(value)}
    except json.JSONDecodeError:
        return {name: value}
