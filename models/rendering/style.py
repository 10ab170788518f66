"""The look that a seed gives a picture: background, grid, the color of the axes. Nothing that a question could be about."""

import random
from typing import Any

FONT = "Liberation Sans"  # it comes with the renderer; a font that a machine lacks would leave its text out
BACKGROUNDS = ("#ffffff", "#ffffff", "#fbfaf7", "#f6f8fa", "#fdfdf5", "#f4f4f2")


def config(seed: int) -> dict[str, Any]:
    """A Vega-Lite config; what the spec sets itself stands over it."""
    rng = random.Random(seed)
    grey = rng.choice(("#333333", "#1f2328", "#444a52"))
    return {
        "background": rng.choice(BACKGROUNDS),
        "font": FONT,
        "axis": {"grid": rng.random() < 0.5, "labelColor": grey, "titleColor": grey, "labelLimit": 400, "titleLimit": 600},
        "legend": {"labelLimit": 400, "titleLimit": 600},
        "title": {"limit": 1000, "color": grey},
        "view": {"stroke": rng.choice((None, "#dddddd"))},
    }


def in_one_font(node: Any) -> Any:
    """A JSON value in which every font is FONT: widths of texts are measured by the font that they are drawn in."""
    if isinstance(node, dict):
        return {key: FONT if key.lower().endswith("font") and isinstance(value, str) else in_one_font(value) for key, value in node.items()}
    return [in_one_font(item) for item in node] if isinstance(node, list) else node
