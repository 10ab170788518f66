"""What of transformers' processors and tokenizers a finetune uses (these classes are made at run time and have no types of their own);
its events, and the error of a run that diverged."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image

from data.errors import MistakebookError

if TYPE_CHECKING:
    from torch import Tensor

Event = dict[str, Any]  # {"event": "progress" | "preflight" | "message", …}
Report = Callable[[Event], None]
Row = dict[str, str]  # spec.COLUMNS


class Diverged(MistakebookError):
    """Loss, gradient or weights of a run are no numbers any more: going on would train nothing."""


class ImageConfig(Protocol):
    image_token_id: int


class ImageTextModel(Protocol):
    """What the classes of AutoModelForImageTextToText have and share no base for."""

    config: ImageConfig

    def get_image_features(self, **inputs: "Tensor") -> Any: ...


class Tokenizer(Protocol):
    eos_token: str

    def __call__(self, text: Sequence[str]) -> Mapping[str, list[list[int]]]: ...
    def decode(self, ids: Sequence[int]) -> str: ...
    def convert_ids_to_tokens(self, ids: int) -> str: ...


class Processor(Protocol):
    tokenizer: Tokenizer

    def __call__(
        self, *, images: Sequence[Image.Image], text: Sequence[str], return_tensors: str, padding: bool, padding_side: str
    ) -> Mapping[str, "Tensor"]: ...

    def apply_chat_template(self, conversation: Sequence[Mapping[str, object]], *, add_generation_prompt: bool) -> str: ...
