"""Frontier endpoints with names, and which stage asks which: tables of `<home>/config.toml`, a file that the user owns.

    [frontier.cheap]
    endpoint = "http://gpu-box:8000/v1"
    model = "Qwen/Qwen3-VL-8B-Instruct"
    api_key_env = "GPU_BOX_API_KEY"        # the variable's name; a key is never written here, and sent to this address alone
    concurrency = 64
    max_pixels = 800000

    [stages]
    filter = "cheap"

Precedence: what a launch names itself, the named endpoint, the stage's own, OPENAI_BASE_URL and MISTAKEBOOK_MODEL.
"""

import ipaddress
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticUndefined

from curation import config
from curation.config import BadSettings
from curation.frontier import key_rules
from data.errors import MistakebookError

POCKET_TEACHER = "pocket-teacher"
ENVIRONMENT = "environment"  # the endpoint of OPENAI_BASE_URL
ASKING = ("diagnose", "cluster", "generate", "filter")  # the stages that ask a frontier model
COMMON = ("endpoint", "model", "api_key_env", "concurrency")  # settings that stages have as options of their own
JOBS_OWN = ("budget_usd", "budget_scope", "prices")  # of the client, but no trait of an endpoint
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"


class UnknownEndpoint(MistakebookError, ValueError):  # validators of options raise it, which pydantic takes from a ValueError alone
    """No endpoint has that name."""

    status = 404


@cache
def settings() -> type[BaseModel]:
    """The settings that a named endpoint may have: those of the client, with their bounds and descriptions."""
    from models.frontier.client import OpenAICompatible

    fields: dict[str, Any] = {name: (field.annotation, field) for name, field in OpenAICompatible.Options.model_fields.items()}
    for name in JOBS_OWN:
        fields.pop(name)
    fields["endpoint"] = (str, Field(min_length=1, description="Address ending in /v1, or pocket-teacher, the built-in one."))
    fields["model"] = (str, Field(min_length=1, description="The model's name at that endpoint."))
    fields["api_key_env"] = (
        str,
        Field("OPENAI_API_KEY", pattern=VARIABLE, description="Name of the variable (or entry of keys.json) with the key; never the key."),
    )
    return create_model("NamedEndpoint", __config__=ConfigDict(extra="forbid"), **fields)


@dataclass(frozen=True)
class Endpoints:
    """`named` holds what each table says, and nothing that it leaves out; the built-in ones are among them."""

    named: dict[str, dict[str, Any]]
    own: tuple[str, ...]  # the names in the file
    stages: dict[str, str]


def read() -> Endpoints:
    """The endpoints as the file has them now. Raises BadSettings naming file, table and key."""
    content = config.read()
    own = {name: _checked(f"frontier.{name}", table) for name, table in _table(content, "frontier").items()}
    named = {**_built_in(), **own}
    stages = _table(content, "stages")
    for stage, name in stages.items():
        where = f"{config.path()}: [stages] {stage}"
        if stage not in ASKING:
            raise BadSettings(f"{where}: no stage of that name uses a frontier model; those that do: {', '.join(ASKING)}")
        if name not in named:
            raise BadSettings(f"{where} is {name!r}, but there is no [frontier.{name}]; there are: {', '.join(named)}")
    return Endpoints(named, tuple(own), stages)


def _built_in() -> dict[str, dict[str, Any]]:
    built_in = {POCKET_TEACHER: {"endpoint": POCKET_TEACHER, "model": POCKET_TEACHER}}
    variables = config.variables()
    if variables.base_url:
        built_in[ENVIRONMENT] = {"endpoint": variables.base_url, "model": variables.model or POCKET_TEACHER}
    return built_in


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise BadSettings(f"{config.path()}: {name} is {type(table).__name__}; expected a table, [{name}]")
    return table


def _checked(where: str, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise BadSettings(f"{config.path()}: {where} is {type(values).__name__}; expected a table, [{where}], with endpoint and model")
    try:
        settings()(**values)
    except ValidationError as error:
        raise BadSettings(f"{config.path()}: [{where}] {'; '.join(_flaws(error))}") from None
    return values


def _flaws(error: ValidationError) -> Iterator[str]:
    """What is wrong, a clause a key; without the value, which may be a key that was put into the wrong place."""
    for flaw in error.errors():
        key = ".".join(str(part) for part in flaw["loc"])
        if flaw["type"] == "extra_forbidden":
            yield f"{key} is not a setting of an endpoint; there are: {', '.join(settings().model_fields)}"
        elif key == "api_key_env":
            yield "api_key_env: expected the name of an environment variable, such as OPENAI_API_KEY, never the key itself"
        else:
            yield f"{key}: {flaw['msg'][0].lower()}{flaw['msg'][1:]}"


def filled(stage: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """The options of a stage's launch, with what they leave out taken from the endpoint that they name, or else the stage's own.

    Options that name an address themselves take nothing from a stage's own endpoint: its key is not for that address.
    Raises UnknownEndpoint, BadSettings, ValueError for an environment variable that is no key.
    """
    if all(name in given for name in (*COMMON, "endpoint_options")):
        return given  # a job as it was launched: later changes of the file are not for it
    given = {name: value for name, value in given.items() if value not in (None, "") or name not in ("frontier", *COMMON)}
    stored = all(name in given for name in COMMON)  # as a job of before was launched: its key isn't sent to where it may not go either
    if not stored and isinstance(key := given.get("api_key_env"), str):
        key_rules.check_name(key)
    name = given.get("frontier") or (None if "endpoint" in given or stage is None else read().stages.get(stage))
    if name is None:
        return given
    table = named(name)
    further = {key: value for key, value in table.items() if key not in COMMON} | given.get("endpoint_options", {})
    return {key: table[key] for key in COMMON if key in table} | given | {"frontier": name, "endpoint_options": further}


def named(name: str) -> dict[str, Any]:
    """What an endpoint's table says. Raises UnknownEndpoint."""
    tables = read().named
    if name not in tables:
        raise UnknownEndpoint(f"no frontier endpoint is called {name!r}; there are: {', '.join(tables)}. More go into {config.path()}")
    return tables[name]


def check_further(values: dict[str, Any]) -> dict[str, Any]:
    """Settings of an endpoint beside those that stages have themselves. Raises ValueError naming the one that isn't right."""
    try:
        settings()(endpoint="-", model="-", **values)
    except (ValidationError, TypeError) as error:
        raise ValueError("; ".join(_flaws(error)) if isinstance(error, ValidationError) else str(error)) from None
    return values


def save(name: str, values: dict[str, Any], former: str | None = None) -> None:
    """Writes an endpoint's table, `was` being its name so far; stages that ask it go on asking it. Raises BadSettings."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
        raise BadSettings(f"endpoint name {name!r}: use letters, digits, '-' and '_', at most 40")
    if name != former and name in read().own:
        raise BadSettings(f"there is an endpoint {name!r} already; choose another name")
    kept = {key: value for key, value in values.items() if value not in (None, "")}
    _checked(f"frontier.{name}", kept)
    try:
        key_rules.check_name(str(kept.get("api_key_env", key_rules.OPENAI_KEY)))
    except ValueError as error:
        raise BadSettings(f"api_key_env: {error}") from None

    def change(document: MutableMapping[str, Any]) -> None:
        import tomlkit

        tables = document.setdefault("frontier", tomlkit.table(is_super_table=True))
        table = tables.get(former) if former else None
        table = tomlkit.table() if table is None else table
        for key in [key for key in table if key not in kept]:
            del table[key]
        for key, value in kept.items():
            table[key] = value
        if former is not None and former != name:
            tables.remove(former)
            for stage, asked in document.get("stages", {}).items():
                if asked == former:
                    document["stages"][stage] = name
        tables[name] = table

    config.edit(change)


def remove(name: str) -> None:
    """Takes an endpoint out of the file; stages that asked it use the default again. Raises UnknownEndpoint."""
    if name not in read().own:
        raise UnknownEndpoint(f"{config.path()} has no [frontier.{name}]")

    def change(document: MutableMapping[str, Any]) -> None:
        del document["frontier"][name]
        for stage in [stage for stage, asked in document.get("stages", {}).items() if asked == name]:
            del document["stages"][stage]

    config.edit(change)


def use(stage: str, name: str | None) -> None:
    """Makes an endpoint a stage's own; None: the default. Raises UnknownEndpoint, BadSettings."""
    if stage not in ASKING:
        raise BadSettings(f"stage {stage!r} uses no frontier model; those that do: {', '.join(ASKING)}")
    if name is not None:
        named(name)

    def change(document: MutableMapping[str, Any]) -> None:
        import tomlkit

        table = document.setdefault("stages", tomlkit.table())
        if name is None:
            table.pop(stage, None)
        else:
            table[stage] = name

    config.edit(change)


def host_of(endpoint: str) -> str | None:
    """The machine that an endpoint's calls go to; None if that is this one."""
    host = urlsplit(endpoint).hostname
    if endpoint == POCKET_TEACHER or host is None or host == "localhost" or host.endswith(".localhost"):
        return None
    try:
        return None if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return host


def defaults() -> dict[str, Any]:
    """The settings of an endpoint whose table says nothing but its address and model."""
    fields = settings().model_fields.items()
    return {name: field.default for name, field in fields if field.default is not PydanticUndefined}
