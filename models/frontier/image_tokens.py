"""Tokens that vendors count for an image, by their documentation, and pixels that a model can make use of."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_PIXELS = 2_000_000
TokenCount = Callable[[int, int, str | None], float]  # tokens of an image, from width, height (pixels) and detail


@dataclass(frozen=True)
class Family:
    """Models that look at images in one way."""

    name: re.Pattern[str]  # found in the model's name, without its vendor's
    tokens: TokenCount
    pixels: int = DEFAULT_PIXELS  # what is larger is scaled down there


def _tiles(base: int, each: int) -> TokenCount:
    """OpenAI: fitted into 2048 x 2048, then the shorter side to 768; tiles of 512."""

    def tokens(width: int, height: int, detail: str | None) -> float:
        if detail == "low":
            return base
        shrink = min(1.0, 2048 / max(width, height))
        shrink *= min(1.0, 768 / (min(width, height) * shrink))
        return base + each * math.ceil(width * shrink / 512) * math.ceil(height * shrink / 512)

    return tokens


def _patches(side: int, factor: float = 1.0, most: float = math.inf) -> TokenCount:
    """Patches of so many pixels a side; OpenAI's small models at most 1,536 of 32, times a factor; Qwen's as many as there are."""

    def tokens(width: int, height: int, detail: str | None) -> float:
        return factor * min(most, math.ceil(width / side) * math.ceil(height / side))

    return tokens


def _claude(width: int, height: int, detail: str | None) -> float:
    return min(width * height, 1_200_000) / 750


def _gemini(width: int, height: int, detail: str | None) -> float:
    """258 a tile; small images are one."""
    if max(width, height) <= 384:
        return 258
    side = min(768, max(256, min(width, height) // 1.5))
    return 258 * math.ceil(width / side) * math.ceil(height / side)


FAMILIES = (
    Family(re.compile("^gpt-4o-mini"), _tiles(2833, 5667), 1_572_864),
    Family(re.compile("^(gpt-4.1|gpt-5)-mini"), _patches(32, 1.62, 1536), 1_572_864),
    Family(re.compile("^(gpt-4.1|gpt-5)-nano"), _patches(32, 2.46, 1536), 1_572_864),
    Family(re.compile("^o4-mini"), _patches(32, 1.72, 1536), 1_572_864),
    Family(re.compile(r"^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-turbo|chatgpt-4o)"), _tiles(85, 170), 1_572_864),
    Family(re.compile(r"^(o1|o3)(?!-mini)"), _tiles(75, 150), 1_572_864),
    Family(re.compile(r"^gpt-5(?![.\d])"), _tiles(70, 140), 1_572_864),
    Family(re.compile("claude"), _claude, 1_200_000),
    Family(re.compile("gemini"), _gemini),
    Family(re.compile(r"qwen.?2(\.5)?-?vl"), _patches(28)),
    Family(re.compile(r"qwen.?3(\.\d)?-?vl"), _patches(32)),
)


def family_of(model: str) -> Family | None:
    name = model.lower().rpartition("/")[2]
    return next((family for family in FAMILIES if family.name.search(name)), None)


def likely_image_tokens(model: str, width: int, height: int, detail: str | None) -> int | None:
    """Tokens by documentation; None for a model of no known family."""
    family = family_of(model)
    return math.ceil(family.tokens(width, height, detail)) if family else None


def most_image_tokens(model: str, width: int, height: int, detail: str | None) -> int:
    """An upper bound: what is documented and a tenth, and never less than a generous guess for any model."""
    generous = 300 + 2 * width * height // 750
    return max(generous, math.ceil(1.1 * (likely_image_tokens(model, width, height, detail) or 0)))


def useful_pixels(model: str) -> int:
    """Pixels that an image is scaled down to where nothing else is asked for."""
    family = family_of(model)
    return family.pixels if family else DEFAULT_PIXELS
