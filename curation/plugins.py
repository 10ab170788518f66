"""What the app works with besides data: checkpoints that people add, frontier endpoints, keys (present or not), plugins, built-in parts."""

import inspect
import json
import os
from pathlib import Path
from typing import Any

from curation import checkpoints
from curation.frontier import endpoints
from curation.frontier.endpoints import COMMON
from curation.frontier.options import FrontierOptions, open_client
from data.records import Checkpoint
from data.registry import BASELINES, EMBEDDERS, IMAGE_GENERATORS, Registry
from data.store import Store
from data.workspace import Workspace
from models import pocket
from models.frontier import FrontierStopped
from models.paid_calls.keys import find_key

KEYS = ("OPENAI_API_KEY",)
CARDS = Path(pocket.__file__).parent
ADAPTER_FILE = "adapter_config.json"


class BadCheckpoint(ValueError):
    """A checkpoint that can't be added; the text says what to give instead."""


def add_checkpoint(store: Store, name: str, baseline: str, model: str, adapter: str | None, options: dict[str, Any]) -> int:
    """Adds a model that can be asked from now on; returns its id. Weights aren't loaded.

    Raises BadCheckpoint, UnknownPlugin, ValidationError.
    """
    name, model = name.strip(), model.strip()
    if not name or not model:
        raise BadCheckpoint("a checkpoint needs a name and the folder or hub name of its weights")
    if name in {row["name"] for row in store.rows("checkpoints")}:
        raise BadCheckpoint(f"there is a checkpoint {name!r} already; choose another name")
    if model.startswith(("/", "~", ".")):
        model = _folder(model, "config.json", "weights as transformers saves them")
    if adapter:
        adapter = _folder(adapter, ADAPTER_FILE, "LoRA weights as peft saves them")
    made = Checkpoint(name, baseline, model, adapter, options)
    checkpoints.make_baseline(made)  # validates the options
    parent = None
    if adapter:
        parent = next((row["checkpoint_id"] for row in store.rows("checkpoints") if row["model"] == model and not row["adapter"]), None)
    return checkpoints.register(store, made, parent)


def test_endpoint(workspace: Workspace, values: dict[str, Any]) -> dict[str, Any]:
    """One tiny call with a picture to a frontier model, and what came of it in words. `values`: settings of an endpoint."""
    plain = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    common = {name: plain[name] for name in COMMON if name in plain}
    options = FrontierOptions(**common, endpoint_options={name: value for name, value in plain.items() if name not in COMMON})
    try:
        with open_client(options, workspace) as client:
            words = client.test()
    except FrontierStopped as error:
        words = f"Failed: {error}"
    return {"ok": not words.startswith("Failed"), "words": words}


def has_key(workspace: Workspace, name: str) -> bool:
    """Whether a key of that name is in the environment or in keys.json."""
    try:
        return find_key(name, workspace.root / "keys.json") is not None
    except FrontierStopped:
        return False


def keys(workspace: Workspace) -> list[dict[str, Any]]:
    """Names of keys and where each was found; never a value."""
    file, names, trouble = workspace.root / "keys.json", list(KEYS), None
    named = [values.get("api_key_env") for values in endpoints.read().named.values()]
    names += [name for name in dict.fromkeys(named) if name and name not in names]
    try:
        find_key("", file)
        if file.exists():
            names += [name for name in json.loads(file.read_text(encoding="utf-8")) if name not in names]
    except FrontierStopped as error:
        trouble = str(error)
    shown = []
    for name in names:
        inside = bool(os.environ.get(name, "").strip())
        beside = not inside and trouble is None and find_key(name, file) is not None
        shown.append(
            {"name": name, "where": "environment" if inside else "keys.json" if beside else None, "trouble": None if inside else trouble}
        )
    return shown


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
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def _folder(text: str, holds: str, what: str) -> str:
    path = Path(text.strip()).expanduser()
    if not path.is_absolute():
        path = path.resolve()
    if not (path / holds).is_file():
        raise BadCheckpoint(f"{path} holds no {holds}; give the folder of {what}, or a hub name")
    return str(path)
