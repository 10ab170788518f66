"""Plugins: a folder is a family, a file in it is a plugin, the file's name is the plugin's name.

Each file holds one public class with a nested pydantic `Options`. Nothing else lists the plugins: forms,
flags and stored job specs are made from `Options`, and the contract tests run over whatever is found here.
"""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from data.errors import MistakebookError


class UnknownPlugin(MistakebookError, ValueError):  # validators of options raise it, which pydantic takes from a ValueError alone
    """Asked for a plugin whose file isn't there."""

    status = 404


class UnknownOption(MistakebookError, ValueError):  # as UnknownPlugin
    """An option was given that a plugin doesn't have."""


@dataclass(frozen=True)
class Registry:
    """The plugins of one package, for example Registry("data.datasets")."""

    package: str
    strict: bool = False  # options come from people each time: a name that isn't there is refused. Stored ones may be of another version

    def names(self) -> list[str]:
        """Names of the plugins, sorted; their files aren't imported."""
        folder = importlib.import_module(self.package).__path__
        return sorted(m.name for m in pkgutil.iter_modules(folder) if not m.name.startswith("_"))

    def load(self, name: str) -> type[Any]:
        """The class of one plugin. Raises UnknownPlugin with the names that exist."""
        if name not in self.names():
            kind = self.package.rpartition(".")[2].replace("_", " ")
            raise UnknownPlugin(f"unknown {kind} {name!r}; there are: {', '.join(self.names())}")
        return _plugin_class(importlib.import_module(f"{self.package}.{name}"))

    def make(self, name: str, options: dict[str, Any] | None = None) -> Any:
        """An instance of a plugin with validated options (pydantic raises ValidationError on bad ones)."""
        plugin = self.load(name)
        if self.strict:
            check_names(plugin.Options, options or {}, name)
        return plugin(plugin.Options(**(options or {})))


def _plugin_class(module: ModuleType) -> type[Any]:
    classes = [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and "Options" in vars(value)
    ]
    if len(classes) != 1:
        raise TypeError(f"{module.__name__} must hold exactly one class with nested Options, found {len(classes)}")
    return classes[0]


def check_names(options: type[BaseModel], given: Mapping[str, Any], of: str) -> None:
    """Raises UnknownOption where an option is given that there isn't: a misspelt one would change nothing, in silence."""
    known = list(options.model_fields)
    if unknown := [str(name) for name in given if name not in known]:
        near = difflib.get_close_matches(unknown[0], known, 1)
        suggestion = f" (did you mean {near[0]!r}?)" if near else ""
        raise UnknownOption(f"{of} has no option {unknown[0]!r}{suggestion}; there are: {', '.join(known) or 'none'}")


DATASETS = Registry("data.datasets", strict=True)
EXPORTS = Registry("data.exports", strict=True)
BASELINES = Registry("models.baselines")
IMAGE_GENERATORS = Registry("models.image_generators")
EMBEDDERS = Registry("models.embedders")
FILTERS = Registry("curation.filters")
