"""What can be told of a folder of weights without loading them: no torch, a few milliseconds."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.errors import MistakebookError

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER = "adapter_model.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
POINTER = b"version https://git-lfs.github.com/spec/"  # https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
POINTER_BYTES = 1024  # a pointer is shorter
HEADER_BYTES = 100_000_000  # the longest header that the safetensors format allows


class BadWeights(MistakebookError):
    """Weights that can't be used: says which file, what is wrong with it, what to do."""


def check_model(folder: Path) -> None:
    """A folder as `save_pretrained` writes it: configuration, all weights as safetensors, no pointers, no code. Raises BadWeights."""
    if not folder.is_dir():
        raise BadWeights(f"{folder} is not a folder; give the folder of weights as transformers saves them, or a hub name")
    if not (folder / CONFIG).is_file():
        raise BadWeights(f"{folder} holds no {CONFIG}; give the folder of weights as transformers saves them, or a hub name{_hint(folder)}")
    _raise(folder, _pointers(folder) or [*_config_flaws(folder), *_model_flaws(folder)])


def check_adapter(folder: Path) -> dict[str, Any]:
    """A folder of LoRA weights as peft saves them; returns its configuration. Raises BadWeights."""
    if not (folder / ADAPTER_CONFIG).is_file():
        raise BadWeights(f"{folder} holds no {ADAPTER_CONFIG}; give the folder of LoRA weights as peft saves them")
    flaws = list(_pointers(folder))
    if not flaws:
        if (folder / ADAPTER).is_file():
            _, flaw = tensors(folder / ADAPTER)
            flaws += [flaw] if flaw else []
        else:
            flaws.append(_no_safetensors(folder, ADAPTER))
    _raise(folder, flaws)
    return read_object(folder / ADAPTER_CONFIG)


def same_base(adapter_config: dict[str, Any], model: str) -> bool:
    """Whether an adapter names this model as its base. Folders move: of a path, the last part is compared.

    >>> same_base({"base_model_name_or_path": "/a/llava-1.5-7b-hf"}, "llava-hf/llava-1.5-7b-hf")
    True
    """
    base = adapter_config.get("base_model_name_or_path")
    return not base or _last_part(str(base)) == _last_part(model)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises BadWeights with the place of what isn't JSON."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadWeights(f"{path} can't be read as JSON: {error}; copy or download it again") from error
    if not isinstance(content, dict):
        raise BadWeights(f"{path}: expected a JSON object, found {type(content).__name__}; copy or download it again")
    return content


def tensors(path: Path) -> tuple[dict[str, list[int]], str | None]:
    """Names and shapes of the tensors in a safetensors file, from its header; and what is wrong with the file, if anything.

    The format: https://github.com/huggingface/safetensors#format
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(size - 8, HEADER_BYTES):
            return {}, f"{path.name} is no safetensors file ({size:,} bytes); copy or download it again"
        try:
            header = json.loads(file.read(length))
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            shapes = {name: [int(side) for side in entry["shape"]] for name, entry in entries.items()}
            end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return {}, f"{path.name} has a damaged header; copy or download it again"
    if not shapes:
        return {}, f"{path.name} holds no weights; copy or download it again"
    if 8 + length + end != size:
        return {}, f"{path.name} has {size:,} bytes and should have {8 + length + end:,}: it was cut off; copy or download it again"
    return shapes, None


def _model_flaws(folder: Path) -> Iterator[str]:
    if (folder / INDEX).is_file():
        index = read_object(folder / INDEX).get("weight_map")
        if not isinstance(index, dict) or not index:
            yield f"{INDEX} lists no weights; copy or download it again"
            return
        for shard in sorted(set(map(str, index.values()))):
            path = folder / shard
            if path.parent != folder or not path.is_file():
                yield f"{shard} is missing, which {INDEX} names; copy or download it again"
                continue
            names, flaw = tensors(path)
            if flaw:
                yield flaw
            elif missing := sorted(name for name, file in index.items() if file == shard and name not in names):
                yield f"{shard} lacks {len(missing)} of its tensors ({missing[0]}); copy or download it again"
    elif (folder / WHOLE).is_file():
        _, flaw = tensors(folder / WHOLE)
        if flaw:
            yield flaw
    else:
        yield _no_safetensors(folder, WHOLE)


def _no_safetensors(folder: Path, wanted: str) -> str:
    if pickles := sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES and path.name != "training_args.bin"):
        return (
            f"the weights are pickles ({pickles[0]}), which may run any code when they are read; "
            f"choose a copy that has {wanted} (on the hub: a revision that was converted to safetensors)"
        )
    return f"there is no {wanted}{_hint(folder)}; save the weights with save_pretrained, or download them again"


def _hint(folder: Path) -> str:
    """What else lies there, where that is known to be weights in a form that transformers doesn't read."""
    names = sorted(path.name for path in folder.iterdir())
    if (folder / ADAPTER_CONFIG).is_file():
        return " (it holds an adapter: give the folder of its base as the model, and this one as the adapter)"
    if other := [name for name in names if name.endswith((".gguf", ".mlpackage", ".onnx")) or name == "consolidated.safetensors"]:
        return f" ({other[0]} is of another format)"
    return ""


def _pointers(folder: Path) -> list[str]:
    """Files that Git-LFS has not fetched."""
    small = (path for path in sorted(folder.iterdir()) if path.is_file() and path.stat().st_size < POINTER_BYTES)
    pointers = [path.name for path in small if path.read_bytes().startswith(POINTER)]
    if not pointers:
        return []
    are = "are pointers" if len(pointers) > 1 else "is a pointer"
    return [f"{', '.join(pointers[:3])} {are} of Git-LFS and not the file itself: run `git lfs pull` there"]


def _config_flaws(folder: Path) -> list[str]:
    if not read_object(folder / CONFIG).get("model_type"):
        return [f"{CONFIG} names no model_type, by which transformers tells the family; copy or download it again"]
    return []


def _raise(folder: Path, flaws: list[str]) -> None:
    if flaws:
        raise BadWeights(f"{folder}: {'; '.join(flaws)}")


def _last_part(name: str) -> str:
    """The name of a model without its folders; of a folder of the hub's cache, the repository's name."""
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    if len(parts) >= 3 and parts[-2] == "snapshots":
        return parts[-3].rpartition("--")[2]
    return parts[-1] if parts else ""
