"""What a launch may name: files and folders of the server, addresses of other servers. By the role of whoever asks."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request

from curation import config
from curation.access import folders
from curation.access.roles import NotAllowed, covers
from curation.frontier import endpoints, key_rules
from curation.ui.services import services

PATHS = ("path", "images", "folder", "journal")  # options that name files or folders
PUBLISHING = ("push_to_hub",)
ADDRESSES = ("endpoint", "base_url")


def check_path(request: Request, path: str | Path | None) -> None:
    """Raises NotAllowed."""
    here = services(request)
    if path is not None and not request.scope["identity"].by_token:
        folders.check(Path(path), here.role(request), here.workspace, config.variables().listed_folders())


def check_options(request: Request, options: Mapping[str, Any]) -> None:
    """Looks through the options of a stage, whatever they are of, for paths and addresses. Raises NotAllowed."""
    if request.scope["identity"].by_token:
        return
    role = services(request).role(request)
    for name, value in _texts(options):
        if name in PATHS:
            check_path(request, value)
        elif name in PUBLISHING and not covers(role, "admin"):
            raise NotAllowed(f"{name}: an upload under the server's token needs the role admin, and yours is {role}")
        elif name in ADDRESSES and not covers(role, "admin") and not _is_named(value):
            raise NotAllowed(f"{name}: an address that no endpoint has needs the role admin, and yours is {role}; name an endpoint")


def _is_named(address: str) -> bool:
    known = [str(table.get("endpoint", "")) for table in endpoints.read().named.values()]
    return not address or address in (*known, key_rules.OPENAI, config.variables().base_url)


def _texts(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of all options that are texts, however deep."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, list):
            yield from (pair for one in value if isinstance(one, Mapping) for pair in _texts(one))
        elif isinstance(value, str):
            yield name, value
