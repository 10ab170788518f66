"""Image generators: one file a way to turn prompts into pictures.

A plugin has `draw(prompts, seeds) -> list[PIL.Image.Image | DrawError]`, one entry a prompt, in order, so that one
refused prompt never loses the others; and `recipe() -> dict`, what is recorded with each picture beside its seed.
"""


class DrawError(RuntimeError):
    """One prompt gave no picture; the text says why and what to do."""
