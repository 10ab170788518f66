"""The program of the child process that renders: a JSON object a line comes in, a header line and the bytes of a PNG go out.

in:  {"vega_lite": {…}, "config": {…}, "scale": 1.0, "most_pixels": 4000000}
out: {"bytes": 5120}\\n<5120 bytes of PNG>   or   {"error": "…"}\\n
"""

import json
import os
import re
import resource
import sys
import unicodedata
from functools import cache
from html import unescape
from importlib.metadata import version
from typing import Any, BinaryIO

from models.rendering.style import FONT

MEMORY = 3 * 2**30  # bytes of data that the process may hold
SECONDS = 600  # of processor time in its whole life
UNASSIGNED = "&#x10FFFD;"  # a character that no font has
NO_ADDRESS = "https://nothing.invalid/"  # the only address that may be fetched: there is none
_SIZE = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')
_TEXT = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL)
_FAMILY = re.compile(r'font-family="[^"]*"')
_UNSEEN = ("Zs", "Zl", "Zp", "Cf", "Cc", "Mn")  # Unicode categories: spaces, controls, marks that need another character
_REMOTE = re.compile(r"<(?:image|foreignObject|script)\b", re.IGNORECASE)


def main() -> None:
    reply = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import vl_convert

    _send(reply, {"ready": version("vl-convert-python")})
    for line in sys.stdin.buffer:
        try:
            picture = render(vl_convert, json.loads(line))
        except Exception as error:  # whatever Vega throws is the spec's fault
            _send(reply, {"error": _plain(str(error))})
        else:
            _send(reply, {"bytes": len(picture)})
            reply.write(picture)
            reply.flush()


def render(vl_convert: Any, asked: dict[str, Any]) -> bytes:
    """The PNG. Raises ValueError with what is wrong with the spec."""
    svg = vl_convert.vegalite_to_svg(asked["vega_lite"], config=asked["config"], allowed_base_urls=[NO_ADDRESS])
    size = _SIZE.search(svg)
    if size is None:
        raise ValueError("nothing was drawn")
    width, height = (float(side) * asked["scale"] for side in size.groups())
    if width * height > asked["most_pixels"] or max(width, height) > 4 * asked["most_pixels"] ** 0.5:
        raise ValueError(f"the picture would have {width:.0f} x {height:.0f} pixels; at most {asked['most_pixels']:,} are drawn")
    if _REMOTE.search(svg):
        raise ValueError("the spec draws a picture that would have to be fetched")
    svg = _FAMILY.sub(f'font-family="{FONT}"', svg)
    texts = unescape(re.sub("<[^>]*>", "", "".join(_TEXT.findall(svg))))
    if missing := [c for c in dict.fromkeys(texts) if not c.isascii() and not _is_drawn(vl_convert, c)]:
        raise ValueError(f"no font at hand has the characters {' '.join(missing[:10])}")
    png: bytes = vl_convert.svg_to_png(svg, scale=asked["scale"])
    return png


@cache
def _is_drawn(vl_convert: Any, character: str) -> bool:
    """Whether a font has the character: one that none has would be left out without a word, or become an empty box."""
    if unicodedata.category(character) in _UNSEEN:
        return True
    around = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text x="8" y="30" font-size="20" font-family="{FONT}">'
    drawn, *lacking = (vl_convert.svg_to_png(f"{around}{text}</text></svg>") for text in (f"&#{ord(character)};", "", UNASSIGNED))
    return drawn not in lacking


def _plain(error: str) -> str:
    """The part of an error of Vega that says what is wrong: its message, without the stack of the JavaScript."""
    lines = [line.strip() for line in error.splitlines() if line.strip() and not line.strip().startswith("at ")]
    return " ".join(lines)[:400] or "the renderer gave no reason"


def _send(reply: BinaryIO, header: dict[str, Any]) -> None:
    reply.write(json.dumps(header).encode() + b"\n")
    reply.flush()


if __name__ == "__main__":
    main()
