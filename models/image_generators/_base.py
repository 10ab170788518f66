"""The base of image generators: plugins that turn prompts into pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel

from data.errors import MistakebookError

if TYPE_CHECKING:
    from PIL.Image import Image

Draws = Literal["prompt", "spec"]


@dataclass(frozen=True)
class GeneratorContext:
    """What a generator gets of a workspace and its job: the journal of paid replies, the pictures, the budget."""

    journal: Path
    images: Path
    scope: str = ""  # whose spend it is (a job's number)
    budget_usd: float | None = None
    should_stop: Callable[[], bool | str] = lambda: False  # true: stop
    key_withheld: Callable[[str, str], str] = lambda name, address: ""  # why a key is not to be sent to an address; "": it may be


class DrawError(MistakebookError):
    """One prompt gave no picture; the text says why and what to do."""


class Generator:
    """The base of the plugins. `draw` may leave a picture out (None) only where it was told to stop."""

    draws: ClassVar[Draws] = "prompt"  # what it draws: image prompts in words, or specs (data/picture_specs) as JSON
    paid: ClassVar[bool] = False  # whether it asks a server that may bill: such pictures go through the journal

    def __init__(self, options: BaseModel) -> None:
        self.options = options

    @property
    def address(self) -> str | None:
        """The server that prompts go to; None: pictures are drawn here."""
        return None

    def open(self, context: GeneratorContext) -> None:
        """Called once before the first `draw`."""

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> "Sequence[Image | bytes | DrawError | None]":
        """A picture (PIL, or its encoded bytes) or a DrawError for each prompt, in order; None for what a stop has cut off."""
        raise NotImplementedError

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside prompt and seed."""
        raise NotImplementedError

    def estimate(self, count: int, context: GeneratorContext) -> tuple[float, float] | None:
        """What so many pictures cost, in dollars; None: unpriced."""
        return 0.0, 0.0
