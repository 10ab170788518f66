"""What can be plugged in: plugins with what they say of themselves, and the built-in parts with their cards."""

import inspect
from pathlib import Path
from typing import Any

from data.registry import BASELINES, EMBEDDERS, IMAGE_GENERATORS, Registry
from models import pocket

CARDS = Path(pocket.__file__).parent


def plugins() -> dict[str, list[dict[str, Any]]]:
    """Baselines, image generators and embedders, each with what it is and its options' schema."""
    families = {"baselines": BASELINES, "image_generators": IMAGE_GENERATORS, "embedders": EMBEDDERS}
    return {family: [about(registry, name) for name in registry.names()] for family, registry in families.items()}


def about(registry: Registry, name: str) -> dict[str, Any]:
    """A plugin's name, what it is in its own words, and the JSON schema of its options."""
    plugin = registry.load(name)
    words = inspect.getdoc(inspect.getmodule(plugin)) or ""
    return {"name": name, "about": words.partition("\n\n")[0].replace("\n", " "), "options": plugin.Options.model_json_schema()}


def cards() -> list[dict[str, Any]]:
    """The built-in parts: name, card (Markdown), size in bytes."""
    return [
        {"name": f"pocket-{path.parent.name}", "card": path.read_text(encoding="utf-8"), "bytes": size_of(path.parent)}
        for path in sorted(CARDS.glob("*/README.md"))
    ]


def size_of(folder: str | Path | None) -> int | None:
    """Bytes of a folder on this machine; None if it isn't here."""
    path = Path(pocket.folder(str(folder)) if str(folder) in pocket.FOLDERS else folder) if folder else None
    if path is None or not path.is_dir():
        return None
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
