"""The built-in parts: small real models whose weights are committed beside the scripts that make them."""

from pathlib import Path

FOLDERS = {"pocket-llava": "llava", "pocket-flux": "flux"}


def folder(name: str) -> Path:
    """Where the weights of a built-in model lie. Raises KeyError for a name that is not built in."""
    return Path(__file__).parent / FOLDERS[name]
