"""Processors from their parts, without the half for videos: pictures are all that is asked about, and that half wants torchvision."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from models.weights.files import BadWeights, read_object

NAMED_IN = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")  # where `processor_class` may stand
VIDEO_CONFIG = "video_preprocessor_config.json"
EXTRA = "pip install 'mistakebook[families]'"
PACKAGES = ("torchvision", "num2words", "sentencepiece", "tiktoken", "blobfile", "timm")  # of the extra, as messages name them
FAULTS = (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, ImportError)  # of transformers, on bad files


class NoVideo:
    """In place of a processor's video half: its settings can be read (None where none is stored), a video can't be given."""

    def __init__(self, settings: dict[str, Any]):
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._settings.get(name)

    def to_dict(self) -> dict[str, Any]:
        return dict(self._settings)


def load_processor(folder: Path, config: Any) -> Any:
    """The processor of a folder of weights. Raises BadWeights: with what to install, where a package is missing."""
    kind = processor_class(folder, config)
    try:
        return without_video(kind, folder).from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except FAULTS as error:
        raise BadWeights(f"{folder}: {_reason(kind.__name__, error)}") from error


def check_torchvision() -> None:
    """Raises BadWeights where a torchvision is installed that can't be imported: what transformers then says names other things."""
    if find_spec("torchvision") is None:
        return
    try:
        import torchvision  # noqa: F401
    except Exception as error:  # a RuntimeError of torch's about an operator, or an OSError about a library
        raise BadWeights(
            f"the torchvision that is installed doesn't fit the torch beside it: install one that does, or uninstall it ({error})"
        ) from error


def processor_class(folder: Path, config: Any) -> type[Any]:
    """The class that the folder names, else that of the family."""
    from transformers import PROCESSOR_MAPPING
    from transformers.models.auto.processing_auto import processor_class_from_name

    names = [read_object(folder / file).get("processor_class") for file in NAMED_IN if (folder / file).is_file()]
    for name in filter(None, names):
        if class_ := processor_class_from_name(name):
            kind: type[Any] = class_
            return kind
    try:
        own: type[Any] = cast(Any, PROCESSOR_MAPPING)[type(config)]
    except KeyError:
        named = f" ({', '.join(map(str, filter(None, names)))})" if any(names) else ""
        raise BadWeights(f"{folder}: transformers has no processor for the family {config.model_type}{named}") from None
    return own


def without_video(kind: type[Any], folder: Path) -> type[Any]:
    """A class like `kind` whose video half is a `NoVideo` with the settings that the folder has for it."""
    if "video_processor" not in kind.get_attributes():
        return kind
    from transformers.utils import PushToHubMixin

    module = sys.modules[kind.__module__]
    if getattr(module, "num2words", str) is None:  # SmolVLM spells numbers of video frames by it, and wants it for pictures too
        module.num2words = str  # type: ignore[attr-defined]
    settings = _video_settings(folder)

    class Video(NoVideo, PushToHubMixin):  # by that base transformers knows the parts of a processor that have a `to_dict`
        @classmethod
        def from_pretrained(cls, *_: Any, **__: Any) -> "Video":
            return cls(settings)

    def module_of(name: str) -> Any:
        return Video if name in (Video.__name__, "VideoProcessorMixin") else kind.get_possibly_dynamic_module(name)

    body = {"video_processor_class": Video.__name__, "get_possibly_dynamic_module": staticmethod(module_of), "__module__": kind.__module__}
    return type(kind.__name__, (kind,), body)


def _video_settings(folder: Path) -> dict[str, Any]:
    if (folder / VIDEO_CONFIG).is_file():
        return read_object(folder / VIDEO_CONFIG)
    whole = read_object(folder / NAMED_IN[0]) if (folder / NAMED_IN[0]).is_file() else {}
    section = whole.get("video_processor")
    return section if isinstance(section, dict) else {}


def _reason(name: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    absent = sorted(package for package in PACKAGES if package in text.lower() and find_spec(package) is None)
    if absent:
        return f"{name} needs {' and '.join(absent)}, which this installation lacks: {EXTRA}"
    return f"its processor ({name}) can't be made of the files there: {text}"
