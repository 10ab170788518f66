"""Image generators: one file a way to turn prompts into pictures.

A plugin is a Generator (`_base.py`): `draw(prompts, seeds)` gives one entry a prompt, in order, so that one refused prompt
never loses the others; `recipe()` is what is recorded with each picture beside its seed.
"""

from models.image_generators._base import DrawError, Generator, GeneratorContext

__all__ = ["DrawError", "Generator", "GeneratorContext"]
