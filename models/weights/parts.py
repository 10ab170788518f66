"""The parts of a model by its tree of modules, whatever they are called: language model, connector, vision tower."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.weights.files import BadWeights

if TYPE_CHECKING:
    from torch import nn

EXPERTS = 3  # sides of a parameter that holds many experts: (experts, out, in)
SENSES = ("vision", "visual", "image", "video", "audio", "speech")  # in the names of configurations of towers


@dataclass(frozen=True)
class Parts:
    """Full names of linear layers (modules), and of matrices in no module of their own: fused experts, Gemma-3's projection."""

    language: tuple[str, ...]
    connector: tuple[str, ...]
    tower: tuple[str, ...]
    language_matrices: tuple[str, ...]
    connector_matrices: tuple[str, ...]

    @property
    def modules(self) -> list[str]:
        """The modules that a LoRA trains."""
        return [*self.language, *self.connector]

    @property
    def matrices(self) -> list[str]:
        """The parameters that a LoRA trains."""
        return [*self.language_matrices, *self.connector_matrices]

    def is_connector(self, name: str) -> bool:
        """Whether a parameter belongs to the connector, by its full name, also with what peft puts before and behind it."""
        return any(f".{part}." in f".{name}." for part in (*self.connector, *(m.rpartition(".")[0] for m in self.connector_matrices)))


def parts_of(model: Any) -> Parts:
    """What a LoRA may train (language model and connector) and what it never does (towers; the output layer is in neither).

    The connector is what lies outside towers and language model; where there is nothing (Qwen-VL, GLM-V), it is what the tower holds
    beside its blocks: mergers, also those that feed several layers. Raises BadWeights where there is no language model.
    """
    from torch import nn

    decoder, tower = model.get_decoder(), vision_tower(model)
    if decoder is None or decoder is model:
        raise BadWeights(f"a {type(model).__name__} has no language model apart from the rest: only the whole could be trained")
    in_towers = {id(module) for part in _towers(model, decoder, tower) for module in part.modules()}
    in_decoder = {id(module) for module in decoder.modules()} - in_towers
    outputs = {id(part.get_output_embeddings()) for part in (model, decoder) if hasattr(part, "get_output_embeddings")}
    known = in_decoder | in_towers | outputs
    linear = {id(module): name for name, module in model.named_modules() if isinstance(module, nn.Linear) and id(module) not in outputs}
    matrices = {id(module): names for name, module in model.named_modules() if (names := _matrices(name, module))}
    merging: set[int] = set()
    if not any(key not in known for key in (*linear, *matrices)) and tower is not None:
        merging = {id(module) for module in _beside_blocks(tower)}

    fused = {name for name, value in model.named_parameters() if value.dim() == EXPERTS}  # not the routers, whose weight is a matrix too

    def named(found: dict[int, Any], keys: Any) -> Iterator[Any]:
        return (name for key, name in found.items() if keys(key))

    def in_connector(key: int) -> bool:
        return key not in known or key in merging

    return Parts(
        language=tuple(named(linear, lambda key: key in in_decoder)),
        connector=tuple(named(linear, in_connector)),
        tower=tuple(named(linear, lambda key: key in in_towers and key not in merging)),
        language_matrices=tuple(name for names in named(matrices, lambda key: key in in_decoder) for name in names if name in fused),
        connector_matrices=tuple(name for names in named(matrices, in_connector) for name in names),
    )


def vision_tower(model: Any) -> Any:
    """The module that sees a picture; None where the family has none of its own (Fuyu)."""
    encoder = model.get_encoder(modality="image")
    return None if encoder is model or encoder is getattr(model, "base_model", None) else encoder


def image_features(model: Any, inputs: Any) -> Any:
    """What the language model gets of the pictures in a batch: the connector's output, in the form that the family gives it."""
    import inspect

    text = inputs["input_ids"].shape  # what has a value a token is of the text
    of_pictures = {name: value for name, value in inputs.items() if value.shape != text}
    for holder in (model, model.base_model):  # some hand everything on, and only the inner model says what it takes
        known = inspect.signature(holder.get_image_features).parameters
        if "pixel_values" in known:
            takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())
            wanted = {name: value for name, value in of_pictures.items() if name in known or takes_more}
            features = holder.get_image_features(**wanted)
            return getattr(features, "pooler_output", features)
    raise TypeError(f"{type(model).__name__}.get_image_features doesn't say that it takes pixel values")


def image_ids(config: Any) -> set[int]:
    """The ids that stand for a feature of a picture; families name the setting by one of these."""
    found = (getattr(config, name, None) for name in ("image_token_id", "image_token_index", "image_patch_id"))
    return {i for i in found if isinstance(i, int)}


def _towers(model: Any, decoder: Any, tower: Any) -> "Iterator[nn.Module]":
    """All modules that see or hear: the vision tower, and others whose configuration is of a sense (for video, sound, more detail)."""
    from transformers import PreTrainedModel

    if tower is not None:
        yield tower
    parts = getattr(model.config, "sub_configs", {})
    senses = {type(getattr(model.config, name, None)) for name in parts if any(sense in name for sense in SENSES)} - {type(None)}
    senses -= {type(model.config), type(getattr(decoder, "config", None))}
    for module in model.modules():
        if isinstance(module, PreTrainedModel) and module is not decoder and type(module.config) in senses:
            yield module


def _beside_blocks(tower: Any) -> "Iterator[nn.Module]":
    """What a tower holds behind its blocks (its longest list of layers), and lists of the same classes before them."""
    from torch import nn

    children = list(tower.children())
    lists = [i for i, child in enumerate(children) if isinstance(child, nn.ModuleList)]
    if not lists:
        return

    def size(i: int) -> tuple[int, int]:
        return len(children[i]), sum(isinstance(module, nn.Linear) for module in children[i].modules())

    blocks = max(lists, key=size)
    behind = children[blocks + 1 :]
    classes = {type(child) for child in behind if any(isinstance(module, nn.Linear) for module in child.modules())}
    before = [children[i] for i in lists if i < blocks and {type(child) for child in children[i]} & classes]
    for child in [*behind, *before]:
        yield from child.modules()


def _matrices(name: str, module: Any) -> list[str]:
    """Full names of a module's own matrices that it multiplies with by itself: of fused experts (experts, out, in), of some projections.

    Those of layers that are linear, or look up, or convolve, or norm, are no such ones; nor are tables of positions, which have no
    two long sides.
    """
    from torch import nn

    if isinstance(module, nn.Linear | nn.Embedding | nn.modules.conv._ConvNd | nn.LayerNorm):
        return []
    parameters = [(own, value) for own, value in module.named_parameters(recurse=False) if "weight" in own or "proj" in own]
    return [f"{name}.{own}" for own, value in parameters if value.dim() in (2, 3) and min(value.shape[-2:]) > 1]
