"""What can be plugged in: plugins with what they say of themselves, and the built-in parts with their cards."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.records import Record
from data.registry import BASELINES, EMBEDDERS, IMAGE_GENERATORS, Registry
from models import pocket

CARDS = Path(pocket.__file__).parent


@dataclass(frozen=True)
class PluginInfo(Record):
    """A plugin's name, what it is in its own words, and the JSON schema of its options."""

    name: str
    about: str
    options: dict[str, Any]


@dataclass(frozen=True)
class PartCard(Record):
    """A built-in part: its model card in Markdown, and its size."""

    name: str
    card: str
    bytes: int | None


def plugins() -> dict[str, list[PluginInfo]]:
    """Baselines, image generators and embedders, by family."""
    families = {"baselines": BASELINES, "image_generators": IMAGE_GENERATORS, "embedders": EMBEDDERS}
    return {family: [about(registry, name) for name in registry.names()] for family, registry in families.items()}


def about(registry: Registry, name: str) -> PluginInfo:
    """What a plugin says of itself."""
    plugin = registry.load(name)
    words = inspect.getdoc(inspect.getmodule(plugin)) or ""
    return PluginInfo(name, words.partition("\n\n")[0].replace("\n", " "), plugin.Options.model_json_schema())


def cards() -> list[PartCard]:
    """The built-in parts."""
    return [
        PartCard(f"pocket-{path.parent.name}", path.read_text(encoding="utf-8"), size_of(path.parent))
        for path in sorted(CARDS.glob("*/README.md"))
    ]


def size_of(folder: str | Path | None) -> int | None:
    """Bytes of a folder on this machine; None if it isn't here."""
    path = Path(pocket.folder(str(folder)) if str(folder) in pocket.FOLDERS else folder) if folder else None
    if path is None or not path.is_dir():
        return None
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
