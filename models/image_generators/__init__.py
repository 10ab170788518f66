"""Image generators: one file a way to turn prompts into pictures.

A plugin is a Generator (`_base.py`): `draw(prompts, seeds)` gives one entry a prompt, in order, so that one refused prompt
never loses the others; `recipe()` is what is recorded with each picture beside its seed.
"""

from data.errors import MistakebookError
from models.image_generators._base import Desk, Generator

__all__ = ["Desk", "DrawError", "Generator"]


class DrawError(MistakebookError):
    """One prompt gave no picture; the text says why and what to do."""
