"""Charts, tables, documents and diagrams rendered from a spec (data/picture_specs): Vega-Lite by vl-convert, on this machine, no model.

It takes specs as JSON where the other generators take prompts: PictureSpec.model_dump_json(). The same spec and seed give the same bytes.
"""

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field, ValidationError

from data.picture_specs import safety
from data.picture_specs.spec import BadSpec, PictureSpec
from data.scenes import BAR_HEIGHTS, COLOURS, Bar, Scene, background, draw
from models.image_generators._base import DrawError, Draws, Generator, GeneratorContext
from models.rendering.layouts import laid_out
from models.rendering.process import CantRender, RenderProcess
from models.rendering.style import config, in_one_font

if TYPE_CHECKING:
    from PIL.Image import Image

LOWEST = 2.0  # pixels of a bar that can be seen


class Rendered(Generator):
    """Renders specs exactly: every text and number is what the spec says. It can draw nothing else: no photographs, no maps."""

    draws: ClassVar[Draws] = "spec"

    class Options(BaseModel, extra="forbid"):
        scale: float = Field(1.0, ge=0.25, le=4, description="Pixels of the picture a pixel of the spec")
        seconds: float = Field(20.0, ge=1, le=300, description="Time that one picture may take")
        most_pixels: int = Field(4_000_000, ge=4096, le=16_000_000, description="Pixels that one picture may have")
        vary_style: bool = Field(True, description="Background, grid and axes follow from the seed; off: all pictures look alike")

    options: Options

    def __init__(self, options: BaseModel) -> None:
        super().__init__(options)
        self._process = RenderProcess(self.options.seconds)
        self._should_stop: Callable[[], bool | str] = lambda: False

    def open(self, context: GeneratorContext) -> None:
        self._should_stop = context.should_stop

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> "list[Image | bytes | DrawError | None]":
        """A picture or a DrawError for each spec, in order; None for those after a stop."""
        return [None if self._should_stop() else self._drawn(spec, seed) for spec, seed in zip(prompts, seeds, strict=True)]

    def close(self) -> None:
        """Ends the renderer's process; the next picture starts it again."""
        self._process.close()

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside spec and seed."""
        renderer = {"renderer": f"vl-convert {self._process.version}"} if self._process.version else {}
        return {"generator": "rendered", **renderer, "scale": self.options.scale, "vary_style": self.options.vary_style}

    def _drawn(self, text: str, seed: int) -> "Image | bytes | DrawError":
        try:
            spec = PictureSpec.model_validate_json(text)
        except ValidationError as error:
            flaws = "; ".join(f"{'.'.join(map(str, flaw['loc'])) or 'spec'}: {flaw['msg']}" for flaw in error.errors()[:3])
            return DrawError(f"this is no spec of a picture ({flaws}). It renders specs; for image prompts choose another generator.")
        try:
            safety.check(spec)
            return _bars(spec, seed) if spec.kind == "bars" else self._rendered(spec, seed)
        except (BadSpec, CantRender) as error:
            return DrawError(f"the {spec.kind} can't be rendered: {error}")

    def _rendered(self, spec: PictureSpec, seed: int) -> bytes:
        look = config(seed if self.options.vary_style else 0)
        marks = in_one_font(safety.marks(spec)) if spec.kind == "vega-lite" else laid_out(spec, look["background"])
        return self._process.render(marks, look, self.options.scale, self.options.most_pixels)


def _bars(spec: PictureSpec, seed: int) -> "Image":
    """The small bar chart of the built-in benchmark (data/scenes.py), 64 x 64 pixels. Raises BadSpec."""
    bars = []
    for colour, height in spec.rows:
        if colour not in COLOURS:
            raise BadSpec(f"“{colour}” is no color of a bar; there are: {', '.join(COLOURS)}")
        if isinstance(height, str) or height <= 0:
            raise BadSpec(f"the height of the {colour} bar is “{height}”; a number above 0 is needed")
        bars.append(Bar(str(colour), float(height)))
    tallest = max(bar.height for bar in bars)
    shrink = BAR_HEIGHTS[1] / tallest if tallest > BAR_HEIGHTS[1] else 1.0  # heights up to that are pixels
    scaled = tuple(Bar(bar.colour, bar.height * shrink) for bar in bars)
    if lost := next((bar for bar in scaled if bar.height < LOWEST), None):
        raise BadSpec(f"the {lost.colour} bar would be {lost.height:.1f} pixels high beside the tallest: it can't be seen")
    return draw(Scene(background(random.Random(seed)), bars=scaled))
