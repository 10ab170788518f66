"""Which keys there may be, and which address a key's value may be sent to: config.toml says both, a file that the user owns.

    [frontier.cheap]                       # GPU_BOX_KEY goes to gpu-box:8000, and nowhere else
    endpoint = "http://gpu-box:8000/v1"
    model = "Qwen/Qwen3-VL-8B-Instruct"
    api_key_env = "GPU_BOX_KEY"

    [keys]                                 # for servers that are no frontier endpoint, such as those of images
    PAINTER_API_KEY = "https://images.example.org/v1"

OPENAI_API_KEY also goes to OPENAI_BASE_URL, or to OpenAI itself where that is not set. Any other environment variable is no key:
its name ends in _API_KEY, or stands in the file.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from curation import config
from curation.config import BadSettings

OPENAI_KEY = "OPENAI_API_KEY"
OPENAI = "https://api.openai.com/v1"
KEY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,55}_API_KEY")
NAMES = "the name of a key ends in _API_KEY, or stands in config.toml"
PORTS = {"http": 80, "https": 443}


def is_key_name(name: str) -> bool:
    """Whether a variable of that name may be taken for a key."""
    return KEY_NAME.fullmatch(name) is not None or name in _named()


def check_name(name: str) -> str:
    """The name of a key. Raises ValueError for that of another variable."""
    if not is_key_name(name):
        raise ValueError(f"{NAMES}: under [frontier.…] or [keys] of {config.path()}")
    return name


def may_go(name: str, address: str) -> bool:
    """Whether the value of a key may be sent to an address: one of the same scheme, host and port was named for it."""
    return _origin(address) in {_origin(one) for one in _named().get(name, [])}


def withheld(name: str, address: str) -> str:
    """Why a key's value isn't sent, and what to do; for an error message."""
    where = urlsplit(address)
    return (
        f"{name}, which was not sent: {config.path()} does not name it for {where.scheme}://{where.hostname or ''}. Save that address "
        f'with this key as an endpoint in Data & models, or write under [keys]: {name} = "{address.partition("?")[0]}"'
    )


def _named() -> dict[str, list[str]]:
    """The addresses that each key was named for. Raises BadSettings."""
    content = config.read()
    found: dict[str, list[str]] = {OPENAI_KEY: [config.variables().base_url or OPENAI]}
    frontier, keys = (_table(content, name) for name in ("frontier", "keys"))
    for table in frontier.values():
        if isinstance(table, dict) and isinstance(address := table.get("endpoint"), str):
            found.setdefault(str(table.get("api_key_env") or OPENAI_KEY), []).append(address)
    for name, addresses in keys.items():
        listed = [addresses] if isinstance(addresses, str) else addresses
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise BadSettings(f"{config.path()}: [keys] {name}: expected an address, or a list of addresses; never the key itself")
        found.setdefault(name, []).extend(listed)
    return found


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise BadSettings(f"{config.path()}: {name} is {type(table).__name__}; expected a table, [{name}]")
    return table


def _origin(address: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(address)
        return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower())
    except ValueError:  # no port
        return "", address, None
