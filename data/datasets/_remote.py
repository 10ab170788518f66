"""Pictures at web addresses, fetched where somebody has asked for it."""

import urllib.error
import urllib.request

from data.datasets._reading import Unusable
from data.images import MAX_BYTES

SECONDS = 30  # without a byte


def fetched(address: str) -> bytes:
    """The bytes at an http(s) address. Raises Unusable."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers={"User-Agent": "Mistakebook"}), timeout=SECONDS) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise Unusable(f"image {address[:80]!r} could not be fetched ({error}); check the address and the network") from error
    if len(content) > MAX_BYTES:
        raise Unusable(f"image {address[:80]!r} has more than {MAX_BYTES >> 20} MB; make it smaller")
    return content
