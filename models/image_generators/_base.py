"""What every image generator is: a plugin that turns prompts into pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel


@dataclass(frozen=True)
class Desk:
    """Where pictures that cost something are booked: the journal of paid replies, the pictures themselves, whose budget."""

    journal: Path
    images: Path
    scope: str = ""  # whose spend it is (a job's number)
    budget_usd: float | None = None
    should_stop: Callable[[], bool] = lambda: False


class Generator:
    """The base of the plugins. `draw` may leave a picture out (None) only where it was told to stop."""

    paid: ClassVar[bool] = False  # whether it asks a server that may bill: such pictures go through the journal

    def __init__(self, options: BaseModel) -> None:
        self.options = options

    @property
    def address(self) -> str | None:
        """The server that prompts go to; None: pictures are drawn here."""
        return None

    def open(self, desk: Desk) -> None:
        """Called once before the first `draw`, with the workspace's books."""

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Any]:
        """A picture (PIL, or its encoded bytes) or a DrawError for each prompt, in order; None for what a stop has cut off."""
        raise NotImplementedError

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside prompt and seed."""
        raise NotImplementedError

    def estimate(self, count: int, desk: Desk) -> tuple[float, float] | None:
        """What so many pictures cost, in dollars; None: unpriced."""
        return 0.0, 0.0
