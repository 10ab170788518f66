"""Does the picture decode, is it large enough, and is anything on it?"""

import numpy as np
from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterContext, FilterInput, picture_of
from data.images import BadImage, ImageStore


class ImageQuality(Filter):
    name = "image_quality"
    title = "Image usable"
    threshold = 1
    needs = frozenset({"image"})
    seconds_a_sample = 2e-3

    class Options(BaseModel):
        min_side: int = Field(default=32, ge=1, description="Minimum length of the shorter side, in pixels.")
        min_contrast: float = Field(
            default=2.0, gt=0, description="Minimum standard deviation of a colour channel, on the scale 0 to 255; a blank image has 0."
        )

    options: Options

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        self.store = ImageStore(context.images_root)

    def score(self, item: FilterInput) -> tuple[float, str]:
        """1 if the picture reaches both limits, else the share of the limit that it reaches; 0 if it doesn't decode."""
        image = picture_of(item)
        try:
            pixels = np.asarray(self.store.open(image), dtype=np.float32)
        except BadImage as error:
            return 0.0, str(error)
        side, contrast = min(pixels.shape[:2]), float(pixels.std(axis=(0, 1)).max())
        reason = f"{pixels.shape[1]} x {pixels.shape[0]} pixels, contrast {contrast:.1f}"
        return min(1.0, side / self.options.min_side, contrast / self.options.min_contrast), reason
