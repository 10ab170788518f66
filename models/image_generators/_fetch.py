"""Fetching a picture that a server gave as an address."""

import asyncio
from urllib.parse import urlsplit

from data.images import MAX_BYTES, BadImage

FETCH_SECONDS = 60.0


async def fetch(address: str, own_host: str | None, retries: int) -> bytes:
    """A picture that the server gave as an address: over https, or from the server itself. Raises BadImage."""
    import httpx2

    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise BadImage(f"the reply has an invalid image address {address[:80]!r}: {error}") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == own_host):
        raise BadImage(f"the reply has the image address {address[:80]!r}: images are fetched over https or from the server itself only")
    trouble = ""
    async with httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client:
        for attempt in range(retries + 1):
            try:
                async with client.stream("GET", address) as response:
                    response.raise_for_status()
                    content = bytearray()
                    async for piece in response.aiter_bytes():
                        content += piece
                        if len(content) > MAX_BYTES:
                            raise BadImage(
                                f"the image at {address[:80]!r} is over the limit of {MAX_BYTES // 2**20} MB; choose a smaller size"
                            )
                    return bytes(content)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                trouble = str(error) or type(error).__name__
            if attempt < retries:
                await asyncio.sleep(min(8.0, 0.3 * 2**attempt))
    raise BadImage(f"the image was drawn, but can't be fetched from {address[:80]!r}: {trouble}")
