"""From a folder or a hub name to a model and its processor, or one sentence that says why not."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import pocket
from models.weights.files import ADAPTER, CONFIG, BadWeights, check_adapter, check_model, read_object
from models.weights.processors import check_torchvision, load_processor

FETCHED = ["*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken", "*.safetensors"]  # no pickles, no code
NOT_FETCHED = ["onnx/*", "original/*", "consolidated*", "*.gguf"]
FAULTS = (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, ImportError, IndexError)  # of transformers, on bad files


@dataclass(frozen=True)
class Placement:
    """How weights are held: on which device, in which type, attended by which code."""

    device: str = "cpu"
    dtype: str = "float32"
    device_map: str | None = None  # "auto", "balanced", …: spread over several devices
    quantisation: str | None = None  # "4bit" or "8bit"
    attention: str | None = None  # of transformers: "sdpa", "eager", "flash_attention_2", …


def locate(model: str, revision: str | None = None) -> Path:
    """The folder with the weights: of a built-in model, the one that was given, or of the hub's cache, fetched where it isn't there yet."""
    if model in pocket.FOLDERS:
        return pocket.folder(model)
    folder = Path(model).expanduser()
    if folder.is_dir() or model.startswith(("/", "~", ".")):
        if revision:
            raise BadWeights(f"{model} is a folder, which has no revisions ({revision!r} was asked for); give a hub name, or no revision")
        return folder
    return _fetched(model, revision)


def load_config(folder: Path) -> Any:
    """The model's configuration. Raises BadWeights where transformers has no such family, or none that answers about pictures."""
    check_torchvision()
    from transformers import CONFIG_MAPPING, AutoConfig

    check_model(folder)
    raw = read_object(folder / CONFIG)
    family = raw["model_type"]
    if family not in CONFIG_MAPPING:
        import transformers

        if raw.get("auto_map"):
            raise BadWeights(
                f"{folder}: the family {family} is no part of transformers {transformers.__version__}; its code comes with the weights, "
                "and code of others isn't run here. Use a family that transformers has"
            )
        raise BadWeights(f"{folder}: transformers {transformers.__version__} has no family {family!r}; a newer one may have it")
    _refuse_other_kinds(folder, family, CONFIG_MAPPING[family])
    try:
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # each family checks its fields by itself
        raise BadWeights(f"{folder}: config.json doesn't fit the family {family}: {_line(error)}") from error
    _refuse_encoder_decoders(folder, config)
    return config


def load(folder: Path, name: str, placement: Placement, adapter: str | None = None) -> tuple[Any, Any]:
    """Model in evaluation mode (its adapter merged) and processor, with every tensor from the files. Raises BadWeights.

    `name`: what the weights are called elsewhere; adapters name their base by it.
    """
    config = load_config(folder)
    processor = load_processor(folder, config)
    model = _load_model(folder, config, placement)
    model.name_or_path = model.config._name_or_path = name
    if adapter:
        model = merged(model, Path(adapter))
    return model.eval(), processor


def merged(model: Any, adapter: Path) -> Any:
    """The model with the adapter's weights added to its own. Raises BadWeights where these aren't of this model."""
    return with_adapter(model, adapter).merge_and_unload()


def with_adapter(model: Any, adapter: Path, trainable: bool = False) -> Any:
    """A PeftModel with an adapter that fits. Raises BadWeights: an adapter of another base has other layers, or layers of other sizes."""
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    check_adapter(adapter)
    with safe_open(adapter / ADAPTER, "pt") as file:
        stored = len(file.keys())
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except FAULTS as error:
        raise BadWeights(f"{adapter} doesn't fit this model; was it trained on another? {_line(error)[:300]}") from error
    if missing := next((str(w.message) for w in caught if "missing adapter keys" in str(w.message)), None):
        raise BadWeights(f"{adapter} lacks weights for layers of this model; was it trained on another? {missing[:300]}")
    used = len(get_peft_model_state_dict(made))
    if used < stored:
        raise BadWeights(f"{adapter} has {stored} tensors, of which this model takes {used}; was it trained on another?")
    return made


def _load_model(folder: Path, config: Any, placement: Placement) -> Any:
    import torch
    from transformers import AutoModelForImageTextToText

    wanted: dict[str, Any] = {"dtype": getattr(torch, placement.dtype)}
    if placement.attention:
        wanted["attn_implementation"] = placement.attention
    if placement.quantisation:
        wanted["quantization_config"] = _quantised(placement)
    if placement.device_map or placement.quantisation:
        wanted["device_map"] = placement.device_map or {"": placement.device}
    try:
        with _quiet():
            wanted |= {"use_safetensors": True, "trust_remote_code": False, "output_loading_info": True}
            made: Any = AutoModelForImageTextToText.from_pretrained(str(folder), config=config, **wanted)
            model, report = made
    except FAULTS as error:
        raise BadWeights(f"{folder}: the weights don't load as {config.model_type}: {_line(error)}") from error
    if missing := sorted(report["missing_keys"]):
        raise BadWeights(
            f"{folder}: {len(missing)} tensors of a {type(model).__name__} are not in the files ({', '.join(missing[:3])}"
            f"{', …' if len(missing) > 3 else ''}); they would be random numbers, so this isn't asked. Copy or download it again"
        )
    return model if "device_map" in wanted else model.to(placement.device)


def _quantised(placement: Placement) -> Any:
    from importlib.util import find_spec

    if find_spec("bitsandbytes") is None:
        raise BadWeights("4 and 8 bits need bitsandbytes, which this installation lacks: pip install 'mistakebook[quantised]'")
    import torch
    from transformers import BitsAndBytesConfig

    if placement.quantisation == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, placement.dtype))


def _refuse_other_kinds(folder: Path, family: str, kind_of_config: type[Any]) -> None:
    from transformers.models.auto import modeling_auto

    if kind_of_config in modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        try:
            usual = kind_of_config()
        except Exception:  # the defaults of a few families don't make a configuration
            return
        return _refuse_encoder_decoders(folder, usual)
    kinds = {
        "a text-only language model": modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING,
        "a classifier of answers": modeling_auto.MODEL_FOR_VISUAL_QUESTION_ANSWERING_MAPPING,
        "a model of several modalities": modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING,
    }
    kind = next((words for words, mapping in kinds.items() if kind_of_config in mapping), "something else")
    raise BadWeights(
        f"{folder}: transformers loads {family} as {kind}, not as a model that answers questions about pictures (image-text-to-text)"
    )


def _refuse_encoder_decoders(folder: Path, config: Any) -> None:
    if getattr(config, "is_encoder_decoder", False) or getattr(config.get_text_config(), "is_encoder_decoder", False):
        raise BadWeights(
            f"{folder}: {config.model_type} is an encoder-decoder: it reads the question in one part and writes the answer in another, "
            "which is neither asked nor trained here. Use a decoder-only family (LLaVA, Qwen-VL, …)"
        )


def _fetched(model: str, revision: str | None) -> Path:
    from huggingface_hub import errors, snapshot_download

    at = f" at revision {revision!r}" if revision else ""
    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=FETCHED, ignore_patterns=NOT_FETCHED))
    except errors.RevisionNotFoundError as error:
        raise BadWeights(
            f"the hub has {model}, but no revision {revision!r} of it; its branches, tags and commits are on its page"
        ) from error
    except errors.GatedRepoError as error:
        raise BadWeights(f"{model} is gated: accept its terms on the hub and set HF_TOKEN") from error
    except errors.RepositoryNotFoundError as error:
        raise BadWeights(f"the hub has no {model} (or HF_TOKEN may not read it), and there is no folder of that name here") from error
    except errors.HFValidationError as error:
        raise BadWeights(f"{model!r} is neither a folder on this machine nor a hub name: {_line(error)}") from error
    except (errors.LocalEntryNotFoundError, OSError) as error:
        raise BadWeights(
            f"{model}{at} is not on this machine and can't be downloaded ({_line(error)[:200]}); give a folder, or download it beforehand"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the table that transformers logs of missing and unexpected tensors: what matters of it is an error here."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
